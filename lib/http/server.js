'use strict';

// http.Server: a net.Server whose connections speak HTTP, and the options that bound them.

const { EventEmitter } = require('node:events');
const { promisify } = require('node:util');

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { kInherits, kServe } = require('../internal/stream-handle');
const validate = require('../internal/validate');
const net = require('../net');
const { handleOf } = require('./consume');
const { IncomingMessage } = require('./incoming');
const {
  HAS_VALIDATION,
  REFUSES_FIELDS,
  checkedValidation,
  fieldsOf,
  isRelaxed,
  lenientBits,
  maxHeaderSize
} = require('./limits');
const { STATUS_CODES } = require('./registries');
const { ServerConnection } = require('./server-connection');
const { ServerResponse, uniqueHeaders } = require('./server-response');
const {
  HAS_BUFFER,
  IdleQueue,
  KEEP_ALIVE_TIMEOUT_BUFFER,
  startChecking,
  stopChecking
} = require('./time-limits');

const kSettings = Symbol('settings');

const HEADERS_TIMEOUT = 60_000;
const REQUEST_TIMEOUT = 300_000;
const KEEP_ALIVE_TIMEOUT = 5_000;
const CHECKING_INTERVAL = 30_000;

/** Node 24 and later know `optimizeEmptyRequests`. */
const HAS_EMPTY = nodeMajor >= 24;

/** Node 20 does not know `shouldUpgradeCallback`. */
const ASKS_TO_UPGRADE = nodeMajor >= 22;

/** Node's documentation, "http.createServer([options][, requestListener])". */
function Server(options, requestListener) {
  if (!(this instanceof Server)) return new Server(options, requestListener);
  if (typeof options === 'function') {
    requestListener = options;
    options = {};
  }
  options = checkedOptions(options);
  configure(this, options);
  net.Server.call(this, {
    allowHalfOpen: true,
    noDelay: options.noDelay ?? true,
    keepAlive: options.keepAlive,
    keepAliveInitialDelay: options.keepAliveInitialDelay,
    highWaterMark: options.highWaterMark
  });
  if (requestListener) this.on('request', requestListener);
  this.on('connection', connectionListener);
  this.on('listening', onListening);
  initialize(this);
}
Object.setPrototypeOf(Server.prototype, net.Server.prototype);
Object.setPrototypeOf(Server, net.Server);

/** Also for https: everything of the options that is about HTTP. */
function configure(server, options) {
  server.maxHeaderSize = integer(options, 'maxHeaderSize', undefined);
  server.insecureHTTPParser = typed(options, 'insecureHTTPParser', 'boolean', undefined);
  if (HAS_VALIDATION) server.httpValidation = checkedValidation(options);
  server.requestTimeout = integer(options, 'requestTimeout', REQUEST_TIMEOUT);
  const { requestTimeout } = server;
  const most = requestTimeout > 0 ? Math.min(HEADERS_TIMEOUT, requestTimeout) : HEADERS_TIMEOUT;
  server.headersTimeout = integer(options, 'headersTimeout', most);
  if (requestTimeout > 0 && server.headersTimeout > 0 && server.headersTimeout > requestTimeout) {
    throw codeError(
      'ERR_OUT_OF_RANGE',
      'headersTimeout',
      '<= requestTimeout',
      options.headersTimeout
    );
  }
  server.keepAliveTimeout = integer(options, 'keepAliveTimeout', KEEP_ALIVE_TIMEOUT);
  if (HAS_BUFFER) {
    server.keepAliveTimeoutBuffer = integer(
      options,
      'keepAliveTimeoutBuffer',
      KEEP_ALIVE_TIMEOUT_BUFFER
    );
  }
  server.connectionsCheckingInterval = integer(
    options,
    'connectionsCheckingInterval',
    CHECKING_INTERVAL
  );
  server.requireHostHeader = typed(options, 'requireHostHeader', 'boolean', true);
  server.joinDuplicateHeaders = typed(options, 'joinDuplicateHeaders', 'boolean', undefined);
  server.rejectNonStandardBodyWrites = typed(
    options,
    'rejectNonStandardBodyWrites',
    'boolean',
    false
  );
  if (ASKS_TO_UPGRADE) {
    const { shouldUpgradeCallback = upgradesIfHeard } = options;
    validate.type(shouldUpgradeCallback, 'options.shouldUpgradeCallback', 'function');
    server.shouldUpgradeCallback = shouldUpgradeCallback;
  }
  server[kSettings] = new Settings(server, options);
}

/** The properties that only a server has which stands. */
function initialize(server) {
  server.httpAllowHalfOpen = false;
  server.timeout = 0;
  server.maxHeadersCount = null;
  server.maxRequestsPerSocket = 0;
}

/** What each connection asks its server for, found once. */
class Settings {
  constructor(server, options) {
    this.server = server;
    this.connections = new Set();
    /** The queue of the time that was asked for last: it hardly ever changes. */
    this.lastQueue = new IdleQueue(0);
    this.IncomingMessage = options.IncomingMessage || IncomingMessage;
    this.ServerResponse = options.ServerResponse || ServerResponse;
    /** A program's own classes are given a socket; ours ask for one when somebody else does. */
    this.plainIncoming = this.IncomingMessage === IncomingMessage;
    this.plainResponse = this.ServerResponse === ServerResponse;
    this.uniqueHeaders = uniqueHeaders(options.uniqueHeaders);
    this.maxHeaderSize = server.maxHeaderSize || maxHeaderSize;
    this.lenient = lenientBits(server.httpValidation, server.insecureHTTPParser);
    this.relaxed = isRelaxed(server.httpValidation, server.insecureHTTPParser);
    this.endsEmpty =
      HAS_EMPTY && typed(options, 'optimizeEmptyRequests', 'boolean', undefined) === true;
    this.requireHostHeader = server.requireHostHeader;
    this.joinDuplicateHeaders = Boolean(server.joinDuplicateHeaders);
    this.rejectBodies = server.rejectNonStandardBodyWrites;
    this.lastOptions = { highWaterMark: -1, rejectNonStandardBodyWrites: this.rejectBodies };
  }

