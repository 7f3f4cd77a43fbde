'use strict';

// What Node removed in version 26 and deprecated long before (DEP0112): looks into a socket's state.

const { deprecate } = require('node:util');

const { createHandle, kState, running } = require('./state');

/** Old names of what a state has. */
const properties = {
  _handle: 'handle',
  _receiving: 'receiving',
  _bindState: 'bindState',
  _queue: 'queue',
  _reuseAddr: 'reuseAddr'
};

function define(Socket) {
  for (const [name, key] of Object.entries(properties)) {
    const message = `Socket.prototype.${name} is deprecated`;
    Object.defineProperty(Socket.prototype, name, {
      get: deprecate(getter(key), message, 'DEP0112'),
      set: deprecate(setter(key), message, 'DEP0112')
    });
  }
  Socket.prototype._healthCheck = deprecate(
    function () {
      running(this);
    },
    'Socket.prototype._healthCheck() is deprecated',
    'DEP0112'
  );
  Socket.prototype._stopReceiving = deprecate(
    function () {
      const state = this[kState];
      if (!state.receiving) return;
      state.handle.recvStop();
      state.receiving = false;
    },
    'Socket.prototype._stopReceiving() is deprecated',
    'DEP0112'
  );
}

function getter(key) {
  return function () {
    return this[kState][key];
  };
}

function setter(key) {
  return function (value) {
    this[kState][key] = value;
  };
}

/** @returns {object | number} a handle, bound if an address or a port is given, or an error number */
function createSocketHandle(address, port, addressType, fd, flags) {
  const handle = createHandle(addressType, undefined, null, null);
  let status = 0;
  if (Number.isInteger(fd) && fd > 0) status = handle.open(fd);
  else if (port || address) status = handle.bind(address || '', port || 0, flags ?? 0);
  if (status === 0) return handle;
  handle.close();
  return status;
}

const _createSocketHandle = deprecate(
  createSocketHandle,
  'dgram._createSocketHandle() is deprecated',
  'DEP0112'
);

module.exports = { _createSocketHandle, define };
