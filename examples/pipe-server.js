'use strict';

// The shortest echo server: a socket is a readable and a writable stream, so pipe it into itself.
// `pipe` also stops reading while the other side does not take its echo:
//
//   node -r ferronet/register examples/pipe-server.js [port]

const net = require('net');

const port = Number(process.argv[2] ?? 8125);

const server = net.createServer((socket) => {
  socket.pipe(socket);
  socket.on('error', (error) => console.error(error.message));
  socket.on('close', () => {
    console.log(`received ${socket.bytesRead} bytes, sent ${socket.bytesWritten}`);
  });
});

server.on('error', (error) => console.error(error.message));
server.on('close', () => console.log('the server is closed'));

server.listen(port, '127.0.0.1', () => {
  console.log(`listening on port ${server.address().port}`);
});

process.on('SIGINT', () => server.close());
