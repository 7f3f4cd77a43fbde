// Each event is a callback of its own, as with node: its ticks and microtasks, its async context, its exceptions.
'use strict';

const { both, report, reported, run } = require('../support/child');

const EVENTS = ['connection', 'connect', 'data', 'end'];
const COUNT = 8;
const HOSTS = [
  ['in one callback of node', []],
  ['each in a callback of node', ['-r', './runtime/without-tick-callback.js']]
];

describe('eight events that wait for one turn of the loop', () => {
  describe.each(HOSTS)('%s', (_, nodeArgs) => {
    test.each(EVENTS)('%s: each has its ticks and microtasks before the next', async (event) => {
      await hasItsOwn(event, nodeArgs);
    });
  });

  async function hasItsOwn(event, nodeArgs) {
    const options = { args: [event, 'none'], nodeArgs };
    const { log, troubles } = await report('runtime/one-turn.js', options);
    const expected = Array.from({ length: COUNT }, (_, i) => [
      `${event} ${i}`,
      `tick ${i}`,
      `promise ${i}`
    ]);
    expect(troubles).toEqual([]);
    // Which socket is first is the kernel's choice; that a socket's three lines stay together is not.
    const groups = Array.from({ length: COUNT }, (_, i) => log.slice(3 * i, 3 * i + 3));
    expect(groups.sort()).toEqual(expected.sort());
  }

  const TROUBLES = ['throw', 'throw in a tick', 'throw in a microtask', 'reject'];
  describe.each(TROUBLES)('%s in three of them', (trouble) => {
    test.each(EVENTS)('%s: each is seen, and the others come as with node', async (event) => {
      const { node, ours } = await outcomes(event, trouble);
      expect(ours.seen).toBe(COUNT);
      expect(ours.troubles).toHaveLength(3);
      expect(ours.troubles).toEqual(node.troubles);
      expect(ordered(event, ours.log)).toEqual(ordered(event, node.log));
    });
  });

  // Node takes one connection in each iteration of its loop: a tick that an exception left over runs
  // before the next one there, and after it where several are taken in one turn.
  function ordered(event, log) {
    return event === 'connection' ? log.slice().sort() : log;
  }

  async function outcomes(event, trouble) {
    const { node, ours } = await both('runtime/one-turn.js', { args: [event, trouble] });
    return { node: reported(node), ours: reported(ours) };
  }
});

describe.each(['tcp', 'unix'])('one connection over %s', (family) => {
  test('has the same events, ticks, microtasks and AsyncLocalStorage stores as with node', async () => {
    const { node, ours } = await both('runtime/callback-order.js', { args: [family] });
    const expected = reported(node).logs;
    expect(expected.client).toContain('connect [client]');
    expect(reported(ours).logs).toEqual(expected);
  });

  test('shows async_hooks the same resources, and runs each event in the same one', async () => {
    const options = { args: [family, 'hooks'] };
    const { node, ours } = await both('runtime/callback-order.js', options);
    const expected = reported(node);
    expect(expected.created).toContain(family === 'unix' ? 'PIPEWRAP' : 'TCPWRAP');
    expect(reported(ours)).toEqual(expected);
  });
});

describe('a promise rejected in a handler', () => {
  const HANDLERS = [
    'server connection',
    'server close',
    'accepted data',
    'accepted close',
    'client connect',
    'client data',
    'client close'
  ];
  test.each(HANDLERS)('%s: ends up with unhandledRejection', async (event) => {
    const { node, ours } = await both('runtime/rejections.js', { args: ['plain', event] });
    const seen = reported(ours);
    expect(seen.process).toEqual([`unhandledRejection rejected in ${event}`]);
    expect(seen).toEqual(reported(node));
  });

  test.each(HANDLERS)('%s: goes where node sends it if rejections are captured', async (event) => {
    const { node, ours } = await both('runtime/rejections.js', { args: ['captured', event] });
    expect(reported(ours)).toEqual(reported(node));
  });

  test('ends the process with code 1 where nobody listens', async () => {
    const result = await run('runtime/exit-inside.js', { args: ['data', 'reject'] });
    expect(result).toMatchObject({ code: 1, signal: null });
    expect(result.stderr).toContain('rejected inside');
  });
});
