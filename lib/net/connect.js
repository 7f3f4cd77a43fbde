'use strict';

// How a socket connects: resolves the host, then tries its addresses, one or several in turn
// (RFC 8305 as Node's documentation of `autoSelectFamily` has it).

const { channel } = require('node:diagnostics_channel');
const process = require('node:process');
const { inspect } = require('node:util');

const { codeError, connectionsError, hostPortError, numberOf } = require('../internal/errors');
const host = require('../internal/host');
const { ConnectRequest, StreamHandle, types } = require('../internal/stream-handle');
const { begin, finish, observed } = require('../internal/timeline');
const { clearTimeout, setImmediate, setTimeout } = require('../internal/timers');
const validate = require('../internal/validate');
const {
  attemptTimeoutOf,
  blockListOf,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isNormalized,
  normalizeArgs
} = require('./options');

const clientSockets = channel('net.client.socket');

/** The method of Socket.prototype that takes a connected handle. */
const kConnected = Symbol('connected');
/** The timer of an attempt, which ends with the socket. */
const kAttemptTimer = Symbol('attempt timer');
/** What tells, before 'close', of the one of several attempts that a destroy cancelled. */
const kCancelAttempt = Symbol('cancel attempt');
/** The method of Socket.prototype that makes it new after 'close'. */
const kRevive = Symbol('revive');

function startConnect(socket, args) {
  // net.connect() has told of its socket already; older Nodes tell of those only.
  if (host.nodeMajor >= 22 && !isNormalized(args[0]) && clientSockets.hasSubscribers) {
    clientSockets.publish({ socket });
  }
  const [options, callback] = isNormalized(args[0]) ? args[0] : normalizeArgs(args);
  if (options.port === undefined && (options.path === undefined || options.path === null)) {
    throw codeError('ERR_MISSING_ARGS', ['options', 'port', 'path']);
  }
  if (options.path) validate.type(options.path, 'options.path', 'string');
  // The signal destroyed it already, and that is final.
  if (options.signal?.aborted && socket.destroyed) return socket;
  if (socket.destroyed) socket[kRevive]();

  const { path } = options;
  if (callback !== null && callback !== undefined) socket.once('connect', callback);
  socket._unrefTimer();
  socket.connecting = true;
  if (path) {
    try {
      if (!socket._handle) openHandle(socket, types.PIPE);
    } catch (error) {
      socket.connecting = false;
      throw error;
    }
    connectPath(socket, path);
  } else {
    try {
      lookupAndConnect(socket, options);
    } catch (error) {
      socket.connecting = false;
      throw error;
    }
  }
  return socket;
}

/** A handle of a family, for the first or a further attempt to connect. */
function openHandle(socket, type) {
  socket._handle = StreamHandle.open(type);
  socket._handle.owner = socket;
  return socket._handle;
}

function connectPath(socket, path) {
  const handle = socket._handle;
  const done = (status) => {
    if (socket._handle !== handle) return;
    if (status === 0) return socket[kConnected](handle);
    const error = hostPortError(status, 'connect', path);
    socket.emit('connectionAttemptFailed', path, undefined, undefined, error);
    if (!socket.destroyed) socket.destroy(error);
  };
  socket.emit('connectionAttempt', path, undefined, undefined);
  if (!socket.connecting || socket._handle !== handle) return;
  const status = handle.connect(new ConnectRequest(handle, done, path), path);
  if (!status) return;
  if (status === numberOf('EINVAL') || status === numberOf('ENAMETOOLONG')) {
    socket.destroy(impossible(handle, status, path));
  } else {
    setImmediate(done, status); // only of a name libuv speaks at once
  }
}

