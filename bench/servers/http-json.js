'use strict';

// An API as programs write them: fields are read, a JSON body is parsed, four fields are set.

const http = require('http');

const server = http.createServer((request, response) => {
  const { accept, authorization, host, 'x-request-id': id } = request.headers;
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (text += chunk));
  request.on('end', () => {
    const { customer, items } = JSON.parse(text);
    const total = items.reduce((sum, { count, price }) => sum + count * price, 0);
    const answer = JSON.stringify({ customer, total, host, accept, token: authorization.slice(7) });
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.setHeader('Content-Length', Buffer.byteLength(answer));
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Request-Id', id);
    response.end(answer);
  });
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
