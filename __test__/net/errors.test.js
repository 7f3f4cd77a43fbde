'use strict';

// Error objects field by field, and what a broken or misused connection does with them.

const { once } = require('node:events');
const { sameLog, sameLogAcross } = require('../support/parity');
const { attempt } = require('../support/parity-outcome');

async function refusedPort(context) {
  const server = await context.listen();
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function turn() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('a connection that fails', () => {
  sameLog('is refused with every field', async (context) => {
    const port = await refusedPort(context);
    const client = context.watch('client', context.connect(port, '127.0.0.1'));
    await context.closed(client);
    const { errored } = client;
    context.note('shape', Object.keys(errored), errored.toString(), errored.stack.split('\n')[0]);
    context.note('shape', Object.getOwnPropertyNames(errored).sort());
  });

  sameLog('is refused over IPv6 with every field', async (context) => {
    const port = await refusedPort(context);
    const client = context.watch('client', context.connect(port, '::1'));
    await context.closed(client);
  });

  sameLog('tells the local end where one was asked for', async (context) => {
    const port = await refusedPort(context);
    const options = { port, host: '127.0.0.1', localAddress: '127.0.0.3' };
    const client = context.watch('client', context.connect(options));
    await context.closed(client);
  });

  sameLog('to a broadcast address reports the permission error', async (context) => {
    const client = context.watch('client', context.connect(9, '255.255.255.255'));
    await context.closed(client);
  });

  sameLog('fails the writes waiting for it', async (context) => {
    const port = await refusedPort(context);
    const client = context.connect(port, '127.0.0.1');
    context.watch('client', client);
    client.write('first', (error) => context.note('client', ['first', error]));
    client.write('second', (error) => context.note('client', ['second', error]));
    client.end('third', (error) => context.note('client', ['end', error]));
    await context.closed(client);
    await turn();
  });

  sameLog(
    'emits its error without listeners as uncaught only if nobody listens',
    async (context) => {
      const port = await refusedPort(context);
      const client = context.connect(port, '127.0.0.1');
      const [error] = await once(client, 'error');
      return [error.code, client.destroyed];
    }
  );
});

describe('a reset', () => {
  sameLogAcross('while idle is ECONNRESET at the other side', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('client', client).resume();
    context.watch('accepted', accepted).resume();
    context.note('accepted', accepted.resetAndDestroy() === accepted, accepted.destroyed);
    await context.closed(client, accepted);
  });

  sameLogAcross('by the client is ECONNRESET at the server', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('client', client).resume();
    context.watch('accepted', accepted).resume();
    client.resetAndDestroy();
    await context.closed(client, accepted);
  });

  sameLogAcross('discards what was not yet sent', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted, { only: ['error', 'close', 'end'] }).resume();
    client.cork();
    client.write('never sent', (error) => context.note('client', error));
    client.resetAndDestroy();
    await context.closed(client, accepted);
  });

  sameLogAcross('while connecting waits for the connection', async (context) => {
    const server = await context.listen();
    const accepting = once(server, 'connection');
    const client = context.connect(server.address().port, '127.0.0.1');
    context.watch('client', client, { only: ['connect', 'ready', 'error', 'close'] });
    client.resetAndDestroy();
    context.note('client', client.destroyed, client.connecting);
    const [accepted] = await accepting;
    context.watch('accepted', accepted).resume();
    await context.closed(client, accepted);
  });

  sameLog('twice is the same as once', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('client', client);
    accepted.on('error', () => {});
    const outcomes = [1, 2].map(() => attempt(context, client, () => client.resetAndDestroy()));
    context.note('outcomes', outcomes);
    await context.closed(client, accepted.resume());
  });

  sameLog('after the close reports ERR_SOCKET_CLOSED or nothing alike', async (context) => {
    const [client, accepted] = await context.pair();
    accepted.resume();
    client.destroy();
    await context.closed(client, accepted);
    context.watch('client', client);
    context.note(
      'outcome',
      attempt(context, client, () => client.resetAndDestroy())
    );
    await turn();
  });
});

