// What keeps a process alive and what lets it end: exactly what does with node.
'use strict';

const { NODE, report, run, start, stopAll, subject } = require('../support/child');

afterAll(stopAll);

const STATES = [
  ['a listening server', 'alive'],
  ['an unref’d server', 'drained'],
  ['a server unref’d before it listens', 'drained'],
  ['a server unref’d and ref’d again', 'alive'],
  ['a server closed', 'drained'],
  ['a server closed with a connection open', 'alive'],
  ['a connected socket', 'alive'],
  ['an accepted socket', 'alive'],
  ['a paused socket', 'alive'],
  ['all ends unref’d', 'drained'],
  ['all ends unref’d, one ref’d again', 'alive'],
  ['unref’d ends with data on its way', 'drained'],
  ['a socket unref’d before it connects', 'drained'],
  ['a connected socket with an unref’d timeout', 'drained'],
  ['a socket that never connected', 'drained'],
  ['sockets destroyed', 'drained'],
  ['sockets ended on both sides', 'drained'],
  ['a socket ended on one side only', 'alive'],
  ['a server inside a closed connection callback', 'drained']
];

test.each(STATES)('%s: the process is %s', async (state, expected) => {
  const result = await run('runtime/keeps-alive.js', { args: [state] });
  expect(result).toMatchObject({ code: 0, signal: null, stdout: `${expected}\n`, stderr: '' });
});

test('requiring the module starts nothing that keeps the process, nor any file or thread', async () => {
  const script = `
    const fs = require('node:fs');
    const folders = process.platform === 'linux' ? ['/proc/self/fd', '/proc/self/task'] : ['/dev/fd'];
    const count = () => folders.map((folder) => fs.readdirSync(folder).length);
    const before = count();
    const net = require(process.env.FERRONET_TEST_NET);
    const after = count();
    console.log(JSON.stringify({ before, after, loaded: typeof net.connect }));
  `;
  const { before, after, loaded } = await report({ script });
  expect(loaded).toBe('function');
  expect(after).toEqual(before);
});

test("'beforeExit' comes when the last handle is closed, and its work runs as with node", async () => {
  const node = await report('runtime/before-exit.js', { net: NODE });
  const round = ['listening', 'closed', 'server closed', 'beforeExit 0'];
  expect(node).toEqual([...round, ...round, 'exit 0']);
  expect(await report('runtime/before-exit.js', { net: subject })).toEqual(node);
});

test('a process that waits for a silent peer spends no CPU time on it', async () => {
  const peer = start('peers/peer.js', { args: ['still'] });
  const port = await peer.line();
  const script = `
    const { net, report } = require('./impl.js');
    const socket = net.connect(${port}, '127.0.0.1', () => {
      const before = process.cpuUsage();
      setTimeout(() => {
        const { user, system } = process.cpuUsage(before);
        report({ milliseconds: (user + system) / 1000 });
        socket.destroy();
      }, 1000);
    });
  `;
  const { milliseconds } = await report({ script });
  // A loop kept from blocking would burn the whole second.
  expect(milliseconds).toBeLessThan(300);
});
