'use strict';

// The options of a socket, multicast over loopback, and the class's shape, against Node's.

const { node, ours, plain, same, both, turns } = require('../support/dgram');

const names = (object) => Object.getOwnPropertyNames(object).sort();

test('the module and the class have what this Node has', () => {
  expect(names(ours)).toEqual(names(node));
  expect(names(ours.Socket.prototype)).toEqual(names(node.Socket.prototype));
  for (const name of names(node.Socket.prototype)) {
    const [expected, own] = [node, ours].map((it) =>
      Object.getOwnPropertyDescriptor(it.Socket.prototype, name)
    );
    expect([name, own.enumerable, own.value?.length]).toEqual([
      name,
      expected.enumerable,
      expected.value?.length
    ]);
  }
  const socket = ours.Socket('udp4');
  expect(socket).toBeUndefined();
});

const methods = [
  'address',
  'remoteAddress',
  'setBroadcast',
  'setTTL',
  'setMulticastTTL',
  'setMulticastLoopback',
  'setMulticastInterface',
  'addMembership',
  'dropMembership',
  'addSourceSpecificMembership',
  'dropSourceSpecificMembership',
  'getRecvBufferSize',
  'getSendBufferSize',
  'setRecvBufferSize',
  'setSendBufferSize',
  'ref',
  'unref',
  'disconnect'
];
const values = [
  [],
  [undefined],
  [null],
  [0],
  [1],
  [-1],
  [255],
  [256],
  [1.9],
  ['1'],
  ['x'],
  [true],
  [{}],
  [NaN],
  ['127.0.0.1'],
  ['::%lo'],
  ['224.0.0.114'],
  ['224.0.0.114', '127.0.0.1'],
  ['224.0.0.114', 'x'],
  ['ff02::114', '::%lo'],
  ['127.0.0.1', '232.1.1.1'],
  ['127.0.0.1', '232.1.1.1', '127.0.0.1'],
  ['::1', 'ff3e::1', '::%lo'],
  ['::1', '232.1.1.1'],
  [4096],
  [2 ** 31],
  [2 ** 32]
];

describe.each(['udp4', 'udp6'])('%s', (type) => {
  for (const method of methods) {
    same(`${method} with all kinds of values, before and after bind and close`, async (context) => {
      for (const state of ['unbound', 'bound', 'closed']) {
        for (const args of values) {
          const socket =
            state === 'unbound' ? context.socket(type) : await context.bound('PORT', type);
          if (state === 'closed') await new Promise((resolve) => socket.close(resolve));
          context.attempt([state, ...args], socket, () => {
            const returned = socket[method](...args);
            return method === 'address' ? { ...returned, port: 'PORT' } : returned;
          });
          if (state !== 'closed') socket.close();
        }
      }
    });
  }

  same('buffer sizes given as options, and read back', async (context) => {
    const socket = await context.bound('PORT', type, {
      recvBufferSize: 10000,
      sendBufferSize: 15000
    });
    context.log(socket.getRecvBufferSize(), socket.getSendBufferSize());
    socket.setRecvBufferSize(20000);
    context.log(socket.getRecvBufferSize(), socket.getSendBufferSize());
  });

  both('sends and receives over loopback, with its own port and family', async (dgram) => {
    const [one, two] = [dgram.createSocket(type), dgram.createSocket(type)];
    await Promise.all([one, two].map((it) => new Promise((resolve) => it.bind(0, resolve))));
    const got = new Promise((resolve) => two.on('message', (...args) => resolve(args)));
    one.send('hello', two.address().port);
    const [message, rinfo] = await got;
    const address = type === 'udp4' ? '127.0.0.1' : '::1';
    const family = type === 'udp4' ? 'IPv4' : 'IPv6';
    expect(String(message)).toBe('hello');
    expect(rinfo).toEqual({ address, family, port: one.address().port, size: 5 });
    one.close();
    two.close();
  });
});

both(
  'two sockets that reuse an address both hear a multicast group over loopback',
  async (dgram) => {
    const group = '224.0.0.114';
    const make = () => dgram.createSocket({ type: 'udp4', reuseAddr: true });
    const [one, two, sender] = [make(), make(), make()];
    await new Promise((resolve) => one.bind(0, resolve));
    const { port } = one.address();
    await new Promise((resolve) => two.bind(port, resolve));
    await new Promise((resolve) => sender.bind(0, '127.0.0.1', resolve));
    const heard = [one, two].map((socket) => {
      socket.addMembership(group, '127.0.0.1');
      return new Promise((resolve) => socket.once('message', resolve));
    });
    sender.setMulticastInterface('127.0.0.1');
    sender.setMulticastLoopback(true);
    sender.send('to all', port, group);
    expect((await Promise.all(heard)).map(String)).toEqual(['to all', 'to all']);
    one.dropMembership(group, '127.0.0.1');
    for (const socket of [one, two, sender]) socket.close();
  }
);

same('receiveBlockList and sendBlockList, where this Node has them', async (context) => {
  const { BlockList } = require('node:net');
  const major = Number(process.versions.node.split('.')[0]);
  const list = new BlockList();
  list.addAddress('127.0.0.1');
  if (major < 24) return context.log('this Node ignores the options');
  const receiver = await context.bound('RECEIVER', 'udp4', { receiveBlockList: list });
  const sender = await context.bound('SENDER');
  const blocked = await context.bound('BLOCKED', 'udp4', { sendBlockList: list });
  receiver.on('message', (message) => context.log('message', message));
  sender.send('x', receiver.address().port, '127.0.0.1', (...results) =>
    context.log('sent', ...results)
  );
  blocked.send('x', sender.address().port, '127.0.0.1', (...results) =>
    context.log('sent', ...results)
  );
  blocked.connect(sender.address().port, '127.0.0.1', (...results) =>
    context.log('connect', ...results)
  );
  await turns(4);
});

test('the newer options work on every Node', async () => {
  const { BlockList } = require('node:net');
  const receiveBlockList = new BlockList();
  receiveBlockList.addAddress('127.0.0.1');
  const receiver = ours.createSocket({ type: 'udp4', receiveBlockList });
  const sender = ours.createSocket({ type: 'udp4', sendBlockList: receiveBlockList });
  await new Promise((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  const messages = [];
  receiver.on('message', (message) => messages.push(message));
  const plainSender = ours.createSocket('udp4');
  await new Promise((resolve) => plainSender.send('x', receiver.address().port, resolve));
  const error = await new Promise((resolve) => sender.send('x', 9, '127.0.0.1', resolve));
  expect(error.code).toBe('ERR_IP_BLOCKED');
  await turns(4);
  expect(messages).toEqual([]);
  expect(plain(receiver.address().address)).toBe('127.0.0.1');
  for (const socket of [receiver, sender, plainSender]) socket.close();

  const first = ours.createSocket({ type: 'udp4', reusePort: true });
  const second = ours.createSocket({ type: 'udp4', reusePort: true });
  await new Promise((resolve) => first.bind(0, '127.0.0.1', resolve));
  await new Promise((resolve, reject) => {
    second.on('error', reject);
    second.bind(first.address().port, '127.0.0.1', resolve);
  });
  first.close();
  second.close();
});
