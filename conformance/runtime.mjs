// The executable that runs the tests: stages it, says how it is driven, and asks which modules a
// preload really replaces in it.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { modules } from './classify.mjs';

const v8Flag = /^--(expose.gc|allow.natives.syntax)$/;

// The arguments before the test's own path, and the environment a runtime needs on top of ours.
const drivers = {
  node: {
    args: (test, flags, { preload }) => [...flags, ...(preload ? ['-r', preload] : [])],
    // -r reaches forked children only; NODE_OPTIONS reaches the spawned ones too.
    env: (flags, { preload }) =>
      preload ? { NODE_OPTIONS: `--require ${JSON.stringify(preload)}` } : {}
  },
  bun: {
    args: (test, flags) => [usesNodeTest(test) ? 'test' : 'run', '--no-install', ...flags],
    env: () => ({ NODE_TEST_KNOWN_GLOBALS: '0' })
  },
  deno: {
    args: (test, flags) => [
      usesNodeTest(test) ? 'test' : 'run',
      '-A',
      '--quiet',
      '--no-check',
      '--unsafe-proto',
      '--unstable-detect-cjs',
      ...flags.filter((flag) => v8Flag.test(flag)).map((flag) => `--v8-flags=${flag}`)
    ],
    env: (flags) => ({ NODE_TEST_KNOWN_GLOBALS: '0', NODE_OPTIONS: flags.join(' ') })
  }
};

export class Runtime {
  /**
   * @param {object} options
   * @param {'node'|'bun'|'deno'} [options.kind] how to drive it
   * @param {string} [options.executable] a path, or a name to look for (default: the kind)
   * @param {string} [options.preload] module loaded first in a test and the processes it starts
   * @param {string} work folder to stage it in
   */
  constructor({ kind = 'node', executable = kind, preload }, work) {
    if (preload && kind !== 'node') throw new Error('a preload needs a node runtime');
    this.kind = kind;
    this.preload = preload && path.resolve(preload);
    this.file = stage(executable, kind, work);
    this.version = this.#capture(['--version']).match(/\d+\.\d+\.\d+/)[0];
    this.flags = new Map(); // flag -> whether the runtime knows it
  }

  /** The arguments for a test and its additions to the environment: {args, env}. */
  command(test) {
    const wanted = words(test, 'Flags');
    const flags = this.kind === 'node' ? wanted.filter((flag) => this.#knows(flag)) : wanted;
    const own = words(test, 'Env').map((pair) => pair.split(/=(.*)/s).slice(0, 2));
    return {
      args: [...drivers[this.kind].args(test, flags, this), test.file],
      env: { ...Object.fromEntries(own), ...drivers[this.kind].env(flags, this) }
    };
  }

  /** The modules that are not core's under the preload, neither by require() nor by import. */
  replaced() {
    const print = (load) => `for (const name of ${JSON.stringify(modules)})
      console.log(JSON.stringify(Object.values(${load}).filter((it) => typeof it === 'function').join()))`;
    const differing = [['-e', print('require(name)')]];
    differing.push(['--input-type=module', '-e', print('await import(`node:${name}`)')]);
    const [required, imported] = differing.map((script) => {
      const [plain, ours] = [[], ['-r', this.preload]].map((args) =>
        this.#capture([...args, ...script]).split('\n')
      );
      return modules.filter((_, i) => plain[i] !== ours[i]);
    });
    return required.filter((name) => imported.includes(name));
  }

  /** Whether node starts with a flag; it exits with 9 on one it does not know. */
  #knows(flag) {
    if (!this.flags.has(flag)) {
      const { status } = spawnSync(this.file, [flag, '-e', '0'], { env: cleanEnv() });
      this.flags.set(flag, status !== 9);
    }
    return this.flags.get(flag);
  }

  #capture(args) {
    const options = { encoding: 'utf8', env: cleanEnv(), maxBuffer: 2 ** 26 };
    const { error, status, stdout, stderr } = spawnSync(this.file, args, options);
    // Silence would read as "everything is replaced".
    if (error || status !== 0) throw error ?? new Error(`${this.file} ${args[0]}: ${stderr}`);
    return stdout;
  }
}

/**
 * Puts a copy of the runtime beside a link to the `openssl` command, under the name by which the
 * tests look for it; without it they skip their checks against another TLS implementation.
 */
function stage(name, kind, work) {
  const found = fs.realpathSync(which(name) ?? name);
  const openssl = which('openssl');
  if (!openssl) return found;
  const bin = fs.mkdtempSync(path.join(work, 'bin'));
  const copy = path.join(bin, kind);
  fs.symlinkSync(openssl, path.join(bin, 'openssl-cli'));
  try {
    fs.linkSync(found, copy);
  } catch {
    fs.copyFileSync(found, copy);
  }
  return copy;
}

function which(name) {
  if (name.includes('/')) return path.resolve(name);
  const folders = process.env.PATH.split(':');
  return folders.map((dir) => path.join(dir, name)).find((file) => fs.existsSync(file));
}

/** The words of a test's comment line of this label. */
function words(test, label) {
  const line = test.source.match(new RegExp(`^// ${label}:(.*)$`, 'm'))?.[1] ?? '';
  return line.split(/\s+/).filter(Boolean);
}

function usesNodeTest(test) {
  return /['"]node:test['"]/.test(test.source);
}

/** Our environment without what would change how a runtime behaves. */
export function cleanEnv() {
  const loud = /^(NODE_|npm_|FORCE_COLOR)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !loud.test(name)));
}