describe('writing where it cannot arrive', () => {
  sameLog('counts the bytes that Node counts', async (context) => {
    const writes = [
      ['abcd', 'utf16le'],
      ['abcd', 'ucs2'],
      ['abcd', 'latin1'],
      ['abcd', 'hex']
    ];
    writes.push([Buffer.alloc(4)], ['x'.repeat(20_000), 'utf16le']);
    for (const write of writes) {
      const server = context.createServer({ allowHalfOpen: true });
      const path = context.path(`${context.open.size}`);
      const accepting = once(server.listen(path), 'connection');
      const client = context.connect(path);
      const [accepted] = await accepting;
      const ending = once(accepted.resume(), 'end');
      client.destroy();
      await ending;
      accepted.on('error', (error) => context.note('accepted', error.code));
      accepted.write(...write);
      await context.closed(accepted);
      context.note('accepted', accepted.bytesWritten);
    }
  });

  sameLogAcross('to a peer that is gone ends in EPIPE or ECONNRESET alike', async (context) => {
    const [client, accepted] = await context.pair({ client: { allowHalfOpen: true } });
    accepted.destroy();
    client.resume();
    await once(client, 'end');
    context.watch('client', client);
    // The first write provokes the reset, the second meets it.
    await new Promise((resolve) => {
      client.write('into the void', resolve);
    });
    client.write('again', (error) => context.note('client', ['callback', error]));
    await context.closed(client);
  });

  sameLog('after end() is ERR_STREAM_WRITE_AFTER_END', async (context) => {
    const [client] = await context.pair();
    context.watch('client', client);
    client.end('last');
    context.note(
      'client',
      client.write('late', (error) => context.note('client', ['callback', error]))
    );
    await context.closed(client);
  });

  sameLog('after destroy() is ERR_STREAM_DESTROYED for the callback only', async (context) => {
    const [client] = await context.pair();
    context.watch('client', client);
    client.destroy();
    context.note(
      'client',
      client.write('late', (error) => context.note('client', ['callback', error]))
    );
    await context.closed(client);
    context.note(
      'client',
      client.write('later', (error) => context.note('client', ['callback', error]))
    );
    await turn();
  });

  sameLog('to a socket that never connected has the same outcome', async (context) => {
    const socket = context.watch('socket', new context.net.Socket());
    context.note(
      'socket',
      attempt(context, socket, () =>
        socket.write('x', (error) => {
          context.note('socket', ['callback', error]);
        })
      )
    );
    await turn();
    await turn();
    context.note('socket', socket.destroyed, socket.writable);
  });

  sameLog('end() of a socket that never connected has the same outcome', async (context) => {
    const socket = context.watch('socket', new context.net.Socket());
    context.note(
      'socket',
      attempt(context, socket, () => socket.end('x'))
    );
    await turn();
    await turn();
    context.note('socket', socket.destroyed, socket.writableFinished);
  });

  sameLog(
    'after the peer ended a socket that is not half-open has the same outcome',
    async (context) => {
      const [client, accepted] = await context.pair();
      client.resume();
      accepted.end();
      await once(client, 'end');
      context.watch('client', client);
      client.write('too late', (error) => context.note('client', ['callback', error]));
      await context.closed(client);
    }
  );

  sameLog('end() after end(), with and without data, has the same outcome', async (context) => {
    const [client] = await context.pair();
    context.watch('client', client);
    client.end('one');
    client.end((error) => context.note('client', ['second end', error]));
    client.end('two', (error) => context.note('client', ['third end', error]));
    await context.closed(client);
    client.end((error) => context.note('client', ['end after close', error]));
    await turn();
  });

  sameLog(
    'a peer that stops reading and leaves ends the writer with one error',
    async (context) => {
      const [client, accepted] = await context.pair({ server: { pauseOnConnect: true } });
      context.watch('client', client, { only: ['error', 'close', 'finish', 'end'] });
      client.write(Buffer.alloc(8_000_000));
      await turn();
      accepted.destroy();
      await context.closed(client);
    }
  );
});

describe('errors handed to destroy()', () => {
  const errors = [
    undefined,
    null,
    new Error('plain'),
    new TypeError('typed'),
    { not: 'an error' },
    'a string',
    0
  ];
  for (const [index, error] of errors.entries()) {
    sameLog(`number ${index} (${String(error)}) comes out the same`, async (context) => {
      const [client] = await context.pair();
      context.watch('client', client);
      context.note(
        'client',
        attempt(context, client, () => client.destroy(error))
      );
      await context.closed(client);
      context.note('client', client.errored === (error ?? null), client.destroyed);
    });
  }
});
