'use strict';

// How an outgoing message's bytes reach the socket: head and body in as few writes as can be, in
// one when end() brings the whole body; OutgoingMessage's methods that deal in bytes.

const { Buffer } = require('node:buffer');
const process = require('node:process');
const { getDefaultHighWaterMark } = require('node:stream');

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { STRING_MAX } = require('../internal/stream-handle');
const { observed } = require('../internal/timeline');
const { Socket } = require('../net');
const { canWritePast, handleOf } = require('./consume');
const { isAscii } = require('./fields');
const ending = require('./outgoing-end');
const corking = require('./outgoing-pieces');
const { kConnection, kCorked, kLeft, kNeedDrain } = require('./symbols');

const { isUtf8, nop, writeAll } = corking;

const kBytesWritten = Symbol('bytesWritten');
const kHighWaterMark = Symbol('highWaterMark');
const kRejectBody = Symbol('rejectNonStandardBodyWrites');

const CRLF = Buffer.from('\r\n');
const plainWrite = Socket.prototype.write;

/** From Node 24 on no empty write follows the last chunk. */
const ENDS_WITH_CHUNK = nodeMajor >= 24;

/** What Node 26 says of itself, the stream says of it elsewhere: behind the chunk's size. */
const REFUSES_ENCODINGS = nodeMajor >= 26;

/** From Node 24 on also a message of which nothing waits gets 'drain' with its socket. */
const DRAINS_EMPTY = nodeMajor >= 24;

/** Up to this, copying a body behind its head costs less than a second buffer in the write. */
const JOIN_MAX = 16 * 1024;

function initialize(message, options) {
  message[kCorked] = 0;
  message[kBytesWritten] = 0;
  message[kHighWaterMark] = options?.highWaterMark ?? getDefaultHighWaterMark(false);
  message[kRejectBody] = options?.rejectNonStandardBodyWrites ?? false;
}

/** @returns {boolean} whether more may be written before 'drain' */
function write(message, chunk, encoding, callback) {
  const done = typeof callback === 'function' ? callback : nop;
  if (message.finished || message.destroyed) {
    const error = message.finished
      ? codeError('ERR_STREAM_WRITE_AFTER_END')
      : codeError('ERR_STREAM_DESTROYED', 'write');
    if (message.destroyed) process.nextTick(done, error);
    else fail(message, error, done);
    return false;
  }
  if (message.strictContentLength) countStrictly(message, sizeOf(chunk, encoding), false);
  if (!message._header) message._implicitHeader();
  if (!message._hasBody) return ignoreBody(message, done);

  const connection = message[kConnection];
  if (connection !== null && connection.takesPieces(message)) {
    return writePiece(connection, message, chunk, encoding, done);
  }
  if (!message.chunkedEncoding) {
    corking.corkTick(message);
    return message._send(chunk, encoding, done);
  }
  if (REFUSES_ENCODINGS) checkEncoding(chunk, encoding);
  corking.corkTick(message);
  const size = sizeOf(chunk, encoding);
  if (corking.holdsChunk(message, size)) {
    corking.holdChunk(message, chunk, encoding, done, size);
    return corking.takesMore(message);
  }
  if (size === 0) return message._send(chunk, encoding, done);
  return sendChunk(message, chunk, encoding, '', done);
}

/** Writes what leaves at the end of the tick. @returns {boolean} as write() */
function writePiece(connection, message, chunk, encoding, done) {
  const { chunkedEncoding } = message;
  if (chunkedEncoding && REFUSES_ENCODINGS) checkEncoding(chunk, encoding);
  const pieces = connection.piecesOf(message);
  if (chunkedEncoding && corking.HOLDS_TICKS) {
    const size = sizeOf(chunk, encoding);
    if (corking.holdsChunk(message, size)) {
      corking.holdChunk(message, chunk, encoding, done, size);
      // As writableLength says of what has no socket.
      const length = message.outputSize + pieces.length + corking.heldLength(message);
      return length < connection.settings.highWaterMark;
    }
  }
  addPiece(message, pieces, chunk, encoding);
  pieces.addCallback(done);
  return pieces.length < connection.settings.highWaterMark;
}

