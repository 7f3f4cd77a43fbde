// One loop driver for each environment: threads come, go and are cut off without a trace, and do not meet.
'use strict';

const { NODE, report, reported, run, start, stopAll, subject } = require('../support/child');
const { expectNothingLeft } = require('../support/churn');

jest.setTimeout(240_000);
afterAll(stopAll);

test('200 worker threads terminated under traffic leave nothing behind', async () => {
  const how = { ours: [subject, 200], node: [NODE, 50], warm: 20 };
  await expectNothingLeft('runtime/worker-churn.js', how);
}, 600_000);

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
