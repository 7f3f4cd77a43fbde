'use strict';

// bind(): its argument forms, and how a socket gets its address, from the kernel, from a descriptor
// or from the primary process of a cluster.

const { errorMonitor } = require('node:events');
const process = require('node:process');

const { codeError, errnoError, hostPortError } = require('../internal/errors');
const { flags } = require('../internal/datagram-handle');
const host = require('../internal/host');
const { fdKind } = require('../internal/runtime');
const { bufferSize } = require('./options');
const { bindStates, kState, running } = require('./state');

/** `socket.bind([port][, address][, callback])`, `socket.bind(options[, callback])` */
function bind(socket, args) {
  const state = running(socket);
  if (state.bindState !== bindStates.UNBOUND) throw codeError('ERR_SOCKET_ALREADY_BOUND');
  state.bindState = bindStates.BINDING;
  const callback = args.at(-1);
  if (typeof callback === 'function') onceListening(socket, callback);

  const [first, second] = args;
  if (first !== null && typeof first === 'object' && isDescriptor(first.fd)) {
    bindToDescriptor(socket, first.fd, Boolean(first.exclusive));
    return;
  }
  const target = toTarget(first, second);
  const name = target.address || (state.ipv6 ? '::' : '0.0.0.0');
  state.resolve(name, (error, ip) => {
    if (state.handle === null) return; // closed meanwhile
    if (error) return failed(socket, error);
    const { port } = target;
    const cluster = target.exclusive || state.reusePort ? null : host.cluster();
    if (cluster !== null) {
      return bindInCluster(cluster, socket, { address: ip, port, fd: -1 });
    }
    const status = state.handle.bind(ip, port, bits(state));
    if (status !== 0) failed(socket, hostPortError(status, 'bind', ip, port));
    else startListening(socket);
  });
}

function toTarget(first, second) {
  if (first !== null && typeof first === 'object') {
    const { address, exclusive, port } = first;
    return { address: address || '', exclusive: Boolean(exclusive), port };
  }
  return { address: typeof second === 'function' ? '' : second, exclusive: false, port: first };
}

function isDescriptor(fd) {
  return typeof fd === 'number' && fd === (fd | 0) && fd > 0;
}

/**
 * An error of the socket, whatever it is of, ends the wait for 'listening'. Before Node 24 that is a
 * listener of 'error' like any other: what nobody else hears is lost.
 */
function onceListening(socket, callback) {
  const trouble = host.nodeMajor >= 24 ? errorMonitor : 'error';
  const forget = () => {
    socket.removeListener(trouble, forget);
    socket.removeListener('listening', onListening);
  };
  function onListening() {
    forget();
    callback.call(this);
  }
  socket.on(trouble, forget);
  socket.on('listening', onListening);
}

function bits({ ipv6Only, reuseAddr, reusePort }) {
  return (
    (reuseAddr ? flags.REUSE_ADDRESS : 0) |
    (reusePort ? flags.REUSE_PORT : 0) |
    (ipv6Only ? flags.IPV6_ONLY : 0)
  );
}

function failed(socket, error) {
  socket[kState].bindState = bindStates.UNBOUND;
  socket.emit('error', error);
}

function bindToDescriptor(socket, fd, exclusive) {
  const cluster = exclusive ? null : host.cluster();
  if (cluster !== null) return bindInCluster(cluster, socket, { address: null, port: null, fd });
  const type = fdKind(fd);
  if (type !== 'UDP') throw codeError('ERR_INVALID_FD_TYPE', type);
  const status = socket[kState].handle.open(fd);
  if (status !== 0) throw errnoError(status, 'open');
  startListening(socket);
}

/**
 * Workers that bind alike share one socket of the primary's (Node's documentation of `exclusive`). The
 * primary hands out Node's own handles: it stays open beside ours, which is a second descriptor of it.
 */
function bindInCluster(cluster, socket, { address, port, fd }) {
  const state = socket[kState];
  const query = { address, port, addressType: socket.type, fd, flags: hostBits(state) };
  // What Node's own modules call; not documented, and the only way to the primary's handles.
  cluster._getServer(socket, query, (status, shared) => {
    if (status) return failed(socket, hostPortError(status, 'bind', address, port));
    if (state.handle === null) return shared.close(); // closed meanwhile
    const opened = state.handle.share(shared.fd);
    if (opened !== 0) {
      shared.close();
      return failed(socket, hostPortError(opened, 'bind', address, port));
    }
    const close = shared.close;
    socket.once('close', () => close.call(shared));
    // How the worker closes what it shares when it disconnects.
    shared.close = (done) => {
      if (state.handle === null) close.call(shared, done);
      else socket.close(done);
    };
    startListening(socket);
  });
}

/** Binds to what another process has sent, by a descriptor that stays its owner's. */
function bindShared(socket, fd) {
  const status = socket[kState].handle.share(fd);
  if (status === 0) startListening(socket);
  else process.nextTick(failed, socket, errnoError(status, 'open'));
}

/** As Node 20 numbers them; UV_UDP_REUSEPORT has none there, and excludes sharing anyway. */
function hostBits({ ipv6Only, reuseAddr }) {
  return (reuseAddr ? flags.REUSE_ADDRESS : 0) | (ipv6Only ? flags.IPV6_ONLY : 0);
}

function startListening(socket) {
  startReceiving(socket);
  socket.emit('listening');
}

/** The socket is bound: hears from now on. */
function startReceiving(socket) {
  const state = socket[kState];
  state.handle.recvStart();
  state.receiving = true;
  state.bindState = bindStates.BOUND;
  if (state.recvBufferSize) bufferSize(socket, state.recvBufferSize, true);
  if (state.sendBufferSize) bufferSize(socket, state.sendBufferSize, false);
}

module.exports = { bind, bindShared, bits, startReceiving };
