'use strict';

// What Node's own tls, https and http2 need of a socket that they are given. They put a Duplex of theirs
// around any that is not Node's, which hears from it as from every stream: also of what programs emit on it,
// and of an end that closes the other direction as well. A socket of Node's gives them its handle instead,
// which tells nobody else, and knows its addresses.

const { Buffer } = require('node:buffer');
const process = require('node:process');

const host = require('../internal/host');
const { Beneath } = require('./beneath');

/** On sockets: the method that hands their bytes to a wrapper. */
const kWrap = Symbol('wrap');

/** Larger than what TLS has in a record. */
const READ_SIZE = 64 * 1024;

/** Addresses are asked for by the first two. */
const ASKED = ['_getpeername', '_getsockname', 'ref', 'setKeepAlive', 'setNoDelay', 'unref'];

/** The socket beneath a TLSSocket. */
const known = new WeakMap();
/** What reads a socket that has a wrapper. */
const targets = new WeakMap();
let isKnown = false;

/** Reads for a wrapper, in place of the stream. Made while the wrapper is. */
class WrapperTarget {
  /**
   * @param {any} socket whose last listeners are the wrapper's
   * @param {{ pause(socket: any): void, resume(socket: any): void }} reading
   */
  constructor(socket, reading) {
    this.reading = reading;
    /** The TLSSocket above: it fails as what a handle tells it to have failed. */
    this.secure = null;
    this.onData = takeListener(socket, 'data');
    this.onEnd = takeListener(socket, 'end');
    this.size = READ_SIZE;
    /** As of any target: see bytes.js. */
    this.held = null;
    filterErrors(socket, takeListener(socket, 'error'));
    if (socket.readableLength > 0) process.nextTick(() => this.takeBuffered(socket));
    targets.set(socket, this);
    if (!isKnown) extendHost();
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

  /** A TLSSocket alone tells of a failure, unless it reads no more; as a handle's, the socket is closed. */
  fail(socket, error) {
    const { secure } = this;
    if (secure === null) return false;
    const told = error.syscall !== 'read' || !secure.readableEnded;
    socket.destroy();
    if (told) secure.destroy(error);
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
    // What it writes after its end is an error of the handle beneath, which it hears of.
    if (told || error !== socket.errored || error.code === 'ERR_STREAM_WRITE_AFTER_END') return;
    told = true;
    onError(error);
  });
}

/** Lets what Node puts above one of our sockets ask it for what it asks Node's handles. */
function extendHost() {
  isKnown = true;
  const { prototype } = host.net.Socket;
  for (const name of ASKED) {
    const method = prototype[name];
    const ask = function (...args) {
      const socket = beneath(this);
      if (socket === null) return method.apply(this, args);
      const result = socket[name](...args);
      return result === socket ? this : result;
    };
    for (const key of ['length', 'name']) {
      Object.defineProperty(ask, key, { configurable: true, value: method[key] });
    }
    prototype[name] = ask;
  }
  extendTls(host.tls.TLSSocket.prototype);
}

function extendTls(prototype) {
  // Called when it is made. Undocumented; without it a TLSSocket says nothing of connecting, and hears
  // of errors as over any stream.
  const init = prototype['_init'];
  prototype['_init'] = function (socket, wrapper, ...rest) {
    init?.call(this, socket, wrapper, ...rest);
    const handle = this['_handle'];
    if (!handle || typeof socket?.[kWrap] !== 'function') return;
    known.set(this, socket);
    closeBehind(handle, socket);
    if (socket.connecting) awaitConnect(this, socket, wrapper);
    else join(this, socket, wrapper);
  };
}

/** From here on a TLSSocket uses a connected socket as it would a handle. */
function join(secure, socket, wrapper) {
  const target = targets.get(socket);
  target.secure = secure;
  wrapper.stream = new Beneath(socket, target.reading);
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
function awaitConnect(secure, socket, wrapper) {
  secure.connecting = true;
  socket.once('connect', () => {
    secure.connecting = false;
    join(secure, socket, wrapper);
    secure.emit('connect');
  });
}

/** @returns {any} our socket beneath a TLSSocket, or beneath the wrapper that http2 uses, or null */
function beneath(upper) {
  const socket = known.get(upper) ?? upper.stream;
  return typeof socket?.[kWrap] === 'function' ? socket : null;
}

module.exports = { WrapperTarget, kWrap };
