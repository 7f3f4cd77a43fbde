'use strict';

// net.Socket: a Duplex over a native stream; its life from `new` to 'close'. How it connects is in
// connect.js, how bytes pass in bytes.js.

const { Buffer } = require('node:buffer');
const process = require('node:process');
const { Duplex } = require('node:stream');

const { codeError, errnoError } = require('../internal/errors');
const { nodeMajor, since } = require('../internal/host');
const { fdKind } = require('../internal/runtime');
const { StreamHandle, types } = require('../internal/stream-handle');
const { clearTimeout, setTimeout } = require('../internal/timers');
const validate = require('../internal/validate');
const { blockListOf, isBoundSocket, kTake } = require('./options');
const { bytesWaiting, kOnRead, kPipe, kTimer, kWaiting, methods, readTarget } = require('./bytes');
const {
  clientSockets,
  kAttemptTimer,
  kCancelAttempt,
  kConnected,
  kRevive,
  startConnect
} = require('./connect');

const kBytesRead = Symbol('bytesRead');
const kBytesWritten = Symbol('bytesWritten');
const kHandle = Symbol('handle');
const kKeepAlive = Symbol('keepAlive');
const kNoDelay = Symbol('noDelay');
const kReset = Symbol('reset');
const kTypeOfService = Symbol('typeOfService');

const HAS_TYPE_OF_SERVICE = nodeMajor >= 24;

/** What a socket asks of the stream that it is: the handle says when it is closed. */
const STREAM_OPTIONS = { autoDestroy: true, decodeStrings: false, emitClose: false };
/** Options of streams that a socket's bytes cannot have. */
const UNSUPPORTED = ['objectMode', 'readableObjectMode', 'writableObjectMode'];

/** What a server gives to each connection it accepts; made once, `handle` set for each. */
class AcceptOptions {
  constructor(server) {
    this.handle = null;
    this.allowHalfOpen = server.allowHalfOpen;
    this.pauseOnCreate = server.pauseOnConnect;
    this.noDelay = server.noDelay;
    this.keepAlive = server.keepAlive;
    this.keepAliveInitialDelay = server.keepAliveInitialDelay * 1000;
    this.readableHighWaterMark = server.highWaterMark;
    this.writableHighWaterMark = server.highWaterMark;
    Object.assign(this, STREAM_OPTIONS);
  }
}

/** Node's documentation, "new net.Socket([options])". */
function Socket(options) {
  if (!(this instanceof Socket)) return new Socket(options);
  options = options instanceof AcceptOptions ? options : checkOptions(options);
  this.connecting = false;
  this[kHandle] = null;
  this.server = null;
  Duplex.call(this, options); // an aborted signal destroys it here
  this.on('end', onEnd);

  if (options.onread) this[kOnRead] = readTarget(options.onread);
  if (options.noDelay) this[kNoDelay] = true;
  if (options.keepAlive) keepAlive(this, true, options.keepAliveInitialDelay);
  if (HAS_TYPE_OF_SERVICE && options.typeOfService !== undefined)
    this[kTypeOfService] = options.typeOfService;

  if (options.handle) this._handle = takeHandle(options.handle);
  else if (options.fd !== undefined) this._handle = handleOfFd(options.fd);
  if (this._handle === null) return;

  this._handle.owner = this;
  if (isBoundSocket(options.handle)) return; // there is nothing to read before connect()
  applyOptions(this);
  if (options.pauseOnCreate) this.pause();
  else if (!options.manualStart) this.read(0);
}
Object.setPrototypeOf(Socket.prototype, Duplex.prototype);
Object.setPrototypeOf(Socket, Duplex);
Object.assign(Socket.prototype, methods, {
  // What most sockets never change: a field of its own costs each of 15,000 connections 8 bytes.
  _hadError: false,
  _host: null,
  _parent: null,
  _peername: null,
  _pendingData: null,
  _pendingEncoding: '',
  _server: null,
  _sockname: null,
  [kBytesRead]: 0,
  [kBytesWritten]: 0,
  [kKeepAlive]: null,
  [kNoDelay]: false,
  [kOnRead]: null,
  [kPipe]: null,
  [kReset]: false,
  [kTimer]: null,
  [kTypeOfService]: undefined,
  [kWaiting]: 0
});

// Connecting.

