// Runs test files as Node's tools/test.py does, each in a folder and a process group of its own,
// and says of each whether it passed.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { cleanEnv, Runtime } from './runtime.mjs';

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'conformance-'));
const running = new Set(); // process group ids

process.on('exit', () => {
  for (const group of running) kill(group);
  fs.rmSync(work, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

export class Runner {
  /** Takes the options of a Runtime, the tests' `tree`, and `timeout` in seconds for each test. */
  constructor({ tree, timeout = 30, ...runtime }) {
    this.runtime = new Runtime(runtime, work);
    this.tree = tree;
    this.timeout = timeout;
    this.results = {}; // test name -> {status, ms[, output][, flaky]}
  }

  /** Runs each test once, `jobs` at a time, those of sequential/ by themselves. */
  async run(tests, jobs) {
    await this.#batch(
      tests.filter((test) => !sequential(test)),
      jobs
    );
    await this.#batch(tests.filter(sequential), 1);
  }

  /** Runs by themselves, up to `times(test)` times, the tests that have not passed. */
  async retry(tests, times) {
    const left = (attempt) =>
      tests.filter((test) => failed(this.results[test.name]) && attempt < times(test));
    for (let attempt = 0, again; (again = left(attempt)).length; attempt++) {
      await this.#batch(again, 1);
      for (const { name } of again) {
        if (this.passed(name)) this.results[name].flaky = true;
      }
    }
  }

  passed(name) {
    return this.results[name]?.status === 'pass';
  }

  /** Those of the tests that passed, but not at the first attempt. */
  flaky(tests) {
    return tests.filter((test) => this.results[test.name]?.flaky);
  }

  /** Each worker keeps its own thread id, as in tools/test.py. */
  async #batch(tests, jobs) {
    const queue = [...tests];
    const worker = async (thread) => {
      for (let test; (test = queue.shift());) {
        const result = await this.#one(test, thread);
        this.results[test.name] = result;
        if (failed(result)) console.error(`${result.status} ${test.name}`);
      }
    };
    await Promise.all(Array.from({ length: jobs }, (_, thread) => worker(thread)));
  }

  async #one(test, thread) {
    const dir = fs.mkdtempSync(path.join(work, 't'));
    const log = path.join(dir, 'output');
    const out = fs.openSync(log, 'a');
    const { args, env } = this.runtime.command(test);
    const start = Date.now();
    const child = spawn(this.runtime.file, args, {
      cwd: dir,
      detached: true, // its own process group, so that what it leaves behind can be killed
      stdio: ['ignore', out, out],
      env: {
        ...cleanEnv(),
        // Differs from run to run, so that two runs can share a machine.
        NODE_COMMON_PORT: String(10_000 + (process.pid % 2_000) * 10),
        NODE_SKIP_FLAG_CHECK: '1',
        NODE_TEST_DIR: dir,
        NO_COLOR: '1',
        TEST_PARALLEL: sequential(test) ? '0' : '1',
        TEST_THREAD_ID: String(thread),
        ...env
      }
    });
    fs.closeSync(out);

    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill(child.pid);
    }, this.timeout * 1000);
    running.add(child.pid);
    const code = await new Promise((resolve) => child.on('exit', resolve).on('error', resolve));
    clearTimeout(timer);
    kill(child.pid);
    running.delete(child.pid);

    const ms = Date.now() - start;
    const text = fs.readFileSync(log, 'utf8');
    fs.rmSync(dir, { recursive: true, force: true });
    if (late) return { status: 'timeout', ms, output: this.#tail(text, dir) };
    if (code !== 0) return { status: 'fail', ms, output: this.#tail(text, dir) };
    return { status: /^1\.\.0 # Skipped/m.test(text) ? 'skip' : 'pass', ms };
  }

  /** The end of a test's output, without the paths of this machine. */
  #tail(text, dir) {
    const named = { TMP: dir, WORK: work, TREE: this.tree };
    for (const [name, place] of Object.entries(named)) text = text.replaceAll(place, name);
    return text.trim().slice(-2000);
  }
}

function failed(result) {
  return result?.status === 'fail' || result?.status === 'timeout';
}

function sequential(test) {
  return test.name.startsWith('sequential/');
}

function kill(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {} // nobody is left in it
}
