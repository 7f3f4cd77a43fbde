'use strict';

// Every way to make a TCP server listen, what it then reports, and how listening fails.

const { once } = require('node:events');
const { sameLog, sameChildLog, sameLogAcross, feature, fine } = require('../support/parity');
const features = require('../support/parity-features');
const { attempt } = require('../support/parity-outcome');

/** @type {[string, (server: import('node:net').Server) => unknown][]} */
const signatures = [
  ['listen()', (server) => server.listen()],
  ['listen(callback)', (server, callback) => server.listen(callback)],
  ['listen(undefined)', (server) => server.listen(undefined)],
  ['listen(null)', (server) => server.listen(null)],
  ['listen(0)', (server) => server.listen(0)],
  ['listen("0")', (server) => server.listen('0')],
  ['listen(0, callback)', (server, callback) => server.listen(0, callback)],
  ['listen(0, host)', (server) => server.listen(0, '127.0.0.1')],
  ['listen(0, host, callback)', (server, callback) => server.listen(0, '127.0.0.1', callback)],
  ['listen(0, host, 5)', (server) => server.listen(0, '127.0.0.1', 5)],
  ['listen(0, host, 5, callback)', (server, callback) => server.listen(0, '::1', 5, callback)],
  ['listen(0, 5, callback)', (server, callback) => server.listen(0, 5, callback)],
  ['listen(0, null, callback)', (server, callback) => server.listen(0, null, callback)],
  ['listen(0, undefined, 5)', (server) => server.listen(0, undefined, 5)],
  ['listen(0, "0.0.0.0")', (server) => server.listen(0, '0.0.0.0')],
  ['listen(0, "::")', (server) => server.listen(0, '::')],
  ['listen(0, "localhost")', (server) => server.listen(0, 'localhost')],
  ['listen({ port })', (server) => server.listen({ port: 0 })],
  ['listen({ port }, callback)', (server, callback) => server.listen({ port: 0 }, callback)],
  ['listen({ port: undefined })', (server) => server.listen({ port: undefined })],
  ['listen({ port: null })', (server) => server.listen({ port: null })],
  ['listen({ port: "0" })', (server) => server.listen({ port: '0' })],
  ['listen({ port, host })', (server) => server.listen({ port: 0, host: '127.0.0.1' })],
  ['listen({ port, backlog })', (server) => server.listen({ port: 0, backlog: 1 })],
  ['listen({ port, exclusive })', (server) => server.listen({ port: 0, exclusive: true })],
  ['listen({ port, path })', (server) => server.listen({ port: 0, path: '/nowhere/x' })]
];

describe('a server told to', () => {
  for (const [label, listen] of signatures) {
    sameLog(`${label} reports the same address and events`, async (context) => {
      const server = context.watch('server', context.createServer());
      const result = attempt(context, server, () =>
        listen(server, function () {
          context.note('callback', [this === server, arguments.length]);
        })
      );
      context.note('returned', result, server.listening);
      await once(server, 'listening');
      const { port, ...rest } = server.address();
      context.note('address', rest, port > 0, server.listening);
      server.close();
      context.note('closing', server.listening, server.address());
      await context.closed(server);
    });
  }

  sameLog('listen emits after the current tick, before any timer', async (context) => {
    const server = context.createServer();
    const order = [];
    server.on('listening', () => order.push('listening'));
    server.listen(0, () => order.push('callback'));
    process.nextTick(() => order.push('nextTick'));
    queueMicrotask(() => order.push('microtask'));
    order.push('returned');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return order;
  });

  sameLog('listen again on the port it has just closed', async (context) => {
    const server = context.watch('server', await context.listen());
    const { port } = server.address();
    server.close();
    await context.closed(server);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    context.note('port', server.address().port);
    const client = context.connect(port, '127.0.0.1');
    await once(client, 'connect');
  });

  sameLog('listen again at once after close() was called', async (context) => {
    const server = context.watch('server', await context.listen());
    const { port } = server.address();
    server.close();
    context.note(
      'server',
      attempt(context, server, () => server.listen(port, '127.0.0.1'))
    );
    await once(server, 'listening');
    context.note('server', server.listening, server.address().port);
  });
});

describe('listening that cannot succeed', () => {
  sameLogAcross('reports EADDRINUSE with every field', async (context) => {
    const first = await context.listen();
    const second = context.track(context.client.createServer());
    context.watch('second', second);
    second.listen(first.address().port, '127.0.0.1');
    await once(second, 'error');
    context.note('state', second.listening, second.address());
    // Unlike a socket's, a server's error is not followed by 'close': it may simply try again.
    second.listen(0, '127.0.0.1');
    await once(second, 'listening');
    context.note('state', second.listening);
  });

  sameLog('reports EADDRINUSE for the unspecified address', async (context) => {
    const first = context.createServer();
    first.listen(0);
    await once(first, 'listening');
    const port = context.label(first.address().port, 'first');
    const second = context.watch('second', context.createServer());
    const result = attempt(context, second, () => second.listen(port));
    context.note('call', result, second.listening);
    await once(second, 'error');
  });

  sameLog('reports EADDRINUSE under exclusive as well', async (context) => {
    const first = await context.listen();
    const second = context.watch('second', context.createServer());
    second.listen({ port: first.address().port, host: '127.0.0.1', exclusive: true });
    await once(second, 'error');
  });

  sameLog('reports EADDRNOTAVAIL for an address of another machine', async (context) => {
    const server = context.watch('server', context.createServer());
    server.listen(0, '192.0.2.77');
    await once(server, 'error');
  });

  sameLog('reports a host name that does not resolve', async (context) => {
    const server = context.watch('server', context.createServer());
    // A name no resolver is asked about, since no label may be empty.
    server.listen(0, 'a..b');
    await once(server, 'error');
  });

  sameLog('does not throw from the callback: it is never called', async (context) => {
    const first = await context.listen();
    const server = context.watch('server', context.createServer());
    server.listen(first.address().port, '127.0.0.1', () => context.note('server', 'callback'));
    await once(server, 'error');
    context.note('left', server.listenerCount('listening'));
  });
});

