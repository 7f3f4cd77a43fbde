// The memory of bulk reads passes from one socket to the next, whatever becomes of the one before.
'use strict';

const { NODE, report, stopAll, subject } = require('../support/child');

afterAll(stopAll);

describe.each([
  ['node', NODE],
  ['ours', subject]
])('bulk reads of %s', (_, net) => {
  const run = (scene) =>
    report('runtime/bulk-reads.js', { net, args: [scene], nodeArgs: ['--expose-gc'] });

  test('of a socket that is destroyed before it sees them go to no other', async () => {
    expect(await run('piped')).toEqual({ 1: 260_000 });
  });

  test('go on when one of those that wait for their turn is destroyed', async () => {
    expect(await run('queued')).toEqual([100_000, 100_000, 100_000]);
  });
});
