'use strict';

// Obtains the runtimes that tests and benchmarks run under, from npm's packages of their binaries,
// once each, into the user's cache.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const platform = `${process.platform}-${process.arch}`;

/**
 * @param {number} major
 * @returns {string} the executable of a Node of this major version: this very one, if it is
 */
function node(major) {
  if (Number(process.versions.node.split('.')[0]) === major) return process.execPath;
  const name = `node-${platform}`;
  return obtain(`node${major}`, `${name}@${major}`, path.join(name, 'bin', 'node'));
}

/** @returns {string} the executable of Bun */
function bun() {
  const name = `@oven/bun-${platform}`;
  return obtain('bun', name, path.join(name, 'bin', 'bun'));
}

/** @returns {string} the version a runtime prints, without a leading v */
function version(executable) {
  return execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim().replace(/^v/, '');
}

/** Installs into a folder of its own and renames it into place, so that a half install is never seen. */
function obtain(label, spec, file) {
  const dir = path.join(cacheDir(), 'runtimes', label);
  const executable = path.join(dir, 'node_modules', file);
  if (fs.existsSync(executable)) return executable;

  console.error(`fetching ${spec} from npm`);
  fs.mkdirSync(path.dirname(dir), { recursive: true });
  const partial = fs.mkdtempSync(`${dir}-`);
  try {
    const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    execFileSync('npm', ['install', '--prefix', partial, ...flags, spec], {
      stdio: ['ignore', 2, 2]
    });
    fs.rmSync(dir, { recursive: true, force: true });
    fs.renameSync(partial, dir);
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return executable;
}

/** @returns {string} where everything goes that can be fetched or built again */
function cacheDir() {
  return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'ferronet');
}

module.exports = { bun, cacheDir, node, version };