/** Adds the head, if it has not left, and a piece of the body. */
function addPiece(message, pieces, chunk, encoding) {
  const head = message._headerSent ? '' : message._header;
  message._headerSent = true;
  if (message.chunkedEncoding && chunk.length > 0) {
    pieces.addText(head);
    pieces.addChunk(chunk, encoding);
  } else if (head !== '') {
    pieces.addHead(head, chunk, encoding);
  } else {
    pieces.add(chunk, encoding);
  }
}

/** Adds the rest of a message, and sends all of it. */
function endPieces(connection, message, chunk, encoding) {
  if (!connection.hasPieces(message)) connection.startPieces(message);
  const { pieces } = connection;
  if (chunk !== null) {
    const size = sizeOf(chunk, encoding);
    if (message.chunkedEncoding && corking.HOLDS_TICKS && corking.holdsChunk(message, size)) {
      corking.holdChunk(message, chunk, encoding, nop, size);
    } else {
      addPiece(message, pieces, chunk, encoding);
    }
  }
  message.finished = true;
  connection.onWritten(message);
  connection.sendPieces(true);
  if (isWatched(message) && connection.message === message) message._finish();
}

/** Sends what is left of the message, with `chunk` or null for its end. */
function end(message, chunk, encoding, callback) {
  const given = chunk !== null;
  const corks = given || !message._header;
  const size = given ? sizeOf(chunk, encoding) : 0;
  const lost = given && message.destroyed;
  try {
    beginEnd(message, lost ? null : chunk, encoding, size, lost);
    if (typeof callback === 'function') ending.whenEnded(message, callback, true);
    checkLength(message);
  } catch (error) {
    // As Node does: whatever is written next waits for an end() that is none.
    if (corks) message.socket?.cork();
    throw error;
  }
  if (lost || !message._hasBody) chunk = null;
  const connection = message[kConnection];
  if (!lost && connection?.isWriter(message) && sendRest(message, chunk, encoding, size)) return;

  const { socket } = message;
  const done = (error) => afterLastWrite(message, error);
  const joins = joinsWrites(socket);
  // Also what is refused, for its encoding, leaves the socket corked.
  if (socket && given && !(joins && typeof chunk === 'string' && isPlain(encoding))) socket.cork();
  if (message._hasBody && message.chunkedEncoding) {
    const last = `0\r\n${message._trailer}\r\n`;
    if (chunk !== null && corking.holdsChunk(message, size)) {
      corking.holdChunk(message, chunk, encoding, nop, size);
      chunk = null;
    }
    if (socket?.destroyed) corking.dropChunks(message);
    const chunks = corking.takeChunks(message);
    if (chunks !== null) {
      sendChunks(message, chunks);
      sendText(message, last, done);
    } else if (chunk !== null && size > 0 && joins) {
      sendChunk(message, chunk, encoding, last, done);
    } else {
      if (chunk !== null && size > 0) sendChunk(message, chunk, encoding, '', nop);
      sendText(message, last, done);
    }
  } else if (chunk !== null && joins) {
    sendWhole(message, chunk, encoding, done);
  } else if (chunk !== null && ENDS_WITH_CHUNK && !message.strictContentLength) {
    message._send(chunk, encoding, done);
  } else {
    if (chunk !== null) message._send(chunk, encoding, null);
    if (given || !message._headerSent || message.writableLength > 0) {
      message._send('', 'latin1', done);
    } else {
      process.nextTick(done);
    }
  }
  if (socket) while (socket.writableCorked > 0) socket.uncork();
  message[kCorked] = 0;
  message.finished = true;
  if (message.outputData.length === 0 && socket && socket._httpMessage === message) {
    message._finish();
  }
}

