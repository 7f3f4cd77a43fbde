'use strict';

// Both ends of connections against the host's own, over scenarios that are the same in every run;
// `npm run fuzz:net` plays more of them.

const path = require('node:path');

const { describe: tell, root, run, stopAll } = require('../support/child');

afterAll(stopAll);

test('either end of a connection sees what it sees with the host', async () => {
  const file = path.join(root, 'scripts', 'fuzz-net.js');
  const args = ['--cases', 150, '--seed', 5];
  const result = await run(file, { args, nodeArgs: ['--no-warnings'], limit: 90_000 });
  if (result.code !== 0) throw new Error(tell(result));
  expect(result.stdout).toMatch(/^150 scenarios, 0 differ/);
}, 100_000);
