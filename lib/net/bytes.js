'use strict';

// A socket's bytes: turns READ events into push(), writes into commands; the only place that calls
// push(), reads its result, and stops or restarts the handle. Its methods are Socket.prototype's.

const { Buffer } = require('node:buffer');
const process = require('node:process');
const { Duplex } = require('node:stream');

const { codeError, errnoError, framedError, numberOf } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { kEnd, kFailed, kProgress, kRead, kWritten } = require('../internal/stream-handle');

const { copyRead, takeRead, takeReadText } = require('../internal/runtime');
const { setImmediate } = require('../internal/timers');
const { Pipe } = require('./pipe');
const { WrapperTarget, kWrap } = require('./wrapper');

const plainPush = Duplex.prototype.push;

/** Strings up to here cross as they are, among Buffers. */
const SHORT = 1024;

const kOnRead = Symbol('onread');
const kPipe = Symbol('pipe');
const kTimer = Symbol('timer');
/** How many bytes of a write that has to wait had to when last asked. */
const kWaiting = Symbol('waiting');

/** Where wrappers are made, as it stands in a stack trace. */
const WRAPPERS = '(node:internal/js_stream_socket:';
/** `framedError`, this module's function, its caller, the wrapper. */
const FRAMES = 4;

const methods = {
  _read() {
    if (this.connecting || !this._handle) {
      this.once('connect', () => this._read());
    } else if (!this._handle.reading) {
      startReading(this);
    }
  },

  pause() {
    if (this[kOnRead] !== null) stopReading(this);
    return Duplex.prototype.pause.call(this);
  },

  resume() {
    if (isWrapping(this)) this[kWrap]();
    if (this[kOnRead] !== null) resumeReading(this);
    return Duplex.prototype.resume.call(this);
  },

  read(size) {
    if (this[kOnRead] !== null) resumeReading(this);
    return Duplex.prototype.read.call(this, size);
  },

  /** A READ event. */
  [kRead](offset, length) {
    if (this.destroyed) return;
    if (this[kTimer] !== null) this[kTimer].refresh();
    const target = this[kOnRead];
    if (target === null) {
      if (!takeIn(this, offset, length)) stopReading(this);
    } else if (!this._handle.reading) {
      // Read already when another socket's callback paused this one.
      target.held = takeRead(offset, length);
    } else if (!target.take(this, length, (buffer) => copyRead(offset, length, buffer))) {
      stopReading(this);
    }
  },

  /** The peer's FIN. 'end' comes when what was read is consumed, at once if nothing is left. */
  [kEnd]() {
    if (this.readableEnded) return;
    this._unrefTimer();
    const target = this[kOnRead];
    if (target === null) endReading(this);
    else target.end(this);
  },

  /** A wrapper reads from now on. */
  [kWrap]() {
    const target = (this[kOnRead] = new WrapperTarget(this, READING));
    if (this._handle && !this.connecting) this._handle.fixReadSize(target.size);
  },

  /** Reading, or a write that was taken before, has failed. */
  [kFailed](status, syscall) {
    if (this.destroyed) return;
    const error = errnoError(status, syscall);
    const target = this[kOnRead];
    if (!(target instanceof WrapperTarget && target.fail(this, error))) this.destroy(error);
  },

  _write(chunk, encoding, done) {
    this._writeGeneric(false, chunk, encoding, done);
  },

  _writev(entries, done) {
    this._writeGeneric(true, entries, '', done);
  },

  /** Node's name: what intercepts connections puts its own in the place of this. */
  _writeGeneric(several, data, encoding, done) {
    if (!canWrite(this, several, data, encoding, done)) return;
    if (several) writeSeveral(this, data, done);
    else writeOne(this, data, encoding, done);
  },

  /** A write that had to wait has ended. */
  [kWritten](status, done) {
    this[kWaiting] = 0;
    // Older Nodes took a write that a destroy cancelled for done.
    if (this.destroyed) return nodeMajor < 22 ? done() : finishWrite(numberOf('ECANCELED'), done);
    this._unrefTimer();
    finishWrite(status, done);
  },

  /** A write that has to wait goes forward, which is looked at when the time of idleness is over. */
  [kProgress]() {},

  _final(done) {
    // Without a connection there is nothing to shut down; older Nodes wait for one to come.
    if (this.connecting || (!this._handle && nodeMajor < 22)) {
      this.once('connect', () => this._final(done));
      return;
    }
    if (!this._handle) return done();
    const status = this._handle.shutdown((result) => afterShutdown(this, result, done));
    if (status !== 0) afterShutdown(this, status, done);
  }
};

