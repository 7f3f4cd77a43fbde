'use strict';

// What Node's own tls, https and http2 need of a socket that they are given. They use it by a Duplex of
// theirs around it, as any stream that is not Node's, but a socket of Node's gives them its handle: it tells
// nobody else of bytes and of the end, and they know its addresses. So does ours.

const { Duplex } = require('node:stream');

const { numbers } = require('../internal/errors');
const host = require('../internal/host');

/** The method of Socket.prototype that hands its bytes to a wrapper. */
const kWrap = Symbol('wrap');

/** Larger than what TLS has in a record. */
const READ_SIZE = 64 * 1024;

let isWatching = false;
/** Of modules, when last looked. */
let loaded = 0;

/**
 * Sees to it that sockets hear of wrappers. Called when a socket is paused, which is the first that any
 * wrapper does; before tls is loaded there is none.
 */
function watchWrappers() {
  if (isWatching) return;
  // @ts-expect-error: undocumented
  const modules = process.moduleLoadList ?? [];
  if (modules.length === loaded) return;
  loaded = modules.length;
  if (!modules.includes('NativeModule tls')) return;
  isWatching = true;
  const { prototype } = classOfWrappers() ?? {};
  if (typeof prototype?.readStart !== 'function') return;
  const { readStart } = prototype;
  prototype.readStart = function () {
    this.stream?.[kWrap]?.(this);
    return readStart.call(this);
  };
}

/** It is not documented, nor to be had other than by a wrapper. */
function classOfWrappers() {
  const { TLSSocket, createSecureContext } = host.tls;
  const stream = new Duplex({ read() {}, write: (chunk, encoding, done) => done() });
  const secureContext = createSecureContext({ ca: [] }); // to load no certificates for it
  const sample = new TLSSocket(stream, { isServer: true, secureContext });
  const { constructor } = sample['_handle']?._parentWrap ?? {};
  sample.destroy();
  return constructor;
}

/** Reads for a wrapper, in place of the stream. Made while the wrapper is. */
class WrapperTarget {
  constructor(socket, wrapper) {
    this.wrapper = wrapper;
    this.size = READ_SIZE;
    /** As of any target: see bytes.js. */
    this.held = null;
    Object.assign(wrapper._handle, verbsOf(socket));
    replaceListeners(socket, wrapper);
    if (socket.connecting) connectLater(socket, wrapper);
    if (socket.readableLength > 0) process.nextTick(() => this.takeBuffered(socket));
  }

  /** What was read before there was a wrapper. */
  takeBuffered(socket) {
    let chunk;
    while ((chunk = socket.read()) !== null) this.wrapper._handle?.readBuffer(chunk);
  }

  take(socket, length, copy) {
    const bytes = Buffer.allocUnsafeSlow(length);
    copy(bytes);
    this.wrapper._handle?.readBuffer(bytes);
    return true;
  }

  end() {
    this.wrapper._handle?.emitEOF();
  }
}

/**
 * Programs emit on a socket what they hear from the TLSSocket above it. That is no news to the wrapper,
 * whose listeners are the last.
 */
function replaceListeners(socket, wrapper) {
  for (const event of ['data', 'error']) {
    socket.removeListener(event, socket.listeners(event).at(-1));
  }
  let told = false;
  socket.on('error', (error) => {
    // What it writes after its end, as TLS may, is an error of the handle beneath, which it hears of.
    if (told || error !== socket.errored || error.code === 'ERR_STREAM_WRITE_AFTER_END') return;
    told = true;
    wrapper.emit('error', error);
  });
}

function connectLater(socket, wrapper) {
  wrapper.connecting = true;
  socket.once('connect', () => {
    wrapper.connecting = false;
    wrapper.emit('connect');
  });
}

/** Those of a handle that tls asks for beneath a TLSSocket. */
function verbsOf(socket) {
  const name = (of) => (out) => {
    const { address, family, port } = of.call(socket);
    if (address === undefined) return numbers.ENOTCONN;
    Object.assign(out, { address, family, port });
    return 0;
  };
  return {
    getpeername: name(socket._getpeername),
    getsockname: name(socket._getsockname),
    ref: () => socket.ref(),
    setKeepAlive(enable, delay, interval = 1, count = 10) {
      socket.setKeepAlive(enable, delay * 1000, interval * 1000, count);
      return 0;
    },
    setNoDelay(enable) {
      socket.setNoDelay(enable);
      return 0;
    },
    unref: () => socket.unref()
  };
}

module.exports = { WrapperTarget, kWrap, watchWrappers };
