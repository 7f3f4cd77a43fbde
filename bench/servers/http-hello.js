'use strict';

// The least that a server can answer, with what Node adds by itself.

const http = require('http');

const server = http.createServer((request, response) => response.end('Hello, world!'));

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
