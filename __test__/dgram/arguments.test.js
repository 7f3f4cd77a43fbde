'use strict';

// The argument forms of createSocket, bind, connect and send, by seeded chance: ours throws, calls
// back, emits and delivers what Node's does. Print the seed's case by its number to see it alone.

const { inspect } = require('node:util');

const { node, ours, plain, turns } = require('../support/dgram');

const CASES = 150;
const SEEDS = [1, 2, 3];

/** A generator of numbers below 1 (mulberry32). */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function pick(random, values) {
  return values[Math.floor(random() * values.length)];
}

/** Stand for what differs from run to run: the receiver's port, a callback that logs. */
const PORT = Symbol('port');
const PORT_TEXT = Symbol('port as text');
const CALLBACK = Symbol('callback');

const view = new Uint8Array([9, 65, 66, 67, 68, 69, 9]).subarray(1, 6);
const messages = [
  'text',
  '',
  'ü',
  Buffer.from('bytes'),
  view,
  new Uint16Array([0x4141, 0x4242]),
  new DataView(view.buffer, 2, 3),
  [],
  ['a', Buffer.from('b')],
  [view, ''],
  [Buffer.alloc(0)],
  [1],
  [null],
  5,
  null,
  undefined,
  true,
  {},
  new ArrayBuffer(3),
  Symbol('message')
];
const numbers = [
  0,
  1,
  2,
  3,
  5,
  6,
  -1,
  1.5,
  NaN,
  '1',
  '3',
  'x',
  null,
  undefined,
  {},
  [],
  true,
  2 ** 32,
  2 ** 32 + 1,
  Infinity,
  65535,
  65536,
  70000
];
const ports = [
  PORT,
  PORT,
  PORT,
  PORT,
  PORT_TEXT,
  0,
  -1,
  '0',
  '',
  ' ',
  65536,
  null,
  undefined,
  1.5,
  {},
  true,
  CALLBACK
];
const addresses = [
  '127.0.0.1',
  '127.0.0.1',
  '',
  null,
  undefined,
  '::1',
  'name',
  'nowhere',
  5,
  0,
  false,
  true,
  [],
  {},
  CALLBACK,
  '127.0.0.1%lo',
  '1.2.3'
];
const callbacks = [CALLBACK, CALLBACK, undefined, null, 5, 'x', {}];

/** Either one of the documented forms, or anything anywhere. */
function sendArguments(random) {
  const message = pick(random, messages);
  const offset = pick(random, numbers);
  const length = pick(random, numbers);
  const rest = [pick(random, ports), pick(random, addresses), pick(random, callbacks)];
  const form = Math.floor(random() * 6);
  if (form === 0) return [message, ...rest];
  if (form === 1) return [message, offset, length, ...rest];
  if (form === 2) return [message, pick(random, callbacks)];
  if (form === 3) return [message, offset, length, pick(random, callbacks)];
  if (form === 4)
    return [message, 1, 2, PORT, '127.0.0.1', CALLBACK].slice(0, 1 + Math.floor(random() * 6));
  const anything = [...messages, ...numbers, ...ports, ...addresses, ...callbacks];
  return Array.from({ length: Math.floor(random() * 7) }, () => pick(random, anything));
}

function bindArguments(random) {
  const port = () =>
    pick(random, [
      0,
      undefined,
      null,
      '0',
      'x',
      NaN,
      PORT,
      PORT_TEXT,
      -1,
      1.5,
      65536,
      70000,
      true,
      CALLBACK
    ]);
  const address = () =>
    pick(random, [
      '127.0.0.1',
      '',
      null,
      undefined,
      '::1',
      '1.1.1.1',
      'name',
      'nowhere',
      0,
      false,
      CALLBACK
    ]);
  const form = Math.floor(random() * 4);
  if (form === 0)
    return [port(), address(), pick(random, callbacks)].slice(0, Math.floor(random() * 4));
  if (form === 1) {
    const options = {
      port: port(),
      address: address(),
      exclusive: pick(random, [true, false, undefined, 1])
    };
    if (random() < 0.4) options.fd = pick(random, [0, -1, 1.5, null, '7', 99999, undefined]);
    return [options, pick(random, callbacks)];
  }
  if (form === 2) return [{}, CALLBACK].slice(0, 1 + Math.floor(random() * 2));
  return [pick(random, [...callbacks, port()]), address()];
}

function connectArguments(random) {
  return [pick(random, ports), pick(random, addresses), pick(random, callbacks)].slice(
    0,
    Math.floor(random() * 4)
  );
}

/** Resolves as dns.lookup does, without the system's help. */
function lookup(name, family, callback) {
  if (name === 'nowhere')
    return process.nextTick(callback, new Error(`no such name for ${family}`));
  process.nextTick(callback, null, name === 'name' ? '127.0.0.1' : name, family);
}

