// Brings what the tests need onto the machine, once: Node 20's test/ tree and a Node 20 to run it.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// The tests are of one Node version and hold only on it, whatever Node runs these scripts.
const major = '20';

/** The tree's folder; apt brings it at the first call. */
export function testTree() {
  const script = fileURLToPath(new URL('get-node-tests.sh', import.meta.url));
  const stdio = ['ignore', 'pipe', 'inherit'];
  const printed = execFileSync(script, [major], { encoding: 'utf8', stdio });
  return fs.realpathSync(printed.trim());
}

/** A Node of the tree's major: this very one, or npm's package of the binary. */
export function testNode() {
  if (process.versions.node.split('.')[0] === major) return process.execPath;
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  const dir = path.join(cache, 'ferronet', 'runtimes', `node${major}`);
  const name = `node-${process.platform}-${process.arch}`;
  const file = path.join(dir, 'node_modules', name, 'bin', 'node');
  if (fs.existsSync(file)) return file;

  console.error(`fetching ${name}@${major} from npm`);
  fs.mkdirSync(path.dirname(dir), { recursive: true });
  const partial = fs.mkdtempSync(`${dir}-`);
  try {
    const args = ['install', '--prefix', partial, '--no-save', '--no-audit', '--no-fund'];
    execFileSync('npm', [...args, `${name}@${major}`], { stdio: ['ignore', 2, 2] });
    fs.rmSync(dir, { recursive: true, force: true });
    fs.renameSync(partial, dir);
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return file;
}
