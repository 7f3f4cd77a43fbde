'use strict';

// Starts the processes of a benchmark, each on its core, and sees that none outlives it.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const readline = require('node:readline');

const SERVER_CORE = 0;
const GENERATOR_CORE = 1;

/** Processes that are alive; whatever ends the benchmark ends them. */
const alive = new Set();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

class Pinned {
  #lines;
  #stderr = '';

  constructor(core, command, args) {
    const pinned = ['--cpu-list', String(core), command, ...args];
    // taskset becomes the command: the pid is the command's own.
    this.child = spawn('taskset', pinned, { stdio: ['pipe', 'pipe', 'pipe'], env: quietEnv() });
    this.what = [command, ...args].join(' ');
    alive.add(this.child);
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.#stderr += text));
    this.ended = once(this.child, 'close').finally(() => alive.delete(this.child));
    this.#lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.child.pid;
  }

  /** @returns {Promise<string>} the next line of stdout */
  async line() {
    const { value, done } = await this.#lines.next();
    if (!done) return value;
    const [code, signal] = await this.ended;
    throw new Error(`${this.what} ended (${signal ?? code}) without a word\n${this.#stderr}`);
  }

  /** Lets it finish by itself. */
  async finish() {
    this.child.stdin.end();
    const [code, signal] = await this.ended;
    if (code !== 0) throw new Error(`${this.what} ended (${signal ?? code})\n${this.#stderr}`);
  }

  /** Stops it as it is, until `go`. */
  halt() {
    this.child.kill('SIGSTOP');
  }

  go() {
    this.child.kill('SIGCONT');
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/**
 * A server under a contender; ready when it has said which port it listens on.
 *
 * @returns {Promise<{ server: Pinned, address: string }>}
 */
async function startServer(contender, words) {
  const server = new Pinned(SERVER_CORE, contender.executable, [...contender.args, ...words]);
  const port = Number(await server.line());
  if (!Number.isInteger(port)) throw new Error(`${server.what} did not print its port`);
  assertBackend(contender, server.pid);
  return { server, address: `127.0.0.1:${port}` };
}

/** A program under a contender that sends to `port`; `line` gives what it says next. */
async function startClient(contender, script, port, args) {
  const all = [...contender.args, script, String(port), ...args.map(String)];
  const client = new Pinned(SERVER_CORE, contender.executable, all);
  await client.line();
  assertBackend(contender, client.pid);
  return client;
}

/** A number measured under the wrong backend would look like any other: the addon must be mapped, or not be. */
function assertBackend(contender, pid) {
  const maps = fs.readFileSync(`/proc/${pid}/maps`, 'utf8');
  const native = /\/ferronet\.[^/]*\.node$/m.test(maps);
  if (native === (contender.host !== null)) return;
  throw new Error(`${contender.title}: the addon is ${native ? '' : 'not '}loaded`);
}

/** Runs one that prints a single line. */
async function runPinned(core, command, args) {
  const running = new Pinned(core, command, args);
  const line = await running.line();
  await running.finish();
  return line;
}

/** Our environment without what would change how a runtime behaves. */
function quietEnv() {
  const loud = /^(NODE_|BUN_|npm_|FORCE_COLOR)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !loud.test(name)));
}

module.exports = { GENERATOR_CORE, Pinned, SERVER_CORE, runPinned, startClient, startServer };
