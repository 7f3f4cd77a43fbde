'use strict';

// Runs wrk against an HTTP server.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const cpu = require('./cpu');
const { GENERATOR_CORE, Pinned } = require('./processes');

const script = path.join(__dirname, 'wrk.lua');

/** wrk is no package of npm or cargo: it has to be there. */
function check() {
  const { error } = spawnSync('wrk', ['--version']);
  if (error) {
    throw new Error(`wrk cannot be run (${error.code}): install it, on Debian \`apt install wrk\``);
  }
}

/**
 * @param {string} address
 * @param {number} pid the server
 * @param {string[]} words what wrk.lua is told to send
 * @param {{ connections: number, seconds: number }} options whole seconds, counted from the first
 *   connection on
 * @returns {Promise<object>} a report as the load generator's; fails when any request failed
 */
async function load(address, pid, words, { connections, seconds }) {
  const before = cpu.read(pid);
  const report = await run(address, words, connections, seconds);
  const { user, system } = cpu.between(before, cpu.read(pid));
  return {
    ...report,
    operationsPerSecond: report.operations / report.seconds,
    bytesPerSecond: report.bytes / report.seconds,
    serverUserSeconds: user,
    serverSystemSeconds: system,
    lost: 0
  };
}

async function run(address, words, connections, seconds) {
  const many = ['--threads', '1', '--connections', String(connections)];
  const args = [...many, '--duration', `${seconds}s`, '--script', script];
  const running = new Pinned(GENERATOR_CORE, 'wrk', [
    ...args,
    `http://${address}/`,
    '--',
    ...words
  ]);
  let line;
  do line = await running.line();
  while (!line.startsWith('{'));
  await running.finish();
  const report = JSON.parse(line);
  for (const problem of ['socketErrors', 'statusErrors', 'timeouts']) {
    if (report[problem] > 0) throw new Error(`wrk: ${problem}: ${report[problem]}`);
  }
  if (report.operations === 0) throw new Error('wrk: nothing was answered');
  return report;
}

module.exports = { check, load };
