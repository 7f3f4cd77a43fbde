'use strict';

// The echo server of every contender: what it is made of differs, this file does not.

const net = require('net');

const server = net.createServer((socket) => {
  socket.on('data', (chunk) => socket.write(chunk));
  // The generator leaves in mid-message when its time is up.
  socket.on('error', () => {});
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
