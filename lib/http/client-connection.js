'use strict';

// A socket while it carries one request of a client: parses the answer, and sees to it that the
// socket ends, or goes back to its agent, when both messages are over.

const { AsyncResource } = require('node:async_hooks');
const { channel } = require('node:diagnostics_channel');
const process = require('node:process');

const { connectionResetError } = require('../internal/errors');
const { finish, observed } = require('../internal/timeline');
const { Socket } = require('../net');
const { canConsume, handleOf, hear, unguard, unhear, unwatch, watch } = require('./consume');
const {
  IncomingMessage,
  addBody,
  complete,
  fillFromHead,
  limitFields,
  readOn
} = require('./incoming');
const limits = require('./limits');
const { MessageReader } = require('./message-reader');
const { GO_ON, NO_BODY, Parser, RESPONSE, TUNNEL, flags, head, registers } = require('./parser');
const { isInterim } = require('./registries');
const { endSignal } = require('./signal');
const { kConnection, kExchange, kNeedDrain } = require('./symbols');

const responseFinish = channel('http.client.response.finish');
const requestError = channel('http.client.request.error');

const MANUAL = { requireManualDestroy: true };

/**
 * Where the answer's events run: in the context of whoever asked. The socket's own is that of the
 * first who used it. The names are those that Node shows.
 */
class HTTPClientAsyncResource extends AsyncResource {
  constructor(request) {
    super('HTTPCLIENTREQUEST', MANUAL);
    this.type = 'HTTPINCOMINGMESSAGE';
    this.req = request;
  }
}

class ClientConnection extends MessageReader {
  constructor(request, socket) {
    super(socket, handleOf(socket));
    this.context = new HTTPClientAsyncResource(request);
    this.request = request;
    const lenient = limits.lenientBits(request.httpValidation, request.insecureHTTPParser);
    const maxHeaderSize = request.maxHeaderSize || limits.maxHeaderSize;
    const bounds = { lenient, maxFields: 0, maxHeaderSize };
    const { handle } = this;
    if (handle !== null) unguard(handle);
    const source = handle !== null && canConsume(socket) ? handle : null;
    this.parser = Parser.take(RESPONSE, this, bounds, source);
    /** The answer's body ends where the connection does. */
    this.untilEnd = false;

    request.parser = socket.parser = this.parser;
    request.socket = socket;
    request[kExchange] = this;
    socket[kConnection] = this;
    socket._httpMessage = request;
    hear(socket, 'error', onError);
    Socket.prototype.on.call(socket, 'data', onData);
    hear(socket, 'end', onEnd);
    hear(socket, 'close', onClose);
    hear(socket, 'drain', onDrain);
    if (this.isConsuming) watch(socket);
  }

  // Bytes in.

  get ticksAmidReads() {
    return false;
  }

  /** Looks where the parser has stopped. */
  afterParsing(error, chunk, consumed) {
    if (this.ended) return;
    const { incoming, request, sock: socket } = this;
    if (error !== null) {
      error.rawPacket = chunk;
      this.stopReading();
      socket.destroy();
      socket._hadError = true;
      emitError(request, error);
    } else if (this.parser.upgraded) {
      this.handOver(chunk.subarray(consumed));
    } else if (incoming?.complete && !isInterim(incoming.statusCode)) {
      this.stopReading();
    }
  }

  /** The head of an answer. @returns {number} what the parser is to expect of its body */
  onHead(text) {
    const { request, sock: socket } = this;
    const bits = registers[head.FLAGS];
    const keepAlive = (bits & flags.KEEP_ALIVE) !== 0;
    const count = registers[head.COUNT];
    const response = new IncomingMessage(socket);
    fillFromHead(response, text, false);
    this.incoming = response;
    if (request.res) {
      // A second answer to one question may be another's.
      socket.destroy();
      return GO_ON;
    }
    response.joinDuplicateHeaders = Boolean(request.joinDuplicateHeaders);
    const most = limits.fieldsOf(request);
    if (most > 0 && count > most) limitFields(response, most);
    request.res = response;
    if (request.method === 'CONNECT') response.upgrade = true;
    if (response.upgrade) return TUNNEL;
    if (isInterim(response.statusCode)) return this.inform(response);

    if (!keepAlive && !request.upgradeOrConnect) request.shouldKeepAlive = false;
    if (observed.http !== 0) finishEntry(request, response);
    if (responseFinish.hasSubscribers) responseFinish.publish({ request, response });
    response.req = request;
    response.on('end', onResponseEnd);
    hear(socket, 'timeout', onResponseTimeout);
    // Without a listener nobody can read it.
    if (request.aborted || !request.emit('response', response)) response._dump();
    if (request.method === 'HEAD') return NO_BODY;
    this.untilEnd = (bits & (flags.CONTENT_LENGTH | flags.CHUNKED)) === 0;
    if (response.statusCode === 304) {
      response.complete = true;
      return NO_BODY;
    }
    return GO_ON;
  }

  /** An interim answer: the answer proper follows. */
  inform(response) {
    const { request } = this;
    request.res = null;
    if (response.statusCode === 100) request.emit('continue');
    request.emit('information', {
      statusCode: response.statusCode,
      statusMessage: response.statusMessage,
      httpVersion: response.httpVersion,
      httpVersionMajor: response.httpVersionMajor,
      httpVersionMinor: response.httpVersionMinor,
      headers: response.headers,
      rawHeaders: response.rawHeaders
    });
    return NO_BODY;
  }

  onBody(start, end) {
    if (!addBody(this.incoming, this.parser, start, end)) this.sock.pause();
  }

