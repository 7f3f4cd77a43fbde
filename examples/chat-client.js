'use strict';

// Joins the room of chat-server.js: sends the lines typed here, prints the lines of the others.
// Ctrl-D leaves:
//
//   node -r ferronet/register examples/chat-client.js [port] [name]

const net = require('net');
const readline = require('readline');

const [port = 8126, name = `guest${process.pid}`] = process.argv.slice(2);

const client = net.connect({ port: Number(port), host: '127.0.0.1' }, () => {
  client.write(`${name}\n`);
});

const keyboard = readline.createInterface({ input: process.stdin });
keyboard.on('line', (line) => client.write(`${line}\n`));
keyboard.on('close', () => client.end());

readline.createInterface({ input: client }).on('line', (line) => console.log(line));

client.on('error', (error) => console.error(error.message));
client.on('close', () => keyboard.close());
