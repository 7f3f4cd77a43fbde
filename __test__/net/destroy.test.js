'use strict';

// Ends that come early: destroy while connecting, close while accepting, abort signals, destroySoon.

const { once } = require('node:events');
const { sameLog, sameLogAcross } = require('../support/parity');
const { attempt } = require('../support/parity-outcome');

function turn() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('destroy() while connecting', () => {
  const moments = {
    'at once': (client, destroy) => destroy(),
    'in the next tick': (client, destroy) => process.nextTick(destroy),
    'in a microtask': (client, destroy) => queueMicrotask(destroy),
    'in the next turn': (client, destroy) => setImmediate(destroy)
  };
  for (const [moment, when] of Object.entries(moments)) {
    // In the next turn the connection may stand already, which decides about 'connect'.
    const only = moment === 'in the next turn' ? ['error', 'close'] : undefined;

    sameLog(`${moment} closes without an error`, async (context) => {
      const server = await context.listen();
      const client = context.connect(server.address().port, '127.0.0.1');
      context.watch('client', client, { only });
      client.write('never', (error) => context.note('client', ['write', Boolean(error)]));
      when(client, () => client.destroy());
      await context.closed(client);
      await turn();
      context.note('client', client.connecting, client.pending, client.readyState);
    });

    sameLog(`${moment} with an error emits just that`, async (context) => {
      const server = await context.listen();
      const client = context.connect(server.address().port, '127.0.0.1');
      context.watch('client', client, { only });
      when(client, () => client.destroy(new Error('changed my mind')));
      await context.closed(client);
    });
  }

  sameLog('by a callback of the name lookup never connects', async (context) => {
    const lookup = (hostname, options, callback) => {
      client.destroy();
      setImmediate(
        callback,
        null,
        options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1',
        4
      );
    };
    const client = context.track(new context.net.Socket());
    context.watch('client', client);
    client.connect({ port: 1, host: 'name.example', lookup });
    await context.closed(client);
    await turn();
  });

  sameLog('by end() lets the connection stand and then ends it', async (context) => {
    const server = await context.listen((socket) => {
      context.watch('accepted', socket, { only: ['data', 'end', 'close'] }).resume();
    });
    const client = context.connect(server.address().port, '127.0.0.1');
    context.watch('client', client);
    client.resume().end('brief');
    context.note('client', client.writable, client.readyState);
    await context.closed(client);
    await context.allClosed();
  });

  sameLog('by destroySoon() lets what was written arrive', async (context) => {
    const server = await context.listen((socket) => {
      context.watch('accepted', socket, { only: ['data', 'end', 'close'] }).resume();
    });
    const client = context.connect(server.address().port, '127.0.0.1');
    context.watch('client', client);
    const accepting = once(server, 'connection');
    client.write('arrives');
    client.destroySoon();
    await accepting;
    await context.allClosed();
  });

  sameLog('in the connect listener closes what was just opened', async (context) => {
    const server = await context.listen((socket) => socket.resume());
    const client = context.connect(server.address().port, '127.0.0.1', () => client.destroy());
    context.watch('client', client);
    await context.closed(client);
  });
});

describe('the signal option of a socket', () => {
  sameLog('aborted while connecting destroys with an AbortError', async (context) => {
    const server = await context.listen();
    const { signal, abort } = controller();
    const client = context.connect({ port: server.address().port, host: '127.0.0.1', signal });
    context.watch('client', client);
    abort();
    await context.closed(client);
  });

  sameLog('aborted once connected destroys with an AbortError', async (context) => {
    const { signal, abort } = controller();
    const [client] = await context.pair({ client: { signal } });
    context.watch('client', client);
    abort(new Error('my own reason'));
    context.note('client', client.destroyed);
    await context.closed(client);
  });

  sameLog('aborted beforehand has the same outcome', async (context) => {
    const { signal, abort } = controller();
    abort();
    const result = attempt(context, null, () => new context.net.Socket({ signal }));
    const socket = context.watch('socket', result.returned);
    await context.closed(socket);
    context.note('socket', socket.destroyed);
  });

  sameLog('aborted after the close changes nothing', async (context) => {
    const { signal, abort } = controller();
    const [client, accepted] = await context.pair({ client: { signal } });
    accepted.resume();
    client.destroy();
    await context.closed(client);
    context.watch('client', client);
    abort();
    await turn();
    context.note('client', client.errored);
  });
});

