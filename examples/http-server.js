'use strict';

// A small HTTP service: GET / greets, POST /words counts the words of the body, anything else is not
// found. Run it, then http-client.js (or curl) in another terminal:
//
//   node -r ferronet/register examples/http-server.js [port]

const http = require('http');

const port = Number(process.argv[2] ?? 8127);

const server = http.createServer((req, res) => {
  console.log(`${req.method} ${req.url}`);
  if (req.method === 'GET' && req.url === '/') greet(res);
  else if (req.method === 'POST' && req.url === '/words') countWords(req, res);
  else answer(res, 404, { error: 'not found' });
});

/** An answer in pieces: its length is not known beforehand, so it is chunked. */
function greet(res) {
  res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
  res.write('Hello, ');
  res.end('world!\n');
}

/** The body comes as it arrives; a request is a readable stream. */
function countWords(req, res) {
  let text = '';
  req.setEncoding('utf8');
  req.on('data', (chunk) => (text += chunk));
  req.on('end', () => answer(res, 200, { words: text.split(/\s+/).filter(Boolean).length }));
}

function answer(res, status, body) {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text)
  });
  res.end(text);
}

server.on('error', (error) => console.error(error.message));
server.on('close', () => console.log('the server is closed'));

server.listen(port, '127.0.0.1', () => {
  console.log(`listening on port ${server.address().port}`);
});

// Ctrl-C: no new requests; connections that wait for one are closed.
process.on('SIGINT', () => {
  server.close();
  server.closeIdleConnections();
});
