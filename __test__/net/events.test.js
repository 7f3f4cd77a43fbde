'use strict';

// The order of every event of both sides, recorded and compared as a whole, in scenario after scenario.

const { once } = require('node:events');
const { sameLogAcross, sameLog } = require('../support/parity');

const big = Buffer.alloc(300000, 'big');

/**
 * Each scenario drives one connection and ends when both sides are closed. `client` and `accepted`
 * are connected and watched; data flows unless the scenario says otherwise.
 * @type {[string, (client: import('node:net').Socket, accepted: import('node:net').Socket) => unknown, object?][]}
 */
const scenarios = [
  ['the client ends at once', (client) => client.end()],
  ['the server ends at once', (client, accepted) => accepted.end()],
  ['both end at once', (client, accepted) => [client.end(), accepted.end()]],
  ['the client sends and ends', (client) => client.end('hello')],
  ['the client sends much and ends', (client) => client.end(big)],
  ['the server answers and ends', (client, accepted) => accepted.once('data', () => accepted.end('bye')), { first: 'hi' }],
  ['the server ends when the client has', (client, accepted) => accepted.on('end', () => accepted.end('last')), { first: 'x', end: true, allowHalfOpen: true }],
  ['the client destroys itself', (client) => client.destroy()],
  ['the server destroys its socket', (client, accepted) => accepted.destroy()],
  ['both destroy', (client, accepted) => [client.destroy(), accepted.destroy()]],
  ['the client destroys itself with an error', (client) => client.destroy(new Error('why'))],
  ['the server destroys its socket with an error', (client, accepted) => accepted.destroy(new Error('why'))],
  ['the client writes and destroys soon', (client) => [client.write('soon'), client.destroySoon()]],
  ['the client destroys soon with nothing written', (client) => client.destroySoon()],
  ['the client ends and destroys soon', (client) => [client.end('x'), client.destroySoon()]],
  ['the client writes much and destroys soon', (client) => [client.write(big), client.destroySoon()]],
  ['the client ends twice', (client) => [client.end('one'), client.end()]],
  ['the client destroys twice', (client) => [client.destroy(), client.destroy(new Error('late'))]],
  ['the client ends with a callback', (client, accepted, note) => client.end('x', (error) => note('end callback', error))],
  ['the client ends and then destroys', (client) => [client.end('x'), client.destroy()]],
  ['the client pauses, the server ends', (client, accepted) => [client.pause(), accepted.end('unread'), setImmediate(() => client.resume())]],
  ['the client writes in pieces under cork', (client) => {
    client.cork();
    client.write('a');
    client.write('b');
    process.nextTick(() => {
      client.uncork();
      client.end('c');
    });
  }],
  ['the client is destroyed in its own data handler', (client, accepted) => [client.once('data', () => client.destroy()), accepted.end('x')]],
  ['the client is destroyed in its end handler', (client, accepted) => [client.once('end', () => client.destroy()), accepted.end('x')]],
  ['the client is destroyed in its finish handler', (client) => [client.once('finish', () => client.destroy()), client.end('x')]],
  ['the client writes in its end handler', (client, accepted) => [client.once('end', () => client.write('reply')), accepted.end('x')]],
  ['the client writes in its end handler, half-open', (client, accepted) => [client.once('end', () => client.end('reply')), accepted.end('x')], { allowHalfOpen: true }],
  ['the server answers every chunk until the end', (client, accepted) => accepted.on('data', (data) => accepted.write(data)), { first: 'echo', end: true }],
  ['the server pipes back', (client, accepted) => accepted.pipe(accepted), { first: 'echo', end: true }],
  ['the client pipes to the server of itself and unpipes', (client, accepted) => {
    accepted.pipe(accepted);
    accepted.unpipe();
    accepted.resume();
    client.end();
  }],
  ['an error listener destroys again', (client) => [client.on('error', () => client.destroy()), client.destroy(new Error('x'))]],
  ['the client sets an encoding', (client, accepted) => [client.setEncoding('utf8'), accepted.end('h\u00e9')]]
]; // prettier-ignore