/** Makes the head if there is none yet; refuses a chunk that the message must not end with. */
function beginEnd(message, chunk, encoding, size, lost) {
  if (message.strictContentLength && chunk !== null) countStrictly(message, size, true);
  if (!message._header && !lost) {
    message._contentLength = size;
    message._implicitHeader();
  }
  if (chunk === null) return;
  if (!message._hasBody) ignoreBody(message, nop);
  else if (REFUSES_ENCODINGS && message.chunkedEncoding) checkEncoding(chunk, encoding);
}

function checkLength(message) {
  if (hasStatedLength(message) && message[kBytesWritten] !== message._contentLength) {
    throw mismatch(message[kBytesWritten], message._contentLength);
  }
}

/** The rest of a message, past the socket. @returns {boolean} whether it could be */
function sendRest(message, chunk, encoding, size) {
  const connection = message[kConnection];
  if (message.outputData.length > 0) return false;
  const chunked = message._hasBody && message.chunkedEncoding;
  const isPiece = chunked && chunk !== null && typeof chunk !== 'string';
  if (connection.hasPieces(message) || (isPiece && connection.takesPieces(message))) {
    endPieces(connection, message, chunk, encoding);
    return true;
  }
  if (message[kCorked] > 0) return false;
  let text = message._headerSent ? '' : message._header;
  let latin1 = true;
  let rest = null;
  if (chunk === null) {
    if (chunked) text += `0\r\n${message._trailer}\r\n`;
  } else if (typeof chunk === 'string') {
    if (!isPlain(encoding)) return false;
    latin1 = encoding === 'latin1';
    if (chunked) {
      // Fields that are not ASCII cannot share the encoding of the chunk.
      if (!latin1 && !(isAscii(text) && isAscii(message._trailer))) return false;
      const size = Buffer.byteLength(chunk, latin1 ? 'latin1' : 'utf8').toString(16);
      const last = `\r\n0\r\n${message._trailer}\r\n`;
      text += chunk === '' ? last.slice(2) : `${size}\r\n${chunk}${last}`;
    } else {
      rest = chunk;
      // The same bytes in both encodings, and less work in latin1.
      latin1 ||= size === chunk.length && isAsciiHead(text);
    }
  } else {
    if (chunked) return false;
    rest = chunk;
  }
  if (text.length + (typeof rest === 'string' ? rest.length : 0) > STRING_MAX) {
    if (rest !== null && typeof rest !== 'string') return false;
    rest = Buffer.from(text + (rest ?? ''), latin1 ? 'latin1' : 'utf8');
    text = '';
  }
  message._headerSent = message.finished = true;
  connection.onWritten(message);
  if (text === '' && (rest === null || rest === '')) process.nextTick(afterSent, message);
  else connection.send(text, latin1, rest, message);
  if (isWatched(message) && connection.message === message) message._finish();
  return true;
}

let asciiHead = '';

/** As isAscii(), of what is often the same. */
function isAsciiHead(text) {
  if (text !== asciiHead && Buffer.byteLength(text) === text.length) asciiHead = text;
  return text === asciiHead;
}

/** Whether anybody learns that everything is with the socket. */
function isWatched(message) {
  return observed.http !== 0 || ending.isHeard(message);
}

/**
 * Whether it is all the same how many writes the bytes come in: on a socket of ours, unless the
 * program has put a write() of its own before it.
 */
function joinsWrites(socket) {
  return socket instanceof Socket && socket.write === plainWrite;
}

/** The last piece of a body that is delimited by its length, or by the connection's end. */
function sendWhole(message, chunk, encoding, done) {
  const { socket } = message;
  const now = socket && socket._httpMessage === message && message.outputData.length === 0;
  if (typeof chunk !== 'string' && !message._headerSent && now && chunk.length <= JOIN_MAX) {
    const header = message._header;
    const piece = Buffer.allocUnsafe(header.length + chunk.length);
    piece.write(header, 0, 'latin1');
    piece.set(chunk, header.length);
    message._headerSent = true;
    message._writeRaw(piece, null, done);
  } else {
    message._send(chunk, encoding, done);
  }
}

