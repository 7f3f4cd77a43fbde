'use strict';

// IncomingMessage: a received head, split when somebody looks at it, and a body that is a Readable
// from the moment somebody reads or listens; most requests have none and are never read.

const { EventEmitter } = require('node:events');
const process = require('node:process');
const { Readable, finished } = require('node:stream');

const { nodeMajor } = require('../internal/host');
const {
  addDistinct,
  addField,
  cut,
  findIndexed,
  indexedFields,
  splitIndexed,
  splitLines
} = require('./fields');
const { REFUSES_FIELDS } = require('./limits');
const { flags, head, registers } = require('./parser');
const { methods } = require('./registries');
const { abort, defineSignal, kAborts } = require('./signal');
const { kConnection, kSocket } = require('./symbols');

const plainEmit = EventEmitter.prototype.emit;
const plainPush = Readable.prototype.push;

const kHead = Symbol('head');
const kFieldsAt = Symbol('fieldsAt');
const kFieldCount = Symbol('fieldCount');
const kIndexed = Symbol('indexed');
const kRawHeaders = Symbol('rawHeaders');
const kHeaders = Symbol('headers');
const kHeadersDistinct = Symbol('headersDistinct');
const kRawTrailers = Symbol('rawTrailers');
const kTrailers = Symbol('trailers');
const kTrailersDistinct = Symbol('trailersDistinct');
const kFieldLimit = Symbol('fieldLimit');
const kState = Symbol('readableState');
const kEnding = Symbol('ending');

/** How many fields Node's parser tells at once. */
const FIELDS_IN_GROUP = 31;

/** From Node 26 on nothing is waited for where there is no error to tell. */
const CLOSES_AT_ONCE = nodeMajor >= 26;

/** The versions that are seen, as text. */
const versions = { 0x09: '0.9', 0x10: '1.0', 0x11: '1.1', 0x20: '2.0' };

/** Node's documentation, "Class: http.IncomingMessage". */
function IncomingMessage(socket) {
  this[kSocket] = socket;
  this[kConnection] = undefined;
  this[kState] = null;
  this[kHead] = '';
  this[kFieldsAt] = 0;
  this[kFieldCount] = 0;
  this[kIndexed] = 0;
  this[kFieldLimit] = 0;
  this[kRawHeaders] = null;
  this[kHeaders] = null;
  this[kHeadersDistinct] = null;
  this[kRawTrailers] = null;
  this[kTrailers] = null;
  this[kTrailersDistinct] = null;
  this[kAborts] = null;
  this.httpVersionMajor = null;
  this.httpVersionMinor = null;
  this.httpVersion = null;
  this.complete = false;
  this.joinDuplicateHeaders = false;
  this.aborted = false;
  this.upgrade = null;
  this.url = '';
  this.method = null;
  this.statusCode = null;
  this.statusMessage = null;
  this._consuming = false;
  this._dumped = false;
}
Object.setPrototypeOf(IncomingMessage.prototype, Readable.prototype);
Object.setPrototypeOf(IncomingMessage, Readable);

/** Was let pass just now, and is about to end. */
IncomingMessage.prototype[kEnding] = false;

/** Made by the first who needs it: every method of a Readable asks for it. */
accessor('_readableState', {
  get() {
    return this[kState] ?? becomeReadable(this);
  },
  set(state) {
    this[kState] = state;
  }
});

/** From Node 26 on what nobody has read ends a tick sooner. */
const ENDS_SOONER = nodeMajor >= 26;

/** The state of a Readable whose end was read, and which is closed. */
const OVER = {
  endEmitted: true,
  flowing: nodeMajor < 26 ? true : null,
  destroyed: true,
  closed: true,
  closeEmitted: true
};

