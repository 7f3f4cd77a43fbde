'use strict';

// The module `dgram`: createSocket() and the class of what it creates.

const { dgram: host } = require('../internal/host');
const { Socket } = require('./socket');

function createSocket(type, listener) {
  return new Socket(type, listener);
}

module.exports = { createSocket, Socket };

if ('_createSocketHandle' in host) {
  const { _createSocketHandle } = require('./deprecated');
  module.exports = { _createSocketHandle, createSocket, Socket };
}
