'use strict';

// Sends 8 MB to pipe-server.js and compares what comes back. When write() returns false, the socket
// has enough to do and says 'drain' when it wants more; waiting for that keeps memory small:
//
//   node -r ferronet/register examples/pipe-client.js [port]

const crypto = require('crypto');
const net = require('net');

const port = Number(process.argv[2] ?? 8125);
const total = 8 * 1024 * 1024;

const sent = crypto.createHash('sha256');
const received = crypto.createHash('sha256');
let toSend = total;

const client = net.connect({ port, host: '127.0.0.1' }, write);

function write() {
  while (toSend > 0) {
    const chunk = crypto.randomBytes(Math.min(64 * 1024, toSend));
    toSend -= chunk.length;
    sent.update(chunk);
    if (!client.write(chunk)) {
      client.once('drain', write);
      return;
    }
  }
  client.end();
}

client.on('data', (chunk) => received.update(chunk));

client.on('end', () => {
  const same = sent.digest('hex') === received.digest('hex');
  console.log(`${client.bytesRead} bytes came back, ${same ? 'all the same' : 'DIFFERENT'}`);
});

client.on('error', (error) => console.error(error.message));
