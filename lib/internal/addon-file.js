'use strict';

// The addon's file name, one per platform: what the loader looks for is what the build writes.

const path = require('node:path');
const process = require('node:process');

const root = path.join(__dirname, '..', '..');

/**
 * The addon files that may serve this platform, best guess first. Linux has two C libraries, and
 * asking which one runs takes longer than trying: a package normally carries one file only.
 * @returns {string[]}
 */
function candidates() {
  const { platform, arch } = process;
  const suffixes = platform === 'linux' ? ['-gnu', '-musl'] : [''];
  return suffixes.map((suffix) => path.join(root, `ferronet.${platform}-${arch}${suffix}.node`));
}

/** @returns {string} The file a build on this machine writes. */
function buildTarget() {
  const [first, musl] = candidates();
  return musl !== undefined && isMusl() ? musl : first;
}

function isMusl() {
  const { header } = /** @type {any} */ (process.report.getReport());
  return header.glibcVersionRuntime === undefined;
}

module.exports = { root, candidates, buildTarget };
