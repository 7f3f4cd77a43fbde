'use strict';

// The worker of the cluster tests: listens as its environment says and tells the primary what came.

const cluster = require('node:cluster');
const net = require(process.env.PARITY_SPECIFIER);

const options = JSON.parse(process.env.PARITY_LISTEN);
const { maxConnections, dropMaxConnection, ...listenOptions } = options;

const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.write(`served by ${cluster.worker.id}`);
  socket.resume();
});
if (maxConnections !== undefined) server.maxConnections = maxConnections;
if (dropMaxConnection !== undefined) server.dropMaxConnection = dropMaxConnection;

server.on('error', (error) => process.send({ error: error.code, syscall: error.syscall }));
server.on('drop', () => process.send({ dropped: true }));
server.listen(listenOptions, () => process.send({ address: server.address() }));
process.on('message', (message) => {
  if (message === 'close') server.close(() => process.send({ closed: true }));
});
// A worker with a handle of its own, which the primary knows nothing of, would stay for ever.
process.on('disconnect', () => process.exit());
