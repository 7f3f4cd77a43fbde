'use strict';

// A UDP service: answers each datagram with its text in capitals, until it is told to stop. Run it,
// then udp-client.js in another terminal:
//
//   node -r ferronet/register examples/udp-server.js [port]

const dgram = require('dgram');

const port = Number(process.argv[2] ?? 41234);

const server = dgram.createSocket('udp4');

server.on('listening', () => console.log(`listening on port ${server.address().port}`));
server.on('message', (message, { address, port: from, size }) => {
  console.log(`${size} bytes: ${message}`);
  server.send(String(message).toUpperCase(), from, address, () => {
    if (String(message) === 'stop') server.close();
  });
});
server.on('error', (error) => {
  console.log(`the server failed: ${error.message}`);
  server.close();
});
server.on('close', () => console.log('closed'));

server.bind(port, '127.0.0.1');
