'use strict';

// Runs the steps of a check and adds up what they counted; the last line is the sum, in plain words.

const { spawnSync } = require('node:child_process');

const { root } = require('../lib/internal/addon-file');

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const PASSED = { passed: 1, failed: 0, skipped: 0 };
const FAILED = { passed: 0, failed: 1, skipped: 0 };
const NONE = { passed: 0, failed: 0, skipped: 0 };

/**
 * @param {{ title: string, run: () => Counts | void }[]} steps a step may count nothing
 * @returns {Counts} the sum; the exit code follows it
 */
function runSteps(steps) {
  const sum = { ...NONE };
  for (const { title, run } of steps) {
    console.log(`\n== ${title}`);
    const counts = guarded(run);
    for (const key of Object.keys(sum)) sum[key] += counts[key];
  }
  console.log(`\n${inWords(sum)}`);
  if (sum.failed > 0 || sum.passed === 0) process.exitCode = 1;
  return sum;
}

/** A step that breaks has failed; the others still run. */
function guarded(run) {
  try {
    return run() ?? NONE;
  } catch (error) {
    console.error(error.message);
    return FAILED;
  }
}

/** A step that is one command: it passes or fails as a whole. */
function command(program, args, options) {
  return execute(program, args, options).status === 0 ? PASSED : FAILED;
}

/**
 * Runs a program from the package's root with this terminal, and throws only if it cannot start.
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
function execute(program, args, options) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    encoding: 'utf8',
    maxBuffer: 256 << 20,
    ...options
  });
  if (result.error !== undefined) {
    throw new Error(`cannot run ${program}: ${result.error.message}`);
  }
  return { ...result, stdout: String(result.stdout ?? '') };
}

/** @param {Counts} counts */
function inWords({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

module.exports = { FAILED, PASSED, command, execute, runSteps };
