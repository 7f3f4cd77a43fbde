'use strict';

// A connection of a server: socket -> parser -> requests, and responses -> socket in the order of
// the requests; over any Duplex. Decides when to read, what a broken request gets, when to hang up.

const { channel } = require('node:diagnostics_channel');
const { debuglog } = require('node:util');

const { codeError, connectionResetError } = require('../internal/errors');
const { addBody, complete, fillFromHead, limitFields, readOn } = require('./incoming');
const {
  BETWEEN_MESSAGES,
  GO_ON,
  IN_HEAD,
  Parser,
  REQUEST,
  TUNNEL,
  flags,
  head,
  registers
} = require('./parser');
const { emitClose } = require('./server-response');
const { STATUS_CODES } = require('./status');
const { kConnection, kNeedDrain, kUniqueHeaders } = require('./symbols');

const requestStart = channel('http.server.request.start');
const responseCreated = channel('http.server.response.created');
const debug = debuglog('http');
const responseFinish = channel('http.server.response.finish');

/** What a client gets whose request cannot be read, by the error's code. */
const refusals = {
  HPE_HEADER_OVERFLOW: refusal(431),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: refusal(413),
  ERR_HTTP_REQUEST_TIMEOUT: refusal(408)
};
const BAD_REQUEST = refusal(400);

/** How many fields go into `headers` where the server does not say. */
const FIELDS_MAX = 1000;

const events = {
  data: onData,
  end: onEnd,
  close: onClose,
  drain: onDrain,
  timeout: onTimeout
};

class ServerConnection {
  constructor(server, socket, settings) {
    this.server = server;
    this.socket = socket;
    this.settings = settings;
    const lenient = settings.lenient;
    this.parser = Parser.take(REQUEST, this, settings.maxHeaderSize, lenient);
    /** The request whose body is being read. */
    this.incoming = null;
    /** Requests that are not answered yet. */
    this.requests = [];
    /** Responses that wait for those before them. */
    this.waiting = [];
    /** Bytes that wait in responses. */
    this.pendingBytes = 0;
    this.requestCount = 0;
    this.idleTimeoutSet = false;
    /** Reading has stopped until the client takes what it asked for. */
    this.heldBack = false;
    /** When the request that is being read began; 0 between requests. See deadlines.js. */
    this.since = performance.now();
    this.headDone = false;

    debug('a connection to the server');
    socket[kConnection] = this;
    socket._httpMessage ??= null;
    socket.parser = this.parser;
    socket._paused = false;
    for (const name of Object.keys(events)) socket.on(name, events[name]);
    socket.on('error', onError);
    if (server.timeout && typeof socket.setTimeout === 'function') {
      socket.setTimeout(server.timeout);
    }
    refuseEncodings(socket);
  }

  // Bytes in.

  read(chunk) {
    if (this.parser === null) return;
    this.afterParsing(this.parser.execute(chunk), chunk);
  }

  /** Looks where the parser has stopped. */
  afterParsing(result, chunk) {
    const { parser } = this;
    if (parser === null) return;
    this.resetTimeout();
    if (result instanceof Error) {
      result.rawPacket = chunk;
      this.fail(result);
    } else if (parser.upgraded) {
      this.handOver(chunk.subarray(result));
    } else if (parser.state === BETWEEN_MESSAGES) {
      this.since = 0;
    } else if (this.since === 0) {
      this.since = performance.now();
      this.headDone = parser.state !== IN_HEAD;
    }
  }

  /** A request's head. @returns {number} what the parser is to expect of its body */
  onHead(text) {
    const { server, settings, socket } = this;
    this.headDone = true;
    this.resetTimeout();
    const bits = registers[head.FLAGS];
    const count = registers[head.COUNT];
    const request = new settings.IncomingMessage(socket);
    fillFromHead(request, text, true);
    request.joinDuplicateHeaders = settings.joinDuplicateHeaders;
    this.incoming = request;

    const most = typeof server.maxHeadersCount === 'number' ? server.maxHeadersCount : FIELDS_MAX;
    if (most > 0 && count > most && !this.limitFields(request, most, bits)) return GO_ON;
    if ((bits & flags.UPGRADE) !== 0) {
      request.upgrade = request.method === 'CONNECT' || settings.shouldUpgrade(server, request);
      if (request.upgrade) return TUNNEL;
    }
    this.requests.push(request);
    if (!this.heldBack && this.isBehind()) this.holdBack();
    this.answer(request, bits);
    return GO_ON;
  }