function lookupAndConnect(socket, options) {
  const { localAddress, localPort } = options;
  const name = options.host || 'localhost';
  if (host.nodeMajor >= 22) validate.type(name, 'options.host', 'string');
  if (localAddress && !validate.isIP(localAddress)) {
    throw codeError('ERR_INVALID_IP_ADDRESS', inspectPlain(localAddress));
  }
  if (localPort) validate.type(localPort, 'options.localPort', 'number');
  const port = checkPort(options.port);
  const autoSelect = options.autoSelectFamily ?? getDefaultAutoSelectFamily();
  if (options.autoSelectFamily !== undefined && options.autoSelectFamily !== null) {
    validate.type(options.autoSelectFamily, 'options.autoSelectFamily', 'boolean');
  }
  const attemptTimeout =
    options.autoSelectFamilyAttemptTimeout === undefined ||
    options.autoSelectFamilyAttemptTimeout === null
      ? getDefaultAutoSelectFamilyAttemptTimeout()
      : attemptTimeoutOf(
          options.autoSelectFamilyAttemptTimeout,
          'options.autoSelectFamilyAttemptTimeout'
        );
  const blockList = blockListOf(options);
  const target = { port, localAddress, localPort, blockList };
  if (!socket._handle) openHandle(socket, types.TCP);
  const family = validate.isIP(name);
  if (family !== 0) {
    process.nextTick(() => {
      if (socket.connecting) connectOne(socket, target, name, family);
    });
    return;
  }

  if (options.lookup !== undefined && options.lookup !== null) {
    validate.type(options.lookup, 'options.lookup', 'function');
  }
  socket._host = name;
  const asked = familyNumber(options.family);
  const question = { family: asked, hints: checkHints(asked, options.hints) };
  const lookup = options.lookup || require('node:dns').lookup;
  const single = asked === 4 || asked === 6 || localAddress;
  if (autoSelect && !single) {
    question.all = true;
    lookup(name, question, (error, addresses) =>
      afterLookupAll(socket, target, name, attemptTimeout, error, addresses)
    );
  } else {
    lookup(name, question, (error, address, addressFamily) =>
      afterLookup(socket, target, name, error, address, addressFamily)
    );
  }
}

/** Of a name that dns.lookup() takes as well; what is none is left to the lookup. */
function familyNumber(family) {
  if (family === 'IPv4') return 4;
  return family === 'IPv6' ? 6 : family;
}

/** Without a family, only addresses of families that this machine has are asked for. */
function checkHints(family, hints) {
  const dns = require('node:dns');
  if (!hints) {
    return family === 4 || family === 6 ? 0 : dns.ADDRCONFIG;
  }
  validate.type(hints, 'options.hints', 'number');
  const known = dns.ADDRCONFIG | dns.V4MAPPED | dns.ALL;
  if ((hints & ~known) !== 0) throw codeError('ERR_INVALID_ARG_VALUE', 'hints', hints >>> 0);
  return hints;
}

function checkPort(port) {
  if (port === undefined) return 0;
  if (typeof port !== 'number' && typeof port !== 'string') {
    throw codeError('ERR_INVALID_ARG_TYPE', 'options.port', ['number', 'string'], port);
  }
  return validate.port(port);
}

function afterLookup(socket, target, name, error, address, family) {
  socket.emit('lookup', error, address, family, name);
  // Destroyed, or ended otherwise, while the name was resolved.
  if (!socket.connecting) return;
  if (error) {
    process.nextTick(fail, socket, error);
  } else if (!validate.isIP(address)) {
    process.nextTick(fail, socket, codeError('ERR_INVALID_IP_ADDRESS', address));
  } else if (family !== 4 && family !== 6) {
    const wrong = codeError('ERR_INVALID_ADDRESS_FAMILY', family, name, target.port);
    process.nextTick(fail, socket, wrong);
  } else {
    socket._unrefTimer();
    connectOne(socket, target, address, family);
  }
}

