'use strict';

// What the tarball carries: enough to run at once and to build from source, and nothing else.

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const { buildTarget } = require('../../lib/internal/addon-file');
const { generate } = require('../../scripts/bundle');

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
    ...['scripts/build.js', 'scripts/install.js', 'LICENSE'],
    ...Array.from(generate(path.join(root, 'lib')).keys(), (name) => `dist/${name}`)
  ];
  expect(needed.filter((file) => !files.includes(file))).toEqual([]);
});

test('nothing lies in dist/ that is not made from lib/', () => {
  const made = generate(path.join(root, 'lib'));
  const packed = files.filter((file) => file.startsWith('dist/'));
  expect(packed.length).toBeGreaterThan(10);
  expect(packed.filter((file) => !made.has(file.slice('dist/'.length)))).toEqual([]);
});

test('nothing is in it that only the project itself needs', () => {
  const foreign = /^(__test__|bench|conformance|doc|examples|node_modules|target|\.)/;
  expect(files.filter((file) => foreign.test(file))).toEqual([]);
});
