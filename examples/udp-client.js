'use strict';

// Sends three datagrams at once to udp-server.js and ends with the last answer:
//
//   node -r ferronet/register examples/udp-client.js [port]

const dgram = require('dgram');

const port = Number(process.argv[2] ?? 41234);

const client = dgram.createSocket('udp4');

client.on('message', (message) => {
  console.log(`the server says: ${message}`);
  if (String(message) === 'STOP') client.close();
});
client.on('error', (error) => {
  console.log(`nobody answers: ${error.code}`);
  client.close();
});

client.connect(port, '127.0.0.1', () => {
  for (const word of ['one', 'two', 'stop']) client.send(word);
});