describe('the events of both sides when', () => {
  for (const [label, act, { first, end = false, allowHalfOpen = false } = {}] of scenarios) {
    sameLogAcross(label, async (context) => {
      const server = context.createServer({ allowHalfOpen });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const port = context.label(server.address().port, 'server');
      const accepting = once(server, 'connection');
      const client = context.connect({ port, host: '127.0.0.1', allowHalfOpen });
      context.watch('client', client);
      const [accepted] = await accepting;
      context.label(accepted.remotePort, 'client');
      context.watch('accepted', accepted);
      if (client.connecting) await once(client, 'connect');
      client.resume();
      accepted.resume();
      act(client, accepted, (...entries) => context.note('client', ...entries));
      if (first) client.write(first);
      if (end) client.end();
      await context.closed(client, accepted);
      for (const [actor, socket] of Object.entries({ client, accepted })) {
        context.note(actor, [socket.destroyed, socket.errored, socket.readableEnded]);
      }
    });
  }
});

describe('the events of a server', () => {
  sameLogAcross('surround those of its connections', async (context) => {
    const server = context.watch('server', context.createServer());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const accepted = [];
    server.on('connection', (socket) => accepted.push(socket.resume()));
    const clients = [];
    for (let count = 0; count < 3; count += 1) {
      const client = context.connect(port, '127.0.0.1');
      clients.push(client);
      await once(client, 'ready');
      while (accepted.length < clients.length) await once(server, 'connection');
    }
    server.close(() => context.note('server', 'close callback'));
    for (const client of clients) client.end();
    await context.closed(server);
    context.note('server', server._connections);
  });

  sameLog(
    "close comes when the last connection is gone, ahead of that one's own close",
    async (context) => {
      const [client, accepted, server] = await context.pair();
      const order = [];
      accepted.on('close', () => order.push('accepted close'));
      server.on('close', () => order.push('server close'));
      server.close(() => order.push('callback'));
      accepted.resume();
      client.end();
      await context.closed(server, accepted);
      return order;
    },
    ['server close', 'callback', 'accepted close']
  );

  sameLog('keep `this` bound to the emitter in every listener', async (context) => {
    const server = context.createServer();
    const found = [];
    server.on('connection', function connection(socket) {
      found.push(['connection', this === server]);
      socket.on('data', function data() {
        found.push(['data', this === socket]);
      });
      socket.on('close', function close() {
        found.push(['close', this === socket]);
      });
    });
    server.listen(0, '127.0.0.1', function listening() {
      found.push(['listening', this === server]);
    });
    await once(server, 'listening');
    const client = context.connect(server.address().port, '127.0.0.1', function connect() {
      found.push(['connect', this === client]);
      this.end('x');
    });
    await context.closed(client.resume());
    server.close(function close() {
      found.push(['close callback', this === server]);
    });
    await context.closed(server);
    return found.sort();
  });

  sameLog(
    'deliver to once listeners once and respect removal',
    async (context) => {
      const server = await context.listen();
      const counts = { once: 0, removed: 0, prepended: 0 };
      const removed = () => {
        counts.removed += 1;
      };
      server.once('connection', () => {
        counts.once += 1;
      });
      server.prependListener('connection', () => {
        counts.prepended += 1;
      });
      server.on('connection', removed);
      server.off('connection', removed);
      for (let count = 0; count < 2; count += 1) {
        const arriving = once(server, 'connection');
        await once(context.connect(server.address().port, '127.0.0.1'), 'connect');
        await arriving;
      }
      return counts;
    },
    { once: 1, removed: 0, prepended: 2 }
  );

  sameLog('emit a connection handed in by hand', async (context) => {
    const server = context.createServer((socket) => {
      context.note('server', socket === stranger);
    });
    const stranger = context.track(new context.net.Socket());
    server.emit('connection', stranger);
  });
});
