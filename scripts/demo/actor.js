'use strict';

// One example's process in the demo: started, shown line by line, held to what it must say.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const readline = require('node:readline');

const root = path.join(__dirname, '..', '..');

/** Processes that are alive; whatever ends the demo (Ctrl-C, a closed pipe) ends them. */
const alive = new Set();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** Milliseconds that a process may keep the demo waiting. */
const PATIENCE = 10_000;

class Actor {
  #lines;
  #ended;

  /**
   * @param {string} role the prefix of what it says
   * @param {string[]} command Node's arguments: options, a script, the script's arguments
   */
  constructor(role, command) {
    this.role = role;
    this.child = spawn(process.execPath, command, { cwd: root });
    alive.add(this.child);
    this.#ended = once(this.child, 'close').finally(() => alive.delete(this.child));
    this.#lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    const complaints = readline.createInterface({ input: this.child.stderr });
    complaints.on('line', (line) => this.#show(`! ${line}`));
  }

  /**
   * Its next line must be this one.
   * @param {string | RegExp} expected
   * @returns {Promise<string>} the line, or the first group of the expression
   */
  async says(expected) {
    const { value: line, done } = await this.#inTime(this.#lines.next(), expected);
    if (done) throw new Error(`${this.role} ended and should have said ${expected}`);
    this.#show(line);
    if (line === expected) return line;
    const match = expected instanceof RegExp && expected.exec(line);
    if (!match) throw new Error(`${this.role} should have said ${expected}`);
    return match[1] ?? line;
  }

  /** It must now end by itself, well, and without another word. */
  async ends() {
    const { value: line, done } = await this.#inTime(this.#lines.next(), 'nothing more');
    if (!done) throw new Error(`${this.role} should have ended and said ${line}`);
    const [code, signal] = await this.#inTime(this.#ended, 'nothing more');
    if (code !== 0) throw new Error(`${this.role} ended with ${signal ?? `exit code ${code}`}`);
  }

  /** Types a line at its keyboard. */
  types(line) {
    this.#show(`> ${line}`);
    this.child.stdin.write(`${line}\n`);
  }

  /** Ctrl-D at its keyboard. */
  hangsUp() {
    this.#show('> (end of input)');
    this.child.stdin.end();
  }

  /** Ctrl-C at its keyboard. */
  interrupt() {
    this.child.kill('SIGINT');
  }

  kill() {
    this.child.kill('SIGKILL');
  }

  async #inTime(promise, expected) {
    let timer;
    const late = new Promise((_, reject) => {
      const error = new Error(`${this.role} is silent and should have said ${expected}`);
      timer = setTimeout(reject, PATIENCE, error);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  #show(line) {
    console.log(`  ${this.role.padEnd(11)} | ${line}`);
  }
}

module.exports = { Actor, root };