/** Takes a read. @returns {boolean} whether to go on reading */
function takeIn(socket, offset, length) {
  const state = socket._readableState;
  if (state.pipes.length === 1) return pipeOf(socket).read(socket, offset, length);
  if (!flows(state) || state.readingMore || socket._read !== methods._read) {
    return pushRead(socket, offset, length);
  }
  // A stream asks for more in a tick behind each push(): while bytes flow the socket is read on anyway.
  let more;
  state.readingMore = true;
  try {
    more = pushRead(socket, offset, length);
  } finally {
    state.readingMore = false;
  }
  if (!flows(state)) {
    state.readingMore = true;
    process.nextTick(askForMore, socket, state);
  }
  return more;
}

/** What is pushed is told at once. */
function flows(state) {
  return state.flowing === true && state.length === 0;
}

/** What the stream would have done: whoever listens for 'readable' depends on it. */
function askForMore(socket, state) {
  const room = state.length < state.highWaterMark || flows(state);
  if (!state.reading && !state.ended && room) socket.read(0);
  state.readingMore = false;
}

/**
 * Where the program reads text no Buffer is made only to be decoded.
 * @returns {boolean} whether to go on reading
 */
function pushRead(socket, offset, length) {
  if (socket.push === plainPush) {
    const text = takeReadText(socket._readableState, offset, length);
    if (text !== null) return socket.push(text, 'utf8');
  }
  return socket.push(takeRead(offset, length));
}

function writeOne(socket, chunk, encoding, done) {
  const handle = socket._handle;
  const status =
    typeof chunk === 'string'
      ? handle.writeString(chunk, encoding, done)
      : handle.writeBuffer(chunk, done);
  if (status !== 0) unsent(socket, status, chunk, encoding);
  finishWrite(status, done);
}

function writeSeveral(socket, entries, done) {
  const chunks = new Array(entries.length);
  for (let i = 0; i < entries.length; i++) {
    const { chunk, encoding } = entries[i];
    const crosses = typeof chunk !== 'string' || (encoding === 'latin1' && chunk.length <= SHORT);
    chunks[i] = crosses ? chunk : Buffer.from(chunk, encoding);
  }
  const status = socket._handle.writev(chunks, done);
  if (status === 1) socket[kWaiting] = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  finishWrite(status, done);
}

/** Whether there is a connection to write to. Before it, one write waits; the stream keeps others. */
function canWrite(socket, several, data, encoding, done) {
  if (socket.connecting) {
    socket._pendingData = data;
    socket._pendingEncoding = encoding;
    const onConnect = () => {
      socket.off('close', onClose);
      socket._pendingData = null;
      socket._pendingEncoding = '';
      socket._writeGeneric(several, data, encoding, done);
    };
    const onClose = () => {
      socket.off('connect', onConnect);
      done(codeError('ERR_SOCKET_CLOSED_BEFORE_CONNECTION'));
    };
    socket.once('connect', onConnect);
    socket.once('close', onClose);
    return false;
  }
  if (!socket._handle) {
    done(codeError('ERR_SOCKET_CLOSED'));
    return false;
  }
  if (socket[kTimer] !== null) socket[kTimer].refresh();
  return true;
}

function unsent(socket, status, chunk, encoding) {
  const length = Buffer.byteLength(chunk, encoding);
  if (status === 1) socket[kWaiting] = length;
  // As Node, which counts short strings that could not be sent in other encodings only.
  else if (typeof chunk === 'string' && length <= 16 * SHORT && isWide(encoding)) {
    socket._handle.bytesWritten -= length;
  }
}

function isWide(encoding) {
  return encoding === 'utf16le' || encoding === 'utf-16le' || /^ucs-?2$/.test(encoding);
}