describe('close() of a server', () => {
  sameLog('in the listening callback has the same events', async (context) => {
    const server = context.watch('server', context.createServer());
    server.listen(0, '127.0.0.1', () => server.close());
    await context.closed(server);
  });

  sameLog('before listening was emitted has the same events', async (context) => {
    const server = context.watch('server', context.createServer());
    server.listen(0);
    context.note(
      'server',
      attempt(context, server, () =>
        server.close((error) => {
          context.note('server', ['callback', error]);
        })
      )
    );
    await context.closed(server);
    await turn();
  });

  sameLog('while the name is still looked up has the same events', async (context) => {
    const server = context.watch('server', context.createServer());
    server.listen(0, 'localhost');
    server.close((error) => context.note('server', ['callback', error]));
    await context.closed(server);
    await turn();
    context.note('server', server.listening);
  });

  sameLog('in the connection listener keeps that connection', async (context) => {
    const server = context.watch('server', await context.listen());
    server.on('connection', (socket) => {
      server.close();
      socket.end('still served');
    });
    const client = context.connect(server.address().port, '127.0.0.1');
    context.watch('client', client, { only: ['data', 'end', 'close'] }).resume();
    await context.closed(server, client);
  });

  sameLogAcross('refuses later connections and keeps earlier ones', async (context) => {
    const [client, accepted, server] = await context.pair();
    const { port } = server.address();
    server.close();
    const late = context.connect(port, '127.0.0.1');
    const [error] = await once(late, 'error');
    context.note('late', error.code);
    context.watch('client', client, { only: ['data', 'end', 'close'] }).resume();
    accepted.end('still here');
    await context.closed(client, accepted, server);
    context.note('server', server.listening, server._connections);
  });

  sameLog('twice reports ERR_SERVER_NOT_RUNNING once', async (context) => {
    const server = await context.listen();
    context.watch('server', server);
    const results = [];
    server.close((error) => results.push(['first', error?.code]));
    server.close((error) => results.push(['second', error?.code]));
    await context.closed(server);
    await turn();
    context.note('results', results);
  });

  sameLog('of a server that never listened has the same outcome', async (context) => {
    const server = context.watch('server', context.createServer());
    const outcome = attempt(context, server, () =>
      server.close((error) => {
        context.note('server', ['callback', error]);
      })
    );
    context.note('server', outcome);
    await context.closed(server);
  });

  sameLog('waits for connections that are only half closed', async (context) => {
    const [client, accepted, server] = await context.pair({ server: { allowHalfOpen: true } });
    accepted.resume();
    client.end();
    await once(accepted, 'end');
    let closed = false;
    server.close(() => {
      closed = true;
    });
    await turn();
    context.note('half closed', closed);
    accepted.end();
    await context.closed(server);
    context.note('closed', closed);
  });

  sameLog('gives Symbol.asyncDispose a promise of the close', async (context) => {
    const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
    const [client, , server] = await context.pair();
    const dispose = server[asyncDispose];
    context.note('kind', typeof dispose, typeof Object.getPrototypeOf(server)[asyncDispose]);
    if (typeof dispose !== 'function') return;
    const disposing = dispose.call(server);
    context.note('at once', typeof disposing.then, server.listening);
    client.destroy();
    context.note('resolved', await disposing);
    const again = await server[asyncDispose]().then(
      () => 'fulfilled',
      (error) => error.code
    );
    context.note('again', again);
  });
});

describe('destroySoon()', () => {
  sameLogAcross('on a socket with queued data sends it all first', async (context) => {
    const [client, accepted] = await context.pair();
    accepted.resume();
    client.write(Buffer.alloc(5_000_000));
    client.destroySoon();
    context.note('client', client.destroyed, client.writable);
    await context.closed(client, accepted);
    context.note('accepted', accepted.bytesRead, accepted.errored);
  });

  sameLog(
    'on a finished socket destroys at once',
    async (context) => {
      const [client, accepted] = await context.pair({ server: { allowHalfOpen: true } });
      accepted.resume();
      client.end();
      await once(client, 'finish');
      client.destroySoon();
      return client.destroyed;
    },
    true
  );

  sameLog('on a socket never connected has the same outcome', async (context) => {
    const socket = context.watch('socket', new context.net.Socket());
    socket.destroySoon();
    await turn();
    await turn();
    context.note('socket', socket.destroyed, socket.writable);
  });
});

/** `abort` without its `this`, as it is usually passed around. */
function controller() {
  const made = new AbortController();
  return { signal: made.signal, abort: (reason) => made.abort(reason) };
}
