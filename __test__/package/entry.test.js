'use strict';

// The package's entries: what each gives, to require and to import, and how little it loads.

const fs = require('node:fs');
const path = require('node:path');
const { report, root } = require('../support/child');

const manifest = require('../../package.json');
const { replaced, status } = require('../../lib/internal/modules');

/** A program in the package's folder, where it can name itself. */
const program = (script, nodeArgs = []) => report({ script }, { cwd: root, nodeArgs });
const esm = (script) => program(script, ['--input-type=module']);

test('every entry of the manifest exists', () => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target)
  );
  const missing = [
    ...targets,
    manifest.main,
    manifest.types,
    ...Object.values(manifest.bin)
  ].filter((target) => !fs.existsSync(path.join(root, target)));
  expect(targets.length).toBeGreaterThan(5);
  expect(missing).toEqual([]);
});

test('there is an entry and a getter for every built module, and for no other', async () => {
  const built = Object.entries(status()).filter(([, owner]) => owner === 'rust');
  const names = built.map(([name]) => name);
  const entries = Object.keys(manifest.exports).filter((name) => status()[name.slice(2)]);
  const getters = await program("console.log(JSON.stringify(Object.keys(require('ferronet'))))");
  expect(names).toContain('net');
  expect(entries).toEqual(names.map((name) => `./${name}`));
  expect(getters).toEqual([...names, 'PerformanceObserver', 'status']);
  expect([...replaced.keys()]).toEqual(names.flatMap((name) => [name, `node:${name}`]));
});

test('the status names every module and its owner', async () => {
  const printed = await program("console.log(JSON.stringify(require('ferronet').status()))");
  expect(printed).toEqual(status());
  expect(printed).toMatchObject({ net: 'rust', ws: expect.stringMatching(/rust|npm/) });
});

test('the entry loads no module and no addon before one is touched', async () => {
  const loaded = await program(`
    const ferronet = require('ferronet');
    const addons = () => Object.keys(require.cache).filter((file) => file.endsWith('.node')).length;
    const before = addons();
    ferronet.net;
    console.log(JSON.stringify([before, addons(), ferronet.net === require('ferronet/net')]));`);
  expect(loaded).toEqual([0, 1, true]);
});

test('import gives the names that require gives', async () => {
  const same = await esm(`
    import ferronet, { PerformanceObserver, net as named, status } from 'ferronet';
    import * as namespace from 'ferronet/net';
    import net, { connect, createServer, Socket } from 'ferronet/net';
    console.log(JSON.stringify({
      entry: named === ferronet.net && named === net && status === ferronet.status,
      observer: PerformanceObserver === ferronet.PerformanceObserver,
      names: [connect === net.connect, createServer === net.createServer, Socket === net.Socket],
      missing: Object.keys(net).filter((name) => namespace[name] !== net[name])
    }));`);
  expect(same).toEqual({ entry: true, observer: true, names: [true, true, true], missing: [] });
});

test.each(['net', 'dgram', 'http'])(
  'under the preload import gives all the public names of Node’s own %s',
  async (name) => {
    const script = `
      import * as namespace from 'node:${name}';
      import module from 'node:${name}';
      const names = Object.keys(module).filter((name) => !name.startsWith('_'));
      const missing = names.filter((name) => namespace[name] !== module[name]);
      console.log(JSON.stringify({ names: names.sort(), missing }));`;
    const register = path.join(root, 'dist', 'register.js');
    const nodeArgs = ['--input-type=module'];
    const onNode = await program(script, nodeArgs);
    expect(onNode.missing).toEqual([]);
    expect(await program(script, ['-r', register, ...nodeArgs])).toEqual(onNode);
  }
);

test('files outside the entries cannot be required by name', async () => {
  const code = await program(`
    let code;
    try { require('ferronet/lib/internal/binding.js'); } catch (error) { code = error.code; }
    console.log(JSON.stringify(code));`);
  expect(code).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
});
