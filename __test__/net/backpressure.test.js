'use strict';

// write()'s answer, 'drain', cork, the lengths of queues, and callbacks, under a peer that stalls.

const { once } = require('node:events');
const { sameLog, sameLogAcross } = require('../support/parity');

/** More than loopback's buffers of both sides hold, so that it cannot be written while the peer stalls. */
const MORE_THAN_FITS = 16 * 1024 * 1024;

/** Characters of which none is like those around it, the last of two bytes in UTF-8. */
const PATTERN = 'abcdefghijklmnopqrstuvwxyz0123456789\u00e9';

/** A pair whose accepted side reads nothing until it is resumed. */
function stalledPair(context, client = {}) {
  return context.pair({ server: { pauseOnConnect: true }, client });
}

describe('write()', () => {
  for (const highWaterMark of [undefined, 1, 100, 1024]) {
    // What the kernel takes at once never counts against the mark, however large it is.
    sameLogAcross(
      `returns true for what is sent at once, water mark ${highWaterMark}`,
      async (context) => {
        const [client, accepted] = await stalledPair(context, { highWaterMark });
        let drains = 0;
        client.on('drain', () => {
          drains += 1;
        });
        const mark = client.writableHighWaterMark;
        const answers = [mark - 1, mark, mark + 1].map((size) => client.write(Buffer.alloc(size)));
        context.note('answers', answers, client.writableNeedDrain, client.writableLength);
        accepted.resume();
        client.end();
        await context.closed(client.resume(), accepted);
        context.note('total', drains, accepted.bytesRead === client.bytesWritten);
      }
    );

    sameLogAcross(
      `returns false once something waits, water mark ${highWaterMark}`,
      async (context) => {
        const [client, accepted] = await stalledPair(context, { highWaterMark });
        const answers = [client.write(Buffer.alloc(MORE_THAN_FITS)), client.write('x')];
        context.note('answers', answers, client.writableNeedDrain, client.writableLength);
        client.on('drain', () => context.note('drain', client.writableLength));
        accepted.resume();
        await once(client, 'drain');
        client.end(Buffer.alloc(1));
        await context.closed(client.resume(), accepted);
        context.note('total', accepted.bytesRead === client.bytesWritten);
      }
    );
  }

  sameLog('returns true below the mark and false at it while still connecting', async (context) => {
    const server = await context.listen();
    const client = context.connect({
      port: server.address().port,
      host: '127.0.0.1',
      highWaterMark: 10
    });
    const answers = [
      client.write('12345'),
      client.write('1234'),
      client.write('5'),
      client.write('6')
    ];
    context.watch('client', client, { only: ['connect', 'drain', 'finish'] });
    context.note('client', answers, client.writableLength, client.bufferSize);
    await once(client, 'drain');
    context.note('client', client.writableLength, client.bytesWritten);
  });

  sameLogAcross(
    'leaves what the kernel does not take in the queue, and drains later',
    async (context) => {
      const [client, accepted] = await stalledPair(context);
      const answer = client.write(Buffer.alloc(MORE_THAN_FITS));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      context.note('stalled', answer, client.writableLength, client.bufferSize);
      context.note('stalled', client.writableNeedDrain, client.bytesWritten);
      let drains = 0;
      client.on('drain', () => {
        drains += 1;
      });
      accepted.resume();
      await once(client, 'drain');
      context.note('drained', client.writableLength, client.writableNeedDrain, client.bufferSize);
      client.end();
      await context.closed(client.resume(), accepted);
      context.note('drained', drains, accepted.bytesRead);
    }
  );

  sameLogAcross('calls back in order, each once, as its bytes are gone', async (context) => {
    const [client, accepted] = await stalledPair(context);
    const finished = [];
    const write = (size, label) => client.write(Buffer.alloc(size), () => finished.push(label));
    write(10, 'small before');
    write(MORE_THAN_FITS, 'large');
    write(10, 'small after');
    client.end(() => finished.push('end'));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    context.note('stalled', finished.includes('large'), finished.includes('small after'));
    accepted.resume();
    await context.closed(client.resume(), accepted);
    context.note('finished', finished);
  });

  sameLogAcross('queues further writes behind a stalled one', async (context) => {
    const [client, accepted] = await stalledPair(context);
    const answers = [client.write(Buffer.alloc(MORE_THAN_FITS))];
    for (let count = 0; count < 5; count += 1) answers.push(client.write('x'.repeat(1000)));
    context.note('queue', answers, client.writableLength, client.bytesWritten);
    accepted.resume();
    await once(client, 'drain');
    context.note('queue', client.writableLength, client.bytesWritten);
    client.end();
    await context.closed(client.resume(), accepted);
    context.note('received', accepted.bytesRead);
  });

  sameLog('of a stalled socket fails every callback when it is destroyed', async (context) => {
    const [client] = await stalledPair(context);
    const finished = [];
    client.write(Buffer.alloc(MORE_THAN_FITS), (error) => finished.push(['first', error?.code]));
    client.write('second', (error) => finished.push(['second', error?.code]));
    client.end('third', (error) => finished.push(['end', error?.code]));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    client.destroy();
    await context.closed(client);
    return finished;
  });

  sameLog(
    'of a stalled socket passes the error of destroy(error) to every callback',
    async (context) => {
      const [client] = await stalledPair(context);
      const finished = [];
      client.on('error', (error) => finished.push(['error', error.message]));
      client.write(Buffer.alloc(MORE_THAN_FITS), (error) =>
        finished.push(['first', error?.message])
      );
      client.write('second', (error) => finished.push(['second', error?.message]));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      client.destroy(new Error('enough'));
      await context.closed(client);
      return finished;
    }
  );

  sameLog('ends with the peer: a reset fails what is queued', async (context) => {
    const [client, accepted] = await stalledPair(context);
    const finished = [];
    context.watch('client', client, { only: ['error', 'close'] });
    client.write(Buffer.alloc(MORE_THAN_FITS), (error) => finished.push(['first', error?.code]));
    client.write('second', (error) => finished.push(['second', error?.code]));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    accepted.resetAndDestroy();
    await context.closed(client);
    context.note('finished', finished);
  });

  sameLog('of nothing calls back and sends nothing', async (context) => {
    const [client] = await context.pair();
    const finished = [];
    const answers = [client.write(''), client.write(Buffer.alloc(0), () => finished.push('empty'))];
    await new Promise((resolve) => {
      client.write('', 'latin1', resolve);
    });
    return { answers, finished, bytesWritten: client.bytesWritten };
  });

  sameLogAcross(
    'does not copy late: the buffer may be refilled in the callback',
    async (context) => {
      const [client, accepted] = await context.pair();
      context.watch('accepted', accepted, { only: ['data', 'end'] }).resume();
      const buffer = Buffer.alloc(4);
      for (const word of ['abcd', 'efgh', 'ijkl']) {
        buffer.write(word);
        await new Promise((resolve) => {
          client.write(buffer, resolve);
        });
      }
      client.end();
      await context.closed(client.resume(), accepted);
    }
  );
});

