'use strict';

// The onread option: bytes go into the caller's buffer, past the stream, until it says stop.

const { once } = require('node:events');
const { sameLog, sameLogAcross } = require('../support/parity');

/** A client that reads through onread, and the accepted socket at its other end. */
async function readingPair(context, onread) {
  const server = await context.listen();
  const accepting = once(server, 'connection');
  const client = context.connect({ port: server.address().port, host: '127.0.0.1', onread });
  context.watch('client', client);
  const [accepted] = await accepting;
  if (client.connecting) await once(client, 'connect');
  return [client, accepted];
}

describe('onread', () => {
  sameLogAcross('fills the given buffer and passes it on', async (context) => {
    const buffer = Buffer.alloc(64);
    const received = [];
    const [client, accepted] = await readingPair(context, {
      buffer,
      callback(bytes, given) {
        received.push(given.toString('latin1', 0, bytes));
        context.identical = given === buffer;
      }
    });
    accepted.end('into my buffer');
    await context.closed(client);
    context.note('received', received.join(''), context.identical, client.bytesRead);
  });

  sameLogAcross('cuts what is larger than the buffer', async (context) => {
    const sizes = [];
    let total = '';
    const [client, accepted] = await readingPair(context, {
      buffer: Buffer.alloc(4),
      callback(bytes, given) {
        sizes.push(bytes);
        total += given.toString('latin1', 0, bytes);
      }
    });
    accepted.end('0123456789');
    await context.closed(client);
    context.note('received', total, Math.max(...sizes));
  });

  sameLogAcross('asks a function for a buffer', async (context) => {
    let asked = 0;
    let total = 0;
    const [client, accepted] = await readingPair(context, {
      buffer() {
        asked += 1;
        return new Uint8Array(1000);
      },
      callback(bytes, given) {
        total += bytes;
        context.kind = given.constructor.name;
      }
    });
    accepted.end(Buffer.alloc(5000));
    await context.closed(client);
    context.note('received', total, asked >= 5, context.kind);
  });

  sameLogAcross('takes a Uint8Array as well', async (context) => {
    let received = '';
    const [client, accepted] = await readingPair(context, {
      buffer: new Uint8Array(32),
      callback(bytes, given) {
        received += Buffer.from(given.subarray(0, bytes)).toString();
      }
    });
    accepted.end('plain array');
    await context.closed(client);
    context.note('received', received);
  });

  sameLogAcross(
    'stops when the callback returns false, and goes on with resume()',
    async (context) => {
      const received = [];
      const [client, accepted] = await readingPair(context, {
        buffer: Buffer.alloc(4),
        callback(bytes, given) {
          received.push(given.toString('latin1', 0, bytes));
          if (received.length > 1) return true;
          setImmediate(() => {
            context.note('paused', received.length, client.isPaused());
            client.resume();
          });
          return false;
        }
      });
      accepted.end('01234567');
      await context.closed(client);
      context.note('received', received.join(''));
    }
  );

  sameLogAcross('runs its callback in the global context, not on the socket', async (context) => {
    let self;
    const [client, accepted] = await readingPair(context, {
      buffer: Buffer.alloc(8),
      callback() {
        self = this;
      }
    });
    accepted.end('x');
    await context.closed(client);
    context.note('this', self === undefined || self === globalThis || typeof self, self === client);
  });

  sameLogAcross('can be paused and resumed from outside', async (context) => {
    let total = 0;
    const [client, accepted] = await readingPair(context, {
      buffer: Buffer.alloc(16),
      callback(bytes) {
        total += bytes;
      }
    });
    client.pause();
    accepted.end('wait for it');
    await once(accepted, 'finish');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    context.note('paused', total, client.isPaused());
    client.resume();
    await context.closed(client);
    context.note('resumed', total);
  });

  sameLogAcross('still writes and half-closes as usual', async (context) => {
    const [client, accepted] = await readingPair(context, {
      buffer: Buffer.alloc(16),
      callback() {}
    });
    context.watch('accepted', accepted, { only: ['data', 'end', 'close'] }).resume();
    client.write('written ');
    client.end('and ended');
    await context.closed(client, accepted);
  });

  sameLog('given to new Socket() works with a later connect()', async (context) => {
    const server = await context.listen((socket) => socket.end('later'));
    let received = '';
    const client = context.track(
      new context.net.Socket({
        onread: {
          buffer: Buffer.alloc(16),
          callback(bytes, given) {
            received += given.toString('latin1', 0, bytes);
          }
        }
      })
    );
    client.connect(server.address().port, '127.0.0.1');
    await context.closed(client);
    return [received, client.bytesRead];
  });

  sameLog(
    'gets nothing once paused, by another socket that reads in the same turn',
    async (context) => {
      const received = [];
      const clients = [];
      const pairs = [];
      for (const index of [0, 1]) {
        const callback = (bytes, given) => {
          received.push(given.toString('latin1', 0, bytes));
          clients[1 - index].pause();
        };
        pairs.push(await readingPair(context, { buffer: Buffer.alloc(64), callback }));
        clients.push(pairs[index][0]);
      }
      // Both are there before the loop looks for either.
      for (const [, accepted] of pairs) accepted.write('bytes');
      while (received.length === 0) await new Promise(setImmediate);
      for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate);
      context.note('while paused', received.length);
      const paused = clients.find((client) => client.isPaused());
      paused.resume();
      while (received.length === 1) await new Promise(setImmediate);
      context.note('resumed', received.length, received.join());
      for (const client of clients) client.resume();
      for (const [, accepted] of pairs) accepted.end();
      for (const client of clients) await context.closed(client);
      context.note('read', ...clients.map(({ bytesRead }) => bytesRead));
    }
  );
});
