'use strict';

// Sends words to unix-server.js, ends its own side, and waits for the answer:
//
//   node -r ferronet/register examples/unix-client.js [path] [word...]

const net = require('net');
const os = require('os');
const path = require('path');

const [file = path.join(os.tmpdir(), 'ferronet-example.sock'), ...given] = process.argv.slice(2);
const words = given.length > 0 ? given : ['bytes', 'without', 'a', 'network'];

const client = net.connect({ path: file }, () => {
  console.log(`connected, sending ${words.length} words`);
  for (const word of words) client.write(`${word}\n`);
  client.end();
});

let answer = '';
client.setEncoding('utf8');
client.on('data', (chunk) => (answer += chunk));
client.on('end', () => console.log(`the server says: ${answer}`));
client.on('error', (error) => console.error(error.message));
