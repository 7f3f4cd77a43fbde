'use strict';

// A peer that sends messages of one length: they are read straight into the Buffers that the program
// gets (src/runtime/fits.rs), whose memory is its own all the same.

const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const http = require('../../dist/http');
const net = require('../../dist/net');
const { sameLogAcross } = require('../support/parity');

/** A message that no other is equal to. */
function message(length, number) {
  const bytes = Buffer.alloc(length, `message ${number}, `);
  bytes.writeUInt32BE(number, length - 4);
  return bytes;
}

/** Sends messages one after another, and waits until each was received. */
async function exchange(client, accepted, lengths) {
  for (const [number, length] of lengths.entries()) {
    const before = accepted.bytesRead;
    client.write(message(length, number));
    while (accepted.bytesRead < before + length) await new Promise((next) => setImmediate(next));
  }
}

const steady = (length) => Array(12).fill(length);

describe('messages of one length', () => {
  for (const length of [4095, 4096, 16_384, 65_535, 65_536]) {
    sameLogAcross(`of ${length} bytes are kept as they came`, async (context) => {
      const [client, accepted] = await context.pair();
      const kept = [];
      accepted.on('data', (chunk) => kept.push(chunk));
      const lengths = steady(length);
      await exchange(client, accepted, lengths);
      const all = Buffer.concat(lengths.map((_, number) => message(length, number)));
      expect(Buffer.concat(kept).equals(all)).toBe(true);
      context.note(
        'kept',
        kept.reduce((sum, chunk) => sum + chunk.length, 0)
      );
      client.destroy();
      accepted.destroy();
    });
  }

  sameLogAcross('have memory of their own, which may be transferred', async (context) => {
    const [client, accepted] = await context.pair();
    const moved = [];
    accepted.on('data', (chunk) => {
      const { buffer } = chunk;
      context.note('chunk', chunk.length, chunk.byteOffset, buffer.byteLength);
      moved.push(Buffer.from(structuredClone(buffer, { transfer: [buffer] })));
      expect(chunk.length).toBe(0);
    });
    const lengths = steady(5000);
    await exchange(client, accepted, lengths);
    expect(moved.map((chunk) => chunk.readUInt32BE(4996))).toEqual(lengths.map((_, i) => i));
    client.destroy();
    accepted.destroy();
  });

  sameLogAcross('are nothing to write once they are transferred', async (context) => {
    const [client, accepted] = await context.pair();
    client.on('data', (chunk) => context.note('echo', chunk.length));
    accepted.on('data', ({ buffer, byteLength }) => {
      const chunk = Buffer.from(buffer);
      structuredClone(buffer, { transfer: [buffer] });
      const done = (error) =>
        context.note('written', byteLength, error?.code, accepted.bytesWritten);
      accepted.write(chunk, done);
    });
    await exchange(client, accepted, [100, ...steady(5000)]);
    accepted.end();
    client.end();
    await context.closed(client, accepted);
  });

  sameLogAcross('may be followed by longer and shorter ones', async (context) => {
    const [client, accepted] = await context.pair();
    const others = [30_000, 8000, 8000, 8000, 4, 8000, 8000, 8000, 65_536, 8000, 7999];
    const lengths = [...steady(8000), ...others];
    const seen = [];
    accepted.on('data', (chunk) => {
      seen.push(chunk);
      context.note('chunk', chunk.length);
    });
    await exchange(client, accepted, lengths);
    const all = Buffer.concat(lengths.map((length, number) => message(length, number)));
    expect(Buffer.concat(seen).equals(all)).toBe(true);
    client.destroy();
    accepted.destroy();
  });

  sameLogAcross('come as text, by onread and through pipe()', async (context) => {
    const lengths = steady(6000);
    const sent = lengths.map((length, number) => message(length, number));
    const all = Buffer.concat(sent).toString('latin1');

    const [textClient, text] = await context.pair();
    let received = '';
    text.setEncoding('utf8').on('data', (chunk) => (received += chunk));
    await exchange(textClient, text, lengths);
    expect(received).toBe(all);

    const [pipeClient, piped] = await context.pair();
    received = '';
    pipeClient.setEncoding('latin1').on('data', (chunk) => (received += chunk));
    piped.pipe(piped);
    await exchange(pipeClient, piped, lengths);
    while (received.length < all.length) await once(pipeClient, 'data');
    expect(received).toBe(all);

    const room = Buffer.alloc(10_000);
    received = '';
    const [target, source] = await context.pair({
      client: {
        onread: {
          buffer: room,
          callback: (count) => ((received += room.latin1Slice(0, count)), true)
        }
      }
    });
    await exchange(source, target, lengths);
    expect(received).toBe(all);
    for (const socket of [textClient, text, pipeClient, piped, target, source]) socket.destroy();
    context.note('received', received.length);
  });

  sameLogAcross('leave a handle that a socket with onread goes on with', async (context) => {
    const [client, accepted] = await context.pair();
    const { Socket } = accepted.constructor === net.Socket ? net : require('node:net');
    accepted.on('data', () => {});
    await exchange(client, accepted, steady(8000));
    accepted.removeAllListeners('data').pause();
    const counts = [];
    const room = Buffer.alloc(1000);
    const onread = { buffer: room, callback: (count) => (counts.push(count), true) };
    const other = new Socket({ handle: accepted._handle, onread });
    accepted._handle = null;
    other.resume().read(0);
    const sum = () => counts.reduce((total, count) => total + count, 0);
    for (const length of [8000, 500]) {
      const before = sum();
      client.write(message(length, 0));
      while (sum() < before + length) await new Promise((next) => setImmediate(next));
    }
    context.note('counts', counts);
    for (const socket of [client, other, accepted]) socket.destroy();
  });

  sameLogAcross('come to an end in the midst of a listener', async (context) => {
    for (let round = 0; round < 5; round++) {
      const [client, accepted] = await context.pair();
      let count = 0;
      accepted.on('data', () => {
        if (++count === 5) accepted.destroy();
      });
      client.on('error', () => {});
      await exchange(client, accepted, Array(5).fill(4096));
      await once(accepted, 'close');
      client.destroy();
      context.note('read', accepted.bytesRead);
    }
  });

  sameLogAcross('of many connections do not mix', async (context) => {
    const pairs = [];
    for (let i = 0; i < 40; i++) pairs.push(await context.pair());
    const read = await Promise.all(
      pairs.map(async ([client, accepted], index) => {
        const kept = [];
        accepted.on('data', (chunk) => kept.push(chunk));
        const length = 4096 + 1000 * (index % 7);
        for (let number = 0; number < 10; number++) {
          const before = accepted.bytesRead;
          client.write(Buffer.alloc(length, index * 10 + number));
          while (accepted.bytesRead < before + length) await once(accepted, 'data');
        }
        const sent = Array.from({ length: 10 }, (_, number) => index * 10 + number);
        const all = Buffer.concat(sent.map((byte) => Buffer.alloc(length, byte)));
        expect(Buffer.concat(kept).equals(all)).toBe(true);
        client.destroy();
        accepted.destroy();
        return accepted.bytesRead;
      })
    );
    context.note('read', read);
  });
});

