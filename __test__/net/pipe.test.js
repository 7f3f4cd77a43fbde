'use strict';

// pipe() between sockets, where bytes may pass without a stream in between: whoever looks sees what he
// would see with one.

const { once } = require('node:events');
const { run } = require('../support/child');
const { sameLog, sameLogAcross } = require('../support/parity');

/** More than loopback's buffers of both sides hold. */
const MORE_THAN_FITS = 16 * 1024 * 1024;

/** Reads so many bytes and resolves with them; the socket stays open, and paused. */
async function take(socket, size) {
  const chunks = [];
  for (let length = 0; length < size;) {
    const chunk = socket.read(Math.min(size - length, socket.readableLength) || null);
    if (chunk === null) await once(socket, 'readable');
    else {
      chunks.push(chunk);
      length += chunk.length;
    }
  }
  return Buffer.concat(chunks);
}

/** Sends and reads back, twice: the first chunk of a stream never passes beside it. */
async function echoes(client, ...texts) {
  const heard = [];
  for (const text of texts) {
    client.write(text);
    heard.push(String(await take(client, text.length)));
  }
  return heard;
}

/** A connection whose accepted side sends back what it gets. */
async function echo(context, options) {
  const [client, accepted] = await context.pair(options);
  accepted.pipe(accepted);
  await echoes(client, 'a', 'b');
  return [client, accepted];
}

