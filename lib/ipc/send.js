'use strict';

// What Node is given to send in place of a socket or server of ours: a parcel, an object of Node's class
// with just what Node looks for in it. The descriptor goes as a handle of Node's that never reads.

const { errnoError } = require('../internal/errors');
const host = require('../internal/host');
const { replaced } = require('../internal/modules');
const { native } = require('../internal/runtime');
const { datagramState } = require('./node-state');

/** @returns {any} a module of ours, if somebody has loaded it: else nothing can be an instance of its */
function loaded(name) {
  return require.cache[replaced.get(name)]?.exports;
}

/** @returns {Parcel | null} null for what is not ours */
function wrap(handle) {
  const net = loaded('net');
  if (net !== undefined) {
    if (handle instanceof net.Socket) return new SocketParcel(handle, host.net.Socket);
    if (handle instanceof net.Server) return new Parcel(handle, host.net.Server);
    const { StreamHandle } = require('../internal/stream-handle');
    if (handle instanceof StreamHandle) return new HandleParcel(handle);
  }
  const dgram = loaded('dgram');
  if (dgram !== undefined && handle instanceof dgram.Socket)
    return new DatagramParcel(handle, host.dgram.Socket);
  return null;
}

class Parcel {
  /**
   * @param {any} own of ours
   * @param {Function} type Node's class of that name
   */
  constructor(own, type) {
    this.own = own;
    /** Node's handle, once it has asked for it. */
    this.raw = null;
    this.shown = Object.create(type.prototype);
    this.define();
  }

  define() {
    Object.defineProperty(this.shown, '_handle', { get: () => this.open() });
  }

  /** What there is to be sent now. A server of a cluster's worker may have nothing of its own. */
  get handle() {
    const { _handle } = this.own;
    return _handle !== null && _handle.fd >= 0 ? _handle : null;
  }

  /** @returns Node's handle, null for what is closed */
  open() {
    if (this.raw === null && this.handle !== null) this.raw = rawStream(shareFd(this.handle));
    return this.raw;
  }

  /** The message has left, or never will. */
  onSent(_options) {
    this.raw?.close();
  }
}

class SocketParcel extends Parcel {
  define() {
    const { own, shown } = this;
    Object.defineProperty(shown, '_handle', {
      get: () => this.open(),
      set: () => {
        this.take();
      }
    });
    // Who counts it, and the timer that is stopped when it is taken.
    Object.defineProperty(shown, 'server', { get: () => own.server });
    shown.setTimeout = (time) => own.setTimeout(time);
  }

  /** Node takes the socket away from its owner, who hears nothing of it. */
  take() {
    const { handle, own } = this;
    if (loaded('http') !== undefined) require('../http/detach').detach(own);
    own._handle = null;
    own._server = null; // which Node has told
    handle.close();
  }

  onSent(options) {
    // One that was taken Node closes when the other process has it.
    if (options?.keepOpen) super.onSent(options);
  }
}

/** What `_handle` is of a socket or a server; the other process gets a bare handle, too. */
class HandleParcel extends Parcel {
  constructor(own) {
    super(own, Object);
    this.shown = this.open() ?? own;
  }

  define() {}

  get handle() {
    return this.own.fd >= 0 ? this.own : null;
  }
}

class DatagramParcel extends Parcel {
  define() {
    const { own, shown } = this;
    /** The socket of Node's that has the handle. */
    this.carrier = null;
    shown.type = own.type;
    // Node looks for the handle in the state of a socket, which is nowhere else to be had.
    shown[datagramState()] = Object.defineProperty({}, 'handle', { get: () => this.open() });
  }

  open() {
    if (this.carrier !== null) return this.raw;
    const handle = require('../dgram/state').handleOf(this.own);
    if (handle === null) return null;
    this.carrier = host.dgram.createSocket(this.own.type);
    this.raw = this.carrier[datagramState()].handle;
    // One without an address has no descriptor either, in Node as here.
    if (handle.fd >= 0) this.carrier.bind({ fd: shareFd(handle), exclusive: true });
    // What comes is for those who have the socket.
    this.raw.recvStop();
    return this.raw;
  }

  onSent() {
    this.carrier?.close();
  }
}

function shareFd(handle) {
  const fd = native().shareFd(handle.id);
  if (fd < 0) throw errnoError(fd, 'dup');
  return fd;
}

/** A handle of Node's for a stream, or a socket that listens; it does neither. */
function rawStream(fd) {
  const options = /** @type {any} */ ({ fd, manualStart: true });
  return new host.net.Socket(options)['_handle'];
}

module.exports = { wrap };