Socket.prototype.connect = function connect(...args) {
  return startConnect(this, args);
};

/** Called by connect.js when `handle`, which is this socket's, is connected. */
Socket.prototype[kConnected] = function onConnected(handle) {
  this.connecting = false;
  this._sockname = null;
  applyOptions(this);
  this._unrefTimer();
  this.emit('connect');
  this.emit('ready');
  // Reads once, so that an end is heard; not for whoever paused or destroyed it in 'connect'.
  if (this._handle === handle && !this.isPaused()) this.read(0);
};

/** Fresh state for a connect() after 'close'. */
Socket.prototype[kRevive] = function revive() {
  delete this.write;
  this._undestroy();
  this._handle = null;
  this._peername = null;
  this._sockname = null;
  this._hadError = false;
  this[kReset] = false;
  this[kBytesRead] = 0;
  this[kBytesWritten] = 0;
};

/** The options that were asked for, perhaps before there was a connection to set them on. */
function applyOptions(socket) {
  const handle = socket._handle;
  if (socket[kNoDelay]) handle.setNoDelay(true);
  if (socket[kKeepAlive] !== null) handle.setKeepAlive(...socket[kKeepAlive]);
  if (socket[kTypeOfService] !== undefined) handle.setTypeOfService(socket[kTypeOfService]);
  if (socket[kOnRead] !== null) handle.fixReadSize(socket[kOnRead].size);
}

// State.

/** Null before connect() and after the end. */
Object.defineProperty(Socket.prototype, '_handle', {
  get() {
    return this[kHandle];
  },
  set(handle) {
    this[kHandle] = handle;
  }
});

getter('_connecting', function () {
  return this.connecting;
});

Object.defineProperty(Socket.prototype, 'pending', {
  configurable: true, // the only one of these that is, in Node
  get() {
    return !this._handle || this.connecting;
  }
});

getter('readyState', function () {
  if (this.connecting) return 'opening';
  if (this.readable && this.writable) return 'open';
  if (this.readable) return 'readOnly';
  return this.writable ? 'writeOnly' : 'closed';
});

getter('bufferSize', function () {
  return this._handle ? this.writableLength : undefined;
});

getter(
  'bytesRead',
  function () {
    return this._handle ? this._handle.bytesRead : this[kBytesRead];
  },
  true
);

getter(
  '_bytesDispatched',
  function () {
    return this._handle ? this._handle.bytesWritten : this[kBytesWritten];
  },
  true
);

/** Bytes sent and bytes that wait to be; those of strings are counted in their encoding. */
getter(
  'bytesWritten',
  function () {
    const waiting = this.writableBuffer;
    if (!waiting) return undefined;
    const pending = this._pendingData;
    const entries = Array.isArray(pending)
      ? pending
      : [{ chunk: pending ?? '', encoding: this._pendingEncoding }];
    let bytes = this._bytesDispatched ?? 0;
    for (const { chunk, encoding } of [...entries, ...waiting]) {
      bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
    }
    return bytes;
  },
  true
);

for (const [prefix, method] of [
  ['remote', '_getpeername'],
  ['local', '_getsockname']
]) {
  for (const part of ['address', 'family', 'port']) {
    const name = prefix + part[0].toUpperCase() + part.slice(1);
    const get = function () {
      return this[method]()[part];
    };
    getter(name, get, true);
  }
}

Socket.prototype.address = function address() {
  return this._getsockname();
};

/** Remembered, so that it can be asked for after the connection is gone. */
Socket.prototype._getpeername = function _getpeername() {
  if (!this._handle || this.connecting) return this._peername ?? {};
  if (this._peername === null) {
    const name = {};
    if (this._handle.getpeername(name) !== 0) return {};
    this._peername = name;
  }
  return this._peername;
};

Socket.prototype._getsockname = function _getsockname() {
  if (!this._handle) return {};
  if (this._sockname === null) {
    const name = {};
    if (this._handle.getsockname(name) !== 0) return {};
    this._sockname = name;
  }
  return this._sockname;
};

// Options of the connection.

Socket.prototype.setNoDelay = function setNoDelay(enable) {
  const wanted = enable === undefined ? true : Boolean(enable);
  if (wanted !== this[kNoDelay] && this._handle && !this.connecting) {
    this._handle.setNoDelay(wanted);
  }
  this[kNoDelay] = wanted;
  return this;
};

