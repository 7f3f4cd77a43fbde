'use strict';

// Compares our parser with the host's over cases made from a number.

const { Random } = require('../fuzz/random');
const { makeCase } = require('./cases');
const { explain, hangsHost } = require('./differences');
const { compare } = require('./observe');

/**
 * @param {object} options
 * @param {number} options.cases how many
 * @param {number} options.seed the first case's
 * @param {{ requests: string[], responses: string[] }} [options.more] seeds beside our own
 * @param {number} [options.stop] at this many failures
 * @param {(done: number) => void} [options.progress]
 */
function run({ cases, seed, more = { requests: [], responses: [] }, stop = 20, progress }) {
  const random = new Random(seed);
  /** @type {Map<string, number>} */
  const known = new Map();
  const failures = [];
  let accepted = 0;
  for (let done = 0; done < cases && failures.length < stop; done++) {
    const test = makeCase(random, more);
    if (hangsHost(test)) continue;
    const { host, ours, same } = compare(test);
    if (!host.some((line) => line.startsWith('error'))) accepted++;
    if (!same) {
      const name = explain(test, host, ours);
      if (name === undefined) failures.push({ test, host, ours });
      else known.set(name, (known.get(name) ?? 0) + 1);
    }
    if (done % 100000 === 0) progress?.(done);
  }
  return { failures, known, accepted };
}

module.exports = { run };
