'use strict';

// connect() and disconnect(): the association of a socket with one peer.

const process = require('node:process');

const { codeError, errnoError, hostPortError } = require('../internal/errors');
const validate = require('../internal/validate');
const { bindStates, connectStates, kState, running, whenBound } = require('./state');

/** `socket.connect(port[, address][, callback])` */
function connect(socket, port, address, callback) {
  port = validate.port(port, 'Port', false);
  if (typeof address === 'function') {
    callback = address;
    address = '';
  } else if (address === undefined) {
    address = '';
  }
  validate.type(address, 'address', 'string');
  const state = socket[kState];
  if (state.connectState !== connectStates.DISCONNECTED) {
    throw codeError('ERR_SOCKET_DGRAM_IS_CONNECTED');
  }
  state.connectState = connectStates.CONNECTING;
  if (state.bindState === bindStates.UNBOUND) socket.bind({ port: 0, exclusive: true }, null);
  const start = () => resolveAndConnect(socket, port, address, callback);
  if (state.bindState !== bindStates.BOUND) whenBound(socket, start);
  else start();
}

function resolveAndConnect(socket, port, address, callback) {
  const state = running(socket);
  if (callback) socket.once('connect', callback);
  state.resolve(address, (error, ip) => {
    if (state.handle === null) return; // closed meanwhile
    const reason = error ?? associate(state, ip, address, port);
    if (reason) {
      state.connectState = connectStates.DISCONNECTED;
      process.nextTick(refused, socket, reason, callback);
      return;
    }
    state.connectState = connectStates.CONNECTED;
    process.nextTick(emitConnect, socket);
  });
}

/** @returns {Error | null} */
function associate({ handle, sendBlockList, ipv6 }, ip, address, port) {
  if (sendBlockList?.check(ip, ipv6 ? 'ipv6' : 'ipv4')) return codeError('ERR_IP_BLOCKED', ip);
  const status = handle.connect(ip, port);
  return status === 0 ? null : hostPortError(status, 'connect', address, port);
}

function refused(socket, error, callback) {
  if (!callback) {
    socket.emit('error', error);
    return;
  }
  socket.removeListener('connect', callback);
  callback(error);
}

function emitConnect(socket) {
  socket.emit('connect');
}

function disconnect(socket) {
  const state = socket[kState];
  if (state.connectState !== connectStates.CONNECTED) {
    throw codeError('ERR_SOCKET_DGRAM_NOT_CONNECTED');
  }
  const status = state.handle.disconnect();
  if (status !== 0) throw errnoError(status, 'connect');
  state.connectState = connectStates.DISCONNECTED;
}

module.exports = { associate, connect, disconnect };
