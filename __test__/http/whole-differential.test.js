'use strict';

// Whole servers and clients against the host's own, over scenarios that are the same in every run;
// `npm run fuzz:http` plays more of them.

const path = require('node:path');

const { describe: tell, root, run, stopAll } = require('../support/child');

afterAll(stopAll);

async function play(side, cases) {
  const file = path.join(root, 'scripts', 'fuzz-http.js');
  const result = await run(file, { args: [side, '--cases', cases, '--seed', 5], limit: 60_000 });
  if (result.code !== 0) throw new Error(tell(result));
  return result.stdout.trimEnd().split('\n').pop();
}

test('a server does with requests what the host does', async () => {
  expect(await play('server', 100)).toMatch(/^100 scenarios, 0 differ/);
}, 70_000);

test('a client does with answers what the host does', async () => {
  expect(await play('client', 60)).toMatch(/^60 scenarios, 0 differ/);
}, 70_000);
