'use strict';

// The class Socket: turns what a handle tells into events. Its larger methods have files of their own.

const { channel } = require('node:diagnostics_channel');
const EventEmitter = require('node:events');
const process = require('node:process');

const { codeError, errnoError } = require('../internal/errors');
const host = require('../internal/host');
const validate = require('../internal/validate');
const { bind } = require('./bind');
const { connect, disconnect } = require('./connect');
const { methods: options } = require('./options');
const { send } = require('./send');
const { State, connectStates, createHandle, kState, running } = require('./state');

const sockets = channel('udp.socket');

/** @type {import('../internal/datagram-handle').Receiver} */
const receiver = { message: onMessage, receiveFailed: onReceiveFailed };

function Socket(type, listener) {
  EventEmitter.call(this);
  const given = type !== null && typeof type === 'object' ? type : { type };
  checkOptions(given);
  const handle = createHandle(given.type, given.lookup, this, receiver);
  this.type = given.type;
  this[kState] = new State(given.type, given, handle);
  if (typeof listener === 'function') this.on('message', listener);
  if (given.signal !== undefined) closeOnAbort(this, given.signal);
  if (sockets.hasSubscribers) sockets.publish({ socket: this });
}
Object.setPrototypeOf(Socket.prototype, EventEmitter.prototype);
Object.setPrototypeOf(Socket, EventEmitter);

function checkOptions(given) {
  for (const name of ['recvBufferSize', 'sendBufferSize']) {
    if (given[name]) validate.uint32(given[name], `options.${name}`);
  }
  for (const name of ['receiveBlockList', 'sendBlockList']) {
    const list = given[name];
    if (list && !host.net.BlockList.isBlockList?.(list) && !(list instanceof host.net.BlockList)) {
      throw codeError('ERR_INVALID_ARG_TYPE', `options.${name}`, 'net.BlockList', list);
    }
  }
}

function closeOnAbort(socket, signal) {
  validate.abortSignal(signal, 'options.signal');
  const onAbort = () => {
    if (socket[kState].handle !== null) socket.close();
  };
  if (signal.aborted) return onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', onAbort));
}

// Receiving.

function onMessage(socket, message, rinfo) {
  const { receiveBlockList } = socket[kState];
  if (receiveBlockList?.check(rinfo.address, rinfo.family.toLowerCase())) return;
  socket.emit('message', message, rinfo);
}

function onReceiveFailed(socket, status) {
  socket.emit('error', errnoError(status, 'recvmsg'));
}

// Binding, connecting, sending.

Socket.prototype.bind = function (port_, address_ /* , callback */) {
  bind(this, [...arguments]);
  return this;
};

Socket.prototype.connect = function (port, address, callback) {
  connect(this, port, address, callback);
};

Socket.prototype.disconnect = function () {
  disconnect(this);
};

/** An older name of send(), all arguments of which it demands. */
Socket.prototype.sendto = function (buffer, offset, length, port, address, callback) {
  validate.type(offset, 'offset', 'number');
  validate.type(length, 'length', 'number');
  validate.type(port, 'port', 'number');
  validate.type(address, 'address', 'string');
  this.send(buffer, offset, length, port, address, callback);
};

Socket.prototype.send = function (buffer, offset, length, port, address, callback) {
  send(this, [buffer, offset, length, port, address, callback]);
};

// Closing.

Socket.prototype.close = function (callback) {
  if (typeof callback === 'function') this.on('close', callback);
  const state = this[kState];
  if (state.queue !== undefined) {
    state.queue.push(() => this.close());
    return this;
  }
  const { handle } = running(this);
  state.receiving = false;
  state.handle = null;
  handle.close();
  process.nextTick(emitClose, this);
  return this;
};

Socket.prototype[Symbol.asyncDispose] = async function () {
  if (this[kState].handle === null) return;
  await new Promise((resolve) => {
    this.close(resolve);
  });
};

function emitClose(socket) {
  socket.emit('close');
}

// Addresses.

Socket.prototype.address = function () {
  const name = {};
  const status = running(this).handle.getsockname(name);
  if (status !== 0) throw errnoError(status, 'getsockname');
  return name;
};

Socket.prototype.remoteAddress = function () {
  const state = running(this);
  if (state.connectState !== connectStates.CONNECTED) {
    throw codeError('ERR_SOCKET_DGRAM_NOT_CONNECTED');
  }
  const name = {};
  const status = state.handle.getpeername(name);
  if (status !== 0) throw errnoError(status, 'getpeername');
  return name;
};

// Options.

Socket.prototype.ref = function () {
  this[kState].handle?.ref();
  return this;
};

Socket.prototype.unref = function () {
  this[kState].handle?.unref();
  return this;
};

Object.assign(Socket.prototype, options);

if ('bindSync' in host.dgram.Socket.prototype) require('./sync').define(Socket);
if ('_handle' in host.dgram.Socket.prototype) require('./deprecated').define(Socket);

module.exports = { Socket };