function becomeReadable(message) {
  // The prototype itself is no message.
  if (!Object.hasOwn(message, kSocket) && message[kHead] === undefined) return undefined;
  // Without a socket it is a connection's that has none yet.
  const source = message[kSocket] ?? message[kConnection]?.settings;
  const highWaterMark = source?.readableHighWaterMark ?? source?.highWaterMark;
  Readable.call(message, source ? { highWaterMark } : undefined);
  const state = message[kState];
  // Keeps push() from asking for more before anybody reads; _read() takes it back.
  state.readingMore = true;
  // It was over before anybody looked.
  if ((message.complete || message._consuming) && message[kHead] !== '') {
    message.push(null);
    if (message[kEnding]) message.resume();
    else if (message._dumped)
      Object.assign(state, OVER, message.complete ? null : { flowing: null });
  }
  return state;
}

/** Takes what the parser has just found; called while its registers hold a head. */
function fillFromHead(message, text, isRequest) {
  const version = registers[head.VERSION];
  message[kHead] = text;
  message[kFieldsAt] = registers[head.FIELDS];
  message[kFieldCount] = registers[head.COUNT];
  message[kIndexed] = registers[head.FLAGS] & (flags.INDEXED | flags.DISTINCT);
  message.httpVersionMajor = version >> 4;
  message.httpVersionMinor = version & 15;
  message.httpVersion = versions[version] ?? `${version >> 4}.${version & 15}`;
  message.upgrade = (registers[head.FLAGS] & flags.UPGRADE) !== 0;
  const line = cut(text, registers[head.TEXT_START], registers[head.TEXT_END]);
  if (isRequest) {
    message.url = line;
    message.method = methods[registers[head.METHOD]];
  } else {
    message.statusCode = registers[head.METHOD];
    message.statusMessage = line;
  }
}

/** The program sees only so many fields: `maxHeadersCount`. In `rawHeaders` are more, if few. */
function limitFields(message, count) {
  message[kFieldLimit] = count;
  if (message[kFieldCount] <= FIELDS_IN_GROUP) return;
  // More come in groups, of which the last is the one that reaches the limit, up to Node 20 whole.
  const most = REFUSES_FIELDS ? count : Math.ceil(count / FIELDS_IN_GROUP) * FIELDS_IN_GROUP;
  message[kFieldCount] = Math.min(message[kFieldCount], most);
}

/** Whether there are fields that are not in `headers`. */
function isLimited(message) {
  return message[kFieldLimit] > 0;
}

/**
 * What `parser` tells of the body. Where the program reads text no Buffer is made only to be decoded.
 * @returns {boolean} whether to go on reading
 */
function addBody(message, parser, start, end) {
  if (message._dumped) return true;
  if (message.push === plainPush) {
    const text = parser.text(message._readableState, start, end);
    if (text !== null) return message.push(text, 'utf8');
  }
  return message.push(parser.bytes(start, end));
}

/** Nothing follows. */
function complete(message, trailers, count) {
  message.complete = true;
  if (trailers !== null && count > 0) message[kRawTrailers] = splitLines(trailers, 0, count);
  if (message[kState] !== null) message.push(null);
}

/**
 * The request is answered: lets the rest of a body pass that nobody has begun to read. `heard` is
 * whether somebody may look at once: until ticks have run, also one without a body has not ended.
 */
function passBody(message, heard) {
  if (message._consuming || message[kState]?.resumeScheduled) return;
  const told = heard || message.emit !== plainEmit;
  if (told && !message._dumped && message[kState] === null && message.complete) {
    message[kEnding] = true;
    process.nextTick(ENDS_SOONER ? stopEnding : stopEndingSoon, message);
  }
  message._dump();
}

function stopEndingSoon(message) {
  process.nextTick(stopEnding, message);
}

function stopEnding(message) {
  message[kEnding] = false;
}

/** It has no body, and is over before anybody looks: `optimizeEmptyRequests`. */
function endEmpty(message) {
  message._dumped = message._consuming = true;
}

/** Whether a 'data' or 'end' may still be waited for: a state that exists was asked for. */
function isReadable(message) {
  return message[kState] !== null;
}

// The head.

accessor('socket', {
  get() {
    const socket = this[kSocket];
    return socket === undefined ? this[kConnection]?.socket : socket;
  },
  set(socket) {
    this[kSocket] = socket;
  }
});
alias('connection', 'socket');
alias('client', 'socket');

