'use strict';

// What a socket tells and when: the order of events, callbacks, ticks and microtasks, the errors, and
// what closing leaves out. Node's own log is the expectation.

const { errorMonitor, once } = require('node:events');

const { both, same, turns } = require('../support/dgram');

same('each message has its ticks and microtasks before the next', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const sender = await context.bound('SENDER');
  receiver.on('message', (message) => {
    const text = String(message);
    context.log('message', text);
    process.nextTick(() => context.log('tick', text));
    Promise.resolve().then(() => {
      context.log('microtask', text);
      process.nextTick(() => context.log('second tick', text));
    });
  });
  for (let i = 0; i < 6; i++) sender.send(`m${i}`, receiver.address().port, '127.0.0.1');
  await turns(6);
});

same('a socket closed in a message handler gets no further message', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const sender = await context.bound('SENDER');
  receiver.on('close', () => context.log('close'));
  receiver.on('message', (message, rinfo) => {
    context.log('message', message, rinfo);
    if (String(message) === 'm2') receiver.close();
  });
  for (let i = 0; i < 6; i++) sender.send(`m${i}`, receiver.address().port, '127.0.0.1');
  await once(receiver, 'close');
  await turns(4);
});

same('a message handler that waits does not hold back the messages after it', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const sender = await context.bound('SENDER');
  const seen = [];
  receiver.on('message', async (message) => {
    seen.push(String(message));
    if (seen.length === 1) await Promise.reject(new Error('handled')).catch(() => {});
  });
  for (let i = 0; i < 3; i++) sender.send(`m${i}`, receiver.address().port, '127.0.0.1');
  await turns(5);
  context.log(seen);
});

same('rinfo is fresh for each message', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const sender = await context.bound('SENDER');
  const seen = [];
  receiver.on('message', (message, rinfo) => {
    seen.push(rinfo);
    context.log(rinfo);
    rinfo.address = 'changed';
    rinfo.extra = true;
  });
  sender.send('one', receiver.address().port, '127.0.0.1');
  sender.send('two', receiver.address().port, '127.0.0.1');
  await turns(5);
  context.log(seen.length, seen[0] === seen[1]);
});

same('callbacks of send come in order, among the ticks where Node has them', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const sender = await context.bound('SENDER');
  const { port } = receiver.address();
  process.nextTick(() => context.log('tick before'));
  for (let i = 0; i < 4; i++) {
    sender.send(`m${i}`, port, '127.0.0.1', (...results) => {
      context.log('sent', i, ...results);
      Promise.resolve().then(() => context.log('microtask of', i));
    });
    process.nextTick(() => context.log('tick', i));
  }
  Promise.resolve().then(() => context.log('microtask'));
  await turns(3);
});

same('a connected socket calls back on the next tick', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const sender = context.socket('udp4');
  await new Promise((resolve) => sender.connect(receiver.address().port, resolve));
  receiver.on('message', (message) => context.log('message', message));
  process.nextTick(() => context.log('tick before'));
  sender.send('a', (...results) => context.log('sent', ...results));
  sender.send(Buffer.from('bcd'), 1, 1, (...results) => context.log('sent', ...results));
  process.nextTick(() => context.log('tick after'));
  await turns(4);
});

same('a refusal fails every other datagram and ends as an error event', async (context) => {
  const gone = await context.bound('GONE');
  const { port } = gone.address();
  await new Promise((resolve) => gone.close(resolve));
  const sender = context.socket('udp4');
  await new Promise((resolve) => sender.connect(port, '127.0.0.1', resolve));
  sender.on('error', (error) => context.log('error', error));
  for (let i = 0; i < 5; i++)
    sender.send(`m${i}`, (...results) => context.log('sent', i, ...results));
  await turns(5);
});

same('a datagram that is too long fails alone', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const sender = await context.bound('SENDER');
  receiver.on('message', (message) => context.log('message', message));
  const { port } = receiver.address();
  const results = [];
  for (const size of [1, 65507, 65508, 65536, 256 * 1024, 2]) {
    sender.send(Buffer.alloc(size, 'x'), port, '127.0.0.1', (error, bytes) => {
      results.push([size, error?.message.replace(port, 'PORT'), bytes]);
    });
  }
  await turns(6);
  context.log(results);
});

same('an address of the other family is an error of the datagram', async (context) => {
  const sender = await context.bound('SENDER');
  sender.on('error', (error) => context.log('error', error));
  sender.send('x', 9, '::1', (...results) => context.log('sent', ...results));
  sender.send('x', 9, '::1');
  await turns(3);
});

same('what an unbound socket sends waits for its bind', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const { port } = receiver.address();
  const sender = context.socket('udp4');
  receiver.on('message', (message) => context.log('message', message));
  sender.on('listening', () => context.log('listening'));
  sender.send('first', port, '127.0.0.1', (error) => context.log('sent first', error));
  sender.send('second', port, '127.0.0.1', (error) => context.log('sent second', error));
  context.log(sender.getSendQueueSize(), sender.getSendQueueCount());
  await turns(6);
});

same('what was sent right before close is kept or dropped as by Node', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const { port } = receiver.address();
  receiver.on('message', (message) => context.log('message', message));

  const unconnected = await context.bound('UNCONNECTED');
  unconnected.send('dropped', port, '127.0.0.1', () => context.log('never'));
  unconnected.send('dropped too', port, '127.0.0.1');
  unconnected.close(() => context.log('unconnected closed'));

  const connected = context.socket('udp4');
  await new Promise((resolve) => connected.connect(port, '127.0.0.1', resolve));
  connected.send('kept', (...results) => context.log('sent', ...results));
  connected.send('kept too');
  connected.close(() => context.log('connected closed'));

  const later = await context.bound('LATER');
  later.send('a tick earlier', port, '127.0.0.1');
  process.nextTick(() => later.close());
  await turns(6);
});

