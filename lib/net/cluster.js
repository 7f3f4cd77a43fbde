'use strict';

// How a server listens in a worker of a cluster: the primary has the socket, and either shares it or
// accepts for all and hands out the connections (Node's documentation of cluster, "How it works").

const { hostPortError, numberOf } = require('../internal/errors');
const { fdKind } = require('../internal/runtime');
const { StreamHandle, kAccepted, types } = require('../internal/stream-handle');
const { isIP } = require('../internal/validate');

/** As libuv numbers it. */
const IPV6_ONLY = 1;

/**
 * Asks the primary, which answers later. `done(handle, status)` follows when it did, unless the
 * server was closed meanwhile, or hears an 'error'.
 */
function listenByPrimary(cluster, server, target, done) {
  const query = queryOf(target);
  const listening = server._listeningId;
  // What Node's own modules call; not documented, and the only way to the primary's sockets.
  cluster._getServer(server, query, (status, shared) => {
    if (listening !== server._listeningId) {
      if (shared) shared.close();
      return;
    }
    const wrong = status || checkPort(shared, query.port);
    if (wrong) {
      if (shared) shared.close();
      server.emit('error', hostPortError(wrong, 'bind', query.address, query.port));
    } else if (shared.fd >= 0) {
      const handle = SharedListener.of(shared, server);
      done(handle, handle.listenFd(shared.fd, target.backlog, true));
    } else {
      done(new RemoteListener(shared, server), 0);
    }
  });
}

/** The primary keeps one socket for all who ask for the same. */
function queryOf({ address, backlog, family, fd, ipv6Only, path, port, ...rest }) {
  const { readableAll, writableAll } = rest;
  if (fd !== undefined) return { address: null, port: null, addressType: null, fd, backlog };
  if (path !== undefined) {
    return { address: path, port: -1, addressType: -1, backlog, readableAll, writableAll };
  }
  const addressType = family ?? (address === undefined ? 4 : isIP(address));
  const flags = ipv6Only ? IPV6_ONLY : 0;
  return { address: address ?? null, port, addressType, flags, backlog };
}

/** That a port is taken may show as another one. */
function checkPort(shared, port) {
  if (!(port > 0) || shared.getsockname === undefined) return 0;
  const name = {};
  const status = shared.getsockname(name);
  return status === 0 && name.port !== port ? numberOf('EADDRINUSE') : status;
}

/** Workers that are told to disconnect close what the primary gave them, by this. */
function closeWithServer(shared, server, isOpen) {
  const close = shared.close;
  shared.close = function (done) {
    if (isOpen()) server.close(done);
    else close.call(shared, done);
  };
  return () => close.call(shared);
}

/** Accepts from the primary's socket, of which it has a descriptor of its own. */
class SharedListener extends StreamHandle {
  static of(shared, server) {
    const kind = fdKind(shared.fd);
    const handle = this.open(kind === 'TCP' ? types.TCP_SERVER : types.PIPE_SERVER);
    handle.closeShared = closeWithServer(shared, server, () => server._handle === handle);
    return handle;
  }

  close(done) {
    if (this.id >= 0) this.closeShared();
    super.close(done);
  }
}

/** Gets connections that the primary accepted. Has the verbs of a listener, but no socket. */
class RemoteListener {
  constructor(shared, server) {
    this.owner = null;
    this.fd = -1;
    this.shared = shared;
    this.isRefed = true;
    this.closeShared = closeWithServer(shared, server, () => server._handle === this);
    shared.onconnection = (status, connection) => this.receive(status, connection);
    Object.setPrototypeOf(shared, ownedBy(server));
  }

  receive(status, connection) {
    if (status !== 0 || this.owner === null) return;
    const tcp = typeof connection.getpeername === 'function';
    const handle = StreamHandle.open(tcp ? types.TCP : types.PIPE);
    const opened = handle.open(connection.fd, true);
    connection.close();
    if (opened === 0) this.owner[kAccepted](handle);
    else handle.close();
  }

  close() {
    this.owner = null;
    this.closeShared();
  }

  ref() {
    this.isRefed = true;
    this.shared.ref();
  }

  unref() {
    this.isRefed = false;
    this.shared.unref();
  }

  hasRef() {
    return this.isRefed;
  }

  getsockname(out) {
    return this.shared.getsockname?.(out) ?? numberOf('EINVAL');
  }
}

/**
 * Whoever hands out connections asks a handle's owner whether it has as many as it may, and gives
 * them to another worker then. It finds the owner under a symbol that is nowhere to be had.
 */
function ownedBy(server) {
  return new Proxy(Object.prototype, {
    get: (target, key, receiver) =>
      typeof key === 'symbol' && key.description === 'owner_symbol'
        ? server
        : Reflect.get(target, key, receiver)
  });
}

module.exports = { listenByPrimary };
