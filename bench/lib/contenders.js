'use strict';

// Who is compared: the runtimes alone, and ferronet's preload in two of them.

const path = require('node:path');

const runtimes = require('../../scripts/runtimes');

const register = path.join(__dirname, '..', '..', 'lib', 'register.js');

/** Everything is compared with this one, in the same round. */
const BASELINE = 'node26';

const DEFAULT = ['node20', BASELINE, 'bun', 'ferronet20', 'ferronet26'];

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} title
 * @property {string} executable
 * @property {string[]} args what comes before the script
 * @property {string | null} host the contender that is the same runtime without ferronet
 */

/**
 * @param {string} name `bun`, or `node` or `ferronet` with a major version of Node
 * @returns {Contender}
 */
function contender(name) {
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

module.exports = { BASELINE, DEFAULT, contender };
