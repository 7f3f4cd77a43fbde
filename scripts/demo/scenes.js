'use strict';

// The demo's scenes: which examples appear, and every line they must say. `start` gives the actor
// of an example; a scene that returns has been right to the last line.

const os = require('node:os');
const path = require('node:path');

/** @typedef {(role: string, script: string, ...args: string[]) => InstanceType<typeof import('./actor').Actor>} Start */

/** @param {Start} start */
async function greeting(start) {
  const server = start('tcp server', 'tcp-server.js', '0');
  const port = await server.says(/^listening on port (\d+)$/);
  const client = start('tcp client', 'tcp-client.js', port, 'Ada');
  await client.says('connected');
  await server.says('a client is here');
  await client.says('the server asks: Welcome. Who are you?');
  await server.says('it says: Ada');
  await client.says('the server says: Hello, Ada!');
  await client.says('the server has ended too');
  await client.ends();
  await server.says('the client is leaving');
  await server.says('the connection is closed');
  await closes(server);
}

/** @param {Start} start */
async function words(start) {
  const file = path.join(os.tmpdir(), `ferronet-demo-${process.pid}.sock`);
  const server = start('unix server', 'unix-server.js', file);
  await server.says(`listening on ${file}`);
  const client = start('unix client', 'unix-client.js', file);
  await client.says('connected, sending 4 words');
  await server.says('counting 4 words');
  await client.says('the server says: 4 words, the longest is "without"');
  await client.ends();
  await closes(server);
}

/** @param {Start} start */
async function echo(start) {
  const server = start('pipe server', 'pipe-server.js', '0');
  const port = await server.says(/^listening on port (\d+)$/);
  const client = start('pipe client', 'pipe-client.js', port);
  await client.says('8388608 bytes came back, all the same');
  await client.ends();
  await server.says('received 8388608 bytes, sent 8388608');
  await closes(server);
}

/** @param {Start} start */
async function chat(start) {
  const server = start('chat server', 'chat-server.js', '0');
  const port = await server.says(/^listening on port (\d+)$/);
  const ada = start('Ada', 'chat-client.js', port, 'Ada');
  await ada.says('* 1 in the room');
  await server.says('* Ada joined');
  const grace = start('Grace', 'chat-client.js', port, 'Grace');
  await grace.says('* 2 in the room');
  await server.says('* Grace joined');
  await ada.says('* Grace joined');

  ada.types('Hello, Grace.');
  await server.says('Ada: Hello, Grace.');
  await grace.says('Ada: Hello, Grace.');
  grace.types('Hello, Ada. I have to go.');
  await server.says('Grace: Hello, Ada. I have to go.');
  await ada.says('Grace: Hello, Ada. I have to go.');
  grace.hangsUp();
  await grace.ends();
  await server.says('* Grace left');
  await ada.says('* Grace left');

  server.interrupt();
  await ada.ends();
  // In this order: a server counts a socket as gone before the socket's own 'close'.
  await server.says('the server is closed');
  await server.says('* Ada left');
  await server.ends();
}

/** @param {Start} start */
async function datagrams(start) {
  const server = start('udp server', 'udp-server.js', '0');
  const port = await server.says(/^listening on port (\d+)$/);
  const client = start('udp client', 'udp-client.js', port);
  await server.says('3 bytes: one');
  await server.says('3 bytes: two');
  await server.says('4 bytes: stop');
  await client.says('the server says: ONE');
  await client.says('the server says: TWO');
  await client.says('the server says: STOP');
  await client.ends();
  await server.says('closed');
  await server.ends();
}

/** @param {Start} start */
async function service(start) {
  const server = start('http server', 'http-server.js', '0');
  const port = await server.says(/^listening on port (\d+)$/);
  const client = start('http client', 'http-client.js', port);
  await server.says('GET /');
  await client.says('200 over a new connection: Hello, world!');
  await server.says('POST /words');
  await client.says('200 over the same connection: {"words":4}');
  await server.says('GET /nowhere');
  await client.says('404 over the same connection: {"error":"not found"}');
  await client.ends();
  await closes(server);
}

async function closes(server) {
  server.interrupt();
  await server.says('the server is closed');
  await server.ends();
}

module.exports = [
  { title: 'A TCP server and its client', play: greeting },
  { title: 'A Unix domain socket, each side ending in its own time', play: words },
  { title: 'socket.pipe(socket), 8 MB there and back', play: echo },
  { title: 'A chat room', play: chat },
  { title: 'Datagrams there and back', play: datagrams },
  { title: 'An HTTP service, asked over one connection', play: service }
];