Socket.prototype.setKeepAlive = function setKeepAlive(enable, initialDelay) {
  return keepAlive(this, enable, initialDelay);
};

// Newer Nodes also take the pace of the probes and how many are sent.
if (since([24, 19], [26, 4])) {
  Socket.prototype.setKeepAlive = function setKeepAlive(enable, initialDelay, interval, count) {
    if (enable !== null && typeof enable === 'object') {
      const options = enable;
      return keepAlive(this, options.enable, options.initialDelay, options.interval, options.count);
    }
    return keepAlive(this, enable, initialDelay, interval, count);
  };
}

function keepAlive(socket, enable, initialDelay, interval = 1000, count = 10) {
  enable = Boolean(enable);
  initialDelay = seconds(initialDelay);
  interval = seconds(interval);
  count = ~~count;
  // Agents ask for it with every request.
  if (isKept(socket[kKeepAlive], enable, initialDelay, interval, count)) return socket;
  const wanted = [enable, initialDelay, interval, count];
  socket[kKeepAlive] = wanted;
  if (socket._handle && !socket.connecting) socket._handle.setKeepAlive(...wanted);
  return socket;
}

function isKept(before, enable, initialDelay, interval, count) {
  if (before === null || before[0] !== enable || before[1] !== initialDelay) return false;
  return before[2] === interval && before[3] === count;
}

Socket.prototype.setTypeOfService = function setTypeOfService(value) {
  if (Number.isNaN(value)) throw codeError('ERR_INVALID_ARG_TYPE', 'tos', 'number', value);
  validate.integer(value, 'tos', 0, 255);
  this[kTypeOfService] = value;
  if (!this._handle || this.connecting) return this;
  const status = this._handle.setTypeOfService(value);
  if (status !== 0) throw errnoError(status, 'setTypeOfService');
  return this;
};

Socket.prototype.getTypeOfService = function getTypeOfService() {
  if (!this._handle || this.connecting) return this[kTypeOfService] ?? 0;
  const value = this._handle.getTypeOfService();
  if (value < 0) throw errnoError(value, 'getTypeOfService');
  return value;
};

// From Node 24 on.
if (!HAS_TYPE_OF_SERVICE) {
  delete Socket.prototype.setTypeOfService;
  delete Socket.prototype.getTypeOfService;
}

Socket.prototype.ref = function ref() {
  if (this._handle) this._handle.ref();
  else this.once('connect', this.ref);
  return this;
};

Socket.prototype.unref = function unref() {
  if (this._handle) this._handle.unref();
  else this.once('connect', this.unref);
  return this;
};

// Idleness.

Socket.prototype.setTimeout = function setSocketTimeout(msecs, callback) {
  if (this.destroyed) return this;
  this.timeout = msecs;
  msecs = validate.milliseconds(msecs, 'msecs');
  if (this[kTimer] !== null) clearTimeout(this[kTimer]);
  this[kTimer] = null;
  if (callback !== undefined) validate.type(callback, 'callback', 'function');
  if (msecs === 0) {
    if (callback !== undefined) this.removeListener('timeout', callback);
    return this;
  }
  this[kTimer] = setTimeout(onTimer, msecs, this).unref();
  if (callback !== undefined) this.once('timeout', callback);
  return this;
};

/** A write that went forward since the last time is no idleness. */
Socket.prototype._onTimeout = function _onTimeout() {
  if (this[kWaiting] > 0 && this._handle) {
    const waiting = bytesWaiting(this._handle);
    if (waiting !== this[kWaiting]) {
      this[kWaiting] = waiting;
      this._unrefTimer();
      return;
    }
  }
  this.emit('timeout');
};

/** Something happened: the time of idleness starts anew. */
Socket.prototype._unrefTimer = function _unrefTimer() {
  for (let socket = this; socket !== null && socket !== undefined; socket = socket._parent) {
    if (socket[kTimer]) socket[kTimer].refresh();
  }
};

function onTimer(socket) {
  socket._onTimeout();
}

// The end.

Socket.prototype.end = function end(chunk, encoding, callback) {
  return Duplex.prototype.end.call(this, chunk, encoding, callback);
};

Socket.prototype.destroySoon = function destroySoon() {
  if (this.writable) this.end();
  if (this.writableFinished) this.destroy();
  else this.once('finish', this.destroy);
};

