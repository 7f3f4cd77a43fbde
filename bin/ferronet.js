#!/usr/bin/env node
'use strict';

// `ferronet app.js`: runs node with the preload, for the program and every node it starts in turn.

const { spawn } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');
const { isatty } = require('node:tty');

const { version } = require('../package.json');

const USAGE = `ferronet ${version}: Node's networking modules on Rust

  ferronet [node options] app.js [arguments]   run app.js as node does, with the preload
  ferronet --status                            which modules are Rust
  ferronet --version, ferronet --help`;
const OWNERS = { rust: 'Rust', node: "Node's own", npm: "npm's" };
/**
 * What a process manager sends to this process and means for the program. A terminal sends its
 * Ctrl-C to both by itself: passed on as well, the program would get it twice.
 * @type {NodeJS.Signals[]}
 */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR2'];
/** @type {NodeJS.Signals[]} */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'];

const args = process.argv.slice(2);
switch (args[0]) {
  case undefined:
    console.error(USAGE);
    process.exitCode = 64; // EX_USAGE
    break;
  case '--help':
    console.log(USAGE);
    break;
  case '--version':
    console.log(version);
    break;
  case '--status':
    printStatus();
    break;
  default:
    run(args);
}

function printStatus() {
  const ferronet = require('ferronet');
  try {
    ferronet.net; // loads the addon
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
    return;
  }
  const file = Object.keys(require.cache).find((name) =>
    /^ferronet\..*\.node$/.test(path.basename(name))
  );
  console.log(`ferronet ${version}, ${path.basename(file)}, node ${process.version}`);
  for (const [name, owner] of Object.entries(ferronet.status())) {
    console.log(`${name.padEnd(8)}${OWNERS[owner]}`);
  }
}

/** A child of its own, so that node reads its options, argv[1] and the exit as if started directly. */
function run(nodeArgs) {
  // NODE_OPTIONS, since execArgv reaches forked children and workers but not a spawned `node`.
  const preload = `--require ${JSON.stringify(require.resolve('ferronet/register'))}`;
  const given = process.env.NODE_OPTIONS ?? '';
  const options = given.includes(preload) ? given : `${given} ${preload}`.trim();
  const child = spawn(process.execPath, [...process.execArgv, ...nodeArgs], {
    env: { ...process.env, NODE_OPTIONS: options },
    stdio: 'inherit'
  });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  for (const signal of FROM_TERMINAL) process.on(signal, () => isatty(0) || child.kill(signal));
  child.on('error', (error) => {
    console.error(`ferronet: cannot start node: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    // Ended by a signal: so does this process, or a shell would see a plain exit.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    process.exitCode = 128 + os.constants.signals[signal];
  });
}
