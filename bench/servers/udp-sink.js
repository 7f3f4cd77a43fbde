'use strict';

// The UDP receiver of every contender: counts what its program sees, and tells the count to whoever
// sends a single byte.

const dgram = require('dgram');

let count = 0;
const server = dgram.createSocket('udp4');
server.on('message', (message, { port, address }) => {
  if (message.length > 1) count++;
  else server.send(`${count}`, port, address);
});
server.bind(0, '127.0.0.1', () => console.log(server.address().port));