describe('a socket that is piped to a socket', () => {
  sameLogAcross('counts the bytes on both', async (context) => {
    const [client, accepted] = await echo(context);
    await echoes(client, 'one', 'x'.repeat(100_000));
    context.note('bytes', accepted.bytesRead, accepted.bytesWritten, accepted.readableDidRead);
  });

  sameLogAcross('shows its bytes to a listener that comes later', async (context) => {
    const [client, accepted] = await echo(context);
    accepted.on('data', (chunk) => context.note('heard', String(chunk)));
    context.note('echoed', await echoes(client, 'one', 'two'));
  });

  sameLogAcross('shows its bytes to whoever watches its events', async (context) => {
    const [client, accepted] = await echo(context);
    context.watch('accepted', accepted, { only: ['data'] });
    context.note('echoed', await echoes(client, 'one', 'two'));
  });

  sameLogAcross('decodes them where an encoding is set', async (context) => {
    const [client, accepted] = await echo(context);
    accepted.setEncoding('hex');
    client.write('one');
    context.note('echoed', String(await take(client, 6)));
  });

  sameLogAcross('gives them to the write of the other, whoever made it', async (context) => {
    const [client, accepted] = await echo(context);
    const { write } = accepted;
    accepted.write = (chunk, ...rest) => {
      context.note('written', String(chunk));
      return write.call(accepted, chunk, ...rest);
    };
    context.note('echoed', await echoes(client, 'one', 'two'));
    delete accepted.write;
    accepted._write = (chunk, encoding, done) => {
      context.note('taken', String(chunk));
      Object.getPrototypeOf(accepted)._write.call(accepted, chunk, encoding, done);
    };
    context.note('echoed', await echoes(client, 'three'));
  });

  for (const event of ['drain', 'pause', 'resume']) {
    sameLogAcross(
      `tells each '${event}' to who listened before there was a chunk`,
      async (context) => {
        const [client, accepted] = await context.pair({ server: { highWaterMark: 2 } });
        let count = 0;
        accepted.on(event, () => count++);
        accepted.pipe(accepted);
        context.note('echoed', await echoes(client, 'one', 'two', 'three', 'four'));
        await new Promise(setImmediate);
        context.note('heard', count);
      }
    );
  }

  sameLogAcross('asks its own methods, whoever made them', async (context) => {
    const [client, accepted] = await context.pair({ server: { highWaterMark: 2 } });
    const called = [];
    for (const name of ['pause', 'resume', '_read']) {
      accepted[name] = function (...args) {
        called.push(name);
        return Object.getPrototypeOf(accepted)[name].apply(accepted, args);
      };
    }
    accepted.pipe(accepted);
    await echoes(client, 'one', 'two', 'three');
    await new Promise(setImmediate);
    context.note('called', called);
  });

  sameLogAcross('keeps the order among writes of the program', async (context) => {
    const [client, accepted] = await echo(context);
    accepted.cork();
    accepted.write('<');
    client.write('one');
    await once(accepted, 'data');
    accepted.uncork();
    context.note('echoed', String(await take(client, 4)));
    accepted.write('!');
    context.note('echoed', String(await take(client, 1)), await echoes(client, 'two'));
  });

  sameLogAcross('passes nothing on after unpipe()', async (context) => {
    const [client, accepted] = await echo(context);
    accepted.unpipe(accepted);
    accepted.on('data', (chunk) => context.note('heard', String(chunk))).resume();
    client.write('one');
    await once(accepted, 'data');
    accepted.write('.');
    context.note('echoed', String(await take(client, 1)));
  });

  sameLogAcross('passes nothing on while it is paused', async (context) => {
    const [client, accepted] = await echo(context);
    accepted.pause();
    client.write('one');
    accepted.write('.');
    context.note('echoed', String(await take(client, 1)), accepted.bytesWritten);
    accepted.resume();
    context.note('echoed', String(await take(client, 3)));
  });

  sameLogAcross('can be piped to two', async (context) => {
    const [client, accepted] = await echo(context);
    const [other, second] = await context.pair();
    accepted.pipe(second);
    context.note('echoed', await echoes(client, 'one', 'two'));
    context.note('other', String(await take(other, 6)));
  });

  for (const heard of [[], ['drain'], ['pause'], ['drain', 'pause', 'resume']]) {
    const what = heard.join(', ') || 'nobody';
    sameLogAcross(`waits for one that stalls, heard by ${what}`, async (context) => {
      const [client, accepted] = await context.pair({ server: { allowHalfOpen: true } });
      const [reader, to] = await context.pair();
      const seen = new Set();
      for (const event of heard) {
        (event === 'drain' ? to : accepted).on(event, () => seen.add(event));
      }
      accepted.pipe(to);
      client.write('begin');
      await take(reader, 5);
      client.end(Buffer.alloc(MORE_THAN_FITS, 'abcdefg'));
      await new Promise((resolve) => {
        const look = () => (to.writableLength > 0 ? resolve() : setTimeout(look, 5));
        look();
      });
      const all = await take(reader, MORE_THAN_FITS);
      const expected = Buffer.alloc(MORE_THAN_FITS, 'abcdefg');
      context.note('whole', all.equals(expected), [...seen].sort(), to.bytesWritten);
    });
  }

  sameLogAcross('ends the other with its end', async (context) => {
    const [client, accepted] = await echo(context, { server: { allowHalfOpen: true } });
    client.end('last');
    context.note('echoed', String(await take(client, 4)));
    await context.closed(client.resume(), accepted);
    context.note('flags', accepted.writableFinished, accepted.readableEnded);
  });

  sameLog('is let go by one that is destroyed', async (context) => {
    const [client, accepted] = await context.pair();
    const [, to] = await context.pair();
    accepted.pipe(to);
    client.write('one');
    await once(accepted, 'data');
    client.write('two');
    await once(accepted, 'data');
    to.destroy();
    await context.closed(to);
    client.write('three');
    accepted.on('data', (chunk) => context.note('heard', String(chunk))).resume();
    await once(accepted, 'data');
    context.note('pipes', accepted.listenerCount('data'), accepted.destroyed);
  });

  sameLog('tells the error of a peer that reset the connection', async (context) => {
    const [client, accepted] = await context.pair();
    const [reader, to] = await context.pair();
    accepted.pipe(to);
    client.write('one');
    await take(reader, 3);
    client.write('two');
    await take(reader, 3);
    to.pause();
    const failed = once(to, 'error');
    reader.resetAndDestroy();
    await context.closed(reader);
    client.write('three');
    const [error] = await failed;
    context.note('error', error);
  });
});

test('bytes pass beside the stream where nobody looks', async () => {
  const script = `
    const net = require(process.env.FERRONET_TEST_NET);
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
      const texts = ['first', 'second', 'third'];
      const client = net.connect(server.address().port, '127.0.0.1');
      client.on('data', () => (texts.length > 0 ? client.write(texts.shift()) : client.end()));
      client.on('close', () => server.close());
      client.write(texts.shift());
    });`;
  const { code, stderr } = await run({ script }, { env: { NODE_DEBUG: 'ferronet' } });
  expect(code).toBe(0);
  const passed = [...stderr.matchAll(/<- \d+ forward (\d+) of (\d+)/g)];
  expect(passed.map(([, taken, length]) => [taken, length])).toEqual([
    ['6', '6'],
    ['5', '5']
  ]);
});
