'use strict';

// Every way to read a socket: events, pause and resume, encodings, pipe, iteration, onread.

const { createHash } = require('node:crypto');
const { once } = require('node:events');
const stream = require('node:stream');
const { sameLog, sameLogAcross } = require('../support/parity');

const text = 'a\u00e9\u20ac\u{1f600}';

function turn() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('setEncoding()', () => {
  for (const encoding of ['utf8', 'utf16le', 'latin1', 'ascii', 'base64', 'hex', 'binary']) {
    sameLogAcross(
      `delivers strings in ${encoding}, whole across cut characters`,
      async (context) => {
        const [client, accepted] = await context.pair();
        accepted.setEncoding(encoding);
        context.watch('accepted', accepted).resume();
        for (const byte of Buffer.from(text)) {
          await new Promise((resolve) => {
            client.write(Buffer.from([byte]), resolve);
          });
          await turn();
        }
        client.end();
        await context.closed(client.resume(), accepted);
        context.note('accepted', accepted.readableEncoding, accepted.bytesRead);
      }
    );
  }

  for (const [what, piece] of [
    ['ASCII', 'plain text\n'],
    ['characters of each length', text],
    ['bytes that are no text', Buffer.from([0x61, 0xf0, 0x9f, 0xe2, 0x82, 0x80, 0xff])]
  ]) {
    sameLogAcross(`delivers ${what}, little and much, as the same text`, async (context) => {
      const [client, accepted] = await context.pair();
      let received = '';
      accepted.setEncoding('utf8').on('data', (chunk) => (received += chunk));
      const bytes = Buffer.from(piece);
      for (const count of [1, 3, 100, 3000, 30_000]) {
        const before = accepted.bytesRead;
        client.write(Buffer.alloc(bytes.length * count, bytes));
        while (accepted.bytesRead < before + bytes.length * count) await turn();
        context.note('received', received.length, received.slice(-20));
      }
      client.end();
      await context.closed(client.resume(), accepted);
      context.note('in all', createHash('sha1').update(received).digest('hex'));
    });
  }

  sameLogAcross('given in the middle applies to what comes after', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted).resume();
    client.write('bytes');
    await once(accepted, 'data');
    accepted.setEncoding('hex');
    client.end('hex');
    await context.closed(client.resume(), accepted);
  });
});

describe('pause() and resume()', () => {
  sameLogAcross('stop and restart the flow without loss', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted);
    const received = [];
    accepted.on('data', (chunk) => {
      received.push(...chunk);
      accepted.pause();
      setImmediate(() => accepted.resume());
    });
    context.note('flow', accepted.isPaused(), accepted.readableFlowing);
    const sent = Array.from({ length: 200 }, (nothing, index) => index % 251);
    for (const byte of sent) client.write(Buffer.from([byte]));
    client.end();
    await context.closed(client.resume(), accepted);
    expect(received).toEqual(sent);
    context.actors.get('accepted').length = 0;
    context.note('received', received.length);
  });

  sameLog('return the socket and show in isPaused()', async (context) => {
    const [client] = await context.pair();
    const steps = [client.pause() === client, client.isPaused(), client.readableFlowing];
    steps.push(client.resume() === client, client.isPaused(), client.readableFlowing);
    return steps;
  });

  sameLog('before the connection stands keep it from flowing', async (context) => {
    const server = await context.listen();
    server.on('connection', (socket) => socket.end('early'));
    const client = context.connect(server.address().port, '127.0.0.1');
    client.pause();
    context.watch('client', client, { only: ['data', 'end', 'close', 'resume', 'pause'] });
    client.on('data', () => {});
    await once(client, 'ready');
    await turn();
    context.note('client', client.isPaused());
    client.resume();
    await context.closed(client);
  });

  sameLogAcross('pauseOnConnect leaves everything to the first resume()', async (context) => {
    const [client, accepted, server] = await context.pair({ server: { pauseOnConnect: true } });
    context.watch('accepted', accepted);
    accepted.on('data', () => {});
    context.note('accepted', accepted.isPaused(), accepted.readableFlowing, server.pauseOnConnect);
    client.write('early');
    await turn();
    await turn();
    context.note('accepted', accepted.bytesRead, accepted.readableLength);
    accepted.resume();
    client.end(' late');
    await context.closed(client.resume(), accepted);
  });
});

