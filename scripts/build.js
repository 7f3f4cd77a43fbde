'use strict';

// Builds the addon with cargo and puts it where lib/internal/binding.js looks; needs no npm package,
// so that a checkout, a tarball without a matching addon and CI all take the one path. `npm run build`
// makes dist/ as well.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { root, buildTarget, candidates } = require('../lib/internal/addon-file');
const { bundle } = require('./bundle');

const SOURCES = ['src', 'build.rs', 'Cargo.toml', 'Cargo.lock'];
const NO_CARGO =
  'ferronet: building the native addon needs Rust 1.88 or later and a C linker; ' +
  'install Rust from https://rustup.rs and run `npm rebuild ferronet`';

/**
 * Builds in release mode.
 * @returns {string} the addon's path
 */
function build() {
  const library = cargoBuild();
  const target = buildTarget();
  // Renamed into place: writing over a library that a running process has mapped would crash it.
  const fresh = `${target}.${process.pid}`;
  fs.copyFileSync(library, fresh);
  fs.renameSync(fresh, target);
  return target;
}

/** Asks cargo itself where the library went: a target directory can be configured in many places. */
function cargoBuild() {
  const { error, status, stdout } = spawnSync(
    'cargo',
    ['build', '--release', '--locked', '--lib', '--message-format=json-render-diagnostics'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 64 << 20 }
  );
  if (error !== undefined && /** @type {any} */ (error).code === 'ENOENT')
    throw new Error(NO_CARGO);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error('ferronet: `cargo build` failed, see above');

  const library = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, target }) => reason === 'compiler-artifact' && target.name === 'ferronet')
    .flatMap(({ filenames }) => filenames)
    .find((file) => /\.(so|dylib)$/.test(file));
  if (library === undefined) throw new Error('ferronet: cargo built no dynamic library');
  return library;
}

/** @returns {boolean} Whether an addon is there and no source is newer than it. */
function isFresh() {
  const built = modified(buildTarget());
  return built > 0 && SOURCES.every((name) => newest(path.join(root, name)) <= built);
}

/** @returns {boolean} Whether an addon is there that loads here and is of this version. */
function isUsable() {
  if (!candidates().some((file) => fs.existsSync(file))) return false;
  // In a process of its own: an addon that fails to load can take the process with it.
  const binding = path.join(root, 'lib', 'internal', 'binding.js');
  return spawnSync(process.execPath, [binding], { stdio: 'ignore' }).status === 0;
}

function newest(name) {
  const stats = fs.statSync(name);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...fs.readdirSync(name).map((entry) => newest(path.join(name, entry))));
}

function modified(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Runs a step of a script: a failure becomes one line on stderr and the exit code. */
function main(step) {
  try {
    step();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

module.exports = { build, isFresh, isUsable, main };

if (require.main === module) {
  main(() => {
    bundle();
    console.log(path.relative(process.cwd(), build()));
  });
}