describe('cork()', () => {
  sameLogAcross('holds writes back until uncork()', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted, { only: ['data', 'end'] }).resume();
    client.cork();
    client.write('one ');
    client.write('two ');
    context.note('corked', client.writableCorked, client.writableLength, client.bytesWritten);
    client.uncork();
    context.note('uncorked', client.writableCorked, client.bytesWritten);
    client.end('three');
    await context.closed(client.resume(), accepted);
  });

  sameLogAcross('nests', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted, { only: ['data', 'end'] }).resume();
    const done = [];
    client.cork();
    client.cork();
    client.write('a', () => done.push('a'));
    client.uncork();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    context.note('inner uncork', client.writableCorked, [...done], client.writableLength);
    client.write('b', () => done.push('b'));
    client.uncork();
    client.uncork();
    client.end();
    await context.closed(client.resume(), accepted);
    context.note('done', done, client.writableCorked);
  });

  sameLogAcross('is lifted by end()', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted, { only: ['data', 'end'] }).resume();
    client.cork();
    client.write('held ');
    client.end('and ended');
    await context.closed(client.resume(), accepted);
    context.note('client', client.writableCorked, client.bytesWritten);
  });

  sameLogAcross('joins strings and bytes of every encoding', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted, { only: ['data', 'end'] }).resume();
    client.cork();
    client.write('h\u00e9 ', 'utf8');
    client.write('h\u00e9 ', 'latin1');
    client.write('h\u00e9 ', 'utf16le');
    client.write('68656c6c6f', 'hex');
    client.write(Buffer.from(' buffer '));
    client.write(new Uint8Array([1, 2, 3]));
    client.write('');
    context.note('corked', client.bytesWritten, client.writableLength);
    process.nextTick(() => client.uncork());
    client.once('drain', () => {});
    await new Promise((resolve) => {
      client.write('last', resolve);
    });
    context.note('written', client.bytesWritten);
    client.end();
    await context.closed(client.resume(), accepted);
  });
});

describe('a string of which the kernel takes a part', () => {
  for (const encoding of ['utf8', 'latin1']) {
    for (const size of [9_973, 16_384]) {
      sameLogAcross(`comes whole, ${size} characters of ${encoding}`, async (context) => {
        const [client, accepted] = await stalledPair(context);
        const text = PATTERN.repeat(size).slice(0, size);
        let count = 0;
        // Each in a turn of its own: what follows in one turn is put behind the first, as bytes.
        while (client.writableLength === 0) {
          client.write(text, encoding);
          count++;
          await new Promise(setImmediate);
        }
        client.end();
        const chunks = [];
        accepted.on('data', (chunk) => chunks.push(chunk)).resume();
        await once(accepted, 'end');
        const expected = Buffer.from(text.repeat(count), encoding);
        context.note('whole', Buffer.concat(chunks).equals(expected));
        context.note('counted', client.bytesWritten === expected.length);
      });
    }
  }
});
