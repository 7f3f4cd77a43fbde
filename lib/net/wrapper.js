'use strict';

// What Node's own tls, https and http2 need of a socket that they are given. They put a Duplex of theirs
// around any that is not Node's, which hears from it as from every stream: also of what programs emit on it,
// and of an end that closes the other direction as well. A socket of Node's gives them its handle instead,
// which tells nobody else, and knows its addresses.

const { Buffer } = require('node:buffer');
const process = require('node:process');

const host = require('../internal/host');

/** On sockets: the method that hands their bytes to a wrapper. */
const kWrap = Symbol('wrap');

/** Larger than what TLS has in a record. */
const READ_SIZE = 64 * 1024;

const PROPERTIES = [
  'localAddress',
  'localFamily',
  'localPort',
  'remoteAddress',
  'remoteFamily',
  'remotePort'
];

/** The socket beneath a TLSSocket that was asked for it. */
const known = new WeakMap();
/** The TLSSocket above a socket: it fails as what a handle tells it to have failed. */
const above = new WeakMap();
let isKnown = false;

/** Reads for a wrapper, in place of the stream. Made while the wrapper is. */
class WrapperTarget {
  /** @param {any} socket whose last listeners are the wrapper's */
  constructor(socket) {
    this.onData = takeListener(socket, 'data');
    this.onEnd = takeListener(socket, 'end');
    this.size = READ_SIZE;
    /** As of any target: see bytes.js. */
    this.held = null;
    filterErrors(socket, takeListener(socket, 'error'));
    if (socket.readableLength > 0) process.nextTick(() => this.takeBuffered(socket));
    if (!isKnown) extendTls();
  }

  /** What was read before there was a wrapper. */
  takeBuffered(socket) {
    let chunk;
    while ((chunk = socket.read()) !== null) this.onData(chunk);
  }

  take(socket, length, copy) {
    const bytes = Buffer.allocUnsafeSlow(length);
    copy(bytes);
    this.onData(bytes);
    return true;
  }

  end() {
    this.onEnd();
  }

  /** A TLSSocket alone tells that reading has failed; as a handle's, the socket beneath is closed. */
  fail(socket, error) {
    const secure = above.get(socket);
    if (secure === undefined || error.syscall !== 'read' || secure.readableEnded) return false;
    socket.destroy();
    secure.destroy(error);
    return true;
  }
}

function takeListener(socket, event) {
  const listener = socket.listeners(event).at(-1);
  socket.removeListener(event, listener);
  return listener;
}

/** Programs emit on a socket what they hear from the TLSSocket above it. That is no news to the wrapper. */
function filterErrors(socket, onError) {
  let told = false;
  socket.on('error', (error) => {
    // What it writes after its end, as TLS may, is an error of the handle beneath, which it hears of.
    if (told || error !== socket.errored || error.code === 'ERR_STREAM_WRITE_AFTER_END') return;
    told = true;
    // Of a write it hears by its own; and behind the end it is about to close.
    onError(error);
  });
}

/** Lets a TLSSocket ask one of our sockets beneath it for what it asks Node's handles. */
function extendTls() {
  isKnown = true;
  const { prototype } = host.tls.TLSSocket;
  const inherited = Object.getPrototypeOf(prototype);
  for (const name of PROPERTIES) {
    const { get } = Object.getOwnPropertyDescriptor(inherited, name);
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get() {
        const socket = beneath(this);
        return socket === null ? get.call(this) : socket[name];
      }
    });
  }
  for (const name of ['address', 'ref', 'setKeepAlive', 'setNoDelay', 'unref']) {
    const method = prototype[name];
    prototype[name] = function (...args) {
      const socket = beneath(this);
      if (socket === null) return method.apply(this, args);
      const result = socket[name](...args);
      return result === socket ? this : result;
    };
  }
  // Called when it is made. Undocumented; without it a TLSSocket says nothing of connecting, and hears
  // of errors as over any stream.
  const init = prototype['_init'];
  prototype['_init'] = function (socket, ...rest) {
    init?.call(this, socket, ...rest);
    const handle = this['_handle'];
    if (!handle || typeof socket?.[kWrap] !== 'function') return;
    closeBehind(handle, socket);
    if (socket.connecting) awaitConnect(this, socket);
    else above.set(socket, this);
  };
}

/** A TLSSocket is closed when the socket beneath it is. */
function closeBehind(handle, socket) {
  const { close } = handle;
  let closed = socket.destroyed;
  socket.once('close', () => {
    closed = true;
  });
  handle.close = function (done) {
    return close.call(this, () => {
      if (socket.destroyed && !closed) socket.once('close', () => done?.());
      else done?.();
    });
  };
}

/** A TLSSocket connects as long as the socket beneath it, and then says so. */
function awaitConnect(secure, socket) {
  secure.connecting = true;
  socket.once('connect', () => {
    secure.connecting = false;
    above.set(socket, secure);
    secure.emit('connect');
  });
}

/** @returns {any} our socket beneath a TLSSocket, or null */
function beneath(secure) {
  let socket = known.get(secure);
  if (socket === undefined) {
    socket = secure['_handle']?._parentWrap?.stream;
    if (typeof socket?.[kWrap] !== 'function') return null;
    known.set(secure, socket);
  }
  return socket;
}

module.exports = { WrapperTarget, kWrap };
