// Runs a fixture or a script text in a process of its own, under a time limit, and tells what became of it.
'use strict';

const { spawn } = require('node:child_process');
const path = require('node:path');

const root = path.resolve(__dirname, '../..');
const fixtures = path.join(root, '__test__', 'fixtures');
const NODE = 'node:net';
/** How often a child is looked at before it is killed. */
const LOOKS = 10;

/**
 * The module under test. FERRONET_TEST_IMPL unset: this package's own net. `node`: Node's net, which
 * proves the tests themselves. Anything else: the path of a module with net's shape.
 */
function implementation(named = process.env.FERRONET_TEST_IMPL) {
  if (!named || named === 'ferronet') return path.join(root, 'dist', 'net', 'index.js');
  return named === 'node' ? NODE : path.resolve(named);
}

const subject = implementation();
const alive = new Set();

/**
 * Starts a child and returns at once.
 *
 * @param {string | { script: string }} target a fixture's name, an absolute file, or a script text
 * @param {object} [options]
 * @param {string} [options.net] the net module the fixture gets; the one under test by default
 * @param {string[]} [options.args] the program's arguments
 * @param {string[]} [options.nodeArgs] node's own arguments
 * @param {object} [options.env] variables on top of this process's
 * @param {number} [options.limit] milliseconds without a word from the child until it, and only it, is
 *   killed: how long all of its work takes is up to the machine
 * @param {number} [options.files] the child's limit on open files (`ulimit -n`)
 * @param {string} [options.cwd]
 */
function start(target, options = {}) {
  const { net = subject, args = [], nodeArgs = [], env, limit = 30_000, files, cwd } = options;
  const program = typeof target === 'string' ? [file(target)] : ['-e', target.script, '--'];
  let command = process.execPath;
  let argv = [...nodeArgs, ...program, ...args.map(String)];
  if (files) {
    argv = ['-c', `ulimit -n ${Number(files)} && exec "$0" "$@"`, command, ...argv];
    command = 'sh';
  }
  const child = spawn(command, argv, {
    cwd: cwd || fixtures,
    env: { ...plainEnvironment(), FERRONET_TEST_NET: net, ...env },
    stdio: ['pipe', 'pipe', 'pipe']
  });
  const running = new Running(child, limit);
  alive.add(running);
  running.result.finally(() => alive.delete(running)).catch(() => {});
  return running;
}

/** Ends every child that a failed test left behind; for afterAll(). */
function stopAll() {
  return Promise.allSettled(Array.from(alive, (running) => running.stop()));
}

/** Starts a child, waits for its end and resolves with a {@link Running} result; never rejects. */
function run(target, options) {
  const running = start(target, options);
  running.child.stdin.end();
  return running.result;
}

/** Runs a fixture that ends with one line of JSON, and returns what that line says. */
async function report(target, options) {
  return reported(await run(target, options));
}

/** Runs the same fixture on Node's net and on the one under test, one after the other. */
async function both(target, options) {
  const node = await run(target, { ...options, net: NODE });
  const ours = await run(target, { ...options, net: subject });
  return { node, ours };
}

/** The report of a child that must have ended by itself with code 0; what it printed otherwise. */
function reported(result) {
  if (result.code !== 0 || result.timedOut)
    throw new Error(`the child failed: ${describe(result)}`);
  const last = result.stdout.trimEnd().split('\n').pop();
  try {
    return JSON.parse(last);
  } catch {
    throw new Error(`the child reported no JSON: ${describe(result)}`);
  }
}

/** One readable text about a result, for the message of a failed expectation. */
function describe(result) {
  const how = result.timedOut
    ? 'killed at its time limit'
    : `code ${result.code}, signal ${result.signal}`;
  return `${how}\n--- stdout\n${result.stdout.slice(-4000)}\n--- stderr\n${result.stderr.slice(-4000)}`;
}

module.exports = {
  NODE,
  both,
  describe,
  fixtures,
  report,
  reported,
  root,
  run,
  start,
  stopAll,
  subject
};

/** A child at work: its output line by line, its stdin, and in the end its result. */
class Running {
  constructor(child, limit) {
    this.child = child;
    this.stdout = '';
    this.stderr = '';
    this.taken = 0;
    this.waiting = [];
    this.result = this.follow(child, limit);
  }

  /** The child's next line on stdout; rejects when it ends, or is silent for too long, without one. */
  line(limit = 15_000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no further line in ${limit} ms\n${this.stdout}\n${this.stderr}`));
      }, limit);
      const answer = (settle) => (value) => {
        clearTimeout(timer);
        settle(value);
      };
      this.waiting.push({ resolve: answer(resolve), reject: answer(reject) });
      this.serve();
    });
  }

  send(text) {
    this.child.stdin.write(`${text}\n`);
  }

  /** Kills this child, if it still runs, and resolves with its result. */
  stop(signal = 'SIGKILL') {
    this.child.kill(signal);
    return this.result;
  }

  follow(child, limit) {
    return new Promise((resolve, reject) => {
      let timedOut = false;
      let silent = 0;
      // Counted, not measured: while this process is stopped itself, it hears nobody.
      const timer = setInterval(() => {
        if (++silent < LOOKS) return;
        timedOut = true;
        child.kill('SIGKILL');
      }, limit / LOOKS);
      child.stdout.setEncoding('utf8').on('data', (text) => {
        this.stdout += text;
        silent = 0;
        this.serve();
      });
      child.stderr.setEncoding('utf8').on('data', (text) => {
        this.stderr += text;
      });
      // A child that ends before it has read its input is no failure of the test.
      child.stdin.on('error', () => {});
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearInterval(timer);
        const { stdout, stderr } = this;
        const result = { code, signal, timedOut, stdout, stderr };
        this.waiting.splice(0).forEach(({ reject: fail }) => {
          fail(new Error(`the child ended before its next line: ${describe(result)}`));
        });
        resolve(result);
      });
    });
  }

  serve() {
    while (this.waiting.length > 0) {
      const end = this.stdout.indexOf('\n', this.taken);
      if (end < 0) return;
      this.waiting.shift().resolve(this.stdout.slice(this.taken, end));
      this.taken = end + 1;
    }
  }
}

function file(target) {
  return path.isAbsolute(target) ? target : path.join(fixtures, target);
}

// Colours and options meant for the test runner would change what a child prints.
function plainEnvironment() {
  const env = { ...process.env, NODE_DISABLE_COLORS: '1' };
  delete env.FORCE_COLOR;
  delete env.NO_COLOR;
  delete env.NODE_OPTIONS;
  return env;
}
