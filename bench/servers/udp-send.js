'use strict';

// The UDP sender of every contender: from `+` to `-` it sends bursts to whoever sent that, each as
// soon as the last datagram of the one before was sent. It answers both with how many those were.

const dgram = require('dgram');

const BURST = 100;
const message = Buffer.alloc(64, 'x');
let count = 0;
let to = null;

const server = dgram.createSocket('udp4');
server.on('message', (command, sender) => {
  const begins = to === null;
  to = `${command}` === '+' ? sender : null;
  if (to !== null && begins) burst();
  server.send(`${count}`, sender.port, sender.address);
});
server.bind(0, '127.0.0.1', () => console.log(server.address().port));

function burst() {
  if (to === null) return;
  const { port, address } = to;
  for (let i = 1; i < BURST; i++) server.send(message, port, address);
  server.send(message, port, address, sent);
  count += BURST;
}

function sent(error) {
  if (error) throw error;
  setImmediate(burst);
}
