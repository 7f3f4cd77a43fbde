'use strict';

// Under the preload PerformanceObserver is ours, however a program asks for it, and late.

const path = require('node:path');
const { report, root } = require('../support/child');

const register = path.join(root, 'dist', 'register.js');

/** Observes a request and says what was seen, and whether both were loaded as they were asked for. */
const USE = `
  new PerformanceObserver((list) => seen.push(...list.getEntriesByType('http'))).observe({ type: 'http' });
  const server = http.createServer((req, res) => res.end()).listen(0, () => {
    http.get({ port: server.address().port, agent: false }, (res) => {
      res.resume().on('end', () => server.close());
    });
  });
  process.on('exit', () => console.log(JSON.stringify(seen.map(({ name }) => name).sort())));`;
const SEEN = ['HttpClient', 'HttpRequest'];

test.each([
  ['the global', ''],
  ["require('perf_hooks')", "const { PerformanceObserver } = require('perf_hooks');"],
  ["require('node:perf_hooks')", "const { PerformanceObserver } = require('node:perf_hooks');"]
])('%s sees requests', async (way, declaration) => {
  const script = `${declaration} const http = require('http'); const seen = []; ${USE}`;
  expect(await report({ script }, { nodeArgs: ['-r', register] })).toEqual(SEEN);
});

test('import by name sees requests', async () => {
  const script = `import { PerformanceObserver } from 'node:perf_hooks'; import http from 'http';
    const seen = []; ${USE}`;
  const nodeArgs = ['--import', register, '--input-type=module'];
  expect(await report({ script }, { nodeArgs })).toEqual(SEEN);
});

test('what is asked for is one class, and the rest of the module is Node’s', async () => {
  const script = `
    const perfHooks = require('perf_hooks');
    import('node:perf_hooks').then((namespace) => console.log(JSON.stringify([
      perfHooks.PerformanceObserver === PerformanceObserver,
      namespace.PerformanceObserver === PerformanceObserver,
      namespace.default === perfHooks,
      perfHooks.performance === performance,
      Object.keys(Object.getOwnPropertyDescriptor(globalThis, 'PerformanceObserver'))
    ])));`;
  expect(await report({ script }, { nodeArgs: ['-r', register] })).toEqual([
    true,
    true,
    true,
    true,
    ['value', 'writable', 'enumerable', 'configurable']
  ]);
});

test('a program may have a global of its own', async () => {
  const script =
    'PerformanceObserver = 5; console.log(JSON.stringify(globalThis.PerformanceObserver));';
  expect(await report({ script }, { nodeArgs: ['-r', register] })).toBe(5);
});
