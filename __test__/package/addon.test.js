'use strict';

// Finding, checking, building and installing the addon, in copies of the package with a cargo of
// their own that only pretends.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { buildTarget } = require('../../lib/internal/addon-file');

const root = path.resolve(__dirname, '../..');
const addonName = path.basename(buildTarget());
const COPIED = [
  ...['addon-file.js', 'binding.js'].map((name) => path.join('lib', 'internal', name)),
  ...['build.js', 'bundle.js', 'install.js', 'prepack.js'].map((name) =>
    path.join('scripts', name)
  ),
  ...['package.json', 'build.rs', 'Cargo.toml', 'Cargo.lock', path.join('src', 'lib.rs')]
];

let copy;

beforeEach(() => {
  copy = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-addon-')));
  for (const name of COPIED) {
    fs.mkdirSync(path.dirname(path.join(copy, name)), { recursive: true });
    fs.copyFileSync(path.join(root, name), path.join(copy, name));
  }
  fs.mkdirSync(path.join(copy, 'bin'));
});

afterEach(() => fs.rmSync(copy, { recursive: true }));

/** Runs a script of the copy; its PATH holds nothing but what the test put into bin/. */
function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: copy,
    env: { PATH: path.join(copy, 'bin') },
    encoding: 'utf8'
  });
  return { status, stdout, stderr };
}

const install = () => run('scripts/install.js');
const load = () =>
  run(
    '-e',
    "try { require('./lib/internal/binding') } catch (e) { console.log(e.code, e.message) }"
  );
const has = (name) => fs.existsSync(path.join(copy, name));

function placeAddon(name = addonName) {
  fs.copyFileSync(buildTarget(), path.join(copy, name));
}

/** A cargo that leaves a trace, and reports `library` as what it built. */
function pretendCargo({ library = 'built.so', exit = 0 } = {}) {
  const message = {
    reason: 'compiler-artifact',
    target: { name: 'ferronet' },
    filenames: [path.join(copy, library)]
  };
  const cargo = path.join(copy, 'bin', 'cargo');
  const script = `#!/bin/sh\n: > ran\necho "$@" > args\necho '${JSON.stringify(message)}'\nexit ${exit}\n`;
  fs.writeFileSync(cargo, script, { mode: 0o755 });
}

function changeVersion(version) {
  const file = path.join(copy, 'package.json');
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  fs.writeFileSync(file, JSON.stringify({ ...manifest, version }));
}

describe('loading', () => {
  test('an addon of this version is loaded', () => {
    placeAddon();
    expect(load()).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('without an addon the error says how to get one', () => {
    expect(load().stdout).toMatch(/^ERR_FERRONET_ADDON .*no native addon.*npm rebuild ferronet/);
  });

  test('an addon of another version is refused, and both versions are named', () => {
    placeAddon();
    changeVersion('9.9.9');
    const { version } = require('../../package.json');
    const { stdout } = load();
    expect(stdout).toMatch(/^ERR_FERRONET_ADDON /);
    expect(stdout).toContain(`is version ${version}, the package 9.9.9`);
  });

  test('a file that is no addon is refused with the reason', () => {
    fs.writeFileSync(path.join(copy, addonName), 'not a library');
    expect(load().stdout).toMatch(new RegExp(`^ERR_FERRONET_ADDON .*${addonName}`));
  });
});

describe('npm install', () => {
  test('a usable addon is kept, and cargo is not asked', () => {
    placeAddon();
    pretendCargo();
    expect(install()).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(has('ran')).toBe(false);
  });

  test('dist/ is made where it is not, also when the addon is there', () => {
    placeAddon();
    fs.writeFileSync(path.join(copy, 'lib', 'index.js'), "require('./internal/binding');\n");
    expect(install()).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(run('dist/index.js')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('without addon and cargo one line says what to install', () => {
    const { status, stdout, stderr } = install();
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^ferronet: .*Rust.*rustup\.rs.*\n$/);
  });

  test('without an addon cargo builds one in release mode from the lock file', () => {
    pretendCargo();
    placeAddon('built.so');
    expect(install()).toMatchObject({ status: 0, stderr: '' });
    expect(fs.readFileSync(path.join(copy, 'args'), 'utf8')).toMatch(/^build --release --locked /);
    expect(load()).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(fs.readdirSync(copy).filter((name) => name.startsWith(addonName))).toEqual([addonName]);
  });

  test('an addon of another version is built anew', () => {
    placeAddon();
    changeVersion('9.9.9');
    pretendCargo();
    placeAddon('built.so');
    expect(install().status).toBe(0);
    expect(has('ran')).toBe(true);
  });

  test('a build that fails fails the install', () => {
    pretendCargo({ exit: 101 });
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr).toContain('`cargo build` failed');
    expect(has(addonName)).toBe(false);
  });
});

describe('npm pack', () => {
  test('an addon older than a source is built anew', () => {
    placeAddon();
    pretendCargo();
    placeAddon('built.so');
    const later = Date.now() / 1000 + 60;
    fs.utimesSync(path.join(copy, 'src', 'lib.rs'), later, later);
    expect(run('scripts/prepack.js').status).toBe(0);
    expect(has('ran')).toBe(true);
  });

  test('an addon newer than every source is packed as it is', () => {
    pretendCargo();
    placeAddon();
    expect(run('scripts/prepack.js').status).toBe(0);
    expect(has('ran')).toBe(false);
  });
});
