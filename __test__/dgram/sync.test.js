'use strict';

// bindSync() and connectSync(), where Node has them: what they return, throw and emit. Where it has not,
// neither has ours.

const { node, ours, same, turns } = require('../support/dgram');

const known = 'bindSync' in node.Socket.prototype;

test('the methods are there where Node has them', () => {
  for (const name of ['bindSync', 'connectSync']) {
    expect(name in ours.Socket.prototype).toBe(name in node.Socket.prototype);
  }
});

/** Logs the events of a socket. */
function watch(context, socket) {
  for (const event of ['listening', 'connect', 'close', 'error']) {
    socket.on(event, (...args) => context.log(event, ...args));
  }
  return socket;
}

const binds = [
  undefined,
  {},
  { port: 0 },
  { port: '0', address: '127.0.0.1' },
  { port: -1 },
  { port: 'x' },
  { address: '::1' },
  { address: 'localhost' },
  { address: 5 },
  { address: '192.0.2.254' },
  { port: 0, exclusive: true },
  null,
  5,
  'text'
];
const connects = [
  [9],
  ['9', '127.0.0.1'],
  [9, '::1'],
  [9, 'localhost'],
  [9, ''],
  [9, 5],
  [9, null],
  [0],
  [-1],
  [],
  ['x']
];

if (known) describe('a socket', declare);

function declare() {
  for (const type of ['udp4', 'udp6']) {
    for (const options of binds) {
      same(`of ${type} binds to ${JSON.stringify(options)}, or throws`, async (context) => {
        const socket = watch(context, context.socket(type));
        context.attempt('bind', socket, () => {
          const { port, ...rest } = socket.bindSync(options);
          return { ...rest, bound: port > 0 };
        });
        await turns(2);
        context.log('in the end', socket.eventNames().map(String));
      });
    }

    for (const args of connects) {
      same(`of ${type} connects to ${JSON.stringify(args)}, or throws`, async (context) => {
        const socket = watch(context, context.socket(type));
        context.attempt('connect', socket, () => socket.connectSync(...args));
        context.attempt('peer', socket, () => socket.remoteAddress());
        await turns(2);
        context.attempt('again', socket, () => socket.connectSync(9));
      });
    }
  }

  same('binds once, and not after its end', async (context) => {
    const socket = context.socket('udp4');
    socket.bindSync();
    context.attempt('again', socket, () => socket.bindSync());
    socket.close();
    context.attempt('closed', socket, () => socket.bindSync());
    context.attempt('connect', socket, () => socket.connectSync(9));
  });

  same('that is closed in the same tick tells neither', async (context) => {
    for (const start of [(it) => it.bindSync(), (it) => it.connectSync(9)]) {
      const socket = watch(context, context.socket('udp4'));
      start(socket);
      socket.close();
      await turns(2);
    }
  });

  same('receives and sends', async (context) => {
    const receiver = context.socket('udp4');
    const { address, port } = receiver.bindSync({ address: '127.0.0.1' });
    const sender = context.socket('udp4');
    sender.connectSync(port, address);
    const received = new Promise((resolve) => receiver.on('message', resolve));
    sender.send('text');
    context.log('message', await received);
  });
}
