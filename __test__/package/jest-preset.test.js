'use strict';

// The jest preset, proved by a jest of its own in a project that has ferronet installed.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.resolve(__dirname, '../..');
const jestCli = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
let project;

beforeEach(() => {
  project = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-jest-')));
  fs.mkdirSync(path.join(project, 'node_modules'));
  fs.symlinkSync(root, path.join(project, 'node_modules', 'ferronet'));
  fs.cpSync(path.join(__dirname, 'fixtures', 'jest'), project, { recursive: true });
});

afterEach(() => fs.rmSync(project, { recursive: true }));

/** The outcome of each test of the project under a configuration. */
function runJest(config) {
  const settings = { testMatch: ['**/*.test.?(m)js'], transform: {}, ...config };
  fs.writeFileSync(path.join(project, 'package.json'), JSON.stringify({ jest: settings }));
  const args = ['--experimental-vm-modules', '--no-warnings', jestCli, '--json', '--runInBand'];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' }
  });
  if (!stdout.startsWith('{')) throw new Error(stderr);
  const files = JSON.parse(stdout).testResults;
  const results = files.flatMap((file) =>
    file.assertionResults.map(({ title, status }) => [title, status])
  );
  return { failures: stderr, results: Object.fromEntries(results) };
}

const TESTS = [
  'every way leads to one net, and it is not Node’s',
  'a connection through it echoes',
  'the module was loaded once for the process',
  'import leads to the same net, by default and by name'
];

test('with the preset net is ours in CommonJS and ES module tests', () => {
  const { results } = runJest({ preset: 'ferronet' });
  expect(results).toEqual(Object.fromEntries(TESTS.map((title) => [title, 'passed'])));
});

test('names that the project itself maps stay mapped', () => {
  const moduleNameMapper = { '^mapped$': '<rootDir>/mapped.js' };
  fs.writeFileSync(path.join(project, 'mapped.js'), 'module.exports = 42;\n');
  fs.writeFileSync(
    path.join(project, 'mapped.test.js'),
    "test('mapped', () => expect(require('mapped')).toBe(42));\n"
  );
  const { results } = runJest({ preset: 'ferronet', moduleNameMapper });
  expect(results).toMatchObject({ mapped: 'passed', [TESTS[0]]: 'passed' });
});

test('without the preset the same tests fail', () => {
  expect(runJest({}).results[TESTS[0]]).toBe('failed');
});
