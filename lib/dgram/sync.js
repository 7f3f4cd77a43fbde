'use strict';

// bindSync() and connectSync(), which newer Nodes have: addresses only, no names, no cluster.

const process = require('node:process');

const { codeError, hostPortError } = require('../internal/errors');
const validate = require('../internal/validate');
const { bits, startReceiving } = require('./bind');
const { associate } = require('./connect');
const { bindStates, connectStates, kState, running } = require('./state');

function define(Socket) {
  Socket.prototype.bindSync = function (options = {}) {
    return bindSync(this, options);
  };

  Socket.prototype.connectSync = function (port, address) {
    connectSync(this, port, address);
  };
}

function bindSync(socket, options) {
  const state = running(socket);
  if (state.bindState !== bindStates.UNBOUND) throw codeError('ERR_SOCKET_ALREADY_BOUND');
  validate.object(options, 'options');
  const { port = 0, address = state.ipv6 ? '::' : '0.0.0.0' } = options;
  const number = validate.port(port, 'options.port');
  checkAddress(address, 'options.address', 'bindSync');
  const status = state.handle.bind(address, number, bits(state));
  if (status !== 0) throw hostPortError(status, 'bind', address, number);
  startReceiving(socket);
  process.nextTick(emitUnlessClosed, socket, 'listening');
  return socket.address();
}

function connectSync(socket, port, address) {
  const state = running(socket);
  const number = validate.port(port, 'Port', false);
  const ip = address || (state.ipv6 ? '::1' : '127.0.0.1');
  checkAddress(ip, 'address', 'connectSync');
  if (state.connectState !== connectStates.DISCONNECTED) {
    throw codeError('ERR_SOCKET_DGRAM_IS_CONNECTED');
  }
  if (state.bindState === bindStates.BINDING) throw codeError('ERR_SOCKET_ALREADY_BOUND');
  if (state.bindState === bindStates.UNBOUND) socket.bindSync({ port: 0 });
  const error = associate(state, ip, ip, number);
  if (error !== null) throw error;
  state.connectState = connectStates.CONNECTED;
  process.nextTick(emitUnlessClosed, socket, 'connect');
}

function checkAddress(address, name, method) {
  validate.type(address, name, 'string');
  if (validate.isIP(address) !== 0) return;
  const reason = `must be a numeric IP address; ${method} does not perform DNS resolution`;
  throw codeError('ERR_INVALID_ARG_VALUE', name, address, reason);
}

function emitUnlessClosed(socket, event) {
  if (socket[kState].handle !== null) socket.emit(event);
}

module.exports = { define };
