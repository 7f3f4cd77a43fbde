'use strict';

// What the tarball carries: enough to run at once and to build from source, and nothing else.

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const { buildTarget } = require('../../lib/internal/addon-file');

const root = path.resolve(__dirname, '../..');
let files;

beforeAll(() => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
  const printed = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' }));
  const [entry] = Array.isArray(printed) ? printed : Object.values(printed);
  files = entry.files.map((file) => file.path);
}, 60_000);

test('the built addon is in it, and only that of this platform', () => {
  expect(files.filter((file) => file.endsWith('.node'))).toEqual([path.basename(buildTarget())]);
});

test('everything is in it that an entry or the build needs', () => {
  const { exports: entries, bin } = require('../../package.json');
  const targets = Object.values(entries).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry)
  );
  const needed = [
    ...targets.map((target) => path.posix.normalize(target)),
    ...Object.values(bin),
    ...['Cargo.toml', 'Cargo.lock', 'build.rs', 'src/lib.rs'],
    ...['scripts/build.js', 'scripts/install.js', 'lib/internal/import-hooks.mjs', 'LICENSE']
  ];
  expect(needed.filter((file) => !files.includes(file))).toEqual([]);
});

test('nothing is in it that only the project itself needs', () => {
  const foreign = /^(__test__|bench|conformance|doc|examples|node_modules|target|\.)/;
  expect(files.filter((file) => foreign.test(file))).toEqual([]);
});
