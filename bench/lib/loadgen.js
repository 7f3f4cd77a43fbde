'use strict';

// Builds the load generator and runs it against a server.

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const { cacheDir } = require('../../scripts/runtimes');
const { GENERATOR_CORE, Pinned, runPinned } = require('./processes');

const manifest = path.join(__dirname, '..', 'loadgen', 'Cargo.toml');
const target = path.join(cacheDir(), 'loadgen');
const executable = path.join(target, 'release', 'loadgen');

/** A call with nothing to do takes cargo a fraction of a second. */
function build() {
  const args = ['build', '--release', '--locked', '--quiet', '--manifest-path', manifest];
  execFileSync('cargo', [...args, '--target-dir', target], { stdio: ['ignore', 2, 2] });
}

/**
 * @param {string} address
 * @param {number} pid the server
 * @param {string} mode
 * @param {{ flags: string[], warmup: number, seconds: number }} options `warmup` in seconds that are
 *   not counted
 * @returns {Promise<object>} the generator's report; fails when any client failed
 */
async function load(address, pid, mode, { flags, warmup, seconds }) {
  const times = ['--warmup', String(warmup), '--seconds', String(seconds)];
  const all = [mode, address, '--server-pid', String(pid), ...times, ...flags];
  const report = JSON.parse(await runPinned(GENERATOR_CORE, executable, all));
  if (report.errors > 0) {
    throw new Error(
      `loadgen ${all.join(' ')}: ${report.errors} errors, first: ${report.firstError}`
    );
  }
  if (report.operations === 0) throw new Error(`loadgen ${all.join(' ')}: nothing came through`);
  return report;
}

/** Opens idle connections; they stay until `kill`. */
async function hold(address, mode, connections) {
  const args = [mode, address, '--connections', String(connections)];
  const holder = new Pinned(GENERATOR_CORE, executable, args);
  await holder.line();
  return holder;
}

/** Starts the HTTP server that clients are measured against. */
async function respond() {
  const responder = new Pinned(GENERATOR_CORE, executable, ['respond', '127.0.0.1:0']);
  const { port } = JSON.parse(await responder.line());
  return { responder, port };
}

module.exports = { build, executable, hold, load, respond };