  /** Where connections that have no socket wait for their next request. */
  idleQueue(time) {
    if (this.lastQueue.time !== time) this.lastQueue = new IdleQueue(time);
    return this.lastQueue;
  }

  /** How many fields are an error to the parser; 0 for none. */
  get maxFields() {
    return REFUSES_FIELDS ? Math.max(0, fieldsOf(this.server)) : 0;
  }

  /** How much may wait in a connection that has no socket. */
  get highWaterMark() {
    return this.server.highWaterMark;
  }

  /** What a response is made with; ours only read it, so they share one as long as it is true. */
  responseOptions(socket) {
    const highWaterMark = socket === null ? this.highWaterMark : socket.writableHighWaterMark;
    const { lastOptions } = this;
    if (this.plainResponse && lastOptions.highWaterMark === highWaterMark) return lastOptions;
    this.lastOptions = { highWaterMark, rejectNonStandardBodyWrites: this.rejectBodies };
    return this.lastOptions;
  }

  shouldUpgrade(server, request) {
    const decide = ASKS_TO_UPGRADE ? server.shouldUpgradeCallback : upgradesIfHeard;
    return Boolean(decide.call(server, request));
  }
}

/** What `shouldUpgradeCallback` is unless the program has its own. */
function upgradesIfHeard() {
  return this.listenerCount('upgrade') > 0;
}

/** A 'connection' listener that reads HTTP from any Duplex. */
function connectionListener(socket) {
  const settings = this[kSettings];
  // A socket that another server accepted answers to this one now.
  if (socket.server === null || socket.server === undefined) socket.server = this;
  settings.connections.add(new ServerConnection(this, settings, socket, handleOf(socket)));
}

/** Whether nobody wants to see a connection's socket. */
function servesHandles(server) {
  if (server.timeout || server.pauseOnConnect) return false;
  if (server.emit !== EventEmitter.prototype.emit) return false;
  if (server.listenerCount('connection') !== 1) return false;
  return server.listeners('connection')[0] === connectionListener;
}

/** Node's requests run in a resource that their connection makes in the server's context. */
Server.prototype[kInherits] = function inherits() {
  return servesHandles(this);
};

/** Serves a connection without a socket, if nobody wants to see one. */
Server.prototype[kServe] = function serve(handle) {
  if (!servesHandles(this)) return false;
  if (this.noDelay) handle.setNoDelay(true);
  if (this.keepAlive) handle.setKeepAlive(true, ~~(this.keepAliveInitialDelay / 1000));
  const settings = this[kSettings];
  settings.connections.add(new ServerConnection(this, settings, null, handle));
  return true;
};

function onListening() {
  startChecking(this, this[kSettings].connections);
}

Server.prototype.setTimeout = function setServerTimeout(msecs, callback) {
  this.timeout = msecs;
  if (callback) this.on('timeout', callback);
  return this;
};

Server.prototype.close = function close(...args) {
  closing(this);
  net.Server.prototype.close.apply(this, args);
  return this;
};

/** What comes before a listener is closed; https does it as well. */
function closing(server) {
  closeIdleConnections.call(server);
  stopChecking(server);
}

/** Unlike net's, it fails where nothing listens. */
Server.prototype[Symbol.asyncDispose] = async function asyncDispose() {
  await promisify(this.close).call(this);
};

Server.prototype.closeAllConnections = function closeAllConnections() {
  for (const connection of [...this[kSettings].connections]) connection.destroy();
};

Server.prototype.closeIdleConnections = closeIdleConnections;
function closeIdleConnections() {
  for (const connection of [...this[kSettings].connections]) {
    if (isIdle(connection)) connection.destroy();
  }
}

/**
 * Between two requests, the last one answered, or as good as; a connection that has not asked for
 * anything yet is not idle.
 */
function isIdle({ incoming, message, since }) {
  return since === 0 && incoming === null && (!message || message.finished);
}

/** Node's documentation, "Capture rejections of promises". */
Server.prototype[Symbol.for('nodejs.rejection')] = function onRejection(error, event, ...args) {
  if (event !== 'request') {
    net.Server.prototype[Symbol.for('nodejs.rejection')].call(this, error, event, ...args);
    return;
  }
  const [, response] = args;
  if (response.headersSent || response.writableEnded) {
    response.destroy();
    return;
  }
  // What was set for the answer that failed must not get out.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.statusCode = 500;
  response.end(STATUS_CODES[500]);
};

function checkedOptions(options) {
  if (options === undefined || options === null) return {};
  validate.object(options, 'options');
  return { ...options };
}

function integer(options, name, otherwise) {
  if (options[name] === undefined) return otherwise;
  validate.integer(options[name], name, 0);
  return options[name];
}

function typed(options, name, type, otherwise) {
  if (options[name] === undefined) return otherwise;
  validate.type(options[name], `options.${name}`, type);
  return options[name];
}

module.exports = {
  Server,
  closing,
  configure,
  connectionListener,
  initialize,
  kSettings
};
