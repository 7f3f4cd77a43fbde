'use strict';

// What the preload leaves alone: Node's internals, the other modules, and the time before net is used.

const path = require('node:path');
const { describe: explain, report, root, run } = require('../support/child');

const register = path.join(root, 'dist', 'register.js');
const nodeArgs = ['-r', register];
const ours = JSON.stringify(path.join(root, 'dist', 'net', 'index.js'));

/** Runs the body of an async function under the preload and returns what it returned. */
function under(body, options) {
  const script = `(async () => { ${body} })().then((value) => console.log(JSON.stringify(value)))`;
  return report({ script }, { nodeArgs, ...options });
}

test('neither net nor the addon is loaded before a program asks for it', async () => {
  const loaded = await under(`
    const loaded = () => Object.keys(require.cache).some((file) => file === ${ours});
    const addons = () => Object.keys(require.cache).filter((file) => file.endsWith('.node'));
    const before = [loaded(), addons()];
    require('net');
    return [...before, loaded()];`);
  expect(loaded).toEqual([false, [], true]);
});

test("Node's own modules keep Node's net underneath", async () => {
  const kept = await under(`
    const host = require('node:module')._load[Symbol.for('ferronet.own')]('net');
    const tls = require('tls');
    return {
      server: Object.getPrototypeOf(tls.Server.prototype) === host.Server.prototype,
      tls: Object.getPrototypeOf(tls.TLSSocket.prototype) === host.Socket.prototype,
      ours: require('net') !== host && require('net').Server !== host.Server
    };`);
  expect(kept).toEqual({ server: true, tls: true, ours: true });
});

test('an HTTP request and its answer pass', async () => {
  const body = await under(`
    const http = require('http');
    const server = http.createServer((request, response) => response.end('over ' + request.url));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    return new Promise((resolve, reject) => {
      http.get({ port, host: '127.0.0.1', path: '/a' }, (response) => {
        response.setEncoding('utf8').on('data', resolve).on('end', () => server.close());
      }).on('error', reject);
    });`);
  expect(body).toBe('over /a');
});

test('what Node says about its modules stays', async () => {
  const said = await under(`
    const Module = require('module');
    return {
      builtin: Module.builtinModules.includes('net'),
      isBuiltin: [Module.isBuiltin('net'), Module.isBuiltin('node:net')],
      resolve: [require.resolve('net'), require.resolve('node:net')],
      others: ['fs', 'http', 'stream'].every((name) => require(name) === Module._load(name)),
      unknown: (() => { try { require('node:nett'); } catch (error) { return error.code; } })(),
      missing: (() => { try { require('./net'); } catch (error) { return error.code; } })()
    };`);
  expect(said).toEqual({
    builtin: true,
    isBuiltin: [true, true],
    resolve: ['net', 'node:net'],
    others: true,
    unknown: 'ERR_UNKNOWN_BUILTIN_MODULE',
    missing: 'MODULE_NOT_FOUND'
  });
});

test('preloaded twice it is in force once', async () => {
  const once = await under(
    `const load = require('module')._load;
     delete require.cache[${JSON.stringify(register)}];
     require(${JSON.stringify(register)});
     return load === require('module')._load;`,
    { nodeArgs: [...nodeArgs, ...nodeArgs] }
  );
  expect(once).toBe(true);
});

test('ferronet itself gets Node’s helpers, not itself', async () => {
  const internal = path.join(root, 'dist', 'chunks', 'internal.js');
  const helpers = await under(`
    const { net } = require(${JSON.stringify(internal)})('internal/host.js');
    return { other: net !== require('net'), isIP: net.isIP('::1') };`);
  expect(helpers).toEqual({ other: true, isIP: 6 });
});

test('an import of a name that net has not fails as with Node', async () => {
  const script = "import { nothingOfThatName } from 'net';";
  const args = [...nodeArgs, '--input-type=module'];
  const result = await run({ script }, { nodeArgs: args });
  if (result.code !== 1) throw new Error(explain(result));
  expect(result.stderr).toContain('SyntaxError');
});
