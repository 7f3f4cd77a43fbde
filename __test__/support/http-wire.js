'use strict';

// Runs a body with node:http and with ours and compares what it tells: bytes of raw peers, events,
// errors. Peers are Node's own sockets, which neither implementation has a hand in.

const { once } = require('node:events');
const net = require('node:net');

const { declare } = require('./known');

const node = require('node:http');
const ours = require('../../dist/http');

if (ours === node || ours.Server === node.Server) {
  throw new Error('dist/http is node:http itself: Node would be compared with Node');
}

/** Declares that a body tells the same with either; what it tells must not be empty. */
function same(sentence, body) {
  declare('ferronet', sentence, sentence, async () => {
    const expected = await body(node);
    expect(isEmpty(expected)).toBe(false);
    expect(await body(ours)).toEqual(expected);
  });
}

function isEmpty(value) {
  if (value === undefined || value === null || value === '') return true;
  return Array.isArray(value) && value.every(isEmpty);
}

/** A listening server, closed with all its connections when `use` is done. */
async function serve(http, options, listener, use) {
  const server = http.createServer(options, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(server, server.address().port);
  } finally {
    server.closeAllConnections();
    if (server.listening) {
      server.close();
      await once(server, 'close');
    }
  }
}

/** Sends bytes to a port and gives all that comes back, as latin1, until the connection is over. */
async function exchange(port, request, { end = false } = {}) {
  const socket = net.connect(port, '127.0.0.1');
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  for (const piece of [request].flat()) socket.write(piece, 'latin1');
  if (end) socket.end();
  await once(socket, 'close');
  return withoutDate(Buffer.concat(chunks).toString('latin1'));
}

function withoutDate(text) {
  return text.replace(/Date: [^\r]+ GMT/g, 'Date: now');
}

/**
 * A raw server that answers each connection's first bytes with `answer` and, unless told otherwise,
 * ends it; `use(port, received)` gets the requests as they came.
 */
async function answering(answer, use, { keep = false } = {}) {
  const received = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received.push(chunk.toString('latin1'));
      const text = typeof answer === 'function' ? answer(received, socket) : answer;
      if (text !== undefined) {
        if (keep) socket.write(text, 'latin1');
        else socket.end(text, 'latin1');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(server.address().port, received);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** The parts of an error that programs look at. */
function facts(error) {
  if (!error) return error;
  const { code, message, name, bytesParsed, reason } = error;
  return { code, message, name, bytesParsed, reason, raw: error.rawPacket?.toString('latin1') };
}

/** What a call throws. */
function thrown(call) {
  try {
    call();
  } catch (error) {
    return facts(error);
  }
  return 'nothing thrown';
}

module.exports = { answering, exchange, facts, node, ours, same, serve, thrown, withoutDate };
