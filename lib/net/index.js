'use strict';

// The module `net`: its functions, and by name everything that Node's documentation of it lists.

const { net: host, nodeMajor } = require('../internal/host');
const { normalizeArgs } = require('./arguments');
const { BoundSocket } = require('./bound-socket');
const {
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout
} = require('./defaults');
const { Server } = require('./server');
const { Socket, clientSockets } = require('./socket');

const { BlockList, SocketAddress, isIP, isIPv4, isIPv6 } = host;

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

// Named alike, so that Node's lexer finds every name for `import`.
const Stream = Socket; // the name it had first
const _normalizeArgs = normalizeArgs;
const createConnection = connect;

module.exports = {
  BlockList,
  Server,
  Socket,
  SocketAddress,
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

// What only some Nodes have.
if (nodeMajor >= 24) delete module.exports._setSimultaneousAccepts;
if ('BoundSocket' in host) module.exports.BoundSocket = BoundSocket;
