'use strict';

// BoundSocket: a port or path held before anyone listens on it or connects from it.

const fs = require('node:fs');
const { once } = require('node:events');
const { parity, sameLog, feature } = require('../support/parity');
const { attempt, show } = require('../support/parity-outcome');
const features = require('../support/parity-features');

/** Closed after the program whatever became of it. */
function bind(context, options) {
  const bound = new context.net.BoundSocket(options);
  context.track({
    on() {},
    close() {
      try {
        bound.close();
      } catch {
        // Adopted or closed already: then there is nothing left to release.
      }
    }
  });
  return bound;
}

parity('BoundSocket is there where Node has it', ({ net }) => {
  expect('BoundSocket' in net).toBe(features.boundSocket);
});

feature('BoundSocket', features.boundSocket, () => {
  describe('a BoundSocket', () => {
    parity('has the documented members', ({ net }) => {
      const names = Object.getOwnPropertyNames(net.BoundSocket.prototype).sort();
      expect(names).toEqual(
        expect.arrayContaining(['address', 'close', 'constructor', 'fd', 'isPipe'])
      );
    });

    for (const options of [
      undefined,
      {},
      { host: '127.0.0.1' },
      { host: '::1' },
      { ipv6Only: true },
      { host: '::', ipv6Only: true },
      { port: 0, reusePort: true }
    ]) {
      sameLog(`of ${show(options)} is bound at once`, (context) => {
        const bound = bind(context, options);
        const { port, ...address } = bound.address();
        return [address, port > 0, bound.fd() > 2, bound.isPipe];
      });
    }

    for (const options of [
      null,
      'x',
      1,
      { host: 'localhost' },
      { host: 1 },
      { port: -1 },
      { port: 65536 },
      { port: 'x' },
      { ipv6Only: 'yes' },
      { reusePort: 1 },
      { path: 1 },
      { path: '' },
      { path: '/tmp/x', port: 1 },
      { path: '/tmp/x', host: '127.0.0.1' },
      { path: '/nowhere/at/all' },
      { host: '192.0.2.77' },
      { host: '127.0.0.1', ipv6Only: true }
    ]) {
      sameLog(`of ${show(options)} is judged alike`, (context) => {
        const outcome = attempt(context, null, () => bind(context, options));
        return outcome.threw ? outcome : 'bound';
      });
    }

    sameLog('throws EADDRINUSE for a port in use', async (context) => {
      const server = await context.listen();
      const { port } = server.address();
      return attempt(context, null, () => bind(context, { host: '127.0.0.1', port }));
    });

    sameLog('is what a server listens on', async (context) => {
      const bound = bind(context, { host: '127.0.0.1' });
      const { port } = bound.address();
      const server = context.createServer((socket) => socket.end('bound'));
      server.listen(bound);
      await once(server, 'listening');
      context.note('same port', server.address().port === port);
      for (const method of ['address', 'close', 'fd']) {
        context.note(
          method,
          attempt(context, bound, () => bound[method]())
        );
      }
      const client = context.connect(port, '127.0.0.1');
      context.watch('client', client, { only: ['data', 'end', 'close'] }).resume();
      await context.closed(client);
    });

    sameLog('can be the handle option of listen()', async (context) => {
      const bound = bind(context, { host: '127.0.0.1' });
      const { port } = bound.address();
      const server = context.createServer();
      server.listen({ handle: bound, backlog: 5 });
      await once(server, 'listening');
      return [server.address().port === port];
    });

    sameLog('is where a client connects from', async (context) => {
      const bound = bind(context, { host: '127.0.0.1' });
      const { port: localPort } = bound.address();
      context.label(localPort, 'bound');
      const server = await context.listen();
      const accepting = once(server, 'connection');
      const socket = context.track(new context.net.Socket({ handle: bound }));
      socket.connect(server.address().port, '127.0.0.1');
      context.note('at once', socket.localAddress, socket.localPort);
      const [accepted] = await accepting;
      context.note('accepted', accepted.remotePort);
      accepted.resetAndDestroy();
      socket.on('error', () => {});
      await context.closed(socket);
    });

    sameLog('is consumed by the first adoption', async (context) => {
      const bound = bind(context, { host: '127.0.0.1' });
      const first = context.createServer().listen(bound);
      await once(first, 'listening');
      const second = context.createServer();
      return [
        attempt(context, second, () => second.listen(bound)),
        attempt(context, null, () => new context.net.Socket({ handle: bound }))
      ];
    });

    sameLog('is closed once, by close() or by dispose', (context) => {
      const bound = bind(context);
      const outcomes = [attempt(context, bound, () => bound.close())];
      outcomes.push(attempt(context, bound, () => bound.close()));
      outcomes.push(attempt(context, bound, () => bound.address()));
      outcomes.push(attempt(context, bound, () => bound[Symbol.dispose]()));
      return outcomes;
    });

    sameLog('frees its port when closed', (context) => {
      const first = bind(context, { host: '127.0.0.1' });
      const { port } = first.address();
      const taken = attempt(context, null, () => bind(context, { host: '127.0.0.1', port }));
      first.close();
      const free = attempt(context, null, () => bind(context, { host: '127.0.0.1', port }));
      return [taken.threw?.code, free.threw?.code];
    });

    sameLog('of a path holds and removes its file', (context) => {
      const path = context.path();
      const bound = bind(context, { path });
      context.note('bound', bound.address(), bound.isPipe, fs.existsSync(path));
      context.note(
        'again',
        attempt(context, null, () => bind(context, { path }))
      );
      bound.close();
      context.note('closed', fs.existsSync(path));
    });

    sameLog('of a path is what a server listens on', async (context) => {
      const path = context.path();
      const server = context.createServer((socket) => socket.end('over a bound path'));
      server.listen(bind(context, { path }));
      await once(server, 'listening');
      context.note('server', server.address());
      const client = context.connect(path);
      context.watch('client', client, { only: ['data', 'end', 'close'] }).resume();
      await context.closed(client);
    });
  });
});