/**
 * What a call did: threw, or what followed of callbacks, events and datagrams.
 * @param {typeof node} dgram
 */
async function outcome(dgram, { method, state, args }) {
  const seen = [];
  const receiver = dgram.createSocket('udp4');
  await new Promise((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  const { port } = receiver.address();
  const labels = new Map([[port, 'PORT']]);
  const note = (...values) => seen.push(plain(values, labels));
  receiver.on('message', (message, rinfo) => note('message', message, rinfo.size));

  const socket = dgram.createSocket({ type: 'udp4', lookup });
  socket.on('error', (error) => note('error', error));
  socket.on('listening', () => note('listening', socket.address().address));
  socket.on('connect', () => note('connect'));
  if (state === 'bound' || state === 'connected') {
    await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  }
  if (state === 'connected')
    await new Promise((resolve) => socket.connect(port, '127.0.0.1', resolve));
  if (state === 'closed') await new Promise((resolve) => socket.close(resolve));
  seen.length = 0;

  const given = args.map((value) => materialize(value, port, note));
  try {
    const returned = socket[method](...given);
    note('returned', returned === socket ? 'the socket' : returned);
  } catch (error) {
    note('threw', error);
  }
  await turns(6);
  receiver.close();
  if (state !== 'closed') socket.close();
  await turns(2);
  return seen;
}

function materialize(value, port, note) {
  if (value === PORT) return port;
  if (value === PORT_TEXT) return String(port);
  if (value === CALLBACK) return (...results) => note('called back', ...results);
  if (
    value !== null &&
    typeof value === 'object' &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, materialize(item, port, note)])
    );
  }
  return value;
}

/** Whether two logs agree but for which of two independent things came first. */
function sorted(log) {
  return log.map((entry) => JSON.stringify(entry)).sort();
}

const plans = {
  send: { make: sendArguments, states: ['unbound', 'bound', 'bound', 'connected', 'closed'] },
  bind: { make: bindArguments, states: ['unbound', 'unbound', 'bound', 'closed'] },
  connect: { make: connectArguments, states: ['unbound', 'bound', 'connected', 'closed'] }
};

describe.each(Object.keys(plans))('%s', (method) => {
  test.each(SEEDS)('with the arguments of seed %i', async (seed) => {
    const random = chance(seed * 1000 + method.length);
    const kinds = new Set();
    for (let number = 0; number < CASES; number++) {
      const { make, states } = plans[method];
      const trial = { method, state: pick(random, states), args: make(random) };
      const expected = await outcome(node, trial);
      const answered = await outcome(ours, trial);
      const shown = `case ${number}: ${trial.state} ${method}(${trial.args.map((it) => inspect(it)).join(', ')})`;
      expect([shown, ...sorted(answered)]).toEqual([shown, ...sorted(expected)]);
      kinds.add(expected.map(([what]) => what).join());
    }
    // Chance must have found more than refusals.
    expect(kinds.size).toBeGreaterThan(3);
  });
});

describe('createSocket', () => {
  const values = [undefined, null, 0, 1, 'x', {}, true, () => {}, -1, 1.5, NaN];
  const options = [
    'type',
    'recvBufferSize',
    'sendBufferSize',
    'lookup',
    'signal',
    'reuseAddr',
    'ipv6Only'
  ];
  const types = ['udp4', 'udp6', 'udp5', undefined, null, 4, {}, [], 'UDP4'];

  function created(dgram, type) {
    try {
      const socket = dgram.createSocket(type);
      socket.close();
      return [socket.type];
    } catch (error) {
      return plain(error);
    }
  }

  test.each(types)('of the type %p', (type) => {
    expect(created(ours, type)).toEqual(created(node, type));
    expect(created(ours, { type })).toEqual(created(node, { type }));
  });

  test.each(options)('with any value of %s', (name) => {
    for (const value of values) {
      const given = { type: 'udp4', [name]: value };
      expect([name, value, created(ours, given)]).toEqual([name, value, created(node, given)]);
    }
  });
});

describe('sendto', () => {
  test.each([
    [['m', 0, 1, PORT, '127.0.0.1', CALLBACK]],
    [['message', 2, 3, PORT, '127.0.0.1']],
    [[]],
    [['m', '0', 1, PORT, 'a']],
    [['m', 0, '1', PORT, 'a']],
    [['m', 0, 1, '1', 'a']],
    [['m', 0, 1, 1, 5]]
  ])('with %p', async (args) => {
    const trial = { method: 'sendto', state: 'bound', args };
    const expected = await outcome(node, trial);
    expect(expected.length).toBeGreaterThan(0);
    expect(sorted(await outcome(ours, trial))).toEqual(sorted(expected));
  });
});
