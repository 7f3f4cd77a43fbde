'use strict';

// net.BoundSocket (Node 24.19 and 26.4 on): an address that is taken before it is known whether a
// server or a client will use it.

const { codeError, errnoError, hostPortError, numberOf } = require('../internal/errors');
const { StreamHandle, types } = require('../internal/stream-handle');
const validate = require('../internal/validate');
const { kTake } = require('./options');

class BoundSocket {
  #handle = null;
  #name = {};

  /** Binds at once, to an IP address and port or to a path. Throws what the kernel says. */
  constructor(options = {}) {
    validate.object(options, 'options');
    if (options.path !== undefined) this.#bindPath(options);
    else this.#bindAddress(options);
  }

  #bindAddress(options) {
    const port = validate.port(options.port ?? 0, 'options.port');
    const { ipv6Only = false, reusePort = false } = options;
    validate.type(ipv6Only, 'options.ipv6Only', 'boolean');
    validate.type(reusePort, 'options.reusePort', 'boolean');
    const address = options.host ?? (ipv6Only ? '::' : '0.0.0.0');
    validate.type(address, 'options.host', 'string');
    if (validate.isIP(address) === 0) {
      const reason =
        'must be a numeric IP address; net.BoundSocket does not perform DNS resolution';
      throw codeError('ERR_INVALID_ARG_VALUE', 'options.host', address, reason);
    }
    const handle = StreamHandle.open(types.TCP);
    const status = handle.bind(address, port, ipv6Only, reusePort);
    if (status !== 0) {
      handle.close();
      throw hostPortError(status, 'bind', address, port);
    }
    handle.getsockname(this.#name);
    this.#handle = handle;
  }

  #bindPath(options) {
    const rivals = ['host', 'port', 'ipv6Only', 'reusePort'];
    if (rivals.some((name) => options[name] !== undefined)) {
      const reason = 'path is mutually exclusive with host, port, ipv6Only, and reusePort';
      throw codeError('ERR_INVALID_ARG_VALUE', 'options', options, reason);
    }
    validate.type(options.path, 'options.path', 'string');
    const handle = StreamHandle.open(types.PIPE);
    const status = handle.bindPath(options.path);
    if (status !== 0) {
      handle.close();
      // As libuv: what is missing on the way to a socket's file is a matter of access.
      throw errnoError(status === numberOf('ENOENT') ? numberOf('EACCES') : status, 'bind');
    }
    this.#name = options.path;
    this.#handle = handle;
  }

  get isPipe() {
    return typeof this.#name === 'string';
  }

  /** @returns the path it is bound to, undefined for an IP address */
  get path() {
    return this.isPipe ? this.#name : undefined;
  }

  address() {
    this.#check();
    return this.#name;
  }

  fd() {
    return this.#check().fd;
  }

  close() {
    this.#check().close();
    this.#handle = null;
  }

  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
    if (this.#handle !== null) this.close();
  }

  /** Gives the handle to a server or socket, which owns it from now on. */
  [kTake]() {
    const handle = this.#check();
    this.#handle = null;
    return handle;
  }

  #check() {
    if (this.#handle === null) throw codeError('ERR_SOCKET_HANDLE_ADOPTED');
    return this.#handle;
  }
}

module.exports = { BoundSocket };
