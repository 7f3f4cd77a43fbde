'use strict';

// Errors with a code come out as Node's whatever a program has made of `Error`.

const path = require('node:path');

const { report, root } = require('../support/child');

const OURS = path.join(root, 'dist', 'net');

const changes = {
  'as it is': '',
  'without captureStackTrace()': 'delete Error.captureStackTrace;',
  'whose captureStackTrace() throws':
    "Error.captureStackTrace = () => { throw new Error('mine'); };",
  'whose captureStackTrace() does nothing': 'Error.captureStackTrace = () => {};',
  'whose prepareStackTrace() throws':
    "Error.prepareStackTrace = () => { throw new Error('mine'); };",
  'whose prepareStackTrace() gives a list':
    'Error.prepareStackTrace = (_, frames) => frames.length > 0;',
  'without frames': 'Error.stackTraceLimit = 0;',
  'with a limit that is no number': "Error.stackTraceLimit = 'x';",
  'with names that cannot be changed':
    'for (const { prototype } of [Error, TypeError, RangeError]) Object.freeze(prototype);'
};

test.each(Object.entries(changes))('an Error %s', async (_, change) => {
  const told = (specifier) =>
    report({
      script: `
        const net = require(${JSON.stringify(specifier)});
        ${change}
        const told = [];
        const tell = (call) => {
          try {
            call();
            told.push('nothing');
          } catch (error) {
            const { name, code, message } = error;
            let stack;
            try {
              stack = typeof error.stack === 'string' ? error.stack.split('\\n')[0] : error.stack;
            } catch {
              stack = 'throws';
            }
            told.push([error.constructor.name, name, code, message, stack]);
          }
        };
        tell(() => net.connect(99999));
        tell(() => net.connect({ port: {} }));
        tell(() => net.connect({}));
        tell(() => new net.Socket({ fd: -1 }));
        tell(() => net.createServer().listen({ port: -1 }));
        console.log(JSON.stringify(told));`
    });
  const ours = await told(OURS);
  expect(ours).toHaveLength(5);
  expect(ours).toEqual(await told('node:net'));
});

test('an Error that is frozen stops no reader', async () => {
  const script = `
    const net = require(${JSON.stringify(OURS)});
    Object.freeze(Error);
    const server = net.createServer((socket) => socket.end('bytes')).listen(0, '127.0.0.1', () => {
      const socket = net.connect(server.address().port, '127.0.0.1');
      // Of the name, and without a prototype, as those that wrap a socket have them.
      socket.on('data', { ondata(chunk) { console.log(JSON.stringify(String(chunk))); } }.ondata);
      socket.on('close', () => server.close());
    });`;
  expect(await report({ script })).toBe('bytes');
});
