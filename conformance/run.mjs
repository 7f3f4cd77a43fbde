#!/usr/bin/env node
// Measures any runtime, with or without a preload, by Node core's own tests: a table and, on
// request, a JSON file. `npm run conformance` (check.mjs) is the same with our preload, as a gate.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { classifyTree, modules } from './classify.mjs';
import { testRuntime, testTree } from './obtain.mjs';
import { list, readBaseline, table, writeBaseline } from './report.mjs';
import { Runner } from './runner.mjs';

const usage = `usage: run.mjs [options]
  --tree DIR        the tests (default: Node 20's, fetched through apt)
  --runtime PATH    executable (default: a Node 20, npm's bun, deno of the PATH)
  --bun, --deno     how to drive it (default: as node)
  --preload FILE    module loaded first in the test and in the processes it starts
  --module LIST     of ${modules.join(',')} (default: all)
  --class LIST      classes to run (default: applicable; 'all' for every class)
  --only REGEX      tests whose path matches
  --native FILE     baseline of plain Node; what did not pass there is 'environment'
                    (default: baselines/node.json; 'none' for none)
  --json FILE       writes the statuses, as a baseline
  --topics          also counts by topic
  --jobs N          tests at a time (default 2)
  --timeout S       seconds before a test's process group is killed (default 30)
  --retry N         further attempts for what did not pass (default 1)`;

const { values: options } = parseArgs({
  options: {
    bun: { type: 'boolean' },
    class: { type: 'string', default: 'applicable' },
    deno: { type: 'boolean' },
    help: { type: 'boolean' },
    jobs: { type: 'string', default: '2' },
    json: { type: 'string' },
    module: { type: 'string', default: modules.join() },
    native: {
      type: 'string',
      default: fileURLToPath(new URL('baselines/node.json', import.meta.url))
    },
    only: { type: 'string', default: '' },
    preload: { type: 'string' },
    retry: { type: 'string', default: '1' },
    runtime: { type: 'string' },
    timeout: { type: 'string', default: '30' },
    topics: { type: 'boolean' },
    tree: { type: 'string' }
  }
});
if (options.help) {
  console.log(usage);
  process.exit();
}

const tree = fs.realpathSync(options.tree ?? testTree());
const kind = options.bun ? 'bun' : options.deno ? 'deno' : 'node';
const executable = options.runtime ?? testRuntime(kind);
const { preload } = options;
const runner = new Runner({ kind, executable, preload, tree, timeout: Number(options.timeout) });

const native = options.native === 'none' ? {} : readBaseline(options.native).tests;
const selected = classifyTree(tree, native).filter(
  (test) =>
    options.module.split(',').includes(test.module) && new RegExp(options.only).test(test.name)
);
const wanted = selected.filter(
  (test) => options.class === 'all' || options.class.split(',').includes(test.class)
);

const header = { runtime: `${kind} ${runner.runtime.version}`, tree: path.basename(tree) };
if (preload) {
  header.preload = path.basename(preload);
  header.replaces = runner.runtime.replaced().join() || 'nothing';
}
const started = Date.now();
await runner.run(wanted, Number(options.jobs));
await runner.retry(wanted, () => Number(options.retry));
const { results } = runner;

const shown = { ...header, seconds: Math.round((Date.now() - started) / 1000) };
console.log(
  `${Object.entries(shown)
    .map((pair) => pair.join(': '))
    .join(', ')}\n`
);
table('module', selected, results, (test) => test.module);
if (options.topics) {
  const applicable = selected.filter((test) => test.class === 'applicable');
  table('topic', applicable, results, (test) => test.topic);
}
for (const kind of new Set(wanted.map((test) => test.class))) {
  if (kind === 'applicable') continue;
  const all = wanted.filter((test) => test.class === kind);
  const passed = all.filter((test) => runner.passed(test.name));
  console.log(`${kind}: ${passed.length} of ${all.length} pass all the same`);
}
list('passed on a later attempt', runner.flaky(wanted));
if (options.json) {
  const statuses = wanted.map(({ name }) => [name, results[name].status]);
  writeBaseline(options.json, header, Object.fromEntries(statuses));
}