/** A piece of a chunked body, and `after` behind it. */
function sendChunk(message, chunk, encoding, after, done) {
  const joins = joinsWrites(message.socket);
  if (joins && typeof chunk === 'string' && isPlain(encoding) && isAscii(after)) {
    // The size's encoding is that of the chunk then: a head that is not ASCII cannot share it.
    if (!message._headerSent && !isAscii(message._header)) message._send('', 'latin1', null);
    const size = Buffer.byteLength(chunk, encoding ?? 'utf8').toString(16);
    return message._send(`${size}\r\n${chunk}\r\n${after}`, encoding, done);
  }
  const size = sizeOf(chunk, encoding).toString(16);
  if (joins) {
    sendText(message, `${size}\r\n`, null);
  } else {
    sendText(message, size, null);
    message._send(CRLF, null, null);
  }
  message._send(chunk, encoding, null);
  return after === '' ? message._send(CRLF, null, done) : sendText(message, `\r\n${after}`, done);
}

/** Pieces that were written while the message was corked, as one chunk. */
function sendChunks(message, chunks) {
  const parts = chunks.parts.map(corking.partOf);
  const [{ encoding }] = parts;
  const done = (error) => {
    for (const { callback } of parts) callback(error);
  };
  if (
    isPlain(encoding) &&
    parts.every((part) => part.encoding === encoding && isWholeText(part.chunk))
  ) {
    sendChunk(message, parts.map(({ chunk }) => chunk).join(''), encoding, '', done);
    return;
  }
  sendText(message, `${chunks.size.toString(16)}\r\n`, null);
  for (const part of parts) message._send(part.chunk, part.encoding, null);
  message._send(CRLF, null, done);
}

/** Whether a piece is text, the same with more behind it: it does not end amid a character. */
function isWholeText(chunk) {
  if (typeof chunk !== 'string') return false;
  const last = chunk.charCodeAt(chunk.length - 1);
  return last < 0xd800 || last > 0xdbff;
}

function sendText(message, text, done) {
  return message._send(text, 'latin1', done);
}

function sizeOf(chunk, encoding) {
  return typeof chunk === 'string'
    ? Buffer.byteLength(chunk, encoding ?? 'utf8')
    : chunk.byteLength;
}

/** Encodings in which a string can share a write with a head. */
function isPlain(encoding) {
  return isUtf8(encoding) || encoding === 'latin1';
}

function checkEncoding(chunk, encoding) {
  if (typeof chunk !== 'string' || isPlain(encoding) || Buffer.isEncoding(encoding)) return;
  throw codeError('ERR_UNKNOWN_ENCODING', encoding);
}

/** A body where there must be none: dropped, or an error for those who asked for it. */
function ignoreBody(message, done) {
  if (message[kRejectBody]) throw codeError('ERR_HTTP_BODY_NOT_ALLOWED');
  process.nextTick(done);
  return true;
}

function countStrictly(message, size, last) {
  const total = message[kBytesWritten] + size;
  const stated = message._contentLength;
  if (hasStatedLength(message) && (last ? total !== stated : total > stated)) {
    throw mismatch(total, stated);
  }
  message[kBytesWritten] = total;
}

function hasStatedLength(message) {
  return (
    message.strictContentLength &&
    message._contentLength !== null &&
    message._hasBody &&
    !message._removedContLen &&
    !message.chunkedEncoding &&
    !message.hasHeader('transfer-encoding')
  );
}

function mismatch(size, stated) {
  return codeError('ERR_HTTP_CONTENT_LENGTH_MISMATCH', size, stated);
}

/** Tells of an error on the next tick; the program need not wait for it with a callback. */
function fail(message, error, callback) {
  if (message.destroyed) return;
  process.nextTick(emitFailure, message, error, typeof callback === 'function' ? callback : nop);
}

function emitFailure(message, error, callback) {
  callback(error);
  if (typeof message.emit === 'function' && !message.destroyed) message.emit('error', error);
}