accessor('rawHeaders', {
  get() {
    if (this[kRawHeaders] === null) {
      const split = this[kIndexed] === 0 ? splitLines : splitIndexed;
      this[kRawHeaders] = split(this[kHead], this[kFieldsAt], this[kFieldCount]);
      // As with an index: what is changed in the list comes too late.
      if (this[kIndexed] === 0 && hasHeaders(this)) void this.headers;
    }
    return this[kRawHeaders];
  },
  set(list) {
    this[kRawHeaders] = list;
  }
});

accessor('headers', {
  get() {
    if (this[kHeaders] === null && mayReadIndex(this)) {
      this[kHeaders] = indexedFields(
        this[kHead],
        this[kFieldsAt],
        this[kFieldCount],
        (this[kIndexed] & flags.DISTINCT) !== 0,
        this.joinDuplicateHeaders
      );
    } else if (this[kHeaders] === null) {
      this[kHeaders] = {};
      const list = this.rawHeaders;
      const end = countOf(this) * 2;
      for (let i = 0; i < end && i < list.length; i += 2) {
        this._addHeaderLine(list[i], list[i + 1], this[kHeaders]);
      }
    }
    return this[kHeaders];
  },
  set(headers) {
    this[kHeaders] = headers;
  }
});

/** How many fields the program sees, whatever it makes of `rawHeaders`. */
function countOf(message) {
  return message[kFieldLimit] || message[kFieldCount];
}

accessor('headersDistinct', {
  get() {
    if (this[kHeadersDistinct] === null) {
      this[kHeadersDistinct] = distinct(this, this.rawHeaders.slice(0, countOf(this) * 2));
    }
    return this[kHeadersDistinct];
  },
  set(headers) {
    this[kHeadersDistinct] = headers;
  }
});

accessor('rawTrailers', {
  get() {
    return (this[kRawTrailers] ??= []);
  },
  set(list) {
    this[kRawTrailers] = list;
  }
});

accessor('trailers', {
  get() {
    if (this[kTrailers] !== null) return this[kTrailers];
    const list = this.rawTrailers;
    const trailers = {};
    for (let i = 0; i < list.length; i += 2) this._addHeaderLine(list[i], list[i + 1], trailers);
    // They come with the body's end: until then there are none, and that is not remembered.
    if (this.complete) this[kTrailers] = trailers;
    return trailers;
  },
  set(trailers) {
    this[kTrailers] = trailers;
  }
});

accessor('trailersDistinct', {
  get() {
    if (this[kTrailersDistinct] !== null) return this[kTrailersDistinct];
    const trailers = distinct(this, this.rawTrailers);
    if (this.complete) this[kTrailersDistinct] = trailers;
    return trailers;
  },
  set(trailers) {
    this[kTrailersDistinct] = trailers;
  }
});

/** Node puts the `headers` of a request together before any program sees it, unless it is an upgrade. */
function hasHeaders(message) {
  return message.method !== null && !message.upgrade;
}

/** Whether its `headers` are those that Rust has read: all of them, and not changed in `rawHeaders`. */
function mayReadIndex(message) {
  return (
    message[kIndexed] !== 0 &&
    (message[kRawHeaders] === null || hasHeaders(message)) &&
    message[kFieldLimit] === 0 &&
    message._addHeaderLine === addHeaderLine
  );
}

const KEEP_ALIVE = /^(timeout)=(\d+)/;

/**
 * How long the server says that it keeps the connection; undefined if it does not. `headers` are not
 * put together for it.
 */
function keepAliveSeconds(message) {
  const field =
    message[kHeaders] === null && mayReadIndex(message)
      ? findIndexed(message[kHead], message[kFieldsAt], message[kFieldCount], 'keep-alive')
      : message.headers['keep-alive'];
  const found = field ? KEEP_ALIVE.exec(field) : null;
  return found === null ? undefined : Number(found[2]);
}

