'use strict';

// Installs the tarball into a project of its own, as a user would: without a Rust toolchain, where
// the addon in it must serve, and from source, where it is not there.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { buildTarget, root } = require('../lib/internal/addon-file');
const { FAILED, PASSED, execute, runSteps } = require('./tally');

const ECHO = `
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1', () => client.end('echoed'));
    let text = '';
    client.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    client.on('close', () => server.close(() => console.log(text, net === ours)));
  });
`;
const FILES = {
  'package.json': '{ "name": "user", "private": true }\n',
  'echo.cjs': `const net = require('net');\nconst ours = require('ferronet/net');\n${ECHO}`,
  'echo.mjs': `import net from 'net';\nimport ours from 'ferronet/net';\n${ECHO}`
};

const project = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-package-')));
const installed = path.join(project, 'node_modules', 'ferronet');
const addon = path.join(installed, path.basename(buildTarget()));
const bare = { ...process.env, PATH: pathWithoutCargo() };
const RUNS = {
  'node -r': ['node', '-r', 'ferronet/register', 'echo.cjs'],
  'node --import': ['node', '--import', 'ferronet/register', 'echo.mjs'],
  'npx ferronet': ['npx', '--no', 'ferronet', 'echo.cjs']
};

process.on('exit', () => fs.rmSync(project, { recursive: true, force: true }));
for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(project, name), text);
runSteps([
  { title: 'the tarball installs without cargo', run: installTarball },
  ...echoes('with the addon of the tarball'),
  {
    title: 'without addon and cargo the install fails, and says what is missing',
    run: failToBuild
  },
  { title: 'the addon is built from the source in the tarball', run: buildFromSource },
  ...echoes('with the addon built from source')
]);

function installTarball() {
  const { status, stdout } = execute('npm', ['pack', '--silent', '--pack-destination', project], {
    stdio: ['ignore', 'pipe', 'inherit']
  });
  if (status !== 0) return FAILED;
  const tarball = path.join(project, stdout.trim().split('\n').pop());
  console.log(`${path.basename(tarball)}, ${Math.round(fs.statSync(tarball).size / 1024)} KiB`);
  // Without its scripts: nothing may be missing that they would make.
  const options = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund'];
  const result = inProject('npm', ['install', ...options, tarball]);
  if (result.status !== 0) return FAILED;
  const others = fs.readdirSync(path.dirname(installed)).filter((name) => !/^\./.test(name));
  return expectEqual(others, ['ferronet'], 'the installed packages');
}

function echoes(how) {
  return Object.entries(RUNS).map(([title, [program, ...args]]) => ({
    title: `${title} ${how}`,
    run: () => expectEqual(inProject(program, args).stdout, 'echoed true\n', 'the output')
  }));
}

function failToBuild() {
  fs.rmSync(addon);
  const result = inProject('node', ['scripts/install.js'], { cwd: installed });
  if (result.status === 0) return FAILED;
  return /^ferronet: .*Rust.*\n$/.test(result.stderr) ? PASSED : FAILED;
}

/** As npm runs it at the install; a target folder that stays makes the next check faster. */
function buildFromSource() {
  const env = { ...process.env, CARGO_TARGET_DIR: path.join(root, 'target', 'package') };
  const result = inProject('npm', ['rebuild', 'ferronet'], { env });
  return result.status === 0 && fs.existsSync(addon) ? PASSED : FAILED;
}

function inProject(program, args, options = {}) {
  /** @type {import('node:child_process').StdioOptions} */
  const stdio = ['ignore', 'pipe', 'pipe'];
  const result = execute(program, args, { cwd: project, env: bare, stdio, ...options });
  if (result.status !== 0 || result.stderr !== '') process.stderr.write(String(result.stderr));
  return { ...result, stderr: String(result.stderr) };
}

function expectEqual(actual, expected, what) {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return PASSED;
  console.error(`${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  return FAILED;
}

/** A folder of links to what npm itself needs, since cargo may lie beside node. */
function pathWithoutCargo() {
  const folder = path.join(project, 'path');
  fs.mkdirSync(folder);
  for (const name of ['node', 'npm', 'npx', 'sh', 'env']) {
    fs.symlinkSync(fs.realpathSync(which(name)), path.join(folder, name));
  }
  return folder;
}

function which(name) {
  if (name === 'node') return process.execPath;
  const found = String(process.env.PATH)
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => fs.existsSync(file));
  if (found === undefined) throw new Error(`${name} is not on the PATH`);
  return found;
}
