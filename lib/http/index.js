'use strict';

// The module `http`: its functions, and by name everything that Node's documentation of it lists.

const process = require('node:process');

const host = require('../internal/host');
const validate = require('../internal/validate');
const agents = require('./agent');
const { ClientRequest } = require('./client-request');
const { validateHeaderName, validateHeaderValue } = require('./fields');
const { IncomingMessage } = require('./incoming');
const { maxHeaderSize } = require('./limits');
const { OutgoingMessage } = require('./outgoing');
const { setMaxIdleHTTPParsers } = require('./parser');
const { METHODS, STATUS_CODES } = require('./registries');
const { Server, connectionListener } = require('./server');
const { ServerResponse } = require('./server-response');

const { Agent, globalAgent } = agents;

function createServer(options, requestListener) {
  return new Server(options, requestListener);
}

/** Node's documentation, "http.request()", in all its signatures. */
function request(url, options, callback) {
  return new ClientRequest(url, options, callback);
}

function get(url, options, callback) {
  const sent = request(url, options, callback);
  sent.end();
  return sent;
}

/** Node's documentation, "http.setGlobalProxyFromEnv([proxyEnv])". Returns what undoes it. */
function setGlobalProxyFromEnv(proxyEnv = process.env) {
  validate.object(proxyEnv, 'proxyEnv');
  const before = agents.globalAgent;
  agents.globalAgent = new Agent({ ...before.options, proxyEnv });
  return function restore() {
    agents.globalAgent = before;
  };
}

module.exports = {
  _connectionListener: connectionListener,
  METHODS,
  STATUS_CODES,
  Agent,
  ClientRequest,
  IncomingMessage,
  OutgoingMessage,
  Server,
  ServerResponse,
  createServer,
  validateHeaderName,
  validateHeaderValue,
  get,
  request,
  setMaxIdleHTTPParsers,
  setGlobalProxyFromEnv,
  maxHeaderSize,
  globalAgent
};

if (host.nodeMajor < 24) delete module.exports.setGlobalProxyFromEnv;

// Newer Nodes show the host's WebSocket here too; it is no part of this module.
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) {
  if (!('WebSocket' in globalThis)) continue;
  Object.defineProperty(module.exports, name, {
    configurable: true,
    enumerable: true,
    get: () => globalThis[name] ?? host.http[name]
  });
}

// Both can be asked for anew, and one be set: the literal above is for those who import by name.
Object.defineProperty(module.exports, 'maxHeaderSize', { value: maxHeaderSize, writable: false });
Object.defineProperty(module.exports, 'globalAgent', {
  get: () => agents.globalAgent,
  set(agent) {
    agents.globalAgent = agent;
  }
});
