// Who sends without a pause gets no more than its turn: the others are read all the same.
'use strict';

const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const dgram = require('../../dist/dgram');
const http = require('../../dist/http');
const net = require('../../dist/net');

jest.setTimeout(60_000);

const host = '127.0.0.1';
const open = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

function peer(role, port, count) {
  const file = path.join(__dirname, '../fixtures/peers/flood-worker.js');
  const worker = new Worker(file, { workerData: { role, port, count } });
  open.push(() => worker.terminate());
  return worker;
}

async function listening(server) {
  server.listen(0, host);
  await once(server, 'listening');
  return server.address().port;
}

test('connections that are full of requests leave another its turn', async () => {
  const server = http.createServer((request, response) => response.end('x'));
  const port = await listening(server);
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  peer('requests', port, 8);
  await once(server, 'request');
  const [answer] = await once(peer('ask', port, 20), 'message');
  expect(answer).toBe('answered');
});

test('a flood of large datagrams leaves a connection its turn', async () => {
  const socket = dgram.createSocket('udp4', () => {
    // What a program does with each of them is most of the time.
    const end = performance.now() + 0.05;
    while (performance.now() < end);
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  open.push(() => socket.close());
  socket.setRecvBufferSize(8_000_000);
  const sockets = new Set();
  const server = net.createServer((accepted) => {
    sockets.add(accepted);
    accepted.on('error', () => {});
    accepted.on('data', () => accepted.write('x'));
  });
  const port = await listening(server);
  open.push(() => {
    sockets.forEach((accepted) => accepted.destroy());
    server.close();
  });
  peer('datagrams', socket.address().port, 8);
  peer('datagrams', socket.address().port, 8);
  await once(socket, 'message');
  const [answer] = await once(peer('ask', port, 20), 'message');
  expect(answer).toBe('answered');
});
