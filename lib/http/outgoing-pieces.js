'use strict';

// What an outgoing message keeps back, to leave together: the pieces of a chunked body that wait for its
// last cork to be drawn, and, on a connection that has no socket, what it writes in one tick.

const { Buffer } = require('node:buffer');
const process = require('node:process');

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { isAscii } = require('./fields');
const { kCorked, kErrored, kNeedDrain } = require('./symbols');

// Corks of a message: those of its socket, and from Node 22 on its own.

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

function holdChunk(message, chunk, encoding, callback, size) {
  // Mostly it is bytes, and nobody waits for them: then they are all that there is to know.
  const bare = callback === nop && encoding === undefined && typeof chunk !== 'string';
  const part = bare ? chunk : { chunk, encoding, callback };
  const chunks = message[kChunks];
  if (chunks === null) {
    message[kChunks] = { parts: [part], size };
  } else {
    chunks.parts.push(part);
    chunks.size += size;
  }
}

/** @returns {boolean} whether more may be written before 'drain', behind a chunk that is held */
function takesMore(message) {
  const length = HOLDS_TICKS ? message.writableLength : message[kChunks].size;
  return length < message.writableHighWaterMark;
}

/** A piece that was held, with its encoding and callback. */
function partOf(part) {
  return ArrayBuffer.isView(part) ? { chunk: part, encoding: undefined, callback: nop } : part;
}

/** @returns {{ parts: any[], size: number } | null} what was held; see partOf() */
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
  for (const part of chunks.parts) process.nextTick(partOf(part).callback, error);
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

/** What is written in one tick without a socket: kept as a corked socket would keep it. */
class Pieces {
  /** @param {any} message the OutgoingMessage that writes them */
  constructor(message) {
    this.message = message;
    /** Buffers, and strings in latin1. */
    this.parts = [];
    /** Text behind the last part. */
    this.text = '';
    /** In bytes, and as a stream counts it: text by its characters. */
    this.size = 0;
    this.length = 0;
    /** Of the writes, in their order; null for none. */
    this.callbacks = null;
  }

  /** @param {string} text in latin1 */
  addText(text) {
    this.text += text;
    this.size += text.length;
    this.length += text.length;
  }

  /** @param {Uint8Array} bytes the program's own: it keeps them as they are until it is called back */
  addBytes(bytes) {
    if (bytes.length === 0) return;
    this.endText();
    this.parts.push(bytes);
    this.size += bytes.length;
    this.length += bytes.length;
  }

  /** The head, and behind it the first of a body that is delimited without chunks. */
  addHead(head, chunk, encoding) {
    // It shares the encoding of text that comes with it.
    if (typeof chunk === 'string' && isUtf8(encoding) && !isAscii(head)) {
      this.addBytes(Buffer.from(head + chunk));
    } else {
      this.addText(head);
      this.add(chunk, encoding);
    }
  }

  /** Part of a body. */
  add(chunk, encoding) {
    if (typeof chunk !== 'string') {
      this.addBytes(chunk);
    } else if (isLatin1(chunk, encoding)) {
      this.addText(chunk);
    } else {
      const bytes = Buffer.from(chunk, encoding);
      this.addBytes(bytes);
      this.length += chunk.length - bytes.length;
    }
  }

  /** A chunk of a chunked body, RFC 9112 section 7.1. */
  addChunk(chunk, encoding) {
    const isText = typeof chunk === 'string';
    this.addText(sizeLine(isText ? Buffer.byteLength(chunk, encoding ?? 'utf8') : chunk.length));
    this.add(chunk, encoding);
    this.addText('\r\n');
  }

  /** Several pieces of a chunked body as one chunk; see holdChunk(). */
  addChunks({ parts, size }) {
    this.addRestOfHead();
    this.addText(sizeLine(size));
    for (const part of parts) {
      if (ArrayBuffer.isView(part)) {
        this.addBytes(part);
      } else {
        this.add(part.chunk, part.encoding);
        this.addCallback(part.callback);
      }
    }
    this.addText('\r\n');
  }

  addCallback(callback) {
    if (callback === nop) return;
    if (this.callbacks === null) this.callbacks = [callback];
    else this.callbacks.push(callback);
  }

  /** What tells that the body is over. */
  addEnd() {
    const { message } = this;
    this.addRestOfHead();
    if (message._hasBody && message.chunkedEncoding) this.addText(`0\r\n${message._trailer}\r\n`);
  }

  addRestOfHead() {
    const { message } = this;
    if (!message._headerSent) this.addText(message._header);
    message._headerSent = true;
  }

  /** @returns {(Uint8Array | string)[]} all of it: Buffers, and strings in latin1 */
  take() {
    this.endText();
    return this.parts;
  }

  endText() {
    if (this.text === '') return;
    this.parts.push(this.text);
    this.text = '';
  }
}

let lastSize = -1;
let lastLine = '';

/** Chunks are often of one size. */
function sizeLine(size) {
  if (size !== lastSize) {
    lastSize = size;
    lastLine = `${size.toString(16)}\r\n`;
  }
  return lastLine;
}

/** Also where a write names no encoding. */
function isUtf8(encoding) {
  return !encoding || encoding === 'utf8' || encoding === 'utf-8';
}

/** Whether each character is one byte of what is to be sent. */
function isLatin1(text, encoding) {
  return encoding === 'latin1' || (isUtf8(encoding) && Buffer.byteLength(text) === text.length);
}

/**
 * Writes them to a socket as one.
 * @param {any} socket
 * @param {(Uint8Array | string)[]} parts Buffers, and strings in latin1
 * @param {(error?: Error | null) => void} [callback]
 */
function writeAll(socket, parts, callback) {
  socket.cork();
  const last = parts.length - 1;
  parts.forEach((part, at) => socket.write(part, 'latin1', at === last ? callback : undefined));
  if (last < 0 && callback) process.nextTick(callback);
  socket.uncork();
}

module.exports = {
  HOLDS_CHUNKS,
  HOLDS_TICKS,
  Pieces,
  cork,
  corkTick,
  corks,
  defaults,
  dropChunks,
  heldLength,
  holdChunk,
  holdsChunk,
  isUtf8,
  moveCorks,
  nop,
  partOf,
  takeChunks,
  takesMore,
  tellDrain,
  uncork,
  uncorkTick,
  writeAll
};
