'use strict';

// Node's own modules, for the public helpers ferronet does not write again (BlockList, SocketAddress),
// or adds to; the only file of lib/ that may ask for them, never to fall through to, and late: they load
// slowly.

const Module = require('node:module');
const process = require('node:process');

// Under the preload, and under jest's moduleNameMapper, `require('node:net')` means ferronet's in
// this file too. Node's loader is beneath both, and the preload leaves it under this key.
const kOwn = Symbol.for('ferronet.own');
const load = Module._load[kOwn] ?? Module._load;

const [major, minor] = process.versions.node.split('.').map(Number);

module.exports = {
  cluster,
  kOwn,
  since,

  /** For the few behaviours that Node changed between its majors. */
  nodeMajor: major,

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
  },

  /** @returns {typeof import('node:perf_hooks')} Node's own `perf_hooks`, to add our entries to. */
  get perfHooks() {
    return once('perf_hooks');
  },

  /** @returns {typeof import('node:tls')} Node's own `tls`, to know it around a socket. */
  get tls() {
    return once('tls');
  }
};

const loaded = Object.create(null);

/** Loaded when first asked for: some are asked for with every request. */
function once(name) {
  return (loaded[name] ??= load(name, undefined, false));
}

/** @returns {any} the module `cluster` in a worker of one; nobody else loads it. */
function cluster() {
  // Whoever was not forked has no channel to send on.
  if (process.send === undefined) return null;
  const module = require('node:cluster');
  return module.isWorker ? module : null;
}

/**
 * @param {[number, number]} backport the release that brought something to an older line
 * @param {[number, number]} first the first release of the newest line that has it
 * @returns {boolean} whether this Node has it
 */
function since([line, least], [newest, first]) {
  if (major === line) return minor >= least;
  return major === newest ? minor >= first : major > newest;
}
