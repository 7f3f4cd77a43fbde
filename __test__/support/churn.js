'use strict';

// Worker threads that are terminated by the hundred, and what is left of them.

const { report } = require('./child');

const MIB = 1024 * 1024;

/**
 * Plays `script` on `ours`, and a quarter as long or so on `node`: `[impl, count]` each.
 * @param {string} script of fixtures/, one that calls fixtures/churn.js
 * @param {{ ours: [string, number], node: [string, number], warm: number }} how
 */
async function expectNothingLeft(script, { ours, node, warm }) {
  const lives = ([net, count]) => {
    // One arena: with many, what malloc keeps depends on which threads happened to run at once.
    const env = { MALLOC_ARENA_MAX: '1' };
    return report(script, { net, env, args: [count], nodeArgs: ['--expose-gc'] });
  };
  const result = await lives(ours);
  expect(result.exits).toEqual({ 1: ours[1] + warm });
  expect(result.after.files).toBe(result.before.files);
  expect(result.after.threads).toBe(result.before.threads);
  // What V8 leaves behind fewer threads is allowed; a slab per thread would be far more.
  const reference = await lives(node);
  const allowed = Math.max(0, reference.after.rss - reference.before.rss) + 32 * MIB;
  expect(result.after.rss - result.before.rss).toBeLessThan(allowed);
}

module.exports = { expectNothingLeft };
