'use strict';

// Agent: the sockets of a client, by the place they lead to; gives each request one, new or used,
// or lets it wait for one.

const { AsyncResource } = require('node:async_hooks');
const EventEmitter = require('node:events');
const process = require('node:process');

const { codeError } = require('../internal/errors');
const host = require('../internal/host');
const validate = require('../internal/validate');
const net = require('../net');
const { guard, handleOf, hear, unhear } = require('./consume');
const { keepAliveSeconds } = require('./incoming');
const { kProxy } = require('./symbols');

/** On a request that waits: what its socket is to be made with, and the context it came from. */
const kOptions = Symbol('options');
const kContext = Symbol('context');
/** On a free socket: how many bytes it had received when it became free. */
const kBytesRead = Symbol('bytesRead');

/** From Node 22 on a free socket is given up when the server speaks, not when it would be used. */
const GUARDS_FREE = host.nodeMajor >= 22;

/** How much earlier than the server says a socket is given up, in milliseconds. */
const TIMEOUT_BUFFER = 1000;

/**
 * Node's documentation, "new Agent([options])".
 * @constructor
 * @param {any} [options]
 */
function Agent(options) {
  if (!(this instanceof Agent)) return new Agent(options);
  EventEmitter.call(this);
  this.options = Object.assign(Object.create(null), options);
  this.defaultPort = this.options.defaultPort ?? 80;
  this.protocol = this.options.protocol ?? 'http:';
  this.options.noDelay ??= true;
  // net would take a request's path for that of a socket.
  this.options.path = null;
  this[kProxy] = null;
  if (this.options.proxyEnv && this.protocol === 'http:') {
    this[kProxy] = require('./proxy').Proxy.fromEnv(this.options.proxyEnv);
  }
  this.requests = Object.create(null);
  this.sockets = Object.create(null);
  this.freeSockets = Object.create(null);
  this.keepAliveMsecs = this.options.keepAliveMsecs || 1000;
  this.keepAlive = this.options.keepAlive || false;
  this.maxSockets = this.options.maxSockets || Agent.defaultMaxSockets;
  this.maxFreeSockets = this.options.maxFreeSockets || 256;
  this.scheduling = this.options.scheduling || 'lifo';
  this.maxTotalSockets = this.options.maxTotalSockets;
  this.totalSocketCount = 0;
  const buffer = this.options.agentKeepAliveTimeoutBuffer;
  this.agentKeepAliveTimeoutBuffer =
    Number.isFinite(buffer) && buffer >= 0 ? buffer : TIMEOUT_BUFFER;
  if (this.scheduling !== 'fifo' && this.scheduling !== 'lifo') {
    const reason = "must be one of: 'fifo', 'lifo'";
    throw codeError('ERR_INVALID_ARG_VALUE', 'scheduling', this.scheduling, reason);
  }
  if (this.maxTotalSockets === undefined) this.maxTotalSockets = Infinity;
  else validate.number(this.maxTotalSockets, 'maxTotalSockets', 1);

  this.on('free', onFree);
  this.on('newListener', onNewListener);
}
Object.setPrototypeOf(Agent.prototype, EventEmitter.prototype);
Object.setPrototypeOf(Agent, EventEmitter);

Agent.defaultMaxSockets = Infinity;

Agent.prototype.createConnection = net.createConnection;

/** Node's documentation, "agent.getName([options])": sockets of one name are alike. */
Agent.prototype.getName = function getName(options = {}) {
  let name = `${options.host || 'localhost'}:${options.port || ''}:${options.localAddress || ''}`;
  if (options.family === 4 || options.family === 6) name += `:${options.family}`;
  if (options.socketPath) name += `:${options.socketPath}`;
  return name;
};

const plainName = Agent.prototype.getName;

/** The name that a socket was made under. */
function nameOf(agent, options) {
  if (agent.getName === plainName && options._agentKey !== undefined) return options._agentKey;
  return agent.getName(options);
}

// Requests.

/** Called by a ClientRequest with its options; once with `host, port, localAddress`. */
Agent.prototype.addRequest = function addRequest(request, options, port, localAddress) {
  if (typeof options === 'string') options = { host: options, port, localAddress };
  // For a socket that is there already its options need not be put together.
  let name = quickName(this, options);
  let complete = null;
  if (name === undefined || this.freeSockets[name] === undefined) {
    complete = completeOptions(this, request, options);
    name = this.getName(complete);
  }
  const used = (this.sockets[name] ??= []);
  const socket = takeFree(this, name);
  const count = used.length + (this.freeSockets[name]?.length ?? 0);
  if (socket !== undefined) {
    handleOf(socket)?.renewContext();
    this.reuseSocket(socket, request);
    giveSocket(this, request, socket);
    used.push(socket);
    return;
  }
  // The free ones may have been none.
  options = complete ?? completeOptions(this, request, options);
  if (count < this.maxSockets && this.totalSocketCount < this.maxTotalSockets) {
    this.createSocket(request, options, (error, created) => {
      if (error) request.onSocket(created, error);
      else giveSocket(this, request, created);
    });
  } else {
    request[kOptions] = options;
    request[kContext] = new AsyncResource('QueuedRequest');
    (this.requests[name] ??= []).push(request);
  }
};

