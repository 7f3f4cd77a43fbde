// One loop driver for each environment: threads come, go and are cut off without a trace, and do not meet.
'use strict';

const { NODE, report, reported, run, start, stopAll, subject } = require('../support/child');

jest.setTimeout(240_000);
afterAll(stopAll);

const MIB = 1024 * 1024;

test('200 worker threads terminated under traffic leave nothing behind', async () => {
  const lives = (count, net) => {
    // One arena: with many, what malloc keeps depends on which threads happened to run at once.
    const env = { MALLOC_ARENA_MAX: '1' };
    const options = { net, env, args: [count], nodeArgs: ['--expose-gc'], limit: 110_000 };
    return report('runtime/worker-churn.js', options);
  };
  const ours = await lives(200, subject);
  expect(ours.exits).toEqual({ 1: 220 });
  expect(ours.after.files).toBe(ours.before.files);
  expect(ours.after.threads).toBe(ours.before.threads);
  // What V8 leaves behind a quarter of the threads is allowed; a slab per thread would be far more.
  const node = await lives(50, NODE);
  const allowed = Math.max(0, node.after.rss - node.before.rss) + 32 * MIB;
  expect(ours.after.rss - ours.before.rss).toBeLessThan(allowed);
});

test('a worker terminated in the middle of a write gives its socket back', async () => {
  const peer = start('peers/peer.js', { args: ['stalled'] });
  const port = await peer.line();
  const result = await run('runtime/worker-terminated-writing.js', { args: [port] });
  expect(reported(result)).toEqual({ codes: [1, 1, 1], leaked: 0 });
  await peer.line();
  peer.send('read');
  // All that the kernel had taken still arrives, and then the end: the descriptor was closed.
  for (;;) {
    const said = JSON.parse(await peer.line());
    if (said === 'accepted') continue;
    expect(said.bytes).toBeGreaterThan(64 * 1024);
    expect(said.ended).not.toBe('closed');
    break;
  }
  await peer.stop();
});

test('several environments serve and visit each other at once and end by themselves', async () => {
  const { sums, exits } = await report('runtime/many-environments.js');
  expect(sums).toEqual([300, 300, 300, 300, 300, 300]);
  expect(exits).toEqual([0, 0, 0, 0, 0]);
});

test('two copies of the module share a process, its timers and their sockets', async () => {
  const { distinct, echoed, fired, timeouts } = await report('runtime/two-copies.js');
  expect(distinct).toBe(subject !== NODE);
  expect(echoed).toEqual({
    'first to second': 100,
    'second to first': 100,
    'first to first': 100,
    'second to second': 100
  });
  expect(fired).toBeGreaterThan(0);
  expect(timeouts).toBe(4);
});
