'use strict';

// OutgoingMessage: the fields of a message to send, and the way of its head and body to the socket,
// directly or, until it has one, through `outputData`.

const EventEmitter = require('node:events');
const process = require('node:process');
const { Stream } = require('node:stream');
const util = require('node:util');

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const validate = require('../internal/validate');
const { Fields, checkValue, isToken, isValue, toLower, validateHeaderName } = require('./fields');
const body = require('./outgoing-body');
const corking = require('./outgoing-pieces');
const ending = require('./outgoing-end');
const { renderHead } = require('./head-lines');
const {
  kConnection,
  kCorked,
  kErrored,
  kExpects,
  kFields,
  kFinished,
  kLeft,
  kNeedDrain,
  kRelaxed,
  kSocket,
  kUniqueHeaders
} = require('./symbols');

/** Until Node 22 a message that has no socket closes with the one it will get. */
const CLOSES_AT_ONCE = nodeMajor >= 24;

/**
 * What it sets is on its prototype as well, for the first listener to replace: most messages have none.
 * Where domains are used it does more.
 */
const plainInit = Object.hasOwn(new EventEmitter(), 'domain') ? undefined : EventEmitter.init;

/** Node's documentation, "Class: http.OutgoingMessage". */
function OutgoingMessage(options) {
  if (EventEmitter.init !== plainInit) Stream.call(this);
  this.outputData = [];
  this.outputSize = 0;
  this.writable = true;
  this.destroyed = false;
  this._last = false;
  this.chunkedEncoding = false;
  this.shouldKeepAlive = true;
  this.maxRequestsOnConnectionReached = false;
  this._defaultKeepAlive = true;
  this.useChunkedEncodingByDefault = true;
  this.sendDate = false;
  this._removedConnection = false;
  this._removedContLen = false;
  this._removedTE = false;
  this.strictContentLength = false;
  this._contentLength = null;
  this._hasBody = true;
  this._trailer = '';
  this[kExpects] = false;
  this.finished = false;
  this._headerSent = false;
  this._closed = false;
  this._header = null;
  this._keepAliveTimeout = 0;
  this[kSocket] = null;
  this[kFields] = null;
  this[kConnection] = null;
  this[kNeedDrain] = false;
  this[kErrored] = null;
  this[kFinished] = false;
  this[kUniqueHeaders] = null;
  body.initialize(this, options);
}
Object.setPrototypeOf(OutgoingMessage.prototype, Stream.prototype);
Object.setPrototypeOf(OutgoingMessage, Stream);

// Where it goes.

accessor('socket', {
  get() {
    const socket = this[kSocket];
    return socket === undefined ? this[kConnection].socket : socket;
  },
  set(socket) {
    if (this[kCorked] > 0 && corking.HOLDS_CHUNKS) corking.moveCorks(this, this[kSocket], socket);
    this[kSocket] = socket;
  }
});

accessor('connection', {
  get() {
    return this.socket;
  },
  set(socket) {
    this.socket = socket;
  }
});

/** Stream's own looks into a list that there may not be. */
OutgoingMessage.prototype.eventNames = function eventNames() {
  return this._eventsCount === 0 ? [] : Stream.prototype.eventNames.call(this);
};

OutgoingMessage.prototype.setTimeout = function setMessageTimeout(msecs, callback) {
  if (callback) this.on('timeout', callback);
  if (this.socket) this.socket.setTimeout(msecs);
  else this.once('socket', (socket) => socket.setTimeout(msecs));
  return this;
};

OutgoingMessage.prototype.destroy = function destroy(error) {
  if (this.destroyed) return this;
  this.destroyed = true;
  this[kErrored] = error;
  corking.dropChunks(this);
  if (this.socket) this.socket.destroy(error);
  else if (CLOSES_AT_ONCE) process.nextTick(emitClose, this);
  else this.once('socket', (socket) => socket.destroy(error));
  return this;
};

function emitClose(message) {
  if (message._closed) return;
  message._closed = true;
  message.emit('close');
}

// State, as a Writable shows it.

accessor('errored', {
  get() {
    return this[kErrored];
  }
});

accessor('closed', {
  get() {
    return this._closed;
  }
});

accessor('headersSent', {
  get() {
    return Boolean(this._header);
  },
  enumerable: true
});

accessor('writableEnded', {
  get() {
    return this.finished;
  }
});

accessor('writableFinished', {
  get() {
    return ending.isFinished(this);
  }
});