describe('read() and readable', () => {
  sameLogAcross('take exactly as many bytes as asked for', async (context) => {
    const [client, accepted] = await context.pair();
    client.end('0123456789');
    await once(client, 'finish');
    const pieces = [];
    accepted.on('readable', () => {
      for (let piece = accepted.read(4); piece !== null; piece = accepted.read(4)) {
        pieces.push(String(piece));
      }
    });
    client.resume();
    await context.closed(client, accepted);
    context.note('pieces', pieces);
  });

  sameLog('unshift() puts bytes back in front', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted, { only: ['data', 'end'] });
    client.end('world');
    accepted.unshift('hello ');
    accepted.resume();
    await context.closed(client.resume(), accepted);
  });
});

describe('pipe(), iteration and consumers', () => {
  sameLogAcross('pipe echoes everything back', async (context) => {
    const [client, accepted] = await context.pair();
    accepted.pipe(accepted);
    const payload = Buffer.from(Array.from({ length: 500000 }, (nothing, index) => index % 253));
    context.watch('client', client, { only: ['data', 'end', 'finish', 'close'] }).resume();
    client.end(payload);
    await context.closed(client, accepted);
    context.note('accepted', accepted.bytesRead, accepted.bytesWritten);
  });

  sameLogAcross('pipe through a transform keeps the order', async (context) => {
    const [client, accepted] = await context.pair();
    const upper = new stream.Transform({
      transform(chunk, encoding, callback) {
        callback(null, String(chunk).toUpperCase());
      }
    });
    accepted.pipe(upper).pipe(accepted);
    context.watch('client', client, { only: ['data', 'end', 'close'] }).resume();
    client.end('shout this');
    await context.closed(client, accepted);
  });

  sameLogAcross('stream.pipeline ends with the socket', async (context) => {
    const [client, accepted] = await context.pair();
    const chunks = [];
    const sink = new stream.Writable({
      write(chunk, encoding, callback) {
        chunks.push(chunk);
        callback();
      }
    });
    client.end('through a pipeline');
    await stream.promises.pipeline(accepted, sink);
    context.note('sink', Buffer.concat(chunks).toString(), sink.writableFinished);
    context.note('accepted', accepted.readableEnded, accepted.destroyed);
  });

  sameLogAcross('for await reads to the end and destroys the socket', async (context) => {
    const [client, accepted] = await context.pair({ server: { allowHalfOpen: true } });
    client.end('iterate over me');
    let received = '';
    for await (const chunk of accepted) received += chunk;
    context.note('accepted', received, accepted.readableEnded, accepted.destroyed);
    accepted.end();
    await context.closed(client.resume(), accepted);
  });

  sameLogAcross('leaving for await early destroys the socket', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted, { only: ['error', 'close'] });
    client.write('first');
    for await (const chunk of accepted) {
      context.note('accepted', String(chunk));
      break;
    }
    context.note('accepted', accepted.destroyed);
    await context.closed(accepted);
  });

  sameLog('for await rejects when the socket is reset', async (context) => {
    const [client, accepted] = await context.pair();
    let failure;
    const reading = (async () => {
      for await (const chunk of accepted) context.note('accepted', String(chunk));
    })().catch((error) => {
      failure = error;
    });
    client.resetAndDestroy();
    await reading;
    context.note('failure', failure);
  });

  sameLogAcross('stream.finished sees the end and the reset', async (context) => {
    const [client, accepted] = await context.pair();
    const seen = (name, socket) =>
      new Promise((resolve) => {
        stream.finished(socket, (error) => {
          context.note(name, error);
          resolve();
        });
      });
    const both = [seen('client', client), seen('accepted', accepted)];
    client.resume().end('x');
    accepted.resume();
    await Promise.all(both);
  });

  sameLog('converts to web streams and back', async (context) => {
    const [client, accepted] = await context.pair();
    const { readable, writable } = stream.Duplex.toWeb(accepted);
    client.end('through the web');
    const reader = readable.getReader();
    const { value } = await reader.read();
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode('answer'));
    const [answer] = await once(client, 'data');
    return [Buffer.from(value).toString(), String(answer)];
  });
});

