'use strict';

// Corks of an outgoing message: those of its socket, and from Node 22 on the pieces of a chunked body
// that wait for the last cork to be drawn, and leave as one chunk.

const process = require('node:process');

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { kCorked, kErrored, kNeedDrain } = require('./symbols');

const kChunks = Symbol('chunks');

/** Up to Node 20 a message that has a socket is corked where the socket is. */
const HOLDS_CHUNKS = nodeMajor >= 22;

/** Writes of one tick are a chunk, too, also behind a head that is not sent. */
const HOLDS_TICKS = nodeMajor >= 26;

const TELLS_DRAIN = nodeMajor >= 24;

const defaults = { [kChunks]: null };

function cork(message) {
  const { socket } = message;
  if (HOLDS_CHUNKS || !socket) message[kCorked]++;
  if (socket) socket.cork();
}

/** @param {(message: any, chunks: any) => void} send what sends a chunk of several pieces */
function uncork(message, send) {
  const { socket } = message;
  // One too many is none: Node would hold back all that follows, until the message ends.
  if (message[kCorked] > 0 && (HOLDS_CHUNKS || !socket)) message[kCorked]--;
  let flushes = message[kCorked] === 0 && message[kChunks] !== null;
  if (flushes && (message.destroyed || socket?.destroyed)) {
    flushes = false;
    dropChunks(message);
  } else if (flushes) {
    send(message, takeChunks(message));
  }
  if (socket) socket.uncork();
  if (flushes) tellDrain(message);
}

/** A chunk that was held has left. */
function tellDrain(message) {
  if (!TELLS_DRAIN || !message[kNeedDrain] || message.writableLength > 0) return;
  message[kNeedDrain] = false;
  message.emit('drain');
}

/** What is written in this tick leaves together. */
function corkTick(message) {
  const { socket } = message;
  if (!socket || socket.writableCorked) return;
  if (HOLDS_TICKS) message.cork();
  else socket.cork();
  process.nextTick(uncorkTick, HOLDS_TICKS ? message : socket);
}

function uncorkTick(corked) {
  if (corked.writableCorked) corked.uncork();
}

/** A message's socket is corked as the message is, and not longer than it is the message's. */
function moveCorks(message, from, to) {
  for (let corks = message[kCorked]; corks > 0; corks--) {
    to?.cork();
    from?.uncork();
  }
  if (!HOLDS_CHUNKS) message[kCorked] = 0;
}

/** Whether a piece of a chunked body has to wait for others. */
function holdsChunk(message, size) {
  if (size === 0) return HOLDS_TICKS && message[kChunks] !== null;
  return HOLDS_CHUNKS && message[kCorked] > 0 && (HOLDS_TICKS || message._headerSent);
}

/** @returns {boolean} whether more may be written before 'drain' */
function holdChunk(message, chunk, encoding, callback, size) {
  const chunks = (message[kChunks] ??= { parts: [], size: 0 });
  chunks.parts.push({ chunk, encoding, callback });
  chunks.size += size;
  if (HOLDS_TICKS) return message.writableLength < message.writableHighWaterMark;
  return chunks.size < message.writableHighWaterMark;
}

/** @returns {{ parts: any[], size: number } | null} what was held */
function takeChunks(message) {
  const chunks = message[kChunks];
  message[kChunks] = null;
  return chunks;
}

/** The message is destroyed: tells of what was held. */
function dropChunks(message) {
  const chunks = takeChunks(message);
  if (chunks === null || !HOLDS_TICKS) return;
  const error = message[kErrored] || codeError('ERR_STREAM_DESTROYED', 'write');
  for (const { callback } of chunks.parts) process.nextTick(callback, error);
}

/** How many bytes are held, with those around them. */
function heldLength(message) {
  const chunks = message[kChunks];
  if (chunks === null) return 0;
  if (!HOLDS_TICKS) return chunks.size;
  const head = message._headerSent || message._header === null ? 0 : message._header.length;
  const digits = (35 - Math.clz32(chunks.size)) >> 2;
  return chunks.size + digits + 4 + head;
}

/** Corks of a message that `socket` belongs to, if it has one; `kept`: it keeps the tick's writes. */
function corks(message, socket, kept) {
  if (HOLDS_CHUNKS) return message[kCorked];
  return (kept ? 1 : (socket?.writableCorked ?? 0)) + message[kCorked];
}

/** Stands for the callback that a write does not have. */
function nop() {}

module.exports = {
  HOLDS_CHUNKS,
  HOLDS_TICKS,
  cork,
  corkTick,
  corks,
  defaults,
  dropChunks,
  heldLength,
  holdChunk,
  holdsChunk,
  moveCorks,
  nop,
  takeChunks,
  tellDrain,
  uncork,
  uncorkTick
};