/** The socket has taken everything, or said why not. */
function afterLastWrite(message, error) {
  if (!ending.settle(message, error)) return;
  message[kLeft]();
  message.emit('finish');
}

/** Text that is all there is to write, past a socket of ours. @returns {boolean} whether it could be */
function writePast(socket, { data, encoding, callback }) {
  if (typeof data !== 'string' || data.length > STRING_MAX || !isPlain(encoding)) return false;
  const handle = handleOf(socket);
  if (handle === null || socket.connecting || !canWritePast(socket)) return false;
  const rest = handle.writeNow(data, encoding === 'latin1', null);
  if (rest !== null) {
    // The socket has the queue, and the error.
    writeAll(socket, rest, callback);
  } else {
    socket._unrefTimer();
    if (typeof callback === 'function') process.nextTick(callback, null);
  }
  return true;
}

/** As afterLastWrite(), where nothing was left to be sent. */
function afterSent(message) {
  if (ending.settle(message, null)) message[kConnection].onSent(message);
}

/** Methods of OutgoingMessage.prototype. */
const methods = {
  /** Writes with the head before it, if that is still to be sent. */
  _send(data, encoding, callback) {
    if (!this._headerSent && this._header !== null) {
      const header = this._header;
      this._headerSent = true;
      if (typeof data === 'string' && isPlain(encoding)) {
        data = header + data;
      } else {
        this._writeRaw(header, 'latin1', null);
      }
    }
    return this._writeRaw(data, encoding, callback);
  },

  /** Writes to the socket, or remembers to: an earlier message may be in its way. */
  _writeRaw(data, encoding, callback) {
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = null;
    }
    const { socket } = this;
    // What is written to a connection that is gone is lost.
    if (socket?.destroyed) return false;
    if (socket && socket._httpMessage === this && socket.writable) {
      if (this.outputData.length > 0) this._flushOutput(socket);
      return socket.write(data, encoding, callback);
    }
    this.outputData.push({ data, encoding, callback });
    this.outputSize += data.length;
    this[kConnection]?.onPending(data.length);
    return this.outputSize < this[kHighWaterMark];
  },

  /** There is a socket now, or it has room again. */
  _flush() {
    const { socket } = this;
    if (!socket?.writable) return;
    const more = this._flushOutput(socket);
    if (this.finished) {
      this._finish();
    } else if (this[kNeedDrain] && (more || (DRAINS_EMPTY && more === undefined))) {
      this[kNeedDrain] = false;
      this.emit('drain');
    }
  },

  /** @returns {boolean | undefined} what the last write said; undefined if there was none */
  _flushOutput(socket) {
    if (!corking.HOLDS_CHUNKS) corking.moveCorks(this, null, socket);
    const { outputData, outputSize } = this;
    if (outputData.length === 0) return undefined;
    this.outputData = [];
    let more = true;
    if (outputData.length > 1 || !writePast(socket, outputData[0])) {
      socket.cork();
      for (const { data, encoding, callback } of outputData) {
        more = socket.write(data, encoding, callback);
      }
      socket.uncork();
    }
    this[kConnection]?.onPending(-outputSize);
    this.outputSize = 0;
    return more;
  },

  cork() {
    corking.cork(this);
  },

  uncork() {
    corking.uncork(this, sendChunks);
  }
};

/** Getters of OutgoingMessage.prototype. Nobody needs a socket just to ask. */
const getters = {
  writableLength() {
    const written = ending.madeSocket(this)?.writableLength ?? 0;
    const kept = this[kConnection]?.sizeOfPieces(this) ?? 0;
    return this.outputSize + corking.heldLength(this) + kept + written;
  },

  writableHighWaterMark() {
    return ending.madeSocket(this)?.writableHighWaterMark ?? this[kHighWaterMark];
  },

  writableCorked() {
    return corking.corks(this, ending.madeSocket(this), this[kConnection]?.hasPieces(this));
  }
};

module.exports = { end, fail, getters, initialize, isWatched, methods, write };