accessor('writableObjectMode', {
  get() {
    return false;
  }
});

accessor('writableNeedDrain', {
  get() {
    return !this.destroyed && !this.finished && this[kNeedDrain];
  }
});

// Fields.

/** Whether values may have what only others than the strictest take: `httpValidation`. */
OutgoingMessage.prototype[kRelaxed] = false;

OutgoingMessage.prototype.setHeader = function setHeader(name, value) {
  if (this._header) throw codeError('ERR_HTTP_HEADERS_SENT', 'set');
  validateHeaderName(name);
  checkValue(name, value, this[kRelaxed]);
  (this[kFields] ??= new Fields()).set(toLower(name), name, value);
  return this;
};

OutgoingMessage.prototype.setHeaders = function setHeaders(headers) {
  if (this._header) throw codeError('ERR_HTTP_HEADERS_SENT', 'set');
  const mapLike = typeof headers?.keys === 'function' && typeof headers.get === 'function';
  if (!mapLike || Array.isArray(headers)) {
    throw codeError('ERR_INVALID_ARG_TYPE', 'headers', ['Headers', 'Map'], headers);
  }
  // A Headers gives each cookie by itself.
  const cookies = [];
  for (const [name, value] of headers) {
    if (name === 'set-cookie') cookies.push(...(Array.isArray(value) ? value : [value]));
    else this.setHeader(name, value);
  }
  if (cookies.length > 0) this.setHeader('set-cookie', cookies);
  return this;
};

OutgoingMessage.prototype.appendHeader = function appendHeader(name, value) {
  if (this._header) throw codeError('ERR_HTTP_HEADERS_SENT', 'append');
  validateHeaderName(name);
  checkValue(name, value, this[kRelaxed]);
  const fields = (this[kFields] ??= new Fields());
  const key = toLower(name);
  const field = fields.find(key);
  if (field === null) fields.set(key, name, value);
  else field.value = [field.value, value].flat();
  return this;
};

OutgoingMessage.prototype.getHeader = function getHeader(name) {
  validate.type(name, 'name', 'string');
  return this[kFields]?.get(toLower(name));
};

OutgoingMessage.prototype.hasHeader = function hasHeader(name) {
  validate.type(name, 'name', 'string');
  return this[kFields] !== null && this[kFields].find(toLower(name)) !== null;
};

OutgoingMessage.prototype.getHeaderNames = function getHeaderNames() {
  return Array.from(this[kFields] ?? [], ({ key }) => key);
};

OutgoingMessage.prototype.getRawHeaderNames = function getRawHeaderNames() {
  return Array.from(this[kFields] ?? [], (field) => field.name);
};

OutgoingMessage.prototype.getHeaders = function getHeaders() {
  const headers = Object.create(null);
  for (const { key, value } of this[kFields] ?? []) headers[key] = value;
  return headers;
};

OutgoingMessage.prototype.removeHeader = function removeHeader(name) {
  validate.type(name, 'name', 'string');
  if (this._header) throw codeError('ERR_HTTP_HEADERS_SENT', 'remove');
  const key = toLower(name);
  // Node sets these by itself, unless told not to.
  if (key === 'connection') this._removedConnection = true;
  else if (key === 'content-length') this._removedContLen = true;
  else if (key === 'transfer-encoding') this._removedTE = true;
  else if (key === 'date') this.sendDate = false;
  this[kFields]?.delete(key);
};

/** Node's documentation, DEP0066: gone from Node 24 on. */
if (nodeMajor < 24) {
  accessor('_headers', {
    get: deprecate(function () {
      return this.getHeaders();
    }, '_headers'),
    set: deprecate(function (headers) {
      this[kFields] = null;
      if (headers === null || typeof headers !== 'object') return;
      this[kFields] = new Fields();
      for (const name of Object.keys(headers)) {
        this[kFields].set(name.toLowerCase(), name, headers[name]);
      }
    }, '_headers')
  });

  accessor('_headerNames', {
    get: deprecate(function () {
      if (this[kFields] === null) return null;
      const names = Object.create(null);
      for (const { key, name } of this[kFields]) names[key] = name;
      return names;
    }, '_headerNames'),
    set: deprecate(function (names) {
      if (names === null || typeof names !== 'object') return;
      for (const key of Object.keys(names)) {
        const field = this[kFields]?.find(key) ?? null;
        if (field !== null) field.name = names[key];
      }
    }, '_headerNames')
  });
}