/**
 * The name of a request's sockets by the few options that make it, where a program has no names of
 * its own; undefined where it has.
 */
function quickName(agent, options) {
  if (agent.getName !== plainName) return undefined;
  const own = agent.options;
  if ('host' in own || 'port' in own || 'family' in own) return undefined;
  if ('localAddress' in own || 'socketPath' in own) return undefined;
  const { family, host, localAddress, port, socketPath } = options;
  if (family || localAddress || socketPath) return plainName(options);
  // The same string each time: as a key a new one is looked up among all strings first.
  if (host !== quick.host || port !== quick.port) {
    quick.name = plainName(options);
    quick.host = host;
    quick.port = port;
  }
  return quick.name;
}

/** The name that was wanted last. */
const quick = { host: undefined, port: undefined, name: 'localhost::' };

/** The agent's options win over the request's. */
function completeOptions(agent, request, options) {
  const complete = Object.assign(Object.create(null), options, agent.options);
  if (complete.socketPath) complete.path = complete.socketPath;
  if (!complete.servername && complete.servername !== '') {
    complete.servername = serverName(request, complete);
  }
  return complete;
}

/** The name that TLS asks for: that of the Host header, unless it is an address. */
function serverName(request, { host: name }) {
  const header = request.getHeader('host');
  if (header) {
    validate.type(header, 'options.headers.host', 'string');
    if (header.startsWith('[')) {
      const end = header.indexOf(']');
      name = end === -1 ? header : header.slice(1, end);
    } else {
      name = header.split(':', 1)[0];
    }
  }
  return validate.isIP(name) ? '' : name;
}

/** A socket of the pool that lives; undefined for none. */
function takeFree(agent, name) {
  const free = agent.freeSockets[name];
  if (free === undefined) return undefined;
  while (free.length > 0 && free[0].destroyed) free.shift();
  let socket;
  do {
    socket = agent.scheduling === 'fifo' ? free.shift() : free.pop();
  } while (socket !== undefined && isTainted(socket));
  if (free.length === 0) delete agent.freeSockets[name];
  return socket;
}

/** Whether the server spoke unasked: the next request must not take that for its answer. */
function isTainted(socket) {
  const before = socket[kBytesRead];
  // Some put sockets of their own into the pool, which may not count.
  const spoke = before !== undefined && socket.bytesRead !== before;
  if (!spoke && !(socket.readableLength > 0)) return false;
  socket.destroy();
  return true;
}

function giveSocket(agent, request, socket) {
  request.onSocket(socket);
  const agentTimeout = agent.options.timeout || 0;
  if (request.timeout === undefined || request.timeout === agentTimeout) return;
  socket.setTimeout(request.timeout);
}

/** To a request that waited, in its context. */
function giveNext(agent, request, socket) {
  handleOf(socket)?.renewContext();
  giveSocket(agent, request, socket);
}

/** `done(error, socket)` when there is one. */
Agent.prototype.createSocket = function createSocket(request, options, done) {
  options = completeOptions(this, request, options);
  const name = this.getName(options);
  options._agentKey = name;
  options.encoding = null;
  if (this.keepAlive) {
    options.keepAlive = this.keepAlive;
    options.keepAliveInitialDelay = this.keepAliveMsecs;
  }
  let called = false;
  const created = (error, socket) => {
    if (called) return;
    called = true;
    if (error) {
      done(error);
      return;
    }
    (this.sockets[name] ??= []).push(socket);
    this.totalSocketCount++;
    installListeners(this, socket, options);
    done(null, socket);
  };
  const target = this[kProxy]?.reroute(options) ?? options;
  const socket = this.createConnection(target, created);
  if (socket) created(null, socket);
};

// Sockets.

/** What the agent listens to on each of its sockets. */
function installListeners(agent, socket, options) {
  const onSocketFree = () => agent.emit('free', socket, options);
  const onSocketClose = () => {
    agent.totalSocketCount--;
    agent.removeSocket(socket, options);
  };
  const onSocketTimeout = () => {
    // One in use is for its request to judge.
    if (Object.values(agent.freeSockets).some((list) => list.includes(socket))) socket.destroy();
  };
  const onAgentRemove = () => {
    onSocketClose();
    socket.removeListener('close', onSocketClose);
    socket.removeListener('free', onSocketFree);
    socket.removeListener('timeout', onSocketTimeout);
    socket.removeListener('agentRemove', onAgentRemove);
  };
  socket.on('free', onSocketFree);
  socket.on('close', onSocketClose);
  socket.on('timeout', onSocketTimeout);
  socket.on('agentRemove', onAgentRemove);
  if (agent[kKeylog] !== undefined) socket.on('keylog', agent[kKeylog]);
  if (agent.options.timeout) socket.setTimeout?.(agent.options.timeout);
}

