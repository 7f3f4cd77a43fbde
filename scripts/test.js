'use strict';

// `npm test`: builds if a source is newer than the addon, then runs the jest, cargo and type tests.
//
//   npm test                       everything, jest under this Node
//   npm test -- --node 22,26       jest alone, under these Nodes
//   npm test -- --all              everything, and jest under every supported Node
//   npm test -- --jest <args...>   jest alone, with these arguments

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { root } = require('../lib/internal/addon-file');
const { build, isFresh, isUsable } = require('./build');
const runtimes = require('./runtimes');
const { execute, runSteps } = require('./tally');

const SUPPORTED = [20, 22, 24, 26];
const THIS = Number(process.versions.node.split('.')[0]);

const steps = [{ title: 'addon', run: ensureAddon }];
const [option, value, ...rest] = process.argv.slice(2);
switch (option) {
  case undefined:
    steps.push(jest(THIS), { title: 'cargo', run: cargo }, { title: 'types', run: types });
    break;
  case '--all':
    steps.push(jest(THIS), { title: 'cargo', run: cargo }, { title: 'types', run: types });
    steps.push(...SUPPORTED.filter((major) => major !== THIS).map((major) => jest(major)));
    break;
  case '--node':
    steps.push(
      ...String(value)
        .split(',')
        .map((major) => jest(Number(major), rest))
    );
    break;
  case '--jest':
    steps.push(
      jest(
        THIS,
        [value, ...rest].filter((arg) => arg !== undefined)
      )
    );
    break;
  default:
    throw new Error(`npm test knows --all, --node <major,...> and --jest <args>, not ${option}`);
}
runSteps(steps);

function ensureAddon() {
  if (!isFresh() || !isUsable()) console.log(build());
}

function jest(major, args = []) {
  return { title: `jest, Node ${major}`, run: () => runJest(runtimes.node(major), args) };
}

/** Counts from jest's own report; a file that could not run at all counts as one failure. */
function runJest(node, args) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-test-'));
  const report = path.join(directory, 'report.json');
  try {
    const cli = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    // The tests start `node` by name too: it must be the one under test.
    const PATH = `${path.dirname(node)}${path.delimiter}${process.env.PATH}`;
    execute(node, [cli, '--json', `--outputFile=${report}`, ...args], {
      stdio: ['inherit', 'ignore', 'inherit'],
      env: { ...process.env, PATH }
    });
    if (!fs.existsSync(report)) throw new Error('jest ended without a report');
    const result = JSON.parse(fs.readFileSync(report, 'utf8'));
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      skipped: result.numPendingTests + result.numTodoTests
    };
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/** Adds up the `test result:` line of every test binary. */
function cargo() {
  const { status, stdout } = execute('cargo', ['test', '--release', '--locked'], {
    stdio: ['inherit', 'pipe', 'inherit']
  });
  process.stdout.write(stdout);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const line of stdout.matchAll(
    /^test result: .* (\d+) passed; (\d+) failed; (\d+) ignored/gm
  )) {
    counts.passed += Number(line[1]);
    counts.failed += Number(line[2]);
    counts.skipped += Number(line[3]);
  }
  // Neither compiled nor failed by a test: cargo itself says why.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** Every file of __test__/types is one test: it has a type error or it has none. */
function types() {
  const directory = path.join('__test__', 'types');
  const files = fs.readdirSync(path.join(root, directory)).filter((name) => /\.[cm]ts$/.test(name));
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = execute(
    process.execPath,
    [tsc, '-p', directory, '--pretty', 'false'],
    {
      stdio: ['inherit', 'pipe', 'inherit']
    }
  );
  process.stdout.write(stdout);
  const broken = files.filter((name) => stdout.includes(`${directory}${path.sep}${name}(`)).length;
  // An error may also lie in a declaration file itself.
  const failed = status === 0 ? 0 : Math.max(1, broken);
  return { passed: files.length - Math.min(files.length, failed), failed, skipped: 0 };
}
