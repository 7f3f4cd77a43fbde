'use strict';

// The module `net`: its functions, and by name everything that Node's documentation of it lists.

const process = require('node:process');

const host = require('../internal/host');
const { isIP, isIPv4, isIPv6 } = require('../internal/validate');
const {
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  normalizeArgs,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout
} = require('./options');
const { Server } = require('./server');
const { Socket, clientSockets } = require('./socket');

function createServer(options, connectionListener) {
  return new Server(options, connectionListener);
}

/** Creates a socket and connects it; every signature of socket.connect(). */
function connect(...args) {
  const normalized = normalizeArgs(args);
  const [options] = normalized;
  const socket = new Socket(options);
  if (clientSockets.hasSubscribers) clientSockets.publish({ socket });
  if (options.timeout) socket.setTimeout(options.timeout);
  return socket.connect(normalized);
}

let warned = false;
function _setSimultaneousAccepts() {
  if (warned) return;
  warned = true;
  process.emitWarning(
    'net._setSimultaneousAccepts() is deprecated and will be removed.',
    'DeprecationWarning',
    'DEP0121'
  );
}

/** Loaded when somebody looks: Node's own `net` takes a third of the time that this one takes. */
const late = {
  get BlockList() {
    return host.net.BlockList;
  },

  get SocketAddress() {
    return host.net.SocketAddress;
  }
};

// Named alike, so that Node's lexer finds every name for `import`.
const Stream = Socket; // the name it had first
const _normalizeArgs = normalizeArgs;
const createConnection = connect;

module.exports = {
  Server,
  Socket,
  Stream,
  _normalizeArgs,
  _setSimultaneousAccepts,
  connect,
  createConnection,
  createServer,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout
};

// Node's lexer finds these for `import` in this very form.
Object.defineProperty(module.exports, 'BlockList', {
  enumerable: true,
  get: function () {
    return late.BlockList;
  }
});
Object.defineProperty(module.exports, 'SocketAddress', {
  enumerable: true,
  get: function () {
    return late.SocketAddress;
  }
});

// What only some Nodes have.
if (host.nodeMajor >= 24) delete module.exports._setSimultaneousAccepts;
if (host.since([24, 19], [26, 4]))
  module.exports.BoundSocket = require('./bound-socket').BoundSocket;