function afterLookupAll(socket, target, name, attemptTimeout, error, addresses) {
  if (!socket.connecting) return;
  if (error) {
    socket.emit('lookup', error, undefined, undefined, name);
    process.nextTick(fail, socket, error);
    return;
  }
  const valid = [];
  for (const { address, family } of addresses) {
    socket.emit('lookup', error, address, family, name);
    if (!socket.connecting) return;
    const usable = validate.isIP(address) && (family === 4 || family === 6);
    // Hosts files name the same address twice.
    if (usable && !valid.some((known) => known.address === address))
      valid.push({ address, family });
  }
  if (valid.length === 0) {
    const { address, family } = addresses[0] ?? {};
    const wrong = validate.isIP(address)
      ? codeError('ERR_INVALID_ADDRESS_FAMILY', family, name, target.port)
      : codeError('ERR_INVALID_IP_ADDRESS', address);
    process.nextTick(fail, socket, wrong);
    return;
  }
  socket._unrefTimer();
  if (valid.length === 1) return connectOne(socket, target, valid[0].address, valid[0].family);
  socket.autoSelectFamilyAttemptedAddresses = [];
  new Attempts(socket, target, interleave(valid), attemptTimeout).next();
}

/** Families in turn, beginning with that of the first address (RFC 8305 section 4). */
function interleave(addresses) {
  const first = addresses[0].family;
  const ours = addresses.filter(({ family }) => family === first);
  const others = addresses.filter(({ family }) => family !== first);
  const ordered = [];
  for (let i = 0; i < Math.max(ours.length, others.length); i++) {
    if (i < ours.length) ordered.push(ours[i]);
    if (i < others.length) ordered.push(others[i]);
  }
  return ordered;
}

/** One address, one attempt. */
function connectOne(socket, target, address, family) {
  const { port } = target;
  const handle = socket._handle;
  const wrong = bindLocal(handle, target, family);
  if (wrong !== null) return socket.destroy(wrong);

  socket.emit('connectionAttempt', address, port, family);
  if (!socket.connecting || socket._handle !== handle) return;
  const blocked = checkBlockList(target, address, family);
  if (blocked !== null) return socket.destroy(blocked);
  const done = (status) => {
    if (status !== 0) {
      const error = refused(target, family, status, address);
      socket.emit('connectionAttemptFailed', address, port, family, error);
      if (!socket.destroyed) socket.destroy(error);
    } else {
      afterConnect(socket, handle);
    }
  };
  const status = tryAddress(handle, address, port, family, done);
  beginEntry(socket, status, address, port);
  if (status !== 0) {
    socket.destroy(impossible(handle, status, address, port));
  }
}

/** Text as it is, other things as the console shows them. */
function inspectPlain(value) {
  return typeof value === 'string' ? value : inspect(value);
}

/** Several addresses: the next is tried when one fails, or has not answered for a while. */
class Attempts {
  constructor(socket, target, addresses, timeout) {
    this.socket = socket;
    this.target = target;
    this.addresses = addresses;
    this.timeout = timeout;
    this.index = 0;
    this.errors = [];
  }

  next() {
    const { socket, target } = this;
    if (!socket.connecting) return;
    if (this.index === this.addresses.length) return this.fail();
    const { address, family } = this.addresses[this.index++];
    const { port } = target;
    // Each attempt has a handle of its own: a failed one cannot be used again.
    const handle = this.index === 1 ? socket._handle : this.replaceHandle();

    const blocked = checkBlockList(target, address, family);
    if (blocked !== null) return this.failed(blocked, address, family);
    const wrong = bindLocal(handle, target, family);
    if (wrong !== null) {
      this.errors.push(wrong);
      return this.next();
    }
    socket.autoSelectFamilyAttemptedAddresses.push(`${address}:${port}`);
    socket.emit('connectionAttempt', address, port, family);
    if (!socket.connecting || socket._handle !== handle) return;

    const status = tryAddress(handle, address, port, family, (result) =>
      this.answered(handle, result, address, family)
    );
    beginEntry(socket, status, address, port);
    if (status === 0) {
      socket[kCancelAttempt] = () => {
        const error = hostPortError(numberOf('ECANCELED'), 'connect', address, port);
        socket.emit('connectionAttemptFailed', address, port, family, error);
      };
    }
    if (status !== 0) {
      this.failed(impossible(handle, status, address, port), address, family);
    } else if (this.index < this.addresses.length) {
      socket[kAttemptTimer] = setTimeout(
        () => this.timedOut(handle, address, family),
        this.timeout
      );
    }
  }

