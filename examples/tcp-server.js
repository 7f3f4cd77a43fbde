'use strict';

// A TCP server that greets and answers. Run it, then tcp-client.js (or telnet) in another terminal:
//
//   node -r ferronet/register examples/tcp-server.js [port]

const net = require('net');

const port = Number(process.argv[2] ?? 8124);

const server = net.createServer((socket) => {
  console.log('a client is here');
  socket.setEncoding('utf8');
  socket.write('Welcome. Who are you?');

  socket.on('data', (name) => {
    console.log(`it says: ${name}`);
    socket.write(`Hello, ${name}!`);
  });

  // The client has sent its last byte; net answers with our own end.
  socket.on('end', () => console.log('the client is leaving'));
  socket.on('close', () => console.log('the connection is closed'));
  socket.on('error', (error) => console.error(error.message));
});

// Without a listener an error is thrown, as when the port is taken.
server.on('error', (error) => console.error(error.message));
server.on('close', () => console.log('the server is closed'));

server.listen(port, '127.0.0.1', () => {
  console.log(`listening on port ${server.address().port}`);
});

// Ctrl-C: no new connections; the process ends when the last one has gone.
process.on('SIGINT', () => server.close());
