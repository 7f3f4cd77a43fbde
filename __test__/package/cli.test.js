'use strict';

// The `ferronet` command: node with the preload, and otherwise as if node had been called.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const { version } = require('../../package.json');
const { status } = require('../../lib/internal/modules');
const { run, root, start } = require('../support/child');

const cli = path.join(root, 'bin', 'ferronet.js');
const app = path.join(__dirname, 'fixtures', 'app.cjs');
const ferronet = (...args) => run(cli, { args });

/** What app.cjs says of the process it runs in. */
async function said(...args) {
  const result = await ferronet(...args);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(result.stdout);
}

test('a program sees the arguments that node would give it, and our net', async () => {
  const plain = JSON.parse((await run(app, { args: ['a', '--b', 'c d'] })).stdout);
  const ours = await said(app, 'a', '--b', 'c d');
  expect(plain).toMatchObject({ args: [app, 'a', '--b', 'c d'], net: 'node' });
  expect(ours).toEqual({ ...plain, net: 'ferronet' });
});

test("node's own options before the program reach node", async () => {
  const ours = await said('--expose-gc', '--stack-trace-limit=7', app);
  expect(ours).toMatchObject({ gc: 'function', limit: 7, args: [app] });
});

test('code given with -e runs under the preload', async () => {
  const code = `console.log(require('net') === require(${JSON.stringify(path.join(root, 'dist', 'net'))}))`;
  expect(await ferronet('-e', code)).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
});

test('a node started by the program is under the preload too', async () => {
  const code = `require('child_process').spawn(process.execPath, [${JSON.stringify(app)}], { stdio: 'inherit' })`;
  const { stdout } = await ferronet('-e', code);
  expect(JSON.parse(stdout)).toMatchObject({ net: 'ferronet' });
});

test('NODE_OPTIONS of the caller stay in force', async () => {
  const env = { NODE_OPTIONS: '--stack-trace-limit=5' };
  const result = await run(cli, { args: [app], env });
  expect(JSON.parse(result.stdout)).toMatchObject({ net: 'ferronet', limit: 5 });
});

test("the program's exit code is the command's", async () => {
  expect(await ferronet('-e', 'process.exit(7)')).toMatchObject({ code: 7 });
});

test('a program ended by a signal ends the command by that signal', async () => {
  const result = await ferronet('-e', "process.kill(process.pid, 'SIGKILL')");
  expect(result).toMatchObject({ code: null, signal: 'SIGKILL' });
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('%s reaches the program', async (signal) => {
  const code = `
    const timer = setInterval(() => {}, 1000);
    process.on('${signal}', () => { console.log('got it'); clearInterval(timer); });
    console.log('ready');`;
  const running = start(cli, { args: ['-e', code] });
  running.child.stdin.end();
  expect(await running.line()).toBe('ready');
  const result = await running.stop(signal);
  expect(result).toMatchObject({ code: 0, signal: null, stdout: 'ready\ngot it\n' });
});

test("the command's input is the program's", async () => {
  const child = spawn(process.execPath, [cli, '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end('console.log(6 * 7)');
  const [output] = await once(child.stdout.setEncoding('utf8'), 'data');
  expect(output).toBe('42\n');
  await once(child, 'close');
});

test('--status prints the addon and whose every module is', async () => {
  const { code, stdout, stderr } = await ferronet('--status');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [title, ...lines] = stdout.trimEnd().split('\n');
  expect(title).toMatch(
    new RegExp(`^ferronet ${version}, ferronet\\..*\\.node, node ${process.version}$`)
  );
  expect(lines.map((line) => line.split(/\s+/)[0])).toEqual(Object.keys(status()));
  expect(lines).toContain('net     Rust');
});

test('--version and --help print and do nothing else', async () => {
  expect(await ferronet('--version')).toMatchObject({
    code: 0,
    stdout: `${version}\n`,
    stderr: ''
  });
  expect((await ferronet('--help')).stdout).toContain('ferronet [node options] app.js');
});

test('without a program the usage goes to stderr, with an exit code of its own', async () => {
  const result = await ferronet();
  expect(result).toMatchObject({ code: 64, stdout: '' });
  expect(result.stderr).toContain('ferronet [node options] app.js');
});
