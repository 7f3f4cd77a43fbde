'use strict';

// Every signature of connect(), what it calls and when, and the options that shape a connection.

const { once } = require('node:events');
const { sameLog, sameLogAcross } = require('../support/parity');
const { attempt } = require('../support/parity-outcome');

const host = '127.0.0.1';

/** @type {[string, (net: typeof import('node:net'), port: number, callback: () => void) => import('node:net').Socket][]} */
const signatures = [
  ['connect(port)', (net, port) => net.connect(port)],
  ['connect(port, callback)', (net, port, callback) => net.connect(port, callback)],
  ['connect(port, host)', (net, port) => net.connect(port, host)],
  ['connect(port, host, callback)', (net, port, call) => net.connect(port, host, call)],
  ['connect("port", host)', (net, port) => net.connect(String(port), host)],
  ['connect("0x port", host)', (net, port) => net.connect(`0x${port.toString(16)}`, host)],
  ['connect(port, undefined, callback)', (net, port, call) => net.connect(port, undefined, call)],
  ['connect(port, null, callback)', (net, port, call) => net.connect(port, null, call)],
  ['connect({ port })', (net, port) => net.connect({ port })],
  ['connect({ port }, callback)', (net, port, callback) => net.connect({ port }, callback)],
  ['connect({ port, host })', (net, port) => net.connect({ port, host })],
  ['connect({ port, host: "localhost" })', (net, port) => net.connect({ port, host: 'localhost' })],
  ['connect({ port, family: 4 })', (net, port) => net.connect({ port, family: 4 })],
  ['createConnection(port, host)', (net, port) => net.createConnection(port, host)],
  ['createConnection({ port }, callback)', (net, port, call) => net.createConnection({ port }, call)],
  ['new Socket().connect(port, host)', (net, port) => new net.Socket().connect(port, host)],
  ['new Socket().connect({ port }, callback)', (net, port, call) => new net.Socket().connect({ port }, call)],
  ['Stream().connect(port, host, callback)', (net, port, call) => net.Stream().connect(port, host, call)]
]; // prettier-ignore

describe('a client made by', () => {
  for (const [label, connect] of signatures) {
    sameLogAcross(`${label} connects, exchanges bytes and closes alike`, async (context) => {
      // On every address, since 'localhost' is either family's.
      const server = context.createServer((socket) => {
        context.watch('accepted', socket, { only: ['data', 'end', 'finish', 'close'] });
        socket.pipe(socket);
      });
      await once(server.listen(0), 'listening');
      const callback = function () {
        context.note('client', ['callback', this === client, arguments.length]);
      };
      const client = connect(context.client, server.address().port, callback);
      const only = ['connect', 'ready', 'data', 'end', 'finish', 'close'];
      context.watch('client', client, { only });
      context.note('client', client instanceof context.client.Socket, client.connecting);
      client.resume();
      client.end('ping');
      await context.closed(client);
      await context.allClosed();
    });
  }

  sameLog(
    'connect() emits connect and ready with no arguments, ready after connect',
    async (context) => {
      const server = await context.listen();
      const client = context.connect(server.address().port, host);
      const order = [];
      for (const event of ['connect', 'ready']) {
        client.on(event, (...args) => order.push([event, args.length, client.connecting]));
      }
      await once(client, 'ready');
      return order;
    },
    [
      ['connect', 0, false],
      ['ready', 0, false]
    ]
  );

  sameLog('connect(callback) leaves no listener behind once connected', async (context) => {
    const server = await context.listen();
    const client = context.connect(server.address().port, host, () => {});
    const before = client.listenerCount('connect');
    await once(client, 'ready');
    return [before, client.listenerCount('connect')];
  });
});

