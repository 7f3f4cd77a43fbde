'use strict';

// Who is compared: the runtimes alone, ferronet's preload in two of them, and what the kernel alone
// costs.

const path = require('node:path');

const runtimes = require('../../scripts/runtimes');
const loadgen = require('./loadgen');

const register = path.join(__dirname, '..', '..', 'dist', 'register.js');

/** Everything is compared with this one, in the same round. */
const BASELINE = 'node26';

/** Servers of the load generator's that are nothing but their system calls; no target is held to it. */
const FLOOR = 'floor';

const FLOOR_TITLE = 'bare epoll (floor)';

const DEFAULT = ['node20', BASELINE, 'bun', 'ferronet20', 'ferronet26', FLOOR];

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} title
 * @property {string} executable
 * @property {string[]} args what comes before the script
 * @property {string | null} host the contender that is the same runtime without ferronet
 */

/**
 * @param {string} name `bun`, `floor`, or `node` or `ferronet` with a major version of Node
 * @returns {Contender}
 */
function contender(name) {
  if (name === FLOOR) {
    return { name, title: FLOOR_TITLE, executable: loadgen.executable, args: [], host: null };
  }
  if (name === 'bun') {
    const executable = runtimes.bun();
    const title = `Bun ${runtimes.version(executable)}`;
    return { name, title, executable, args: [], host: null };
  }
  const [, kind, major] = /^(node|ferronet)(\d+)$/.exec(name) ?? [];
  if (kind === undefined) throw new Error(`no contender is called ${name}`);
  const executable = runtimes.node(Number(major));
  const node = `Node ${runtimes.version(executable)}`;
  return kind === 'node'
    ? { name, title: node, executable, args: [], host: null }
    : {
        name,
        title: `ferronet on ${node}`,
        executable,
        args: ['-r', register],
        host: `node${major}`
      };
}

/** Whether it can be measured: the floor runs no program, and has servers for some of them only. */
function takesPart({ name }, bench) {
  return name !== FLOOR || bench.floor !== undefined;
}

module.exports = { BASELINE, DEFAULT, FLOOR, FLOOR_TITLE, contender, takesPart };