same('close on a socket that is being bound waits for it', async (context) => {
  const receiver = await context.bound('RECEIVER');
  const socket = context.socket('udp4');
  socket.on('listening', () => context.log('listening'));
  socket.on('close', () => context.log('close'));
  socket.send('x', receiver.address().port, '127.0.0.1', () => context.log('sent'));
  socket.close(() => context.log('closed'));
  await turns(5);
});

same('a failed bind is an error event, and the next may succeed', async (context) => {
  const taken = await context.bound('TAKEN');
  const socket = context.socket('udp4');
  socket.on('error', (error) => context.log('error', error));
  socket.on('listening', () => context.log('listening', socket.address().address));
  socket.bind(taken.address().port, '127.0.0.1', () => context.log('never'));
  await turns(3);
  socket.bind(0, '127.0.0.1', () => context.log('bound'));
  await turns(3);
});

same(
  "a callback of bind listens to 'error' as Node's does, and no longer than for it",
  async (context) => {
    const taken = await context.bound('TAKEN');
    const events = ['error', errorMonitor, 'listening'];
    for (const port of [0, taken.address().port]) {
      const socket = context.socket('udp4');
      const count = (when) =>
        context.log(when, ...events.map((name) => socket.listenerCount(name)));
      socket.on('error', () => count('error'));
      socket.bind(port, '127.0.0.1', () => count('bound'));
      count('binding');
      await turns(3);
      count('later');
    }
  }
);

// A TypeError of Node's own code there: that it throws is what counts.
both('connect throws after close', async (dgram) => {
  const socket = dgram.createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.close();
  expect(() => socket.connect(9)).toThrow();
});

same('connect, disconnect, and connect again', async (context) => {
  const one = await context.bound('ONE');
  const two = await context.bound('TWO');
  for (const [name, socket] of [
    ['one', one],
    ['two', two]
  ]) {
    socket.on('message', (message) => context.log(name, message));
  }
  const sender = context.socket('udp4');
  sender.on('connect', () => context.log('connect'));
  context.attempt('remote before', sender, () => sender.remoteAddress());
  await new Promise((resolve) => sender.connect(one.address().port, resolve));
  context.log(sender.remoteAddress());
  sender.send('to one');
  await turns(2);
  context.attempt('disconnect', sender, () => sender.disconnect());
  context.attempt('again', sender, () => sender.disconnect());
  sender.send('to two', two.address().port);
  await turns(3);
  await new Promise((resolve) => sender.connect(two.address().port, '127.0.0.1', resolve));
  context.log(sender.remoteAddress());
  sender.send('to two again');
  await turns(3);
});

same(
  'a name that cannot be resolved goes to the callback, or is an error event',
  async (context) => {
    const lookup = (name, family, callback) => process.nextTick(callback, new Error(`no ${name}`));
    const socket = context.socket({ type: 'udp4', lookup });
    socket.on('error', (error) => context.log('error', error));
    socket.connect(9, 'nowhere', (error) => context.log('connect', error));
    await turns(2);
    socket.bind(0, 'nowhere', () => context.log('never'));
    await turns(2);
  }
);

same('an abort signal closes, now or later', async (context) => {
  const controller = new AbortController();
  const socket = context.socket({ type: 'udp4', signal: controller.signal });
  socket.on('close', () => context.log('close'));
  controller.abort();
  context.log('aborted');
  context
    .socket({ type: 'udp4', signal: AbortSignal.abort() })
    .on('close', () => context.log('close at once'));
  await turns(2);
});

same(
  'AsyncLocalStorage follows the socket to its messages and the call to its callback',
  async (context) => {
    const { AsyncLocalStorage } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    const receiver = await storage.run('the receiver', () => context.bound('RECEIVER'));
    const sender = await context.bound('SENDER');
    receiver.on('message', () => context.log('message', storage.getStore()));
    storage.run('the call', () => {
      sender.send('x', receiver.address().port, '127.0.0.1', () =>
        context.log('sent', storage.getStore())
      );
    });
    await turns(4);
  }
);

same('every socket that is made is published, as it was made', async (context) => {
  const { subscribe, unsubscribe } = require('node:diagnostics_channel');
  const subscriber = (message, name) => {
    const { socket } = message;
    const facts = [socket.constructor.name, socket.type, socket.listenerCount('message')];
    context.log(name, Object.keys(message), facts);
  };
  subscribe('udp.socket', subscriber);
  try {
    context.socket('udp4', () => {});
    context.socket({ type: 'udp6', signal: AbortSignal.abort() });
    try {
      context.socket('udp5');
    } catch (error) {
      context.log(error.code);
    }
  } finally {
    unsubscribe('udp.socket', subscriber);
  }
});

same('a socket that is bound has no listener left that waited for it', async (context) => {
  for (const host of ['127.0.0.1', '192.0.2.77']) {
    const socket = context.socket('udp4');
    const ended = new Promise((resolve) => socket.on('error', resolve).on('listening', resolve));
    socket.bind(0, host, () => context.log('bound'));
    await ended;
    context.log(['error', 'listening'].map((name) => socket.listenerCount(name)));
  }
});
