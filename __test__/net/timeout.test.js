'use strict';

// setTimeout: when 'timeout' comes, what counts as activity, and what a timeout does not do.

const { once } = require('node:events');
const { sameLog, sameLogAcross, sameChildLog, fine } = require('../support/parity');

describe('setTimeout()', () => {
  sameLogAcross('emits timeout and leaves the connection alone', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('client', client, { only: ['timeout', 'error', 'close', 'end'] });
    context.note('client', client.setTimeout(20) === client, client.timeout);
    await once(client, 'timeout');
    context.note('client', client.destroyed, client.readyState, client.timeout);
    accepted.resume();
    client.end('still usable');
    await context.closed(client.resume(), accepted);
  });

  sameLogAcross('works on accepted sockets', async (context) => {
    const [, accepted] = await context.pair();
    accepted.setTimeout(20, () => context.note('accepted', 'callback', accepted.destroyed));
    context.note('accepted', accepted.timeout, accepted.listenerCount('timeout'));
    await once(accepted, 'timeout');
    context.note('accepted', accepted.listenerCount('timeout'));
  });

  sameLog('begins anew when the socket is connected', async (context) => {
    const server = await context.listen();
    const client = context.track(new context.net.Socket());
    const { _unrefTimer } = client;
    let times = 0;
    client._unrefTimer = function () {
      times++;
      return _unrefTimer.call(this);
    };
    client.connect(server.address().port, '127.0.0.1');
    const before = times;
    await once(client, 'connect');
    context.note('client', before, times);
  });

  sameLog('begins anew with activity of what the socket carries', async (context) => {
    const [client] = await context.pair();
    client.setTimeout(60_000);
    const timers = Object.getOwnPropertySymbols(client).map((symbol) => client[symbol]);
    const timer = timers.find((value) => typeof value?.refresh === 'function');
    let times = 0;
    timer.refresh = function () {
      times++;
      return Object.getPrototypeOf(this).refresh.call(this);
    };
    const carried = context.track(new context.net.Socket());
    carried._parent = client;
    carried._unrefTimer();
    const first = times;
    client._unrefTimer();
    context.note('client', first, times);
  });

  sameLog('repeats only after more activity', async (context) => {
    const [client, accepted] = await context.pair();
    accepted.resume();
    let count = 0;
    client.on('timeout', () => {
      count += 1;
    });
    client.setTimeout(15);
    await once(client, 'timeout');
    await laterTimeout(context, 40);
    const idle = count;
    client.write('activity');
    await once(client, 'timeout');
    return { idle, afterActivity: count };
  });

  sameLog(
    'is pushed back by reading and by writing',
    async (context) => {
      const [client, accepted] = await context.pair();
      accepted.pipe(accepted);
      client.resume();
      let timedOut = false;
      // Far above one exchange and far below all of them together.
      client.setTimeout(300, () => {
        timedOut = true;
      });
      const began = process.hrtime.bigint();
      while (process.hrtime.bigint() - began < 400_000_000n) {
        client.write('ping');
        await once(client, 'data');
        await laterTimeout(context, 20);
      }
      return { timedOut };
    },
    { timedOut: false }
  );

  sameLog('of 0 disables it and removes the callback', async (context) => {
    const [client] = await context.pair();
    const callback = () => context.note('client', 'never');
    client.setTimeout(15, callback);
    const before = client.listenerCount('timeout');
    client.setTimeout(0, callback);
    context.note('client', before, client.listenerCount('timeout'), client.timeout);
    await laterTimeout(context, 40);
  });

  sameLog('set anew replaces the old time but not its callbacks', async (context) => {
    const [client] = await context.pair();
    const seen = [];
    client.setTimeout(10000, () => seen.push('first'));
    client.setTimeout(15, () => seen.push('second'));
    const listeners = client.listenerCount('timeout');
    await once(client, 'timeout');
    return { seen, listeners, timeout: client.timeout };
  });

  sameLog('set before connecting runs while connecting and after', async (context) => {
    const server = await context.listen();
    const socket = context.track(new context.net.Socket());
    // Long, lest it comes before 'connect'.
    socket.setTimeout(200);
    context.note('socket', socket.timeout);
    socket.connect(server.address().port, '127.0.0.1');
    context.watch('socket', socket, { only: ['connect', 'timeout'] });
    await once(socket, 'timeout');
  });

  sameLog('set before connecting fires on a socket that never connects', async (context) => {
    const socket = context.track(new context.net.Socket());
    socket.setTimeout(15);
    await once(socket, 'timeout');
    return [socket.destroyed, socket.timeout];
  });

  sameLog('does not fire once destroyed', async (context) => {
    const [client] = await context.pair();
    context.watch('client', client, { only: ['timeout', 'close'] });
    client.setTimeout(15);
    client.destroy();
    await context.closed(client);
    await laterTimeout(context, 40);
    context.note('client', client.timeout);
  });

  sameLog('does not fire while a stalled write still moves', async (context) => {
    const [client, accepted] = await context.pair({ server: { pauseOnConnect: true } });
    let timeouts = 0;
    client.on('timeout', () => {
      timeouts += 1;
    });
    client.setTimeout(15);
    client.write(Buffer.alloc(16 * 1024 * 1024));
    await once(client, 'timeout');
    context.note('stalled', timeouts > 0, client.writableNeedDrain);
    accepted.resume();
    await once(client, 'drain');
    context.note('drained', client.destroyed);
  });

  sameLog('fires for a stalled write when nothing moved for a whole time', async (context) => {
    const [client] = await context.pair({ server: { pauseOnConnect: true } });
    client.write(Buffer.alloc(20_000_000));
    // The kernel takes what it can take, and then no more.
    await laterTimeout(context, 50);
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    let times = 0;
    client._onTimeout = function () {
      times++;
      Object.getPrototypeOf(this)._onTimeout.call(this);
    };
    client.setTimeout(20);
    await once(client, 'timeout');
    // The first time ends with less than was written waiting: that was progress.
    context.note('client', times);
  });

  sameLog('that ends the socket is the usual idiom', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('client', client).resume();
    context.watch('accepted', accepted).resume();
    client.setTimeout(15, () => client.setTimeout(0).end('idle'));
    await context.closed(client, accepted);
  });

  sameLog('takes fractions and large values alike', async (context) => {
    const [client] = await context.pair();
    return [0.5, 1.9, 1e9, 2 ** 31 - 1].map((value) => {
      client.setTimeout(value);
      const kept = client.timeout;
      client.setTimeout(0);
      return kept;
    });
  });

  sameChildLog(
    'does not keep the process alive by itself',
    (net, log) => {
      const socket = new net.Socket();
      socket.setTimeout(60000, () => log('never'));
      log(socket.timeout);
    },
    fine(60000)
  );
});

/** A timeout of another socket, by when an earlier one must have come if it comes at all. */
async function laterTimeout(context, milliseconds) {
  const socket = context.track(new context.net.Socket());
  socket.setTimeout(milliseconds);
  await once(socket, 'timeout');
}