test('bodies in pieces of one length are what was sent', async () => {
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    response.end(Buffer.concat(chunks));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const request = http.request({ port: server.address().port, method: 'POST' });
  const pieces = Array.from({ length: 20 }, (_, number) => message(16_384, number));
  for (const piece of pieces) {
    request.write(piece);
    await new Promise((next) => setTimeout(next, 2));
  }
  request.end();
  const [response] = await once(request, 'response');
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(Buffer.concat(pieces))).toBe(true);
  server.close();
});

test('a worker ends while such messages come', async () => {
  const worker = new Worker(
    `const net = require(${JSON.stringify(require.resolve('../../dist/net'))});
    const { parentPort } = require('node:worker_threads');
    const server = net.createServer((socket) => socket.on('data', (chunk) => socket.write(chunk)));
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true }
  );
  const [port] = await once(worker, 'message');
  const client = require('node:net').connect(port, '127.0.0.1');
  client.on('error', () => {});
  let echoes = 0;
  client.on('data', (chunk) => {
    echoes += chunk.length;
    client.write(Buffer.alloc(16_384));
  });
  client.write(Buffer.alloc(16_384));
  while (echoes < 20 * 16_384) await once(client, 'data');
  expect(await worker.terminate()).toBe(1);
  client.destroy();
});
