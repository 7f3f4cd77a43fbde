'use strict';

// What a dgram.Socket keeps to itself, and the steps of its life that several methods take part in.

const dns = require('node:dns');
const { errorMonitor } = require('node:events');

const { codeError } = require('../internal/errors');
const { DatagramHandle } = require('../internal/datagram-handle');
const validate = require('../internal/validate');

const kState = Symbol('state symbol');

/** @enum {number} */
const bindStates = { UNBOUND: 0, BINDING: 1, BOUND: 2 };
/** @enum {number} */
const connectStates = { DISCONNECTED: 0, CONNECTING: 1, CONNECTED: 2 };

// Of an IP address it only says, on the next tick, that it is one.
const { lookup: plainLookup } = dns;

class State {
  /** @param {'udp4' | 'udp6'} type */
  constructor(type, options, handle) {
    this.handle = handle;
    this.ipv6 = type === 'udp6';
    this.lookup = options.lookup ?? dns.lookup;
    this.bindState = bindStates.UNBOUND;
    this.connectState = connectStates.DISCONNECTED;
    this.receiving = false;
    /** What waits for the end of bind(); undefined while nothing does. */
    this.queue = undefined;
    this.reuseAddr = options.reuseAddr;
    this.reusePort = options.reusePort;
    this.ipv6Only = options.ipv6Only;
    this.recvBufferSize = options.recvBufferSize;
    this.sendBufferSize = options.sendBufferSize;
    this.receiveBlockList = options.receiveBlockList;
    this.sendBlockList = options.sendBlockList;
  }

  /** Resolves a host name, or this host if there is none; always on a later tick. */
  resolve(name, callback) {
    const { lookup } = this;
    lookup(name || (this.ipv6 ? '::1' : '127.0.0.1'), this.ipv6 ? 6 : 4, callback);
  }

  /** Whether resolve() would call back on the next tick with the very name. */
  isResolved(name) {
    return this.lookup === plainLookup && validate.isIP(name) !== 0;
  }
}

/** @returns {State} of a socket that is not closed */
function running(socket) {
  const state = socket[kState];
  if (state.handle === null) throw codeError('ERR_SOCKET_DGRAM_NOT_RUNNING');
  return state;
}

/** @returns {any} its handle, null for what is closed */
function handleOf(socket) {
  return socket[kState].handle;
}

/** Makes the handle of a socket; the type and the lookup function are checked here, in this order. */
function createHandle(type, lookup, owner, receiver) {
  const known = type === 'udp4' || type === 'udp6';
  if (known && lookup !== undefined) validate.type(lookup, 'lookup', 'function');
  if (!known) throw codeError('ERR_SOCKET_BAD_TYPE');
  return new DatagramHandle(type === 'udp6', owner, receiver);
}

/** Does something once the socket is bound; forgotten if that fails. */
function whenBound(socket, action) {
  const state = socket[kState];
  if (state.queue === undefined) {
    state.queue = [];
    socket.once(errorMonitor, onListenError);
    socket.once('listening', onListening);
  }
  state.queue.push(action);
}

function onListening() {
  this.removeListener(errorMonitor, onListenError);
  const { queue } = this[kState];
  this[kState].queue = undefined;
  for (const action of queue) action();
}

function onListenError() {
  this.removeListener('listening', onListening);
  this[kState].queue = undefined;
}

module.exports = {
  State,
  bindStates,
  connectStates,
  createHandle,
  handleOf,
  kState,
  running,
  whenBound
};
