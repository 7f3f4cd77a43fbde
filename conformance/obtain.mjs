// Brings what the tests need onto the machine, once: Node 20's test/ tree and a Node 20 to run it.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const runtimes = createRequire(import.meta.url)('../scripts/runtimes.js');

// The tests are of one Node version and hold only on it, whatever Node runs these scripts.
const major = 20;

/** The tree's folder; apt brings it at the first call. */
export function testTree() {
  const script = fileURLToPath(new URL('get-node-tests.sh', import.meta.url));
  const stdio = ['ignore', 'pipe', 'inherit'];
  const printed = execFileSync(script, [String(major)], { encoding: 'utf8', stdio });
  return fs.realpathSync(printed.trim());
}

/** The executable that a kind of runtime is run with where none is named. */
export function testRuntime(kind = 'node') {
  if (kind === 'node') return runtimes.node(major);
  return kind === 'bun' ? runtimes.bun() : kind;
}
