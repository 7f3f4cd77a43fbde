'use strict';

// What the properties of a socket and a server say at every step of their lives.

const { once } = require('node:events');
const { sameLog, sameLogAcross } = require('../support/parity');

const PROPERTIES = [
  'connecting', 'pending', 'destroyed', 'closed', 'readyState', 'readable', 'writable',
  'readableEnded', 'writableEnded', 'writableFinished', 'readableFlowing', 'readableAborted',
  'readableDidRead', 'errored', 'timeout', 'bytesRead', 'bytesWritten', '_bytesDispatched',
  'bufferSize', 'writableLength', 'writableNeedDrain', 'allowHalfOpen', 'remoteAddress',
  'remoteFamily', 'remotePort', 'localAddress', 'localFamily', 'localPort'
]; // prettier-ignore

const snapshot = (socket) => ({
  ...Object.fromEntries(PROPERTIES.map((property) => [property, socket[property]])),
  address: socket.address(),
  handle: socket._handle === null ? null : typeof socket._handle,
  server: socket.server === null ? null : typeof socket.server
});

describe('the properties of a socket', () => {
  sameLog('before anything was asked of it', ({ net, ...context }) => {
    const plain = snapshot(new net.Socket());
    const halfOpen = snapshot(new net.Socket({ allowHalfOpen: true }));
    return [plain, halfOpen];
  });

  sameLogAcross('agree at every event of a connection, on both sides', async (context) => {
    const server = await context.listen({ allowHalfOpen: true }, (socket) => {
      context.label(socket.remotePort, 'client');
      follow(context, 'accepted', socket);
      socket.on('end', () => socket.end('answer'));
      socket.resume();
    });
    const client = context.connect({ port: server.address().port, host: '127.0.0.1' });
    context.note('client', snapshot(client));
    client.on('connect', () => context.label(client.localPort, 'client'));
    follow(context, 'client', client);
    client.resume();
    client.on('ready', () => client.end('question'));
    await context.closed(client);
    await context.allClosed();
    context.note('client', snapshot(client));
  });

  sameLog('after destroy(), at once and once closed', async (context) => {
    const [client, accepted] = await context.pair();
    accepted.resume();
    client.destroy();
    context.note('destroyed', snapshot(client));
    await context.closed(client, accepted);
    context.note('closed', snapshot(client), snapshot(accepted));
  });

  sameLog('after destroy(error), at once and once closed', async (context) => {
    const [client] = await context.pair();
    client.on('error', () => context.note('at error', snapshot(client)));
    client.destroy(Object.assign(new Error('on purpose'), { code: 'EWHY' }));
    context.note('destroyed', snapshot(client));
    await context.closed(client);
    context.note('closed', snapshot(client));
  });

  sameLog('after end() on one side of a half-open pair', async (context) => {
    const allowHalfOpen = true;
    const [client, accepted] = await context.pair({
      server: { allowHalfOpen },
      client: { allowHalfOpen }
    });
    accepted.resume();
    client.end();
    context.note('ended', client.readyState, client.writable, client.readable);
    await once(accepted, 'end');
    context.note('peer', accepted.readyState, accepted.writable, accepted.readable);
    context.note('client', snapshot(client));
    client.resume();
    accepted.end();
    await context.closed(client, accepted);
    context.note('closed', client.readyState, accepted.readyState);
  });

  sameLog('when a connection is refused', async (context) => {
    const gone = await context.listen();
    const { port } = gone.address();
    gone.close();
    await once(gone, 'close');
    const client = context.connect(port, '127.0.0.1');
    client.on('error', () => context.note('at error', snapshot(client)));
    await context.closed(client);
    context.note('closed', snapshot(client));
  });

  sameLog('count every byte in both directions', async (context) => {
    const [client, accepted] = await context.pair();
    client.write('12345');
    client.write(Buffer.alloc(10));
    client.cork();
    client.write('\u20ac');
    client.write('ab', 'latin1');
    context.note('corked', client.bytesWritten, client.writableLength);
    client.uncork();
    client.end('00ff', 'hex');
    accepted.resume();
    await context.closed(client, accepted);
    context.note('closed', client.bytesWritten, accepted.bytesRead, client.bytesRead);
  });

  sameLog('count bytes of strings by their encoding before a connection', (context) => {
    const client = context.track(new context.net.Socket());
    client.on('error', () => {});
    client.connect({ port: 1, host: '127.0.0.1' });
    const counts = [];
    for (const [text, encoding] of [
      ['\u20ac', 'utf8'],
      ['\xe9', 'latin1'],
      ['0a0b', 'hex']
    ]) {
      client.write(text, encoding);
      counts.push([client.bytesWritten, client.writableLength, client.bufferSize]);
    }
    return counts;
  });

  sameLog(
    'say what small and large writes leave waiting, once the tick is over',
    async (context) => {
      const [client, accepted] = await context.pair();
      accepted.resume();
      const lengths = [];
      for (const size of [1, 1000, 100000]) {
        await new Promise((resolve) => {
          client.write(Buffer.alloc(size), resolve);
        });
        lengths.push([client.bytesWritten, client.writableLength, client.bufferSize]);
      }
      return lengths;
    }
  );

  sameLog('say that nothing waits right after a write the kernel takes whole', async (context) => {
    const [client] = await context.pair();
    const result = client.write('small');
    return [result, client.writableLength, client.bufferSize, client.bytesWritten];
  });

  sameLog('keep addresses after they were read once, even when destroyed', async (context) => {
    const [client, accepted] = await context.pair();
    const before = [client.remotePort, client.localPort];
    client.destroy();
    accepted.destroy();
    return [
      before,
      [client.remotePort, client.localPort, client.remoteAddress],
      [accepted.remotePort, accepted.localPort, accepted.localAddress]
    ];
  });

  sameLog('name IPv6 addresses as IPv6', async (context) => {
    const server = context.createServer();
    await once(server.listen(0, '::1'), 'listening');
    const accepting = once(server, 'connection');
    const client = context.connect(context.label(server.address().port, 'server'), '::1');
    const [accepted] = await accepting;
    context.label(accepted.remotePort, 'client');
    if (client.connecting) await once(client, 'connect');
    return [snapshot(client), snapshot(accepted), server.address()];
  });

  sameLog('show IPv4 peers of a dual-stack server as mapped addresses', async (context) => {
    const server = context.createServer();
    await once(server.listen(0, '::'), 'listening');
    const accepting = once(server, 'connection');
    const client = context.connect(context.label(server.address().port, 'server'), '127.0.0.1');
    const [accepted] = await accepting;
    context.label(accepted.remotePort, 'client');
    if (client.connecting) await once(client, 'connect');
    return [accepted.remoteAddress, accepted.remoteFamily, accepted.localAddress, client.address()];
  });

  sameLog('cannot be overwritten by assignment', async (context) => {
    const [client] = await context.pair();
    const readOnly = ['bytesRead', 'remoteAddress', 'localPort', 'pending', 'readyState'];
    return readOnly.map((property) => {
      const before = client[property];
      try {
        client[property] = 'changed';
        return [property, client[property] === before];
      } catch (error) {
        return [property, error.name];
      }
    });
  });
});