  onBody(bytes) {
    const { incoming } = this;
    if (incoming !== null && !addBody(incoming, bytes)) this.socket.pause();
  }

  onComplete(trailers, count) {
    const { incoming } = this;
    this.since = 0;
    this.headDone = false;
    if (incoming === null) return;
    complete(incoming, trailers, count);
    if (!incoming.upgrade) readOn(this.socket);
  }

  /**
   * Leaves the fields beyond the limit out of `headers`. Those that say where the request ends must
   * not be among them: who reads `headers` would see another request than the parser.
   */
  limitFields(request, most, bits) {
    limitFields(request, most);
    if ((bits & (flags.CONTENT_LENGTH | flags.TRANSFER_ENCODING)) === 0) return true;
    const { headers } = request;
    const length = (bits & flags.CONTENT_LENGTH) === 0 || 'content-length' in headers;
    if (length && ((bits & flags.TRANSFER_ENCODING) === 0 || 'transfer-encoding' in headers)) {
      return true;
    }
    const error = new Error('Parse Error: Header overflow');
    this.fail(Object.assign(error, { code: 'HPE_HEADER_OVERFLOW', reason: 'Header overflow' }));
    return false;
  }

  // Requests and responses.

  /** Makes the response and gives both to whoever listens. */
  answer(request, bits) {
    const { server, settings, socket } = this;
    const response = new settings.ServerResponse(request, settings.responseOptions(socket));
    response[kConnection] = this;
    response._keepAliveTimeout = server.keepAliveTimeout;
    response._maxRequestsPerSocket = server.maxRequestsPerSocket;
    response.shouldKeepAlive = (bits & flags.KEEP_ALIVE) !== 0;
    response[kUniqueHeaders] = settings.uniqueHeaders;
    if (requestStart.hasSubscribers) requestStart.publish({ request, response, socket, server });
    if (responseCreated.hasSubscribers) responseCreated.publish({ request, response });
    if (socket._httpMessage) this.waiting.push(response);
    else response.assignSocket(socket);

    if (request.httpVersion === '1.1' && this.answerAtOnce(request, response, bits)) return;
    server.emit('request', request, response);
  }

  /** The requests of HTTP/1.1 that 'request' listeners do not see. @returns {boolean} done */
  answerAtOnce(request, response, bits) {
    const { server } = this;
    if (this.settings.requireHostHeader && request.headers.host === undefined) {
      response.writeHead(400, ['Connection', 'close']);
      response.end();
      return true;
    }
    const most = server.maxRequestsPerSocket;
    if (typeof most === 'number' && most > 0) {
      this.requestCount++;
      response.maxRequestsOnConnectionReached = most <= this.requestCount;
      if (most < this.requestCount) {
        server.emit('dropRequest', request, this.socket);
        response.writeHead(503);
        response.end();
        return true;
      }
    }
    if ((bits & flags.EXPECT) === 0) return false;
    if ((bits & flags.EXPECT_CONTINUE) !== 0) {
      response._expect_continue = true;
      if (server.listenerCount('checkContinue') > 0) {
        server.emit('checkContinue', request, response);
      } else {
        response.writeContinue();
        server.emit('request', request, response);
      }
    } else if (server.listenerCount('checkExpectation') > 0) {
      server.emit('checkExpectation', request, response);
    } else {
      response.writeHead(417);
      response.end();
    }
    return true;
  }

  /** A response has left; called before its 'finish' listeners. */
  onFinished(response) {
    const { requests, server, socket } = this;
    const request = response.req;
    if (responseFinish.hasSubscribers)
      responseFinish.publish({ request, response, socket, server });
    const index = requests.indexOf(request);
    if (index >= 0) requests.splice(index, 1);
    // Its body would stand before the next request.
    if (!request._consuming) request._dump();
    if (socket._httpMessage === response) response.detachSocket(socket);
    process.nextTick(emitClose, response);
    if (response._last) {
      if (typeof socket.destroySoon === 'function') socket.destroySoon();
      else socket.end();
    } else if (this.waiting.length > 0) {
      this.waiting.shift().assignSocket(socket);
    } else if (server.keepAliveTimeout > 0 && typeof socket.setTimeout === 'function') {
      socket.setTimeout(server.keepAliveTimeout + (server.keepAliveTimeoutBuffer || 0));
      this.idleTimeoutSet = true;
    }
  }

  // Bounds.

  /** Bytes were added to responses that wait, or taken from them. */
  onPending(change) {
    this.pendingBytes += change;
    if (change < 0) this.goOn();
  }

