#!/usr/bin/env node
// `npm run conformance`: Node's own tests of the modules that are built, under our preload; fails
// when a test of the committed baseline no longer passes. With --update rewrites that baseline,
// results.json and failures.md.

import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { classifyTree, modules, moduleOf } from './classify.mjs';
import { testRuntime, testTree } from './obtain.mjs';
import * as report from './report.mjs';
import { Runner } from './runner.mjs';

const require = createRequire(import.meta.url);

const usage = `usage: npm run conformance -- [options]
  --module LIST     of the modules that are built (default: all of them)
  --only REGEX      tests whose path matches
  --jobs N          tests at a time (default: one for each processor)
  --preload FILE    in place of ours, to try this script itself
  --update          rewrites baselines/ferronet.json, results.json and failures.md`;

// A loaded machine fails tests that wait for milliseconds: a regression has to show four times.
const retries = 3;

const files = {
  baseline: beside('baselines/ferronet.json'),
  failures: beside('failures.md'),
  native: beside('baselines/node.json'),
  reasons: beside('reasons.json'),
  results: beside('results.json')
};

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean' },
    jobs: { type: 'string', default: String(os.availableParallelism()) },
    module: { type: 'string' },
    only: { type: 'string', default: '' },
    preload: { type: 'string', default: beside('../dist/register.js') },
    update: { type: 'boolean' }
  }
});
if (options.help) console.log(usage);
else await check();

async function check() {
  require('../scripts/bundle.js').bundle();
  const chosen = options.module?.split(',') ?? builtModules();
  const jobs = Number(options.jobs);
  const unknown = chosen.filter((name) => !modules.includes(name));
  if (unknown.length) stop(`there are tests for ${modules}, not for ${unknown}`);
  if (!(jobs >= 1)) stop('--jobs must be a number');
  if (options.update && options.only) stop('--update needs whole modules, not --only');

  const tree = testTree();
  const runner = new Runner({ executable: testRuntime(), preload: options.preload, tree });
  const header = { node: runner.runtime.version, tree: path.basename(tree) };
  console.log(
    `node: ${header.node}, tree: ${header.tree}, replaces: ${replaced(runner, chosen)}\n`
  );

  const before = report.readBaseline(files.baseline).tests;
  const native = report.readBaseline(files.native).tests;
  const matches = (name) => chosen.includes(moduleOf(name)) && new RegExp(options.only).test(name);
  const all = classifyTree(tree, native).filter((test) => matches(test.name));
  const tests = all.filter((test) => test.class === 'applicable');
  if (!tests.length) stop('no test matches');

  await runner.run(tests, jobs);
  await runner.retry(tests, (test) => (failedIn(before, test) ? 1 : retries));
  const missed = tests.filter((test) => !runner.passed(test.name));
  const machine = await missedByNode(
    missed.filter((test) => !failedIn(before, test)),
    tree
  );
  const failing = missed.filter((test) => !machine.includes(test));

  report.table('module', all, runner.results, (test) => test.module);
  report.list('passed on a later attempt', runner.flaky(tests));
  report.list('not counted, as plain Node does not pass them on this machine', machine);
  if (machine.length > tests.length / 10) stop('this machine cannot judge');
  const explained = checkReasons(failing, runner);
  if (!options.update) {
    const expected = Object.keys(before).filter(matches);
    const held = compare(before, expected, tests, failing, runner);
    if (!explained || !held) process.exitCode = 1;
  } else if (!explained || machine.length) {
    stop('not updated');
  } else {
    update(header, chosen, tests, runner.results, before);
  }
}

/** Names the modules that are not Node's under the preload; all of the chosen ones must be. */
function replaced(runner, chosen) {
  const names = runner.runtime.replaced();
  const core = chosen.filter((name) => !names.includes(name));
  if (core.length) {
    stop(`the preload replaces ${names.join() || 'nothing'}: this would test Node's own ${core}`);
  }
  return names;
}

/** Whether nothing that the baseline expects was lost; prints how the run differs from it. */
function compare(before, expected, tests, failing, runner) {
  const ran = new Set(tests.map((test) => test.name));
  const lost = expected.filter((name) => !ran.has(name)).map((name) => ({ name }));
  const regressed = failing.filter((test) => before[test.name] === 'pass');
  const gained = tests.filter((test) => failedIn(before, test) && runner.passed(test.name));
  report.list('gained', gained);
  report.list('in the baseline, but not run', lost);
  report.list('regressed', regressed);
  for (const { name } of regressed) {
    const { status, output } = runner.results[name];
    console.log(`\n${name}: ${status}\n${output ?? ''}`);
  }
  return lost.length + regressed.length === 0;
}

/** Whether reasons.json has a reason for each failing test, and for none that passes. */
function checkReasons(failing, runner) {
  const reasons = report.readJson(files.reasons);
  const unexplained = failing.filter((test) => !reasons[test.name]);
  const stale = Object.keys(reasons)
    .filter((name) => runner.passed(name))
    .map((name) => ({ name }));
  if (unexplained.length) report.list('fail without a reason in reasons.json', unexplained);
  if (stale.length) report.list('pass, though reasons.json says why not', stale);
  return unexplained.length + stale.length === 0;
}

/** Which of these tests plain Node does not pass here: those say nothing about us. */
async function missedByNode(tests, tree) {
  if (!tests.length) return [];
  const plain = new Runner({ executable: testRuntime(), tree });
  await plain.run(tests, 1);
  await plain.retry(tests, () => retries);
  return tests.filter((test) => !plain.passed(test.name));
}

/** Writes the committed files; about modules that were not run they say what they said. */
function update(header, chosen, tests, results, before) {
  const kept = Object.entries(before).filter(([name]) => !chosen.includes(moduleOf(name)));
  const run = tests.map(({ name }) => [name, results[name].status]);
  const statuses = Object.fromEntries([...kept, ...run]);
  const counted = report.byModule(statuses, modules);
  report.writeBaseline(files.baseline, header, statuses);
  report.writeResults(files.results, header, counted);
  report.writeFailures(files.failures, header, counted, report.readJson(files.reasons));
}

/** The built modules that there are tests for. */
function builtModules() {
  const { status } = require('../lib/internal/modules.js');
  return modules.filter((name) => status()[name] === 'rust');
}

function failedIn(baseline, test) {
  return (baseline[test.name] ?? 'pass') !== 'pass';
}

function beside(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

function stop(why) {
  console.error(`conformance: ${why}`);
  process.exit(2);
}