function distinct(message, list) {
  const headers = Object.create(null);
  for (let i = 0; i < list.length; i += 2) {
    message._addHeaderLineDistinct(list[i], list[i + 1], headers);
  }
  return headers;
}

const addHeaderLine = (IncomingMessage.prototype._addHeaderLine = function _addHeaderLine(
  name,
  value,
  headers
) {
  addField(name, value, headers, this.joinDuplicateHeaders);
});

IncomingMessage.prototype._addHeaderLineDistinct = function _addHeaderLineDistinct(
  name,
  value,
  headers
) {
  addDistinct(name, value, headers);
};

/** Appends `count` strings, names and values in turn; what http2's and test doubles call. */
IncomingMessage.prototype._addHeaderLines = function _addHeaderLines(list, count) {
  if (!Array.isArray(list) || list.length === 0) return;
  const known = this.complete ? this.trailers : this.headers;
  (this.complete ? this.rawTrailers : this.rawHeaders).push(...list);
  for (let i = 0; i < count; i += 2) this._addHeaderLine(list[i], list[i + 1], known);
};

// The body.

IncomingMessage.prototype.setTimeout = function setMessageTimeout(msecs, callback) {
  if (callback) this.on('timeout', callback);
  this.socket.setTimeout(msecs);
  return this;
};

/** Asked before anybody listened, a stream that is still to be made has none. */
IncomingMessage.prototype.eventNames = function eventNames() {
  return this[kState] === null && this._events === undefined
    ? []
    : Readable.prototype.eventNames.call(this);
};

/** Somebody reads and there is less than the stream would keep: the body is not to be thrown away. */
IncomingMessage.prototype._read = function _read() {
  if (!this._consuming) {
    this._readableState.readingMore = false;
    this._consuming = true;
  }
  const connection = this[kConnection];
  if (connection !== undefined) {
    if (!connection.heldBack) connection.readOn();
    return;
  }
  const { socket } = this;
  if (socket?.readable) readOn(socket);
};

IncomingMessage.prototype._destroy = function _destroy(error, done) {
  if (!this.readableEnded || !this.complete) {
    this.aborted = true;
    this.emit('aborted');
    abort(this);
  }
  // What is not read stands between the next message and its reader.
  const socket = this.aborted ? this.socket : null;
  if (socket && !socket.destroyed) {
    socket.destroy(error);
    const forget = finished(socket, (cause) => {
      forget();
      const failure = cause?.code === 'ERR_STREAM_PREMATURE_CLOSE' ? null : cause;
      process.nextTick(afterDestroy, this, failure || error, done);
    });
  } else if (CLOSES_AT_ONCE && !error && !this.aborted) {
    done();
  } else {
    process.nextTick(afterDestroy, this, error, done);
  }
};

/** Nobody has to listen for 'error' on a message: whoever does not is not told. */
function afterDestroy(message, error, done) {
  if (message.listenerCount('error') === 0) done();
  else done(error);
}

/** Nobody wants the body: lets the rest of it pass. */
IncomingMessage.prototype._dump = function _dump() {
  if (this._dumped) return;
  this._dumped = true;
  if (this[kState] === null && this.complete && this.emit === plainEmit) return;
  // What is buffered would still be told.
  this.removeAllListeners('data');
  this.resume();
};

defineSignal(IncomingMessage.prototype);

/** Reading from the socket goes on, unless its connection holds it back for other reasons. */
function readOn(socket) {
  if (socket[kConnection]?.heldBack === true) return;
  if (socket.readable) socket.resume();
}

/**
 * @param {string} name
 * @param {PropertyDescriptor & ThisType<any>} definition
 */
function accessor(name, definition) {
  Object.defineProperty(IncomingMessage.prototype, name, { configurable: true, ...definition });
}

function alias(name, other) {
  accessor(name, {
    get() {
      return this[other];
    },
    set(value) {
      this[other] = value;
    }
  });
}

module.exports = {
  IncomingMessage,
  addBody,
  complete,
  endEmpty,
  fillFromHead,
  isLimited,
  isReadable,
  keepAliveSeconds,
  limitFields,
  passBody,
  readOn
};