/** A request is done with its socket: for the next in line, or the pool. */
function onFree(socket, options) {
  const name = nameOf(this, options);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const waiting = this.requests[name];
  if (waiting?.length > 0) {
    const request = waiting.shift();
    if (waiting.length === 0) delete this.requests[name];
    const context = request[kContext];
    request[kContext] = undefined;
    if (context) context.runInAsyncScope(giveNext, null, this, request, socket);
    else giveSocket(this, request, socket);
    return;
  }
  const request = socket._httpMessage;
  if (!request?.shouldKeepAlive || !this.keepAlive) {
    socket.destroy();
    return;
  }
  const free = this.freeSockets[name] ?? [];
  const count = free.length + (this.sockets[name]?.length ?? 0);
  if (
    this.totalSocketCount > this.maxTotalSockets ||
    count > this.maxSockets ||
    free.length >= this.maxFreeSockets ||
    !this.keepSocketAlive(socket)
  ) {
    socket.destroy();
    return;
  }
  this.freeSockets[name] = free;
  socket._httpMessage = null;
  this.removeSocket(socket, options);
  hear(socket, 'error', onFreeError);
  socket[kBytesRead] = socket.bytesRead;
  if (GUARDS_FREE) guard(socket);
  free.push(socket);
}

/** Nobody uses it: nobody has to know. */
function onFreeError() {
  unhear(this, 'error', onFreeError);
  this.destroy();
  this.emit('agentRemove');
}

/** Forgets a socket, and makes another for whoever waits. */
Agent.prototype.removeSocket = function removeSocket(socket, options) {
  const name = nameOf(this, options);
  forget(this.sockets, name, socket);
  if (!socket.writable) forget(this.freeSockets, name, socket);
  const request = this.requests[name]?.[0] ?? nextElsewhere(this);
  const wanted = request?.[kOptions];
  if (wanted === undefined) return;
  request[kOptions] = undefined;
  this.createSocket(request, wanted, (error, created) => {
    if (error) request.onSocket(created, error);
    else created.emit('free');
  });
};

/** A request to another place, which only the limit of all sockets keeps waiting. */
function nextElsewhere(agent) {
  for (const name in agent.requests) {
    if (agent.sockets[name]?.length > 0) return undefined;
    return agent.requests[name][0];
  }
  return undefined;
}

function forget(pool, name, socket) {
  const list = pool[name];
  if (list === undefined) return;
  let index = list.indexOf(socket);
  if (index < 0) return;
  // splice() makes a list of what it takes out.
  for (; index < list.length - 1; index++) list[index] = list[index + 1];
  list.pop();
  if (list.length === 0) delete pool[name];
}

/** Node's documentation, "agent.keepSocketAlive(socket)". */
Agent.prototype.keepSocketAlive = function keepSocketAlive(socket) {
  socket.setKeepAlive(true, this.keepAliveMsecs);
  socket.unref();
  let timeout = this.options.timeout || 0;
  let keeps = true;
  const response = socket._httpMessage?.res;
  const seconds = response ? keepAliveSeconds(response) : undefined;
  if (seconds !== undefined) {
    // Before the server gives it up, lest a request meets it on the way.
    const theirs = seconds * 1000 - this.agentKeepAliveTimeoutBuffer;
    if (theirs <= 0) keeps = false;
    else if (theirs < timeout) timeout = theirs;
  }
  if (socket.timeout !== timeout) socket.setTimeout(timeout);
  return keeps;
};

/** Node's documentation, "agent.reuseSocket(socket, request)". */
Agent.prototype.reuseSocket = function reuseSocket(socket, request) {
  unhear(socket, 'error', onFreeError);
  request.reusedSocket = true;
  socket.ref();
};

Agent.prototype.destroy = function destroy() {
  for (const pool of [this.freeSockets, this.sockets]) {
    for (const list of Object.values(pool)) for (const socket of [...list]) socket.destroy();
  }
};

// TLS keys: told only if somebody listens.

const kKeylog = Symbol('keylog');

function onNewListener(event) {
  if (event !== 'keylog' || this[kKeylog] !== undefined) return;
  const agent = this;
  this[kKeylog] = function onKeylog(line) {
    agent.emit('keylog', line, this);
  };
  for (const list of Object.values(this.sockets)) {
    for (const socket of list) socket.on('keylog', this[kKeylog]);
  }
}

/** Requests that name no agent share this one. */
const globalAgent = new Agent({
  keepAlive: true,
  scheduling: 'lifo',
  timeout: 5000,
  ...proxyOfEnvironment()
});

/** NODE_USE_ENV_PROXY or --use-env-proxy, as this Node understands it: its own agent has it. */
function proxyOfEnvironment() {
  const { NODE_OPTIONS, NODE_USE_ENV_PROXY } = process.env;
  // `_` is `-` to Node.
  const words = [NODE_OPTIONS, ...process.execArgv].join(' ').replaceAll('_', '-');
  // Node's http takes time to load; most are not told anything.
  const told = NODE_USE_ENV_PROXY !== undefined || words.includes('--use-env-proxy');
  if (told) return { proxyEnv: host.http.globalAgent.options.proxyEnv };
  return host.nodeMajor > 20 ? { proxyEnv: undefined } : {};
}

module.exports = { Agent, globalAgent };