describe('connecting', () => {
  sameLog('never finishes within the call, even to an address', async (context) => {
    const server = await context.listen();
    const client = context.connect(server.address().port, host);
    const order = ['returned'];
    client.on('connect', () => order.push('connect'));
    process.nextTick(() => order.push('nextTick', client.connecting));
    queueMicrotask(() => order.push('microtask', client.connecting));
    await once(client, 'ready');
    return order;
  });

  sameLogAcross('sends what was written before the connection stood', async (context) => {
    const server = await context.listen();
    const accepting = once(server, 'connection');
    const client = context.connect(server.address().port, host);
    const returns = [client.write('one '), client.write('two '), client.writableLength];
    returns.push(client.bytesWritten, client.pending, client.bufferSize);
    client.write('three', () => context.note('client', 'third write done', client.bytesWritten));
    context.note('client', returns);
    const [accepted] = await accepting;
    context.watch('accepted', accepted).resume();
    client.end();
    await context.closed(client, accepted);
  });

  sameLogAcross('from a given local address and port is seen by the peer', async (context) => {
    const probe = await context.listen();
    const { port: localPort } = probe.address();
    probe.close();
    await once(probe, 'close');
    context.label(localPort, 'local');
    const server = await context.listen();
    const accepting = once(server, 'connection');
    const { port } = server.address();
    const client = context.connect({ port, host, localAddress: '127.0.0.2', localPort });
    const [accepted] = await accepting;
    context.note('accepted', accepted.remoteAddress, accepted.remotePort, accepted.remoteFamily);
    if (client.connecting) await once(client, 'connect');
    context.note('client', client.localAddress, client.localPort, client.localFamily);
    // The client closes last, so that the pinned port is not left in TIME_WAIT.
    accepted.resetAndDestroy();
    client.on('error', () => {});
    await context.closed(client, accepted);
  });

  sameLog('from an address this machine has not reports EADDRNOTAVAIL', async (context) => {
    const server = await context.listen();
    const { port } = server.address();
    const client = context.connect({ port, host, localAddress: '192.0.2.77' });
    context.watch('client', client);
    await context.closed(client);
  });

  sameLog('from a port in use reports EADDRINUSE', async (context) => {
    const server = await context.listen();
    const taken = await context.listen();
    const localPort = context.label(taken.address().port, 'taken');
    const { port } = server.address();
    const client = context.connect({ port, host, localAddress: host, localPort });
    context.watch('client', client);
    await context.closed(client);
  });

  sameLog('over IPv6 from an IPv4 local address reports the mismatch', async (context) => {
    const server = context.createServer();
    await once(server.listen(0, '::1'), 'listening');
    const port = context.label(server.address().port, 'server');
    const client = context.connect({ port, host: '::1', localAddress: '127.0.0.1' });
    context.watch('client', client);
    await context.closed(client);
  });

  sameLog('again on a closed socket works and starts counting anew', async (context) => {
    const server = await context.listen((socket) => socket.end('hello'));
    const { port } = server.address();
    const client = context.connect(port, host);
    client.resume().end('first');
    await context.closed(client);
    context.note('first', client.bytesRead, client.bytesWritten, client.destroyed);
    client.connect(port, host);
    context.note('second', client.destroyed, client.connecting, client.readyState);
    context.watch('client', client);
    await once(client, 'connect');
    context.note('second', client.bytesRead, client.bytesWritten);
    client.resume().end('second round');
    await new Promise((resolve) => {
      client.once('close', resolve);
    });
    context.note('second', client.bytesRead, client.bytesWritten);
  });

  sameLog('while already connecting or connected has the same outcome', async (context) => {
    const server = await context.listen();
    const { port } = server.address();
    const client = context.connect(port, host);
    context.watch('client', client);
    context.note(
      'again',
      attempt(context, client, () => client.connect(port, host))
    );
    await context.closed(client);
  });

  sameLog('keeps timeout from the options and passes it on to setTimeout', async (context) => {
    const server = await context.listen();
    const client = context.connect({ port: server.address().port, host, timeout: 30 });
    context.watch('client', client);
    context.note('client', client.timeout, client.listenerCount('timeout'));
    await once(client, 'timeout');
    context.note('client', client.destroyed, client.readyState);
  });

  sameLog(
    'takes allowHalfOpen and highWaterMark from the options',
    async (context) => {
      const options = { allowHalfOpen: true, highWaterMark: 1234 };
      const [client] = await context.pair({ client: options });
      const { allowHalfOpen, readableHighWaterMark, writableHighWaterMark } = client;
      return [allowHalfOpen, readableHighWaterMark, writableHighWaterMark];
    },
    [true, 1234, 1234]
  );

  sameLog('uses the default water marks of streams otherwise', async (context) => {
    const [client, accepted] = await context.pair();
    return [client, accepted].map((socket) => [
      socket.readableHighWaterMark,
      socket.writableHighWaterMark,
      socket.allowHalfOpen,
      socket.writableObjectMode
    ]);
  });

  sameLog(
    'gives accepted sockets the highWaterMark of the server',
    async (context) => {
      const [, accepted] = await context.pair({ server: { highWaterMark: 4321 } });
      return [accepted.readableHighWaterMark, accepted.writableHighWaterMark];
    },
    [4321, 4321]
  );
});