describe('the options of listen()', () => {
  sameLog(
    'ipv6Only leaves the IPv4 port to others',
    async (context) => {
      const outcomes = [];
      for (const ipv6Only of [true, false]) {
        const six = context.createServer().listen({ port: 0, host: '::', ipv6Only });
        await once(six, 'listening');
        const four = context.track(context.net.createServer());
        four.listen({ port: six.address().port, host: '0.0.0.0' });
        const event = await Promise.race([
          once(four, 'listening').then(() => 'listening'),
          once(four, 'error').then(([error]) => error.code)
        ]).catch((error) => error.code);
        outcomes.push([ipv6Only, event]);
      }
      return outcomes;
    },
    [
      [true, 'listening'],
      [false, 'EADDRINUSE']
    ]
  );

  feature('reusePort', features.reusePort, () => {
    sameLogAcross('reusePort lets two servers share a port', async (context) => {
      const options = { port: 0, host: '127.0.0.1', reusePort: true };
      const first = context.createServer().listen(options);
      await once(first, 'listening');
      const second = context.watch('second', context.track(context.client.createServer()));
      second.listen({ ...options, port: first.address().port });
      await once(second, 'listening');
      const third = context.watch('third', context.createServer());
      third.listen({ ...options, port: first.address().port, reusePort: false });
      context.label(first.address().port, 'shared');
      const [error] = await once(third, 'error');
      context.note('third', error.code);
    });
  });

  sameLog('signal closes a listening server', async (context) => {
    const controller = new AbortController();
    const server = context.watch('server', context.createServer());
    server.listen({ port: 0, signal: controller.signal });
    await once(server, 'listening');
    controller.abort();
    context.note('state', server.listening);
    await context.closed(server);
  });

  sameLog('signal aborted beforehand closes without listening', async (context) => {
    const server = context.watch('server', context.createServer());
    server.listen({ port: 0, signal: AbortSignal.abort() });
    await context.closed(server);
    context.note('state', server.listening, server.address());
  });

  sameLog('another server can be the handle', async (context) => {
    const first = await context.listen();
    const second = context.createServer((socket) => socket.end('from the second'));
    second.listen(first);
    await once(second, 'listening');
    const same = second.address().port === first.address().port;
    return [same, second.listening];
  });

  sameLog('the handle of a server is listened on as the kernel has it', async (context) => {
    const first = await context.listen();
    const second = context.createServer();
    second.unref();
    second.listen(first);
    await once(second, 'listening');
    return [first._handle.hasRef(), second._handle.hasRef(), second._connectionKey];
  });

  sameLog('the handle of a closed server cannot be listened on', async (context) => {
    const first = await context.listen();
    const handle = first._handle;
    await new Promise((resolve) => first.close(resolve));
    const server = context.watch('server', context.createServer());
    server.listen(handle);
    context.note('state', server.listening);
    await once(server, 'error');
  });

  // It is closed, and its socket never learns of that: a process of its own.
  sameChildLog(
    'the handle of a connection cannot be listened on',
    (net, log) => {
      const first = net.createServer().listen(0, () => {
        const client = net.connect(first.address().port, () => {
          const server = net.createServer().listen({ handle: client._handle });
          server.on('error', ({ code, syscall }) => {
            log(code, syscall, server.listening);
            process.exit();
          });
        });
      });
    },
    fine('EINVAL', 'listen', false)
  );

  sameLog('an object with a _handle can be the handle', async (context) => {
    const first = await context.listen();
    const second = context.createServer();
    second.listen({ _handle: first._handle });
    await once(second, 'listening');
    return [second.address().port === first.address().port, second.listening];
  });

  sameLog('what stands for a handle may be further options', async (context) => {
    const server = context.watch('server', context.createServer());
    server.listen({ handle: { host: '127.0.0.1', port: 0 }, port: 'not looked at' });
    await once(server, 'listening');
    context.note('address', server.address().address);
  });

  sameLog('a call replaces one whose host is still being resolved', async (context) => {
    const server = context.watch('server', context.createServer());
    server.listen(0, 'localhost');
    server.listen(0, '::');
    await once(server, 'listening');
    // Asked later, answered later.
    await new Promise((resolve) => require('node:dns').lookup('localhost', resolve));
    await new Promise(setImmediate);
    context.note('address', server.address().address);
  });
});