  onComplete(trailers, count) {
    const most = limits.REFUSES_FIELDS && trailers !== null ? limits.fieldsOf(this.request) : 0;
    complete(this.incoming, trailers, most > 0 ? Math.min(count, most) : count);
    if (!this.incoming.upgrade) readOn(this.sock);
  }

  // The end.

  /** The answer is complete, or will not be. */
  stopReading() {
    const { sock: socket } = this;
    socket.removeListener('data', onData);
    unhear(socket, 'end', onEnd);
    unhear(socket, 'drain', onDrain);
    this.freeParser();
  }

  /** The connection has failed, and may be closed below. */
  finish() {
    const { incoming, parser } = this;
    if (parser === null) return;
    const closed = this.isConsuming && parser.handle.id < 0;
    if (!closed) parser.finish();
    else if (this.untilEnd && !incoming.complete) this.onComplete(null, 0);
  }

  freeParser() {
    if (this.parser === null) return;
    this.ended = true;
    this.parser.free();
    this.parser = null;
    this.request.parser = null;
    this.sock.parser = null;
    this.context.emitDestroy();
  }

  /** The connection is the program's now: 'upgrade' or 'connect'. */
  handOver(rest) {
    const { incoming, request, sock: socket } = this;
    this.stopReading();
    const name = request.method === 'CONNECT' ? 'connect' : 'upgrade';
    removeTimeout(request, socket);
    if (request.listenerCount(name) === 0) {
      socket.destroy();
      return;
    }
    request.upgradeOrConnect = true;
    if (handleOf(socket) !== null) unwatch(socket);
    socket.emit('agentRemove');
    this.detach();
    socket.readableFlowing = null;
    request.emit(name, incoming, socket, rest);
    request.destroyed = true;
    emitClose(request);
  }

  /** Gives the socket back, after the program's own 'end' listeners. */
  free() {
    const { request, sock: socket } = this;
    if (request.timeoutCb) {
      socket.setTimeout(0, request.timeoutCb);
      request.timeoutCb = null;
    }
    this.detachListeners();
    process.nextTick(emitFree, request, socket);
    request.destroyed = true;
    // A message that is destroyed later must not take the next one's socket with it.
    if (request.res) request.res.socket = null;
  }

  detachListeners() {
    unhear(this.sock, 'close', onClose);
    unhear(this.sock, 'error', onError);
  }

  detach() {
    this.detachListeners();
    this.sock._httpMessage = null;
    this.sock[kConnection] = undefined;
  }
}

/** For PerformanceObserver. */
function finishEntry(request, { headers, statusCode, statusMessage }) {
  finish(request, { res: { statusCode, statusMessage, headers } });
}

// What the socket emits, brought into the request's context.

function onData(chunk) {
  const connection = this[kConnection];
  connection.context.runInAsyncScope(connection.read, connection, chunk);
}

function onDrain() {
  this[kConnection].context.runInAsyncScope(drained, this);
}

function onEnd() {
  this[kConnection].context.runInAsyncScope(ended, this);
}

function onError(error) {
  this[kConnection].context.runInAsyncScope(failed, this, error);
}

function onClose() {
  this[kConnection].context.runInAsyncScope(closed, this);
}

function drained() {
  const request = this._httpMessage;
  if (request && !request.finished && request[kNeedDrain]) {
    request[kNeedDrain] = false;
    request.emit('drain');
  }
}

/** The server says no more. */
function ended() {
  const connection = this[kConnection];
  const { parser, request } = connection;
  if (!request.res && !this._hadError) {
    this._hadError = true;
    emitError(request, connectionResetError('socket hang up'));
  }
  if (parser !== null) {
    parser.finish();
    connection.freeParser();
  }
  this.end();
}

function failed(error) {
  const connection = this[kConnection];
  const { request } = connection;
  this._hadError = true;
  emitError(request, error);
  connection.finish();
  connection.stopReading();
  this.destroy();
}

/** The connection is over: with an answer or without. */
function closed() {
  const connection = this[kConnection];
  const { parser, request } = connection;
  parser?.settle();
  // What is left to read comes first.
  this.read();
  const response = request.res;
  request.destroyed = true;
  if (response) {
    if (!response.complete) response.destroy(connectionResetError('aborted'));
    emitClose(request);
    if (!response.aborted && response.readable) response.push(null);
  } else {
    if (!this._hadError) {
      this._hadError = true;
      emitError(request, connectionResetError('socket hang up'));
    }
    emitClose(request);
  }
  request.outputData.length = 0;
  if (parser !== null) {
    parser.finish();
    connection.freeParser();
  }
}

/** The answer was read to its end. */
function onResponseEnd() {
  const request = this.req;
  const { socket } = request;
  endSignal(this);
  if (socket) removeTimeout(request, socket);
  request._ended = true;
  if (!request.shouldKeepAlive) {
    if (!socket?.writable) return;
    if (typeof socket.destroySoon === 'function') socket.destroySoon();
    else socket.end();
  } else if (request.writableFinished && !this.aborted) {
    request[kExchange].free();
  }
}

/** Nothing came for a while; who reads the answer learns it as well. */
function onResponseTimeout() {
  this._httpMessage?.res?.emit('timeout');
}

function removeTimeout(request, socket) {
  unhear(socket, 'timeout', onResponseTimeout);
  if (request.timeoutCb) socket.removeListener('timeout', request.timeoutCb);
}

function emitFree(request, socket) {
  emitClose(request);
  socket.emit('free');
}

function emitError(request, error) {
  if (requestError.hasSubscribers) requestError.publish({ request, error });
  request.emit('error', error);
}

function emitClose(request) {
  if (request._closed) return;
  request._closed = true;
  request.emit('close');
}

module.exports = { ClientConnection, emitClose, emitError };
