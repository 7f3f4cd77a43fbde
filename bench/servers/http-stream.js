'use strict';

// Answers `/SIZE` with 1 MB in chunks of that many bytes, each written when there is room for it.

const http = require('http');

const TOTAL = 1024 * 1024;
const bytes = Buffer.alloc(TOTAL, 'x');

const server = http.createServer((request, response) => {
  const size = Number(request.url.slice(1));
  send(response, bytes.subarray(0, size), TOTAL / size);
});

function send(response, chunk, left) {
  for (; left > 0; left--) {
    if (response.write(chunk)) continue;
    response.once('drain', () => send(response, chunk, left - 1));
    return;
  }
  response.end();
}

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
