'use strict';

// ClientRequest: what http.request() returns; renders a request, asks its agent for a socket, and
// is told of the answer by client-connection.js.

const { Buffer } = require('node:buffer');
const { channel } = require('node:diagnostics_channel');
const process = require('node:process');
const { addAbortSignal, finished } = require('node:stream');
const { urlToHttpOptions } = require('node:url');
const { debuglog } = require('node:util');

const { codeError, connectionResetError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { begin, observed } = require('../internal/timeline');
const validate = require('../internal/validate');
const net = require('../net');
const agents = require('./agent');
const { ClientConnection, emitClose, emitError } = require('./client-connection');
const { hear, unhear } = require('./consume');
const { Fields, isToken } = require('./fields');
const { HAS_VALIDATION, checkedValidation, isRelaxed } = require('./limits');
const { OutgoingMessage } = require('./outgoing');
const { BODILESS } = require('./registries');
const { uniqueHeaders } = require('./server-response');
const { kExchange, kFields, kLeft, kProxy, kRelaxed, kUniqueHeaders } = require('./symbols');

const debug = debuglog('http');
const requestCreated = channel('http.client.request.created');
const requestStart = channel('http.client.request.start');

const kAuthority = Symbol('authority');
const kPath = Symbol('path');
/** What destroyed a request. Its `errored` does not say. */
const kCause = Symbol('cause');

/** From Node 26 on, the Host header of CONNECT is the request's target. */
const NAMES_TUNNELS = nodeMajor >= 26;

/** Node 20 does not have the option `setDefaultHeaders`. */
const KNOWS_BARE = nodeMajor >= 22;

/** From Node 24 on, the URL that a PerformanceObserver is told has the port. */
const TELLS_PORTS = nodeMajor >= 24;

/** A socket's errors are the request's, and its high-water mark an option, from Node 24 on. */
const HEARS_AT_ONCE = nodeMajor >= 24;

/** From Node 26 on there is nothing to be destroyed when both messages are over. */
const SPARES_SOCKETS = nodeMajor >= 26;

/** Node 20 does not have that channel. */
const TELLS_CREATION = nodeMajor >= 22;

/** What a path may not have: it would end the request line early, or be cut to a byte. */
const UNSAFE_IN_PATH = /[^\u0021-\u00ff]/;

/**
 * Node's documentation, "Class: http.ClientRequest".
 * @constructor
 */
function ClientRequest(input, options, callback) {
  [options, callback] = normalizeArguments(input, options, callback);
  const { highWaterMark } = options;
  OutgoingMessage.call(this, HEARS_AT_ONCE ? { highWaterMark } : undefined);

  const defaultAgent = options._defaultAgent || agents.globalAgent;
  this.agent = chooseAgent(options, defaultAgent);
  checkPath(options.path);
  const protocol = options.protocol || defaultAgent.protocol;
  const expected = this.agent?.protocol || defaultAgent.protocol;
  if (protocol !== expected) throw codeError('ERR_INVALID_PROTOCOL', protocol, expected);

  const defaultPort = options.defaultPort || this.agent?.defaultPort;
  const port = (options.port = options.port || defaultPort || 80);
  const host = (options.host =
    checkHost(options.hostname, 'hostname') || checkHost(options.host, 'host') || 'localhost');
  this.socketPath = options.socketPath;
  if (options.timeout !== undefined) {
    this.timeout = validate.milliseconds(options.timeout, 'timeout');
  }
  let connectOptions = options;
  if (options.signal) {
    // Which aborts the request: its socket's end follows from that.
    const { signal, ...others } = options;
    connectOptions = others;
    addAbortSignal(signal, this);
  }
  this.method = checkMethod(options.method);
  checkParserOptions(options);
  this.maxHeaderSize = options.maxHeaderSize;
  this.insecureHTTPParser = options.insecureHTTPParser;
  if (HAS_VALIDATION) this.httpValidation = checkedValidation(options);
  if (isRelaxed(this.httpValidation, this.insecureHTTPParser)) this[kRelaxed] = true;
  this.joinDuplicateHeaders = options.joinDuplicateHeaders;
  this[kPath] = options.path ? String(options.path) : '/';
  if (callback) this.once('response', callback);

  this.useChunkedEncodingByDefault = !BODILESS.has(this.method);
  this._ended = false;
  this.res = null;
  this.aborted = false;
  this.timeoutCb = null;
  this.upgradeOrConnect = false;
  this.parser = null;
  this.maxHeadersCount = null;
  this.reusedSocket = false;
  this[kExchange] = null;
  this.host = host;
  this.protocol = protocol;
  // Keeping the connection alive is for those who can use it again.
  const reusable = this.agent && (this.agent.keepAlive || Number.isFinite(this.agent.maxSockets));
  this._last = !reusable;
  this.shouldKeepAlive = Boolean(reusable);
  const bare = KNOWS_BARE && options.setDefaultHeaders === false;
  if (bare) {
    this._removedConnection = true;
    this._removedContLen = true;
    this._removedTE = true;
  }
  // What a tunnel is to lead to is a host itself.
  const named = NAMES_TUNNELS && this.method === 'CONNECT' && options.path;
  this[kAuthority] = hostHeader(host, port, defaultPort);
  setFields(this, options, named || this[kAuthority], bare);
  // A head that is written already, for it expects something, knows nothing of them.
  this[kUniqueHeaders] = uniqueHeaders(options.uniqueHeaders);
  debug('%s %s to %s:%s', this.method, this.path, host, port);
  findSocket(this, connectOptions);
  if (TELLS_CREATION && requestCreated.hasSubscribers) requestCreated.publish({ request: this });
}
Object.setPrototypeOf(ClientRequest.prototype, OutgoingMessage.prototype);
Object.setPrototypeOf(ClientRequest, OutgoingMessage);

/** Also what is set later may not end the request line early; Node sees to that from 24 on. */
Object.defineProperty(ClientRequest.prototype, 'path', {
  configurable: true,
  enumerable: true,
  get() {
    return this[kPath];
  },
  set(value) {
    const path = String(value);
    checkPath(path);
    this[kPath] = path;
  }
});

function chooseAgent({ agent, createConnection }, defaultAgent) {
  if (agent === false) return new defaultAgent.constructor();
  if (agent === null || agent === undefined) {
    // Who makes the connection needs no agent.
    return typeof createConnection === 'function' ? undefined : defaultAgent;
  }
  if (typeof agent.addRequest !== 'function') {
    const expected = ['Agent-like Object', 'undefined', 'false'];
    throw codeError('ERR_INVALID_ARG_TYPE', 'options.agent', expected, agent);
  }
  return agent;
}

function setFields(request, options, host, bare) {
  const { auth, headers } = options;
  const proxy = request.agent?.[kProxy];
  if (Array.isArray(headers)) {
    if (proxy?.retarget(request, options) !== undefined) proxy.addFields(request);
    // As given, and nothing else; a list says everything.
    request._storeHeader(firstLine(request), headers);
    return;
  }
  if (headers) {
    for (const name of Object.keys(headers)) request.setHeader(name, headers[name]);
  }
  const authority = proxy?.retarget(request, options);
  const setHost = options.setHost !== undefined ? Boolean(options.setHost) : !bare;
  if (setHost && !request.getHeader('host')) setHostField(request, authority || host);
  if (auth && !request.getHeader('Authorization')) {
    request.setHeader('Authorization', `Basic ${Buffer.from(auth).toString('base64')}`);
  }
  if (authority !== undefined) proxy.addFields(request);
  if (request.getHeader('expect')) request._storeHeader(firstLine(request), request[kFields]);
}

/** As setHeader(), of what was checked before: most requests go where the last one went. */
function setHostField(request, host) {
  if (host !== checkedHost || request.setHeader !== plainSetHeader) {
    request.setHeader('Host', host);
    if (typeof host === 'string' && !request[kRelaxed]) checkedHost = host;
  } else {
    (request[kFields] ??= new Fields()).set('host', 'Host', host);
  }
}

const plainSetHeader = OutgoingMessage.prototype.setHeader;
let checkedHost;

function firstLine({ method, path }) {
  return `${method} ${path} HTTP/1.1\r\n`;
}

/** Asks for a connection: the agent, the program's own function, or net. */
function findSocket(request, options) {
  if (request.agent) {
    request.agent.addRequest(request, options);
    return;
  }
  request._last = true;
  request.shouldKeepAlive = false;
  // net would take a request's path for that of a socket.
  const target = { ...options, path: options.socketPath || undefined };
  if (typeof target.createConnection !== 'function') {
    request.onSocket(net.createConnection(target));
    return;
  }
  let called = false;
  const created = (error, socket) => {
    if (called) return;
    called = true;
    if (error) process.nextTick(emitError, request, error);
    else request.onSocket(socket);
  };
  try {
    const socket = target.createConnection(target, created);
    if (socket) created(null, socket);
  } catch (error) {
    created(error);
  }
}

ClientRequest.prototype._implicitHeader = function _implicitHeader() {
  if (this._header) throw codeError('ERR_HTTP_HEADERS_SENT', 'render');
  this._storeHeader(firstLine(this), this[kFields]);
};

ClientRequest.prototype._finish = function _finish() {
  OutgoingMessage.prototype._finish.call(this);
  if (observed.http !== 0) beginEntry(this);
  if (requestStart.hasSubscribers) requestStart.publish({ request: this });
};

/** The answer may have been faster. */
ClientRequest.prototype[kLeft] = function left() {
  if (this.shouldKeepAlive && this._ended) this[kExchange].free();
};

/** For PerformanceObserver. */
function beginEntry(request) {
  const detail = { method: request.method, url: urlOf(request), headers: request.getHeaders() };
  begin(request, 'http', 'HttpClient', { req: detail });
}

function urlOf({ agent, host, path, protocol, [kAuthority]: authority }) {
  // What goes through a proxy is a URL.
  if (agent?.[kProxy] && path.startsWith(`${protocol}//`)) return path;
  return `${protocol}//${TELLS_PORTS ? authority : host}${path}`;
}

// The socket.

/** Called by the agent, in a later tick than http.request(): listeners are there by then. */
ClientRequest.prototype.onSocket = function onSocket(socket, error) {
  if (HEARS_AT_ONCE && socket && !error) {
    socket._httpMessage = this;
    hear(socket, 'error', onEarlyError);
  }
  process.nextTick(takeSocket, this, socket, error);
};

/** The socket fails before the request could take it. */
function onEarlyError(error) {
  this._hadError = true;
  emitError(this._httpMessage, error);
  this.destroy();
}

function takeSocket(request, socket, error) {
  if (HEARS_AT_ONCE && socket) unhear(socket, 'error', onEarlyError);
  if (!request.destroyed && !error) {
    attach(request, socket);
    request._flush();
    return;
  }
  const cause = error || request[kCause];
  if (socket) {
    if (!error && request.agent && !socket.destroyed) {
      // Nothing was sent on it.
      socket.emit('free');
    } else {
      finished(socket.destroy(cause), (failure) => {
        const premature = failure?.code === 'ERR_STREAM_PREMATURE_CLOSE';
        closeUnsent(request, (premature ? null : failure) || cause, socket._hadError);
      });
      return;
    }
  }
  closeUnsent(request, cause);
}

/** The end of a request that had no connection. */
function closeUnsent(request, error, told) {
  request.destroyed = true;
  const failure = error || (request.aborted ? null : connectionResetError('socket hang up'));
  if (failure && !told) emitError(request, failure);
  emitClose(request);
}

function attach(request, socket) {
  new ClientConnection(request, socket);
  if (request.timeout !== undefined || request.agent?.options?.timeout) listenForTimeout(request);
  request.emit('socket', socket);
}

/** Calls a method of the socket as soon as there is one, and it is connected. */
ClientRequest.prototype._deferToConnect = function _deferToConnect(method, args) {
  const call = () => {
    if (method) this.socket[method](...(args ?? []));
  };
  const onSocket = () => {
    if (this.socket.writable) call();
    else this.socket.once('connect', call);
  };
  if (this.socket) onSocket();
  else this.once('socket', onSocket);
};

ClientRequest.prototype.setNoDelay = function setNoDelay(noDelay) {
  this._deferToConnect('setNoDelay', [noDelay]);
};

ClientRequest.prototype.setSocketKeepAlive = function setSocketKeepAlive(enable, initialDelay) {
  this._deferToConnect('setKeepAlive', [enable, initialDelay]);
};

// Idleness.

ClientRequest.prototype.setTimeout = function setTimeout(msecs, callback) {
  if (this._ended) return this;
  listenForTimeout(this);
  msecs = validate.milliseconds(msecs, 'msecs');
  if (callback) this.once('timeout', callback);
  if (this.socket) setSocketTimeout(this.socket, msecs);
  else this.once('socket', (socket) => setSocketTimeout(socket, msecs));
  return this;
};

ClientRequest.prototype.clearTimeout = function clearTimeout(callback) {
  this.setTimeout(0, callback);
};

function setSocketTimeout(socket, msecs) {
  if (socket.connecting) socket.once('connect', () => socket.setTimeout(msecs));
  else socket.setTimeout(msecs);
}

/** The socket's 'timeout' becomes the request's. */
function listenForTimeout(request) {
  if (request.timeoutCb) return;
  request.timeoutCb = emitRequestTimeout;
  if (request.socket) request.socket.once('timeout', emitRequestTimeout);
  else request.on('socket', (socket) => socket.once('timeout', emitRequestTimeout));
}

function emitRequestTimeout() {
  this._httpMessage?.emit('timeout');
}

// The end.

/** Node's documentation, "request.abort()": destroy() that is no error. */
ClientRequest.prototype.abort = function abort() {
  if (this.aborted) return;
  this.aborted = true;
  process.nextTick(emitAbort, this);
  this.destroy();
};

function emitAbort(request) {
  request.emit('abort');
}

ClientRequest.prototype[kCause] = undefined;

ClientRequest.prototype.destroy = function destroy(error) {
  if (this.destroyed) return this;
  this.destroyed = true;
  // Nobody waits for the rest of the answer.
  this.res?._dump();
  if (SPARES_SOCKETS && this.writableFinished && this.res?.complete) return this;
  this[kCause] = error;
  this.socket?.destroy(error);
  return this;
};

// What the arguments mean: a URL, options or both, checked once.

/**
 * `(url[, options][, callback])` or `(options[, callback])` as options and a callback.
 * @returns {[Record<string, any>, Function | undefined]}
 */
function normalizeArguments(input, options, callback) {
  let fromUrl = null;
  if (typeof input === 'string') {
    fromUrl = urlToHttpOptions(new URL(input));
  } else if (isUrl(input)) {
    fromUrl = urlToHttpOptions(input);
  } else {
    callback = options;
    options = input;
  }
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  return [fromUrl === null ? { ...options } : Object.assign(fromUrl, options), callback];
}

/** A URL, of this realm or another. */
function isUrl(value) {
  return Boolean(
    value?.href && value.protocol && value.auth === undefined && value.path === undefined
  );
}

function checkPath(path) {
  if (path && UNSAFE_IN_PATH.test(String(path))) {
    throw codeError('ERR_UNESCAPED_CHARACTERS', 'Request path');
  }
}

/** @returns {string} in upper case */
function checkMethod(method) {
  if (method === undefined || method === null || method === '') return 'GET';
  if (typeof method !== 'string') {
    throw codeError('ERR_INVALID_ARG_TYPE', 'options.method', 'string', method);
  }
  if (!isToken(method)) throw codeError('ERR_INVALID_HTTP_TOKEN', 'Method', method);
  return method.toUpperCase();
}

function checkHost(host, name) {
  if (host !== null && host !== undefined && typeof host !== 'string') {
    const expected = ['string', 'undefined', 'null'];
    throw codeError('ERR_INVALID_ARG_TYPE', `options.${name}`, expected, host);
  }
  return host;
}

/** The checks of what the parser of the response is told. */
function checkParserOptions({ insecureHTTPParser, joinDuplicateHeaders, maxHeaderSize }) {
  if (maxHeaderSize !== undefined) validate.integer(maxHeaderSize, 'maxHeaderSize', 0);
  if (insecureHTTPParser !== undefined) {
    validate.type(insecureHTTPParser, 'options.insecureHTTPParser', 'boolean');
  }
  if (joinDuplicateHeaders !== undefined) {
    validate.type(joinDuplicateHeaders, 'options.joinDuplicateHeaders', 'boolean');
  }
}

/** The Host header's value: an IPv6 address in brackets, a port unless it is the usual one. */
function hostHeader(host, port, defaultPort) {
  const colon = host.indexOf(':');
  const bare = colon !== -1 && host.includes(':', colon + 1) && host[0] !== '[';
  const name = bare ? `[${host}]` : host;
  return port && +port !== defaultPort ? `${name}:${port}` : name;
}

module.exports = { ClientRequest };