  replaceHandle() {
    this.socket._handle?.close();
    return openHandle(this.socket, types.TCP);
  }

  answered(handle, status, address, family) {
    clearTimeout(this.socket[kAttemptTimer]);
    const { socket } = this;
    if (socket._handle !== handle || !socket.connecting) return;
    socket[kCancelAttempt] = undefined;
    if (status === 0) return afterConnect(socket, handle);
    this.failed(refused(this.target, family, status, address), address, family);
  }

  failed(error, address, family) {
    this.errors.push(error);
    this.socket.emit('connectionAttemptFailed', address, this.target.port, family, error);
    this.next();
  }

  timedOut(handle, address, family) {
    const { socket } = this;
    if (socket._handle !== handle || !socket.connecting) return;
    socket[kCancelAttempt] = undefined;
    socket.emit('connectionAttemptTimeout', address, this.target.port, family);
    const error = hostPortError(numberOf('ETIMEDOUT'), 'connect', address, this.target.port);
    this.errors.push(error);
    this.next();
  }

  fail() {
    const { socket, errors } = this;
    socket.destroy(errors.length === 1 ? errors[0] : connectionsError(errors));
  }
}

/**
 * What intercepts connections puts verbs of its own in the place of these two, and may return nothing.
 * @returns {number} 0 if `done(status)` will be called
 */
function tryAddress(handle, address, port, family, done) {
  const request = new ConnectRequest(handle, done, address, port);
  const status =
    family === 6 ? handle.connect6(request, address, port) : handle.connect(request, address, port);
  return status || 0;
}

/** The last step of every way to an address: the handle is connected. */
function afterConnect(socket, handle) {
  if (socket.destroyed || socket._handle !== handle) return;
  socket[kConnected](handle);
  if (observed.net !== 0) finish(socket);
}

/** For PerformanceObserver, where an attempt is under way. */
function beginEntry(socket, status, host, port) {
  if (status === 0 && observed.net !== 0) begin(socket, 'net', 'connect', { host, port });
}

function fail(socket, error) {
  socket.destroy(error);
}

/** An error of a refused attempt; it names our end where the program chose its port. */
function refused(target, family, status, address) {
  const { port, localPort } = target;
  if (!localPort) return hostPortError(status, 'connect', address, port);
  const localAddress = localAddressOf(target, family);
  const local = `${localAddress}:${localPort}`;
  const error = hostPortError(status, 'connect', address, port, local);
  return Object.assign(error, { localAddress, localPort });
}

/** An attempt that could not be made names our end as the kernel has it. */
function impossible(handle, status, address, port) {
  const name = {};
  handle.getsockname(name);
  return hostPortError(status, 'connect', address, port, `${name.address}:${name.port}`);
}

/** Binds to what the program asked for; returns an error or null. */
function bindLocal(handle, target, family) {
  const { localAddress, localPort } = target;
  if (!localAddress && !localPort) return null;
  const address = localAddressOf(target, family);
  // As the kernel takes it: the low sixteen bits. Another port than asked for is not to be had.
  const port = localPort & 0xffff;
  let status =
    validate.isIP(address) === family
      ? handle.bind(address, port, false, false)
      : numberOf('EINVAL');
  if (status === 0 && localPort > 0) {
    const name = {};
    handle.getsockname(name);
    if (name.port !== localPort) status = numberOf('EADDRINUSE');
  }
  return status === 0 ? null : hostPortError(status, 'bind', address, localPort);
}

function localAddressOf({ localAddress }, family) {
  return localAddress ? `${localAddress}` : family === 4 ? '0.0.0.0' : '::';
}

function checkBlockList({ blockList }, address, family) {
  if (!blockList?.check(address, `ipv${family}`)) return null;
  return codeError('ERR_IP_BLOCKED', address);
}

module.exports = {
  clientSockets,
  kAttemptTimer,
  kCancelAttempt,
  kConnected,
  kRevive,
  startConnect
};
