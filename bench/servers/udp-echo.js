'use strict';

// The UDP echo server of every contender: each datagram goes back to where it came from.

const dgram = require('dgram');

const server = dgram.createSocket('udp4');
server.on('message', (message, { port, address }) => server.send(message, port, address));
// The generator leaves with answers under way, which Bun tells.
server.on('error', () => {});
server.bind(0, '127.0.0.1', () => console.log(server.address().port));