/** How many bytes of a write have to wait. */
function bytesWaiting({ pendingWrite }) {
  return pendingWrite === null ? 0 : pendingWrite.chunks.reduce((sum, it) => sum + it.length, 0);
}

function finishWrite(status, done) {
  if (status === 0) done();
  else if (status < 0) done(errnoError(status, 'write'));
}

/** That the peer is gone already is no error of ending. */
function afterShutdown(socket, status, done) {
  if (socket.destroyed || status >= 0 || status === numberOf('ENOTCONN')) return done();
  done(errnoError(status, 'shutdown'));
}

/** What passes bytes on for the one pipe() of a socket. */
function pipeOf(socket) {
  return (socket[kPipe] = Pipe.of(socket, socket[kPipe], methods));
}

function startReading(socket) {
  const status = socket._handle.readStart();
  if (status !== 0) socket.destroy(errnoError(status, 'read'));
}

function endReading(socket) {
  socket.push(null);
  socket.read(0);
}

function stopReading(socket) {
  if (socket.connecting || !socket._handle?.reading || socket.destroyed) return;
  const status = socket._handle.readStop();
  if (status !== 0) socket.destroy(errnoError(status, 'read'));
}

function resumeReading(socket) {
  if (socket.connecting || !socket._handle || socket._handle.reading) return;
  if (!socket[kOnRead]?.held) return startReading(socket);
  socket._handle.reading = true;
  setImmediate(takeHeld, socket);
}

/** What was held back while a socket was paused comes before what is read next. */
function takeHeld(socket) {
  const target = socket[kOnRead];
  const bytes = target.held;
  if (!socket._handle?.reading || bytes === null) return;
  target.held = null;
  if (!target.take(socket, bytes.length, (buffer) => buffer.set(bytes))) stopReading(socket);
  else if (socket._handle?.reading) startReading(socket);
}

/**
 * Whether whoever resumes a socket is a wrapper of it, which does so when it is made. Cheap for all others.
 * @param {any} socket
 */
function isWrapping(socket) {
  const { data } = socket._events;
  if (data === undefined) return false;
  const { name, prototype } = typeof data === 'function' ? data : data.at(-1);
  if (name !== 'ondata' || prototype !== undefined) return false; // pipe() has one of that name
  return String(framedError(FRAMES).stack).includes(WRAPPERS);
}

/** A reader's own buffer (`onread`): Rust reads no more at a time than fits into it. */
class ReadTarget {
  constructor(buffer, callback) {
    this.make = typeof buffer === 'function' ? buffer : null;
    this.buffer = this.make === null ? buffer : this.make();
    if (!(this.buffer instanceof Uint8Array)) this.buffer = Buffer.allocUnsafeSlow(READ_SIZE);
    this.callback = callback;
    /** Bytes that were read before the socket was paused, and came after. */
    this.held = null;
  }

  get size() {
    return this.buffer.byteLength;
  }

  /** @returns {boolean} whether to go on reading */
  take(socket, length, copy) {
    const { buffer } = this;
    if (buffer.byteLength < length) {
      socket.destroy(errnoError(numberOf('ENOBUFS'), 'read'));
      return true;
    }
    copy(buffer);
    const result = this.callback.call(socket, length, buffer);
    if (this.make !== null) {
      const next = this.make();
      if (next instanceof Uint8Array) this.buffer = next;
      if (this.size !== buffer.byteLength) socket._handle?.fixReadSize(this.size);
    }
    return result !== false;
  }

  end(socket) {
    endReading(socket);
  }
}

/** The reader's buffer, if `onread` is one; other values are ignored, as in Node. */
function readTarget(onread) {
  if (onread === null || typeof onread !== 'object') return null;
  const { buffer, callback } = onread;
  if (typeof callback !== 'function') return null;
  if (typeof buffer !== 'function' && !(buffer instanceof Uint8Array)) return null;
  return new ReadTarget(buffer, callback);
}

/** How a wrapper stops and goes on, past the stream. */
const READING = { pause: stopReading, resume: resumeReading };

/** Where a function gives no buffer: a read of the usual size. */
const READ_SIZE = 64 * 1024;

module.exports = { bytesWaiting, kOnRead, kPipe, kTimer, kWaiting, methods, readTarget };
