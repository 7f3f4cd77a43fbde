'use strict';

// The echo server in one word: `pipe`, with its backpressure.

const net = require('net');

const server = net.createServer((socket) => {
  socket.pipe(socket);
  // The generator leaves in mid-message when its time is up.
  socket.on('error', () => {});
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
