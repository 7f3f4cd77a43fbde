'use strict';

// http-hello.js for clients that ask once and stay: no connection is given up while it is counted.

const http = require('http');

const server = http.createServer((request, response) => response.end('Hello, world!'));

server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
