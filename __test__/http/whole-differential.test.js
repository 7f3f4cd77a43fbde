'use strict';

// Whole servers and clients against the host's own, over scenarios that are the same in every run;
// scripts/fuzz-http-server.js and scripts/fuzz-http-client.js play more of them.

const path = require('node:path');

const { describe: tell, root, run, stopAll } = require('../support/child');

const major = Number(process.versions.node.split('.')[0]);

afterAll(stopAll);

async function play(script, cases) {
  const file = path.join(root, 'scripts', script);
  const result = await run(file, { args: ['--cases', cases, '--seed', 5], limit: 60_000 });
  if (result.code !== 0) throw new Error(tell(result));
  return result.stdout.trimEnd().split('\n').pop();
}

// Node 24 tells the ends of responses otherwise, and 26 joins chunks.
const onTwenty = major === 20 ? test : test.skip;

onTwenty(
  'a server does with requests what the host does',
  async () => {
    expect(await play('fuzz-http-server.js', 60)).toMatch(/^60 scenarios, 0 differ/);
  },
  70_000
);

test('a client does with answers what the host does', async () => {
  expect(await play('fuzz-http-client.js', 40)).toMatch(/^40 scenarios, 0 differ/);
}, 70_000);