describe('a _read() of a program', () => {
  const ways = {
    'while bytes flow': (socket) => socket.resume(),
    'while bytes are read one at a time': (socket) =>
      socket.on('readable', () => {
        while (socket.read(1) !== null);
      }),
    'while bytes wait': (socket) => socket.pause()
  };
  for (const [when, start] of Object.entries(ways)) {
    sameLogAcross(`is called as often as Node's, ${when}`, async (context) => {
      const [client, accepted] = await context.pair({ server: { highWaterMark: 4 } });
      const called = [];
      const calling = Object.getPrototypeOf(accepted)._read;
      accepted._read = function _read(size) {
        called.push(size);
        return calling.call(this, size);
      };
      start(accepted);
      await turn();
      for (const piece of ['a', 'bc', 'def']) {
        await new Promise((resolve) => {
          client.write(piece, resolve);
        });
        for (let turns = 0; turns < 5; turns++) await turn();
        context.note('called', called, accepted.readableLength);
      }
      client.end();
      accepted.removeAllListeners('readable');
      await context.closed(client.resume(), accepted.resume());
      context.note('called', called);
    });
  }

  const sources = {
    'of a subclass': (net, read) => {
      class Source extends net.Socket {}
      Source.prototype._read = read;
      return new Source({ highWaterMark: 20 });
    },
    'among the options': (net, read) => new net.Socket({ highWaterMark: 20, read }),
    'put on a socket': (net, read) => Object.assign(new net.Socket(), { _read: read })
  };
  for (const [where, make] of Object.entries(sources)) {
    sameLog(`brings bytes without a connection, ${where}`, async (context) => {
      let left = 30;
      const socket = make(context.client, function read() {
        setImmediate(() => this.push(left-- > 0 ? 'abc' : null));
      });
      context.watch('socket', socket);
      let received = '';
      for await (const chunk of socket) received += chunk;
      return received;
    });
  }
});

describe("'readable'", () => {
  for (const [mark, first, taken] of [
    [10, 30, 25],
    [16, 40, 30]
  ]) {
    sameLogAcross(`comes behind a rest of ${first - taken}, mark ${mark}`, async (context) => {
      const [client, accepted] = await context.pair({ server: { highWaterMark: mark } });
      let heard = 0;
      accepted.on('readable', () => heard++);
      client.write(Buffer.alloc(first, 'a'));
      while (accepted.readableLength < first) await turn();
      accepted.read(taken);
      for (let turns = 0; turns < 5; turns++) await turn();
      heard = 0;
      for (let count = 0; count < 4; count++) {
        client.write('abc');
        for (let turns = 0; turns < 8; turns++) await turn();
      }
      context.note('heard', heard > 0);
      client.destroy();
      accepted.destroy();
      await context.closed(client, accepted);
    });
  }

  sameLogAcross('comes to whoever gives back what he was told of', async (context) => {
    const [client, accepted] = await context.pair();
    accepted.once('data', (chunk) => {
      accepted.pause();
      accepted.unshift(chunk.subarray(2));
      accepted.on('readable', () => {
        let piece;
        while ((piece = accepted.read(2)) !== null) context.note('read', String(piece));
      });
    });
    client.write('abcdef');
    for (let turns = 0; turns < 10; turns++) await turn();
    client.write('ghij');
    for (let turns = 0; turns < 10; turns++) await turn();
    client.end();
    await context.closed(client.resume(), accepted);
  });
});
