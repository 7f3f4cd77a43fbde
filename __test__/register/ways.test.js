'use strict';

// Under the preload every way of asking for net leads to ferronet's, in every thread and process.

const path = require('node:path');
const { report, root, run } = require('../support/child');

const register = path.join(root, 'dist', 'register.js');
const fixture = (name) => path.join(__dirname, 'fixtures', name);
/** What the entry of a program may be preloaded with. */
const preloads = { '-r': ['-r', register], '--import': ['--import', register] };

function expectOurs(answers) {
  const names = Object.keys(answers);
  expect(names.length).toBeGreaterThan(8);
  expect(answers).toEqual(Object.fromEntries(names.map((name) => [name, 'ferronet'])));
}

describe.each(Object.entries(preloads))('with %s', (flag, nodeArgs) => {
  test.each(['main.cjs', 'main.mjs'])('%s gets ours, and nothing is printed', async (main) => {
    const result = await run(fixture(main), { nodeArgs });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expectOurs(JSON.parse(result.stdout));
  });

  test('a program given as text gets ours', async () => {
    const script = `require(${JSON.stringify(fixture('main.cjs'))})`;
    expectOurs(await report({ script }, { nodeArgs }));
  });

  test('workers and forked children get ours', async () => {
    const names = ['worker, CommonJS', 'worker, ES module', 'fork, CommonJS', 'fork, ES module'];
    const started = await report(fixture('starts.cjs'), { nodeArgs, args: names });
    expect(Object.keys(started)).toEqual(names);
    for (const name of names) expectOurs(started[name]);
  });
});

test('a worker given as text gets ours with -r', async () => {
  const name = 'worker, code';
  const started = await report(fixture('starts.cjs'), { nodeArgs: preloads['-r'], args: [name] });
  expectOurs(started[name]);
});

test('through NODE_OPTIONS spawned children get ours as well', async () => {
  const env = { NODE_OPTIONS: `--require ${JSON.stringify(register)}` };
  const names = ['spawn', 'fork, ES module', 'worker, code'];
  const started = await report(fixture('starts.cjs'), { env, args: names });
  for (const name of names) expectOurs(started[name]);
});

test('without the preload net is Node’s, so the answers above mean something', async () => {
  const answers = await report(fixture('main.mjs'));
  expect(new Set(Object.values(answers))).toEqual(new Set(['node']));
});
