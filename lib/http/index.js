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
  globalAgent,
  WebSocket: undefined,
  CloseEvent: undefined,
  MessageEvent: undefined
};

// The literal above is what those see who import by name: what has a getter is defined by another name
// of the object, for what is defined on `module.exports` by name is left out of it by some Nodes.
const http = module.exports;

if (host.nodeMajor < 24) delete http.setGlobalProxyFromEnv;

// Newer Nodes show the host's WebSocket here too; it is no part of this module.
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) {
  delete http[name];
  if (!('WebSocket' in globalThis)) continue;
  Object.defineProperty(http, name, {
    configurable: true,
    enumerable: true,
    get: () => globalThis[name] ?? host.http[name]
  });
}

// Both can be asked for anew, and one be set.
Object.defineProperty(http, 'maxHeaderSize', { value: maxHeaderSize, writable: false });
Object.defineProperty(http, 'globalAgent', {
  get: () => agents.globalAgent,
  set(agent) {
    agents.globalAgent = agent;
  }
});
