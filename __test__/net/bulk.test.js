'use strict';

// Much data and many connections, across both implementations: every byte, in order, both ways.

const crypto = require('node:crypto');
const { once } = require('node:events');
const { sameLogAcross } = require('../support/parity');

/** Bytes that repeat at no power of two, so that a lost or doubled block cannot go unnoticed. */
function patterned(size, seed = 0) {
  const buffer = Buffer.alloc(size);
  for (let index = 0; index < size; index += 1) buffer[index] = (index + seed) % 251;
  return buffer;
}

async function digestOf(socket) {
  const hash = crypto.createHash('sha1');
  let size = 0;
  for await (const chunk of socket) {
    hash.update(chunk);
    size += chunk.length;
  }
  return `${size} ${hash.digest('hex')}`;
}

function digest(buffer) {
  return `${buffer.length} ${crypto.createHash('sha1').update(buffer).digest('hex')}`;
}

describe('a large transfer', () => {
  for (const size of [1, 65535, 65536, 65537, 1_000_000, 12_000_000]) {
    sameLogAcross(`of ${size} bytes comes back through pipe`, async (context) => {
      const sent = patterned(size);
      const [client, accepted] = await context.pair({ server: { allowHalfOpen: true } });
      accepted.pipe(accepted);
      client.end(sent);
      const received = await digestOf(client);
      expect(received).toBe(digest(sent));
      context.note('received', received, client.bytesRead, accepted.bytesWritten);
    });
  }

  sameLogAcross('in pieces of every size keeps its order', async (context) => {
    const [client, accepted] = await context.pair();
    const pieces = [];
    for (let size = 1; size <= 40000; size = Math.ceil(size * 1.7)) {
      pieces.push(patterned(size, size));
      client.write(pieces.at(-1));
      if (size % 2) client.write(pieces.at(-1).toString('latin1'), 'latin1');
    }
    client.end();
    const expected = pieces.flatMap((piece) => (piece.length % 2 ? [piece, piece] : [piece]));
    const received = await digestOf(accepted);
    expect(received).toBe(digest(Buffer.concat(expected)));
    context.note('received', received);
  });

  sameLogAcross('in both directions at once is whole in both', async (context) => {
    const bothHalf = { server: { allowHalfOpen: true }, client: { allowHalfOpen: true } };
    const [client, accepted] = await context.pair(bothHalf);
    client.end(patterned(3_000_000, 1));
    accepted.end(patterned(3_000_000, 2));
    const [atClient, atAccepted] = await Promise.all([digestOf(client), digestOf(accepted)]);
    context.note('received', atClient, atAccepted);
  });

  sameLogAcross('to a reader that pauses all the time is whole', async (context) => {
    const [client, accepted] = await context.pair();
    const hash = crypto.createHash('sha1');
    accepted.on('data', (chunk) => {
      hash.update(chunk);
      accepted.pause();
      setImmediate(() => accepted.resume());
    });
    client.end(patterned(2_000_000));
    await context.closed(client.resume(), accepted);
    context.note('received', accepted.bytesRead, hash.digest('hex'));
  });

  sameLogAcross('of a writer that waits for drain never queues much', async (context) => {
    const [client, accepted] = await context.pair();
    accepted.resume();
    let largest = 0;
    for (let count = 0; count < 100; count += 1) {
      const wait = !client.write(Buffer.alloc(50_000, count));
      largest = Math.max(largest, client.writableLength);
      if (wait) await once(client, 'drain');
    }
    client.end();
    await context.closed(client.resume(), accepted);
    context.note('received', accepted.bytesRead, largest <= 50_000 + client.writableHighWaterMark);
  });
});

describe('many connections', () => {
  sameLogAcross('at once are each served their own bytes', async (context) => {
    const server = context.createServer((socket) => socket.pipe(socket));
    await once(server.listen({ port: 0, host: '127.0.0.1' }), 'listening');
    const { port } = server.address();
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (nothing, index) => {
        const client = context.connect(port, '127.0.0.1');
        client.end(`client ${index}`);
        client.setEncoding('utf8');
        let answer = '';
        for await (const chunk of client) answer += chunk;
        return answer === `client ${index}`;
      })
    );
    context.note('answers', answers.length, answers.every(Boolean));
  });

  sameLogAcross('one after the other leave nothing open', async (context) => {
    const server = context.createServer((socket) => socket.end('once'));
    await once(server.listen({ port: 0, host: '127.0.0.1' }), 'listening');
    for (let count = 0; count < 100; count += 1) {
      const client = context.connect(server.address().port, '127.0.0.1');
      await context.closed(client.resume());
    }
    server.close();
    await context.closed(server);
    context.note('left', server._connections, server.listening);
  });
});
