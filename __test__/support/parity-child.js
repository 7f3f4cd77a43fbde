'use strict';

// Runs one parity program in a process of its own and reports everything visible from outside.

const { spawn } = require('node:child_process');
const { afterRunning } = require('./patience');

const DEADLINE_MS = 10000;

module.exports = { runInChild, fine, failed };

/** What a child leaves that ends of its own accord. */
function fine(...log) {
  return { code: 0, signal: null, log, error: '' };
}

/** What a child leaves that ends by an error nobody caught, or by an exit code of its own. */
function failed(code, error, ...log) {
  return { code, signal: null, log, error };
}

/**
 * @param {Function} program called with the `net` module, a `log` function and `require`; sent to
 *   the child by its source text, so it must close over nothing
 * @param {string} specifier what the child requires to get the implementation
 * @returns {Promise<{ code: number | null, signal: string | null, log: unknown[], error: string }>}
 */
function runInChild(program, specifier, { execArgv = [], env = {} } = {}) {
  // The report is written last of all exit listeners, so that those of the program can still log.
  const source = `
    const entries = [];
    const { writeSync } = require('node:fs');
    const net = require(${JSON.stringify(specifier)});
    try {
      (${program})(net, (...values) => entries.push(...values), require);
    } finally {
      process.on('exit', () => writeSync(1, JSON.stringify(entries)));
    }`;
  const child = spawn(process.execPath, [...execArgv, '-e', source], {
    env: { ...process.env, ...env, NODE_OPTIONS: '', PARITY_SPECIFIER: specifier },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that its own children cannot outlive it and hold the pipes open.
    detached: true
  });
  const stop = afterRunning(DEADLINE_MS, () => killGroup(child));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => killGroup(child));
    child.on('close', (code, signal) => {
      stop();
      const log = parse(output.stdout);
      if (log) resolve({ code, signal, log, error: errorLine(output.stderr) });
      else reject(new Error(describeFailure(code, signal, output)));
    });
  });
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left, which is how it should be.
  }
}

function parse(stdout) {
  try {
    return JSON.parse(stdout);
  } catch {
    return null;
  }
}

function describeFailure(code, signal, { stdout, stderr }) {
  const how = signal ? `was ended by ${signal}` : `exited with ${code}`;
  return `the child ${how} and left no log; stdout: ${stdout}; stderr: ${stderr.slice(0, 2000)}`;
}

/** A stack names the implementation's files; only the line that names the error is comparable. */
function errorLine(stderr) {
  return stderr.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? '';
}
