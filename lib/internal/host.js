'use strict';

// Node's own modules, for the public helpers ferronet does not write again (isIP, BlockList,
// SocketAddress); the only file of lib/ that may ask for them, and never to fall through to.

const Module = require('node:module');

// Under the preload, and under jest's moduleNameMapper, `require('node:net')` means ferronet's in
// this file too. Node's loader is beneath both, and the preload leaves it under this key.
const kOwn = Symbol.for('ferronet.own');
const load = Module._load[kOwn] ?? Module._load;

module.exports = {
  kOwn,

  /** For the few behaviours that Node changed between its majors. */
  nodeMajor: Number(process.versions.node.split('.')[0]),

  /** @returns {typeof import('node:dgram')} Node's own `dgram`, to see what this Node's has. */
  get dgram() {
    return once('dgram');
  },

  /** @returns {any} Node's own `http`, for a class that Node 22 shows nowhere else. */
  get http() {
    return once('http');
  },

  /** @returns {typeof import('node:net')} Node's own `net`, loaded when first asked for. */
  get net() {
    return once('net');
  }
};

const loaded = Object.create(null);

/** Loaded when first asked for: some are asked for with every request. */
function once(name) {
  return (loaded[name] ??= load(name, undefined, false));
}
