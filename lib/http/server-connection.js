'use strict';

// A connection of a server: socket -> parser -> requests, and responses -> socket in the order of
// the requests; over any Duplex. Decides when to read, what a broken request gets, when to hang up.

const { AsyncResource } = require('node:async_hooks');
const { Buffer } = require('node:buffer');
const { channel } = require('node:diagnostics_channel');
const process = require('node:process');
const { debuglog } = require('node:util');

const { codeError, connectionResetError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { clock } = require('../internal/runtime');
const { setImmediate } = require('../internal/timers');
const { Connection } = require('./connection');
const { unwatch, watch } = require('./consume');
const {
  addBody,
  complete,
  endEmpty,
  fillFromHead,
  isLimited,
  limitFields,
  passBody
} = require('./incoming');
const { fieldsOf } = require('./limits');
const {
  BETWEEN_MESSAGES,
  CLOSED,
  FIELDS_WITH_HEAD,
  GO_ON,
  IN_HEAD,
  Parser,
  STAY,
  TUNNEL,
  flags,
  head,
  registers
} = require('./parser');
const { isWatched } = require('./outgoing-body');
const { isHeard, isHeardOf } = require('./outgoing-end');
const { HOLDS_CHUNKS, moveCorks } = require('./outgoing-pieces');
const { STATUS_CODES } = require('./registries');
const { emitClose } = require('./server-response');
const { endSignal } = require('./signal');
const { kConnection, kCorked, kNeedDrain, kSocket, kUniqueHeaders } = require('./symbols');
const { idleTime } = require('./time-limits');
const { UpgradeStream } = require('./upgrade-stream');

const requestStart = channel('http.server.request.start');
const debug = debuglog('http');
const responseFinish = channel('http.server.response.finish');

/** What a client gets whose request cannot be read, by the error's code. */
const refusals = {
  HPE_HEADER_OVERFLOW: refusal(431),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: refusal(413),
  ERR_HTTP_REQUEST_TIMEOUT: refusal(408)
};
const BAD_REQUEST = refusal(400);

/** Up to Node 22 responses that wait for others are never told that the connection is gone. */
const ABORTS_WAITING = nodeMajor >= 24;

/** Up to Node 22 also what another response has to keep tells the current one to write on. */
const DRAINS_EARLY = nodeMajor < 24;

/** The body of a request for an upgrade is read as any other from Node 26 on. */
const READS_BODY = nodeMajor >= 26;

/** Bits of a head that a body may follow. */
const HAS_BODY = flags.CONTENT_LENGTH | flags.TRANSFER_ENCODING;

/** No responses wait. */
const NONE = Object.freeze([]);

/** Whose turn it is behind the last response. */
const NOBODY = {};

/** As many requests of a connection may wait for their answers before it is read again. */
const UNANSWERED_MAX = 1000;

/** What a connection that is held back reads at once: requests are small, and there may be many. */
const HELD_BACK_READ = 64 * 1024;

/** How often a connection is read after its last answer, while its client has not stopped to send. */
const READS_AFTER = 32;

const events = {
  data: onData,
  end: onEnd,
  close: onClose,
  drain: onDrain,
  timeout: onTimeout
};

/**
 * Where requests run that come over a socket: it inherits from the server's context, the socket does
 * not. Without a socket the handle does (lib/net/server.js). The names are those that Node shows.
 */
class HTTPServerAsyncResource extends AsyncResource {
  constructor(socket) {
    super('HTTPINCOMINGMESSAGE', { requireManualDestroy: true });
    this.type = 'HTTPINCOMINGMESSAGE';
    this.socket = socket;
  }
}

class ServerConnection extends Connection {
  constructor(server, settings, socket, handle) {
    super(server, settings, socket, handle);
    if (socket !== null) this.context = new HTTPServerAsyncResource(socket);
    /** The first request that is not answered yet, and those behind it, if there ever were any. */
    this.request = null;
    this.others = null;
    /** The response whose turn it is, where there is no socket to know it. */
    this.current = null;
    /** Responses that wait for those before them, if there ever were any. */
    this.waiting = NONE;
    /** The first response that is not sent yet: its bytes may go past the socket. */
    this.writer = null;
    /** Bytes that wait in responses. */
    this.pendingBytes = 0;
    this.requestCount = 0;
    /** Reading has stopped until the client takes what it asked for. */
    this.heldBack = false;
    /** When the request that is being read began; 0 between requests. See time-limits.js. */
    this.since = clock();
    this.headDone = false;
    /** Fields were told by themselves: trailers, or more than Node tells with a head. So all are then. */
    this.toldFields = false;
    /** What the program has of a connection that is to be its own behind a body. */
    this.upgrade = null;

    debug('a connection to the server');
    if (socket === null) return;
    socket._httpMessage ??= null;
    this.listen(socket);
    if (server.timeout && typeof socket.setTimeout === 'function') {
      socket.setTimeout(server.timeout);
    }
  }

  /** Hears what happens to the socket. */
  listen(socket) {
    socket[kConnection] = this;
    socket.parser = this.parser;
    socket._paused = false;
    for (const name of Object.keys(events)) socket.on(name, events[name]);
    if (this.settings.plainResponse) socket.on('close', onCloseOfResponse);
    socket.on('error', onError);
    refuseEncodings(socket);
    if (this.isConsuming) watch(socket);
  }

  /** The response whose turn it is. */
  get message() {
    const { sock } = this;
    return sock === null ? this.current : sock._httpMessage;
  }

  get ticksAmidReads() {
    return true;
  }

  /** Nothing is under way: whoever ends it now leaves nobody to be told. */
  get isUnused() {
    return this.request === null && this.current === null && !this.parser?.running;
  }

  // Bytes in.

  /** A read comes in the handle's context, which is the connection's if it began without a socket. */
  onread(text) {
    const parser = (this.parser ??= Parser.blank(this, this.handle));
    try {
      super.onread(text);
    } finally {
      this.flushHeld();
    }
    // Between two requests there is nothing to remember.
    if (this.sock !== null || this.parser !== parser || parser.running) return;
    if (parser.state !== BETWEEN_MESSAGES) return;
    this.parser = null;
    parser.giveBack();
  }

  afterRead(error, consumed, length) {
    const { parser } = this;
    super.afterRead(error, consumed, length);
    if (!this.heldBack || this.parser !== parser) return;
    this.unconsume();
    parser.pause();
    // Node has no such bound, and hears of an end or a reset.
    if (this.isAwaited && this.handle.id >= 0 && !this.handle.reading) this.handle.readStart();
  }

  /** Looks where the parser has stopped. */
  afterParsing(error, chunk, consumed) {
    const { parser } = this;
    if (this.ended) return;
    // It is the next head that ends it.
    if (this.idleQueue !== null && parser.state !== BETWEEN_MESSAGES) {
      this.startIdling(this.idleQueue.time);
    }
    if (error !== null) {
      error.rawPacket = chunk;
      this.fail(error);
    } else if (parser.upgraded) {
      this.handOver(chunk.subarray(consumed));
    } else if (this.incoming !== null && this.incoming.upgrade) {
      this.announce();
    } else if (parser.state === BETWEEN_MESSAGES || parser.state === CLOSED) {
      this.since = 0;
    } else if (this.since === 0) {
      this.since = clock();
      this.headDone = parser.state !== IN_HEAD;
    }
  }

  /** A request's head has come, of which is told behind the ticks. */
  onBegun() {
    this.since = clock();
    this.headDone = true;
  }

  /** A request's head. @returns {number} what the parser is to expect of its body */
  onHead(text) {
    const { server, settings, sock } = this;
    this.headDone = true;
    this.stopIdling();
    const bits = registers[head.FLAGS];
    const count = registers[head.COUNT];
    if (count >= FIELDS_WITH_HEAD) this.toldFields = true;
    const hosts = registers[head.HOSTS];
    // Without a socket: it is made when asked for.
    const request = new settings.IncomingMessage(
      settings.plainIncoming ? (sock ?? undefined) : this.socket
    );
    request[kConnection] = this;
    fillFromHead(request, text, true);
    request.joinDuplicateHeaders = settings.joinDuplicateHeaders;
    this.incoming = request;

    const most = fieldsOf(server);
    if (most > 0 && count > most && !this.limitFields(request, most, bits)) return GO_ON;
    const asks = (bits & flags.UPGRADE) !== 0;
    if (asks) {
      request.upgrade = request.method === 'CONNECT' || settings.shouldUpgrade(server, request);
      if (request.upgrade) return READS_BODY && (bits & HAS_BODY) !== 0 ? GO_ON : TUNNEL;
    }
    if (this.request === null) this.request = request;
    else (this.others ??= []).push(request);
    if (!this.heldBack && this.isBehind()) this.holdBack();
    if (settings.endsEmpty && (bits & HAS_BODY) === 0) {
      endEmpty(request);
    }
    this.answer(request, bits, hosts);
    return asks ? STAY : GO_ON;
  }

  onBody(start, end) {
    const { incoming, parser } = this;
    if (incoming !== null && !addBody(incoming, parser, start, end)) this.stopReading();
  }

  onComplete(trailers, count) {
    const { incoming } = this;
    this.since = 0;
    this.headDone = false;
    if (incoming === null) return;
    complete(incoming, trailers, count);
    if (count > 0) this.toldFields = true;
    if (incoming.upgrade || this.parser.upgraded) return;
    this.incoming = null;
    if (!this.heldBack) this.readOn();
  }

  /**
   * Leaves the fields beyond the limit out of `headers`. Those that say where the request ends must
   * not be among them: who reads `headers` would see another request than the parser.
   */
  limitFields(request, most, bits) {
    limitFields(request, most);
    if ((bits & HAS_BODY) === 0) return true;
    const { headers } = request;
    const length = (bits & flags.CONTENT_LENGTH) === 0 || 'content-length' in headers;
    if (length && ((bits & flags.TRANSFER_ENCODING) === 0 || 'transfer-encoding' in headers)) {
      return true;
    }
    this.parser.refuse('HPE_HEADER_OVERFLOW:Header overflow');
    return false;
  }

  // Requests and responses.

  /** Makes the response and gives both to whoever listens. */
  answer(request, bits, hosts) {
    const { server, settings } = this;
    const response = new settings.ServerResponse(request, settings.responseOptions(this.sock));
    response[kConnection] = this;
    response._keepAliveTimeout = server.keepAliveTimeout;
    response._maxRequestsPerSocket = server.maxRequestsPerSocket;
    response.shouldKeepAlive = (bits & flags.KEEP_ALIVE) !== 0;
    response[kUniqueHeaders] = settings.uniqueHeaders;
    if (requestStart.hasSubscribers) {
      requestStart.publish({ request, response, socket: this.socket, server });
    }
    this.writer ??= response;
    if (!this.message) this.assign(response);
    else if (this.waiting === NONE) this.waiting = [response];
    else this.waiting.push(response);

    if (request.httpVersion === '1.1' && this.answerAtOnce(request, response, bits, hosts)) {
      return;
    }
    server.emit('request', request, response);
  }

  /** The requests of HTTP/1.1 that 'request' listeners do not see. @returns {boolean} done */
  answerAtOnce(request, response, bits, hosts) {
    const { server } = this;
    // `headers` are put together when somebody looks at them.
    const hasHost = (hosts > 0 && !isLimited(request)) || request.headers.host !== undefined;
    if (this.settings.requireHostHeader && !hasHost) {
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

  /** It is this response's turn. */
  assign(response) {
    const { sock } = this;
    if (!this.settings.plainResponse) return response.assignSocket(this.socket);
    if (sock === null) {
      this.current = response;
      response[kSocket] = undefined; // made when asked for
    } else {
      sock._httpMessage = response;
      response[kSocket] = sock;
    }
    const corked = response[kCorked] > 0 && !this.hasPieces(response);
    if (HOLDS_CHUNKS && corked) moveCorks(response, null, this.socket);
    if (isHeardOf(response, 'socket')) response.emit('socket', this.socket);
    if (response.outputData.length > 0 || corked || response[kNeedDrain]) response._flush();
    else if (response.finished && isWatched(response)) response._finish();
  }

  /** Whether a response may write past the socket. */
  isWriter(response) {
    return this.writer === response && !response.destroyed && this.mayWrite;
  }

  /** Whether what a response writes may be kept for the end of the tick. */
  takesPieces(response) {
    if (this.sock !== null || this.handle.id < 0 || this.writer !== response) return false;
    if (this.current !== response) return false; // it waits for its turn, by itself
    if (response.destroyed || response.outputData.length > 0) return false;
    return response[kCorked] === 0 || this.hasPieces(response);
  }

  /** A response is with the kernel, or will be next: the one behind it may write. */
  onWritten(response) {
    const { waiting } = this;
    if (response._last) {
      this.writer = NOBODY;
    } else {
      const next = this.message === response ? 0 : waiting.indexOf(response) + 1;
      this.writer = next < waiting.length ? waiting[next] : null;
    }
  }

  /** A response that went past the socket has left. */
  onSent(response) {
    const heard = isHeard(response);
    this.retire(response, heard);
    if (heard) response.emit('finish');
    else response.destroyed = response._closed = true;
  }

  /** A response that went through the socket has left; called before its 'finish' listeners. */
  onFinished(response) {
    this.retire(response, true);
  }

  /** Makes room for the next one; 'close' follows if anybody hears it. */
  retire(response, heard) {
    const { server, sock } = this;
    const request = response.req;
    if (responseFinish.hasSubscribers) {
      responseFinish.publish({ request, response, socket: this.socket, server });
    }
    if (this.request === request) {
      this.request = this.others?.shift() ?? null;
    } else {
      const index = this.others?.indexOf(request) ?? -1;
      if (index >= 0) this.others.splice(index, 1);
    }
    endSignal(request);
    // Its body would stand before the next request.
    passBody(request, heard);
    if (this.message === response) {
      if (this.settings.plainResponse) {
        if (HOLDS_CHUNKS && response[kCorked] > 0) moveCorks(response, sock, null);
        response[kSocket] = null;
        this.current = null;
        if (sock !== null) sock._httpMessage = null;
      } else {
        response.detachSocket(sock);
      }
    }
    if (heard) process.nextTick(emitClose, response);
    if (this.writer === response) this.writer = this.waiting[0] ?? null;
    if (this.heldBack) this.onAnswered();
    if (response._last) {
      this.endSoon();
    } else if (this.waiting.length > 0) {
      this.assign(this.waiting.shift());
    } else if (server.keepAliveTimeout > 0) {
      this.startIdling(idleTime(server));
    }
  }

  /** The last answer has left. */
  endSoon() {
    const { sock } = this;
    if (sock === null && this.isUnused && this.incoming === null) {
      this.closeSoon();
      return;
    }
    const { socket } = this;
    if (typeof socket.destroySoon !== 'function') {
      socket.end();
    } else if (this.incoming !== null && this.isConsuming) {
      socket.end();
      setImmediate(endBehindBody, this, -1, READS_AFTER);
    } else {
      socket.destroySoon();
    }
  }

  // Bounds.

  /** Bytes were added to responses that wait, or taken from them. */
  onPending(change) {
    this.pendingBytes += change;
    if (this.heldBack) this.readAgain();
    if (change < 0 || DRAINS_EARLY) this.tellDrain();
  }

  /** An answer has left while the client is held back. */
  onAnswered() {
    // It is not the client who kept the request waiting that it has begun.
    if (this.isAwaited && this.since !== 0) this.since = clock();
    else if (!this.isBehind()) this.goOn();
  }

  /** So many requests wait for their answers that no more are read. */
  get isAwaited() {
    return this.others !== null && this.others.length >= UNANSWERED_MAX;
  }

  /** Whether the client asks for more than it takes, or than is answered. */
  isBehind() {
    const { sock } = this;
    if (this.isAwaited) return true;
    if (sock === null) {
      const kept = this.pieces === null ? 0 : this.sizeOfPieces(this.pieces.message);
      return Math.max(kept, this.pendingBytes) >= this.settings.highWaterMark;
    }
    return sock.writableNeedDrain || this.pendingBytes >= sock.writableHighWaterMark;
  }

  /** Takes no more than the read that is being told. */
  holdBack() {
    const { handle, parser, socket } = this;
    this.heldBack = socket._paused = true;
    if (handle !== null && handle.id >= 0) handle.fixReadSize(HELD_BACK_READ);
    if (!this.isConsuming) parser.pause();
    socket.pause();
  }

  /** Reads on if what waits is little enough, and lets the response write on. */
  goOn() {
    if (this.heldBack) this.readAgain();
    this.tellDrain();
  }

  /** Reads on if what waits is little enough. */
  readAgain() {
    const { parser, socket } = this;
    if (this.isAwaited || this.pendingBytes > socket.writableHighWaterMark) return;
    this.heldBack = socket._paused = false;
    if (parser !== null && !this.isConsuming) {
      const { rest } = parser;
      const result = parser.resume();
      if (rest !== null) this.afterParsing(result instanceof Error ? result : null, rest, result);
    }
    if (!this.heldBack) socket.resume();
  }

  tellDrain() {
    const { message } = this;
    if (!message || message.finished || !message[kNeedDrain]) return;
    if (!DRAINS_EARLY && message.writableLength > 0) return;
    message[kNeedDrain] = false;
    message.emit('drain');
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
    if (this.upgrade !== null) {
      this.upgrade.open(rest);
      return;
    }
    socket.readableFlowing = null;
    if (!server.emit(name, incoming, socket, rest)) socket.destroy();
  }

  /** The connection will be the program's behind a body that is still to come. */
  announce() {
    if (this.upgrade !== null) return;
    const { incoming, server, socket } = this;
    this.upgrade = new UpgradeStream(socket, incoming);
    socket.readableFlowing = null;
    if (!server.emit('upgrade', incoming, this.upgrade, Buffer.alloc(0))) socket.destroy();
  }

  /** Stops listening and gives the parser back. */
  release() {
    const { socket } = this;
    for (const name of Object.keys(events)) socket.removeListener(name, events[name]);
    socket.removeListener('error', onError);
    // One that is not over is still to be told.
    if (!socket._httpMessage) socket.removeListener('close', onCloseOfResponse);
    socket[kConnection] = undefined;
    if (this.handle !== null) unwatch(socket);
    this.forget();
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

/** Lets what has come of a body be read first: the kernel answers what is not with a reset. */
function endBehindBody(connection, seen, left) {
  const { handle, incoming, sock } = connection;
  const { bytesRead } = handle;
  if (incoming === null || bytesRead === seen || left === 0) sock.destroySoon();
  else setImmediate(endBehindBody, connection, bytesRead, left - 1);
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
    error.message = 'Parse Error';
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
  if (!(connection instanceof ServerConnection)) return;
  connection.parser?.settle();
  connection.forget();
  const { others, request: first } = connection;
  connection.request = connection.others = null;
  for (const request of first === null ? [] : [first, ...(others ?? [])]) {
    request.destroy(connectionResetError('aborted'));
  }
  if (!ABORTS_WAITING) return;
  const { waiting } = connection;
  connection.waiting = NONE;
  for (const response of waiting) response.destroy(connectionResetError('aborted'));
}

/** The client is gone, and a response unfinished. */
function onCloseOfResponse() {
  if (this._httpMessage) emitClose(this._httpMessage);
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