  /** Whether the client asks for more than it takes. */
  isBehind() {
    const { socket } = this;
    return socket.writableNeedDrain || this.pendingBytes >= socket.writableHighWaterMark;
  }

  holdBack() {
    this.heldBack = this.socket._paused = true;
    this.parser.pause();
    this.socket.pause();
  }

  /** Reads on if what waits is little enough, and lets the response write on. */
  goOn() {
    const { parser, socket } = this;
    if (this.heldBack && this.pendingBytes <= socket.writableHighWaterMark) {
      this.heldBack = socket._paused = false;
      if (parser !== null) {
        const { rest } = parser;
        const result = parser.resume();
        if (rest !== null) this.afterParsing(result, rest);
      }
      if (!this.heldBack) socket.resume();
    }
    const message = socket._httpMessage;
    if (message && !message.finished && message[kNeedDrain]) {
      message[kNeedDrain] = false;
      message.emit('drain');
    }
  }

  /** A request has begun: the time that an idle connection is given no longer counts. */
  resetTimeout() {
    if (!this.idleTimeoutSet) return;
    this.idleTimeoutSet = false;
    this.socket.setTimeout(this.server.timeout || 0);
  }

  // The end.

  /** The connection is the program's now: an upgrade, or a tunnel. */
  handOver(rest) {
    const { incoming, server, socket } = this;
    const name = incoming.method === 'CONNECT' ? 'connect' : 'upgrade';
    if (server.listenerCount(name) === 0 && name === 'connect') {
      socket.destroy();
      return;
    }
    this.release();
    socket.readableFlowing = null;
    if (!server.emit(name, incoming, socket, rest)) socket.destroy();
  }

  /** Stops listening and gives the parser back. */
  release() {
    const { socket } = this;
    for (const name of Object.keys(events)) socket.removeListener(name, events[name]);
    socket.removeListener('error', onError);
    socket[kConnection] = undefined;
    if (Object.hasOwn(socket, 'setEncoding')) delete socket.setEncoding;
    this.freeParser();
    this.settings.connections.delete(this);
  }

  freeParser() {
    if (this.parser === null) return;
    this.parser.free();
    this.parser = null;
    this.socket.parser = null;
  }

  /** What was sent is no request, or came too late; or the socket has failed. */
  fail(error) {
    const { server, socket } = this;
    // Further ones tell nothing new.
    socket.removeListener('error', onError);
    if (socket.listenerCount('error') === 0) socket.on('error', ignore);
    if (server.emit('clientError', error, socket)) return;
    const message = socket._httpMessage;
    // A response that has begun must not be mixed with another.
    if (socket.writable && (!message || !message._headerSent)) {
      socket.write(refusals[error.code] ?? BAD_REQUEST, 'latin1');
    }
    socket.destroy(error);
  }
}

function onData(chunk) {
  this[kConnection].read(chunk);
}

/** The client says no more. It may still wait for answers. */
function onEnd() {
  const connection = this[kConnection];
  const { parser, server, waiting } = connection;
  const error = parser?.finish();
  if (error instanceof Error) {
    connection.fail(error);
  } else if (!server.httpAllowHalfOpen) {
    this.end();
  } else if (waiting.length > 0) {
    waiting.at(-1)._last = true;
  } else if (this._httpMessage) {
    this._httpMessage._last = true;
  } else {
    this.end();
  }
}

function onClose() {
  const connection = this[kConnection];
  if (connection === undefined) return;
  connection.freeParser();
  connection.settings.connections.delete(connection);
  for (const request of connection.requests.splice(0)) {
    request.destroy(connectionResetError('aborted'));
  }
}

function onDrain() {
  this[kConnection].goOn();
}

function onError(error) {
  this[kConnection].fail(error);
}

/** Idle for too long. Whoever listens decides; nobody does: it is over. */
function onTimeout() {
  const { incoming, server } = this[kConnection];
  const response = this._httpMessage;
  let heard = incoming !== null && !incoming.complete && incoming.emit('timeout', this);
  if (response && response.emit('timeout', this)) heard = true;
  if (server.emit('timeout', this)) heard = true;
  if (!heard) this.destroy();
}

/** The parser needs bytes. */
function refuseEncodings(socket) {
  socket.setEncoding = function setEncoding() {
    throw codeError('ERR_HTTP_SOCKET_ENCODING');
  };
}

function refusal(status) {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`;
}

function ignore() {}

module.exports = { ServerConnection };
