// All kinds of traffic in one environment that ends at a random moment, inside of a callback: no byte is
// another's, nothing crashes, hangs or stays.
'use strict';

const { report, run } = require('../support/child');

jest.setTimeout(240_000);

test.each([1, 2, 3, 4, 5, 6, 7, 8])('a process ends cleanly: %d', async (seed) => {
  const result = await run('runtime/mixed-traffic.js', { args: [seed] });
  expect(result).toMatchObject({ code: 0, signal: null, timedOut: false, stderr: '' });
});

// Node 20's own http aborts the process where a thread is terminated inside of its parser's callbacks:
// `FATAL ERROR: v8::ToLocalChecked Empty MaybeLocal`.
test('worker threads end cleanly, and leave no descriptor', async () => {
  const { leaked } = await report('runtime/mixed-traffic.js', { args: [100, 60] });
  expect(leaked).toBe(0);
});
