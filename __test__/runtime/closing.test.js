// Closing, ending and destroying at awkward moments: each object hears the same events, in the same order, as with node.
'use strict';

const { both, report, reported } = require('../support/child');

const CASES = [
  'close a server twice',
  'close a server that never listened',
  'close a server before it listens',
  'close a server that waits for a lookup',
  'listen again after close',
  'listen twice',
  'close a server with a connection open',
  'close the server in the first of many connections',
  'destroy a socket twice',
  'destroy a socket with an error',
  'destroy while connecting',
  'destroy before the connection is asked for',
  'destroy inside lookup',
  'end while connecting',
  'end twice',
  'destroy in connect, data, end and close',
  'use a socket after it is closed',
  'connect again after close',
  'connect while connected',
  'use a server after it is closed',
  'reset a connection',
  'destroySoon with data on its way',
  'destroy a server by its signal'
];

test.each(CASES)('%s: the log is the one node writes', async (name) => {
  const { node, ours } = await both('runtime/closing.js', { args: [name] });
  const expected = reported(node);
  expect(Object.values(expected).flat().length).toBeGreaterThan(0);
  expect(reported(ours)).toEqual(expected);
});

test('a server closed in its first connection announces none of those that wait behind it', async () => {
  const name = 'close the server in the first of many connections';
  const logs = await report('runtime/closing.js', { args: [name] });
  expect(logs.server).toEqual(['listening', 'connection', 'close']);
});

test('a second close() says ERR_SERVER_NOT_RUNNING and nothing else', async () => {
  const logs = await report('runtime/closing.js', { args: ['close a server twice'] });
  const said = logs.server.filter((line) => !line.startsWith('close'));
  expect(said).toEqual(['listening', 'first', 'second: ERR_SERVER_NOT_RUNNING']);
});

test('a socket destroyed while it connects never connects', async () => {
  const logs = await report('runtime/closing.js', { args: ['destroy while connecting'] });
  const lines = ['connecting true', 'close false', 'write: ERR_SOCKET_CLOSED_BEFORE_CONNECTION'];
  expect(logs.client).toEqual(lines);
});
