'use strict';

// The options of a socket: each method checks its arguments and throws what the kernel answers.

const { bufferSizeError, codeError, errnoError } = require('../internal/errors');
const validate = require('../internal/validate');
const { kState, running } = require('./state');

/** Sets, unless `size` is 0, and returns the size of a buffer. */
function bufferSize(socket, size, receive) {
  if (size >>> 0 !== size) throw codeError('ERR_SOCKET_BAD_BUFFER_SIZE');
  const result = socket[kState].handle.bufferSize(size, receive);
  if (result < 0) throw bufferSizeError(result, `uv_${receive ? 'recv' : 'send'}_buffer_size`);
  return result;
}

function check(status, name) {
  if (status !== 0) throw errnoError(status, name);
}

const methods = {
  setBroadcast(flag) {
    check(this[kState].handle.setBroadcast(Boolean(flag)), 'setBroadcast');
  },

  setTTL(ttl) {
    validate.type(ttl, 'ttl', 'number');
    check(this[kState].handle.setTTL(ttl | 0), 'setTTL');
    return ttl;
  },

  setMulticastTTL(ttl) {
    validate.type(ttl, 'ttl', 'number');
    check(this[kState].handle.setMulticastTTL(ttl | 0), 'setMulticastTTL');
    return ttl;
  },

  setMulticastLoopback(flag) {
    check(this[kState].handle.setMulticastLoopback(Boolean(flag)), 'setMulticastLoopback');
    return flag;
  },

  setMulticastInterface(multicastInterface) {
    const { handle } = running(this);
    validate.type(multicastInterface, 'interfaceAddress', 'string');
    check(handle.setMulticastInterface(multicastInterface), 'setMulticastInterface');
  },

  addMembership(multicastAddress, multicastInterface) {
    membership(this, 'addMembership', multicastAddress, multicastInterface);
  },

  dropMembership(multicastAddress, multicastInterface) {
    membership(this, 'dropMembership', multicastAddress, multicastInterface);
  },

  addSourceSpecificMembership(sourceAddress, groupAddress, multicastInterface) {
    const name = 'addSourceSpecificMembership';
    sourceMembership(this, name, sourceAddress, groupAddress, multicastInterface);
  },

  dropSourceSpecificMembership(sourceAddress, groupAddress, multicastInterface) {
    const name = 'dropSourceSpecificMembership';
    sourceMembership(this, name, sourceAddress, groupAddress, multicastInterface);
  },

  setRecvBufferSize(size) {
    bufferSize(this, size, true);
  },

  setSendBufferSize(size) {
    bufferSize(this, size, false);
  },

  getRecvBufferSize() {
    return bufferSize(this, 0, true);
  },

  getSendBufferSize() {
    return bufferSize(this, 0, false);
  },

  getSendQueueSize() {
    return this[kState].handle.getSendQueueSize();
  },

  getSendQueueCount() {
    return this[kState].handle.getSendQueueCount();
  }
};

function membership(socket, name, group, address) {
  const { handle } = running(socket);
  if (!group) throw codeError('ERR_MISSING_ARGS', 'multicastAddress');
  check(handle.membership(`${group}`, text(address), name.startsWith('add')), name);
}

function sourceMembership(socket, name, source, group, address) {
  const { handle } = running(socket);
  validate.type(source, 'sourceAddress', 'string');
  validate.type(group, 'groupAddress', 'string');
  check(handle.sourceMembership(source, group, text(address), name.startsWith('add')), name);
}

function text(address) {
  return address === undefined || address === null ? null : `${address}`;
}

module.exports = { bufferSize, methods };