Socket.prototype.resetAndDestroy = function resetAndDestroy() {
  if (!this._handle) {
    this.destroy(codeError('ERR_SOCKET_CLOSED'));
    return this;
  }
  if (this._handle.type !== types.TCP) throw codeError('ERR_INVALID_HANDLE_TYPE');
  this[kReset] = true;
  // A connection that does not stand yet is reset as soon as it does.
  if (this.connecting) this.once('connect', () => this.destroy());
  else this.destroy();
  return this;
};

Socket.prototype._destroy = function _destroy(error, done) {
  this.connecting = false;
  if (this[kTimer] !== null) clearTimeout(this[kTimer]);
  this[kTimer] = null;
  if (this[kAttemptTimer] !== undefined) clearTimeout(this[kAttemptTimer]);

  const handle = this._handle;
  if (handle === null) {
    done(error);
    process.nextTick(emitCloseUnopened, this);
  } else {
    const hadError = Boolean(error);
    this[kBytesRead] = handle.bytesRead;
    this[kBytesWritten] = handle.bytesWritten;
    const closed = () => {
      this[kCancelAttempt]?.();
      emitClose(this, hadError);
    };
    if (this[kReset]) handle.reset(closed);
    else handle.close(closed);
    this._handle = null;
    this._sockname = null;
    done(error);
  }
  if (this._server !== null) {
    this._server._connections--;
    this._server._emitCloseIfDrained();
  }
};

/** There was nothing to close, with an error or without. */
function emitCloseUnopened(socket) {
  socket.emit('close');
}

function emitClose(socket, hadError) {
  socket.emit('close', hadError);
}

/** What a write gets after the peer's FIN, unless half-open connections are allowed. */
function onEnd() {
  if (!this.allowHalfOpen) this.write = writeAfterFin;
}

function writeAfterFin(chunk, encoding, callback) {
  if (!this.writableEnded) return Duplex.prototype.write.call(this, chunk, encoding, callback);
  const done = typeof encoding === 'function' ? encoding : callback;
  const error = new Error('This socket has been ended by the other party');
  error.code = 'EPIPE';
  if (typeof done === 'function') process.nextTick(done, error);
  this.destroy(error);
  return false;
}

function checkOptions(options) {
  if (typeof options === 'number') options = { fd: options };
  else if (options === undefined || options === null) options = {};
  else options = { ...options };
  for (const name of UNSUPPORTED) {
    if (options[name]) {
      const reason = 'is not supported';
      throw codeError('ERR_INVALID_ARG_VALUE', `options.${name}`, options[name], reason);
    }
  }
  if (options.signal) validate.abortSignal(options.signal, 'signal');
  blockListOf(options);
  if (options.keepAliveInitialDelay !== undefined) {
    validate.type(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay', 'number');
  }
  if (HAS_TYPE_OF_SERVICE && options.typeOfService !== undefined) {
    validate.integer(options.typeOfService, 'options.typeOfService', 0, 255);
  }
  if (options.fd !== undefined) validate.integer(options.fd, 'fd', 0, 2 ** 31 - 1);
  options.allowHalfOpen = Boolean(options.allowHalfOpen);
  return Object.assign(options, STREAM_OPTIONS);
}

/** What `handle` may be: a native one, or a bound socket that gives up its own. */
function takeHandle(handle) {
  return isBoundSocket(handle) ? handle[kTake]() : handle;
}

/** A stream over an inherited descriptor, which is left alone if it is none. */
function handleOfFd(fd) {
  const kind = fdKind(fd);
  if (kind !== 'TCP' && kind !== 'PIPE') throw codeError('ERR_INVALID_FD_TYPE', kind);
  const handle = StreamHandle.open(kind === 'TCP' ? types.TCP : types.PIPE);
  const status = handle.open(fd);
  if (status === 0) return handle;
  handle.close();
  throw errnoError(status, 'open');
}

/** Node takes milliseconds and tells the kernel whole seconds. */
function seconds(milliseconds) {
  return Math.max(0, ~~(milliseconds / 1000));
}

function getter(name, get, enumerable = false) {
  Object.defineProperty(Socket.prototype, name, { configurable: false, enumerable, get });
}

module.exports = { AcceptOptions, Socket, clientSockets };
