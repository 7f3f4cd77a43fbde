'use strict';

// Sockets and servers that go from one process to another, each on Node's modules or on ours: what becomes
// of them is always what becomes of them between two processes of Node's.

const path = require('node:path');
const { describe: explain, fixtures, report, root, run, stopAll } = require('../support/child');

const register = path.join(root, 'dist', 'register.js');
const OURS = ['-r', register];
const IMPORTED = ['--import', register];
const NODE = [];

/** Parents and children, as node's arguments. */
const pairings = [
  ['ours to ours', OURS, OURS],
  ['ours to Node', OURS, NODE],
  ['Node to ours', NODE, OURS]
];

const programs = [
  ['server', 'a server, which the children serve that it was sent to'],
  ['socket', 'connections, which the child goes on with, and which are counted'],
  ['keep-open', 'a socket that both go on with, and one that comes from the child'],
  ['messages', 'messages in their order, with callbacks and errors'],
  ['unix', 'a Unix domain socket and its connections'],
  ['datagrams', 'a UDP socket'],
  ['requests', 'the connection of a request'],
  ['cluster', 'sockets between a primary and its worker'],
  ['descriptors', 'sockets and servers as descriptors of a child'],
  ['open-files', 'many sockets, none of which stays open']
];

afterEach(stopAll);

function play(name, nodeArgs, childArgs, env) {
  const file = path.join(fixtures, 'ipc', `${name}.js`);
  return report(file, { nodeArgs, env: { CHILD_ARGS: JSON.stringify(childArgs), ...env } });
}

/** What each program leaves on Node's modules alone. */
const references = new Map();
function reference(name, env) {
  const key = JSON.stringify([name, env]);
  if (!references.has(key)) references.set(key, play(name, NODE, NODE, env));
  return references.get(key);
}

describe.each(programs)('%s: %s', (name) => {
  test.each(pairings)('%s', async (title, parent, child) => {
    const node = await reference(name);
    expect(node.length).toBeGreaterThan(0);
    expect(await play(name, parent, child)).toEqual(node);
  });
});

test.each(pairings)('%s, with advanced serialization', async (title, parent, child) => {
  const env = { SERIALIZATION: 'advanced' };
  expect(await play('messages', parent, child, env)).toEqual(await reference('messages', env));
});

test.each([
  ['-r', OURS],
  ['--import', IMPORTED]
])('with %s a child gets what was sent before it listens', async (flag, preload) => {
  const expected = [
    [
      ['socket', [true, false]],
      ['server', [false, true]]
    ],
    'child heard what came first',
    'served',
    [null, 'SIGTERM']
  ];
  expect(await play('early', NODE, preload)).toEqual(expected);
  expect(await play('early', preload, preload)).toEqual(expected);
});

test('a server forgets the processes that have ended, which Node waits for', async () => {
  const expected = ['got it', [null, 0], ['closed', null]];
  expect(await play('gone', OURS, OURS)).toEqual(expected);
  expect(await play('gone', OURS, NODE)).toEqual(expected);
});

test('what the fixtures send is ours on both sides', async () => {
  const script = `
    const { Socket } = require(${JSON.stringify(path.join(root, 'dist', 'net'))});
    const child_process = require('child_process');
    const net = require('net');
    const isOurs = (socket) => socket instanceof Socket && net.Socket === Socket;
    const code = \`process.on('message', (message, socket) => {
      const { Socket } = require(${JSON.stringify(path.join(root, 'dist', 'net'))});
      socket.end(String(socket instanceof Socket));
      process.disconnect();
    })\`;
    const to = child_process.spawn(process.execPath, [...process.execArgv, '-e', code], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    });
    const server = net.createServer((socket) => {
      to.send('ours?', socket);
      server.close();
    });
    server.listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1');
      client.on('data', (data) => console.log(JSON.stringify([isOurs(client), String(data)])));
    });`;
  expect(await report({ script }, { nodeArgs: OURS })).toEqual([true, 'true']);
});

test('without the preload Node says that it does not know our sockets', async () => {
  const script = `
    const net = require(process.env.FERRONET_TEST_NET);
    const to = require('child_process').spawn('cat', { stdio: ['pipe', 'inherit', 'inherit', 'ipc'] });
    try {
      to.send('socket', new net.Socket());
    } catch (error) {
      console.log(JSON.stringify(error.code));
    }
    to.kill();`;
  const result = await run({ script });
  if (result.code !== 0) throw new Error(explain(result));
  expect(result.stdout.trim()).toBe('"ERR_INVALID_HANDLE_TYPE"');
});