describe('the properties of a server', () => {
  sameLog('through listening, a connection and closing', async (context) => {
    const server = context.createServer();
    const note = (step) =>
      context.note(step, {
        listening: server.listening,
        address: server.address(),
        maxConnections: server.maxConnections,
        dropMaxConnection: server.dropMaxConnection,
        connections: server._connections,
        handle: server._handle === null ? null : typeof server._handle
      });
    note('new');
    server.listen(0);
    context.label(server.address().port, 'server');
    note('listen called');
    await once(server, 'listening');
    note('listening');
    const accepting = once(server, 'connection');
    const client = context.connect(server.address().port, '127.0.0.1');
    const [accepted] = await accepting;
    note('connected');
    server.close();
    note('closing');
    client.destroy();
    accepted.destroy();
    await context.closed(server);
    note('closed');
  });

  sameLog('link accepted sockets to their server', async (context) => {
    const [client, accepted, server] = await context.pair();
    const links = [accepted.server === server, accepted._server === server, client.server];
    accepted.destroy();
    await context.closed(accepted);
    return [links, accepted.server === server, accepted._server === null];
  });
});

/** Notes a snapshot at every event that is not about bytes, which the kernel may cut as it likes. */
function follow(context, actor, socket) {
  for (const event of ['connect', 'ready', 'end', 'finish', 'close']) {
    socket.on(event, () => {
      const { timeout, bytesRead, writableLength, bufferSize, ...stable } = snapshot(socket);
      context.note(actor, event, stable);
    });
  }
}
