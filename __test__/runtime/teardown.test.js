// The process's end, from any callback and under traffic: same code, same last events, same last bytes as with node.
'use strict';

const { NODE, both, describe: told, run, start, stopAll, subject } = require('../support/child');

jest.setTimeout(120_000);

const CALLBACKS = [
  'listening',
  'lookup',
  'connection',
  'connect',
  'data',
  'write',
  'drain',
  'finish',
  'end',
  'close',
  'error',
  'timeout',
  'server close'
];

describe('process.exit inside a callback', () => {
  test.each(CALLBACKS)('%s: ends the process with its code at once', async (where) => {
    const result = await run('runtime/exit-inside.js', { args: [where, 'exit'] });
    expect(result).toMatchObject({ code: 7, signal: null, stdout: 'exit 7\n', stderr: '' });
  });

  test.each(['connection', 'data', 'close'])('%s, in a tick of it: the same', async (where) => {
    const result = await run('runtime/exit-inside.js', { args: [where, 'tick'] });
    expect(result).toMatchObject({ code: 7, signal: null, stdout: 'exit 7\n', stderr: '' });
  });
});

describe('a callback that nobody guards', () => {
  test.each(CALLBACKS)('%s: an exception ends the process as node does', async (where) => {
    const { node, ours } = await both('runtime/exit-inside.js', { args: [where, 'throw'] });
    expect(node).toMatchObject({ code: 1, stdout: 'exit 1\n' });
    expect(ours).toMatchObject({ code: 1, signal: null, stdout: 'exit 1\n' });
    expect(ours.stderr).toContain('RangeError: thrown inside');
  });

  test.each(['connection', 'data', 'close'])('%s: so does a rejection', async (where) => {
    const result = await run('runtime/exit-inside.js', { args: [where, 'reject'] });
    expect(result).toMatchObject({ code: 1, signal: null, stdout: 'exit 1\n' });
    expect(result.stderr).toContain('RangeError: rejected inside');
  });

  test('a signal ends it under traffic', async () => {
    const result = await run('runtime/exit-inside.js', { args: ['data', 'kill'] });
    expect(result).toMatchObject({ code: null, signal: 'SIGTERM', timedOut: false });
  });
});

describe('the end under traffic', () => {
  const ways = [
    ['destroy', 'exit 0\n'],
    ['destroy from a timer', 'exit 0\n'],
    ['reset', 'exit 0\n'],
    ['exit from a timer', 'exit 0\n'],
    ['exit from an immediate', 'exit 0\n'],
    ['exit from a promise', 'exit 0\n'],
    ['unref', 'exit 0\n'],
    ['abandon', '']
  ];
  test.each(ways)('%s: is clean, every time', async (how, stdout) => {
    // Where in a turn the end falls differs from run to run.
    for (let time = 0; time < 4; time++) {
      const result = await run('runtime/end-under-traffic.js', { args: [how] });
      expect(result).toMatchObject({ code: 0, signal: null, timedOut: false, stdout, stderr: '' });
    }
  });
});

describe('the last words', () => {
  let peer;
  let port;

  beforeAll(async () => {
    peer = start('peers/peer.js', { args: ['sink'], limit: 110_000 });
    port = await peer.line();
  });
  afterAll(stopAll);

  // How many bytes node delivers, said here too, so that node itself is held to it.
  const words = [
    ['connect', 12],
    ['data', 9],
    ['tick', 11],
    ['promise', 14],
    ['timer', 12],
    ['immediate', 17],
    ['many small writes', 8890],
    ['64 KiB', 65536],
    ['end', 7],
    ['exit event', 9],
    ['uncaught exception', 16],
    ['still connecting', 0],
    ['corked', 0],
    ['destroyed', 14],
    ['destroyed, not exited', 14]
  ];
  test.each(words)('%s: what was written before the end arrives', async (how, bytes) => {
    const node = await heard(NODE, how);
    expect(node.bytes).toBe(bytes);
    const ours = await heard(subject, how);
    expect(ours).toEqual(node);
  });

  async function heard(net, how) {
    const result = await run('runtime/last-words.js', { net, args: [port, how] });
    if (result.timedOut || result.signal) throw new Error(told(result));
    const { bytes, sha1 } = JSON.parse(await peer.line());
    return { bytes, sha1, code: result.code };
  }
});