/** Not documented, but used by those who write heads themselves. */
OutgoingMessage.prototype._renderHeaders = function _renderHeaders() {
  if (this._header) throw codeError('ERR_HTTP_HEADERS_SENT', 'render');
  const headers = {};
  for (const { name, value } of this[kFields] ?? []) headers[name] = value;
  return headers;
};

OutgoingMessage.prototype.addTrailers = function addTrailers(headers) {
  this._trailer = '';
  const entries = Array.isArray(headers) ? headers : Object.entries(headers);
  for (const [name, value] of entries) {
    if (!isToken(name)) throw codeError('ERR_INVALID_HTTP_TOKEN', 'Trailer name', name);
    const unique = this[kUniqueHeaders]?.has(name.toLowerCase());
    const list = Array.isArray(value) ? (unique ? [value.join('; ')] : value) : [value];
    for (const item of list) {
      if (!isValue(`${item}`, this[kRelaxed])) {
        throw codeError('ERR_INVALID_CHAR', 'trailer content', name);
      }
      this._trailer += `${name}: ${item}\r\n`;
    }
  }
};

// The head.

/** What writes the head when the body begins before it; the subclasses know how. */
OutgoingMessage.prototype._implicitHeader = function _implicitHeader() {
  throw codeError('ERR_METHOD_NOT_IMPLEMENTED', '_implicitHeader()');
};

OutgoingMessage.prototype._storeHeader = function _storeHeader(firstLine, headers) {
  this._header = renderHead(this, firstLine, headers);
  this._headerSent = false;
  // Whoever expects '100 Continue' has to be heard before there is a body.
  if (this[kExpects]) this._send('');
};

OutgoingMessage.prototype.flushHeaders = function flushHeaders() {
  if (!this._header) this._implicitHeader();
  this._send('');
};

// The body.

OutgoingMessage.prototype.write = function write(chunk, encoding, callback) {
  if (typeof encoding === 'function') {
    callback = encoding;
    encoding = null;
  }
  checkChunk(chunk);
  const more = body.write(this, chunk, encoding, callback);
  if (!more) this[kNeedDrain] = true;
  return more;
};

OutgoingMessage.prototype.end = function end(chunk, encoding, callback) {
  if (typeof chunk === 'function') {
    callback = chunk;
    chunk = encoding = null;
  } else if (typeof encoding === 'function') {
    callback = encoding;
    encoding = null;
  }
  if (chunk) {
    if (this.finished) {
      body.fail(this, codeError('ERR_STREAM_WRITE_AFTER_END'), callback);
      return this;
    }
    if (!isChunk(chunk)) this.socket?.cork(); // As all that end() refuses.
    checkChunk(chunk);
  } else if (this.finished) {
    if (typeof callback === 'function') ending.whenEnded(this, callback, false);
    return this;
  }
  body.end(this, chunk || null, encoding, callback);
  return this;
};

function deprecate(method, name) {
  const message = `OutgoingMessage.prototype.${name} is deprecated`;
  return util.deprecate(method, message, 'DEP0066');
}

function isChunk(value) {
  return typeof value === 'string' || util.types.isUint8Array(value);
}

function checkChunk(chunk) {
  if (chunk === null) throw codeError('ERR_STREAM_NULL_VALUES');
  if (!isChunk(chunk)) {
    throw codeError('ERR_INVALID_ARG_TYPE', 'chunk', ['string', 'Buffer', 'Uint8Array'], chunk);
  }
}

/** Everything is with the socket; who assigned it learns that it may be taken away. */
OutgoingMessage.prototype._finish = function _finish() {
  this.emit('prefinish');
};

OutgoingMessage.prototype[kLeft] = function left() {
  this[kConnection]?.onFinished(this);
};

/** A message is no Readable. */
OutgoingMessage.prototype.pipe = function pipe() {
  this.emit('error', codeError('ERR_STREAM_CANNOT_PIPE'));
};

Object.assign(OutgoingMessage.prototype, corking.defaults, ending.defaults, body.methods);
for (const [name, get] of Object.entries(body.getters)) accessor(name, { get });

OutgoingMessage.prototype[Symbol.for('nodejs.rejection')] = function onRejection(error) {
  this.destroy(error);
};

/**
 * @param {string} name
 * @param {PropertyDescriptor & ThisType<any>} definition
 */
function accessor(name, definition) {
  Object.defineProperty(OutgoingMessage.prototype, name, { configurable: true, ...definition });
}

module.exports = { OutgoingMessage };
