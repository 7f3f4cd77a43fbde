'use strict';

// net.Server: listens, accepts, counts its connections.

const { channel, tracingChannel } = require('node:diagnostics_channel');
const EventEmitter = require('node:events');
const process = require('node:process');
const { getDefaultHighWaterMark } = require('node:stream');

const { codeError, errnoError, numberOf, uvHostPortError } = require('../internal/errors');
const host = require('../internal/host');
const { fdKind } = require('../internal/runtime');
const {
  StreamHandle,
  kAcceptFailed,
  kAccepted,
  kMakeSocket,
  kServe,
  types
} = require('../internal/stream-handle');
const { setTimeout } = require('../internal/timers');
const validate = require('../internal/validate');
const { blockListOf, isBoundSocket, kTake, normalizeArgs, toNumber } = require('./options');
const { AcceptOptions, Socket } = require('./socket');

const kAcceptOptions = Symbol('acceptOptions');

const kAsyncDispose = Symbol.asyncDispose;
const serverSockets = channel('net.server.socket');
const listens = tracingChannel?.('net.server.listen');

/** Node's documentation, "new net.Server([options][, connectionListener])". */
function Server(options, connectionListener) {
  if (!(this instanceof Server)) return new Server(options, connectionListener);
  EventEmitter.call(this);
  if (typeof options === 'function') {
    connectionListener = options;
    options = {};
  } else if (options === undefined || options === null) {
    options = {};
  } else if (typeof options === 'object') {
    options = { ...options };
  } else {
    throw codeError('ERR_INVALID_ARG_TYPE', 'options', 'object', options);
  }
  if (typeof connectionListener === 'function') this.on('connection', connectionListener);
  if (options.keepAliveInitialDelay !== undefined) {
    validate.type(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay', 'number');
    if (options.keepAliveInitialDelay < 0) options.keepAliveInitialDelay = 0;
  }
  if (options.highWaterMark !== undefined) {
    validate.type(options.highWaterMark, 'options.highWaterMark', 'number');
    if (options.highWaterMark < 0) options.highWaterMark = getDefaultHighWaterMark(false);
  }

  this._connections = 0;
  this._handle = null;
  this._unref = false;
  this._workers = [];
  this._listeningId = 1;
  this._pipeName = undefined;
  this.allowHalfOpen = options.allowHalfOpen || false;
  this.pauseOnConnect = Boolean(options.pauseOnConnect);
  this.noDelay = Boolean(options.noDelay);
  this.keepAlive = Boolean(options.keepAlive);
  this.keepAliveInitialDelay = ~~(options.keepAliveInitialDelay / 1000);
  this.highWaterMark = options.highWaterMark ?? getDefaultHighWaterMark(false);
  const blockList = blockListOf(options);
  if (blockList !== undefined) this.blockList = blockList;
}
Object.setPrototypeOf(Server.prototype, EventEmitter.prototype);
Object.setPrototypeOf(Server, EventEmitter);

Object.defineProperty(Server.prototype, 'listening', {
  configurable: true,
  enumerable: true,
  get() {
    return this._handle !== null;
  }
});

// Listening.

/** Node's documentation, "server.listen()", in all its signatures. */
Server.prototype.listen = function listen(...args) {
  const [given, callback] = normalizeArgs(args);
  if (this._handle !== null) throw codeError('ERR_SERVER_ALREADY_LISTEN');
  const options = toListenOptions(given, args);
  listens?.asyncStart.publish({ server: this, options: given });
  if (callback !== null) this.once('listening', callback);
  this._listeningId++; // what is still being resolved for an earlier call is not listened on

  const { port, path, backlog } = options;
  if (options.handle) return listenOnHandle(this, options.handle, backlog);
  if (options.signal !== undefined) closeOnAbort(this, options.signal);
  if (isDescriptor(options.fd)) {
    return start(this, { fd: options.fd, backlog });
  }
  if (typeof port === 'number' || typeof port === 'string') {
    const target = {
      port: validate.port(port, 'options.port'),
      backlog,
      exclusive: options.exclusive,
      ipv6Only: options.ipv6Only === true,
      reusePort: options.reusePort === true
    };
    if (options.host) resolveAndListen(this, options.host, target);
    else start(this, target);
    return this;
  }
  if (path && typeof path === 'string') {
    const { readableAll, writableAll, exclusive } = options;
    return start(this, { path, backlog, readableAll, writableAll, exclusive });
  }
  const { source } = options;
  if (!('port' in source || 'path' in source)) {
    throw codeError(
      'ERR_INVALID_ARG_VALUE',
      'options',
      source,
      'must have the property "port" or "path"'
    );
  }
  throw codeError('ERR_INVALID_ARG_VALUE', 'options', source);
};

const LISTEN_OPTIONS = [
  'exclusive',
  'fd',
  'host',
  'ipv6Only',
  'path',
  'port',
  'readableAll',
  'reusePort',
  'signal',
  'writableAll'
];

/** What the arguments mean; `source` is where the options were found, for messages. */
function toListenOptions(given, args) {
  const positional = toNumber(args.length > 1 && args[1]) || toNumber(args.length > 2 && args[2]);
  // What stands for a handle and is none of ours is what has a descriptor, or the options themselves.
  const source = given._handle || given.handle || given;
  const options = { source };
  // Also what they inherit.
  for (const name of LISTEN_OPTIONS) options[name] = source[name];
  if (source instanceof StreamHandle || isBoundSocket(source)) options.handle = source;
  // listen(), listen(null), listen(undefined), listen({ port: undefined }): a port of the kernel's.
  const noPort = args.length === 0 || typeof args[0] === 'function';
  if (noPort || ('port' in source && (source.port === undefined || source.port === null))) {
    options.port = 0;
  }
  // What has a socket already is told its length by position alone.
  const named = options.handle || isDescriptor(options.fd) ? undefined : source.backlog;
  options.backlog = toInt32(named || positional || BACKLOG);
  return options;
}

function isDescriptor(fd) {
  return typeof fd === 'number' && fd >= 0;
}

/** What is no number is zero, as where Node hands it to libuv. */
function toInt32(value) {
  return typeof value === 'symbol' || typeof value === 'bigint' ? 0 : value | 0;
}

function closeOnAbort(server, signal) {
  validate.abortSignal(signal, 'options.signal');
  const onAbort = () => server.close();
  if (signal.aborted) {
    process.nextTick(onAbort);
    return;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  server.once('close', () => signal.removeEventListener('abort', onAbort));
}

function resolveAndListen(server, name, target) {
  const listening = server._listeningId;
  require('node:dns').lookup(name, (error, address, addressFamily) => {
    if (server._listeningId !== listening) return; // closed meanwhile
    if (error) server.emit('error', error);
    else start(server, { ...target, address, family: addressFamily });
  });
}

/** Takes over the socket of another server, or one that is bound. */
function listenOnHandle(server, handle, backlog) {
  if (isBoundSocket(handle)) {
    const path = handle.path;
    return startOnBound(server, handle[kTake](), { path, backlog });
  }
  const listens = handle.id >= 0 && LISTENING.includes(handle.type);
  const status = listens ? handle.listen(backlog) : numberOf('EINVAL');
  return settle(server, handle, { fd: handle.fd, port: -1 }, { status });
}

/**
 * Binds and listens now; says so, or what went wrong, on the next tick. What a worker of a cluster
 * does not ask for itself, it shares with the others.
 */
function start(server, target) {
  const cluster = target.exclusive || target.reusePort ? null : host.cluster();
  if (cluster !== null) {
    if (target.path !== undefined) server._pipeName = target.path;
    require('./cluster').listenByPrimary(cluster, server, target, (handle, status) =>
      settle(server, handle, target, { status, address: target.address ?? target.path })
    );
    return server;
  }
  const isTcp = target.fd === undefined ? target.path === undefined : fdKind(target.fd) === 'TCP';
  const handle = StreamHandle.open(isTcp ? types.TCP_SERVER : types.PIPE_SERVER);
  if (target.path !== undefined) server._pipeName = target.path;
  return settle(server, handle, target, bindAndListen(handle, target));
}

/** Listens on what is bound already. */
function startOnBound(server, handle, target) {
  handle.type = target.path === undefined ? types.TCP_SERVER : types.PIPE_SERVER;
  if (target.path !== undefined) server._pipeName = target.path;
  return settle(server, handle, target, { status: handle.listen(target.backlog) });
}

function settle(server, handle, target, { status, address = target.path }) {
  const port = target.path === undefined ? target.port : -1;
  if (status !== 0) {
    handle.close();
    const nowhere = target.fd === undefined ? undefined : null;
    const error = uvHostPortError(status, 'listen', address ?? nowhere, port);
    listens?.error.publish({ server, error });
    process.nextTick(emitError, server, error);
    return server;
  }
  handle.owner = server;
  server._handle = handle;
  server[kAcceptOptions] = null;
  server._connectionKey = `${familyOf(target, address)}:${address ?? null}:${port}`;
  if (server._unref) handle.unref();
  listens?.asyncEnd.publish({ server });
  process.nextTick(emitListening, server);
  return server;
}

/** Without an address: every one of IPv6 and IPv4, or of IPv4 where the kernel has no IPv6. */
function bindAndListen(handle, target) {
  const { address, backlog, fd, path } = target;
  if (fd !== undefined) return { status: handle.listenFd(fd, backlog) };
  if (path !== undefined) return { status: listenOnPath(handle, target), address: path };
  for (const candidate of address === undefined ? ['::', '0.0.0.0'] : [address]) {
    let status = handle.bind(candidate, target.port, target.ipv6Only, target.reusePort);
    if (
      status !== 0 &&
      status !== numberOf('EADDRINUSE') &&
      candidate === '::' &&
      address === undefined
    ) {
      continue;
    }
    if (status === 0) status = handle.listen(backlog);
    return { status, address: candidate };
  }
  // Unreachable: the last candidate returns.
  return { status: numberOf('EADDRINUSE'), address: '0.0.0.0' };
}

function listenOnPath(handle, { path, backlog, readableAll, writableAll }) {
  let status = handle.bindPath(path);
  // As libuv: what is missing on the way to a socket's file is a matter of access.
  if (status !== 0 && status === numberOf('ENOENT')) return numberOf('EACCES');
  let bits = 0;
  if (readableAll === true) bits |= 0o444;
  if (writableAll === true) bits |= 0o222;
  // Newer Nodes set what is asked for, older ones add it.
  if (status === 0 && bits !== 0) status = handle.fchmod(bits, host.nodeMajor < 22);
  return status === 0 ? handle.listen(backlog) : status;
}

function familyOf({ family, path, fd }, address) {
  if (path !== undefined || fd !== undefined) return -1;
  return family ?? validate.isIP(address);
}

function emitListening(server) {
  // Closed in the same tick.
  if (server._handle !== null) server.emit('listening');
}

function emitError(server, error) {
  server.emit('error', error);
}

// Accepting.

/** An ACCEPTED event; called with the new connection's handle. */
Server.prototype[kAccepted] = function onAccepted(handle) {
  if (isFull(this)) return drop(this, handle);
  if (this.blockList !== undefined && isBlocked(this.blockList, handle)) return handle.close();
  this._connections++;
  if (!serverSockets.hasSubscribers && this[kServe](handle)) return;
  const socket = this[kMakeSocket](handle);
  this.emit('connection', socket);
  if (serverSockets.hasSubscribers) serverSockets.publish({ socket });
};

Server.prototype[kMakeSocket] = function makeSocket(handle) {
  const options = (this[kAcceptOptions] ??= new AcceptOptions(this));
  options.handle = handle;
  const socket = new Socket(options);
  options.handle = null;
  socket.server = this;
  socket._server = this;
  return socket;
};

/** Only those who know what its bytes mean can serve a connection without a socket. */
Server.prototype[kServe] = () => false;

/** EMFILE and its like pass; accepting goes on when descriptors may be free again. */
Server.prototype[kAcceptFailed] = function onAcceptFailed(status, handle) {
  if (EXHAUSTED.some((name) => numberOf(name) === status)) {
    setTimeout(() => handle.acceptAgain(), ACCEPT_PAUSE).unref();
    return;
  }
  this.emit('error', errnoError(status, 'accept'));
  handle.acceptAgain();
};

/** Before Node 21 a limit of 0 was none. */
function isFull({ maxConnections, _connections }) {
  if (maxConnections === undefined || maxConnections === null) return false;
  return (host.nodeMajor > 20 || maxConnections !== 0) && _connections >= maxConnections;
}

function drop(server, handle) {
  if (server._pipeName !== undefined) {
    handle.close();
    server.emit('drop');
    return;
  }
  const local = {};
  const remote = {};
  handle.getsockname(local);
  handle.getpeername(remote);
  handle.close();
  const data = {
    __proto__: null, // as Node's
    localAddress: local.address,
    localPort: local.port,
    localFamily: local.family,
    remoteAddress: remote.address,
    remotePort: remote.port,
    remoteFamily: remote.family
  };
  server.emit('drop', data);
}

function isBlocked(blockList, handle) {
  const { address, family } = fillPeer(handle);
  return address !== undefined && blockList.check(address, family.toLowerCase());
}

function fillPeer(handle) {
  const peer = {};
  handle.getpeername(peer);
  return peer;
}

Server.prototype.getConnections = function getConnections(callback) {
  validate.type(callback, 'callback', 'function');
  if (this._workers.length > 0) countAll(this, callback);
  else process.nextTick(callback, null, this._connections);
  return this;
};

/** Also those that other processes have been sent, who are asked for them. */
function countAll(server, callback) {
  const { _workers: lists } = server;
  let total = server._connections;
  let left = lists.length;
  const onCount = (error, count) => {
    if (left === 0) return; // told already
    total += count;
    left = error ? 0 : left - 1;
    if (left === 0) process.nextTick(callback, error, error ? undefined : total);
  };
  for (const list of [...lists]) list.getConnections(onCount);
}

/** Node's, which keeps a list of the connections it sends to another process: see lib/ipc/send.js. */
Server.prototype._setupWorker = function _setupWorker(list) {
  this._workers.push(list);
  list.once('exit', () => this._workers.splice(this._workers.indexOf(list), 1));
};

Server.prototype.address = function address() {
  const name = {};
  if (this._handle !== null && this._handle.getsockname(name) === 0) return name;
  return this._pipeName ?? null;
};

Server.prototype.ref = function ref() {
  this._unref = false;
  if (this._handle !== null) this._handle.ref();
  return this;
};

Server.prototype.unref = function unref() {
  this._unref = true;
  if (this._handle !== null) this._handle.unref();
  return this;
};

// Closing.

Server.prototype.close = function close(callback) {
  if (typeof callback === 'function') {
    if (this._handle === null) {
      this.once('close', () => callback(codeError('ERR_SERVER_NOT_RUNNING')));
    } else {
      this.once('close', callback);
    }
  }
  this._listeningId++;
  if (this._handle !== null) {
    this._handle.close();
    this._handle = null;
  }
  if (this._workers.length > 0) closeWithWorkers(this);
  else this._emitCloseIfDrained();
  return this;
};

/** Closed when the connections are that other processes have, who tell of it. */
function closeWithWorkers(server) {
  const { _workers: lists } = server;
  let left = lists.length;
  server._connections++; // until all have told
  const onClosed = () => {
    if (--left > 0) return;
    server._connections = 0;
    server._emitCloseIfDrained();
  };
  for (const list of [...lists]) list.close(onClosed);
}

Server.prototype[kAsyncDispose] = async function asyncDispose() {
  if (this._handle === null) return;
  await new Promise((resolve, reject) => {
    this.close((error) => (error ? reject(error) : resolve()));
  });
};

Server.prototype._emitCloseIfDrained = function _emitCloseIfDrained() {
  if (this._handle !== null || this._connections > 0) return;
  process.nextTick(emitClose, this);
};

function emitClose(server) {
  server.emit('close');
}

/** Node's documentation, "Capture rejections of promises". */
Server.prototype[Symbol.for('nodejs.rejection')] = function onRejection(error, event, socket) {
  if (event === 'connection') socket.destroy(error);
  else this.emit('error', error);
};

const BACKLOG = 511;
/** Milliseconds without accepting after the process, or the system, ran out of descriptors. */
const ACCEPT_PAUSE = 100;
const EXHAUSTED = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'];
/** What handles are that accept connections. */
const LISTENING = [types.TCP_SERVER, types.PIPE_SERVER];

module.exports = { Server };
