'use strict';

// What a message writes in one tick, on a connection that has no socket: kept together until the
// tick, or the message, is over, as a corked socket would keep it.

const { nop } = require('./outgoing-cork');
const { isAscii } = require('./tokens');

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

  /** Several pieces of a chunked body as one chunk; see outgoing-cork.js. */
  addChunks({ parts, size }) {
    this.addRestOfHead();
    this.addText(sizeLine(size));
    for (const { chunk, encoding, callback } of parts) {
      this.add(chunk, encoding);
      this.addCallback(callback);
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

module.exports = { Pieces, isUtf8, writeAll };
