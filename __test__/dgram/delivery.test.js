'use strict';

// Every datagram that the kernel delivered is a message: whole, once, in order, in memory of its own.

const { ours, both, turns } = require('../support/dgram');

async function pair(dgram, options = {}) {
  const receiver = dgram.createSocket({ type: 'udp4', ...options });
  const sender = dgram.createSocket('udp4');
  await new Promise((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  await new Promise((resolve) => sender.bind(0, '127.0.0.1', resolve));
  return { receiver, sender, port: receiver.address().port };
}

function close({ receiver, sender }) {
  receiver.close();
  sender.close();
}

both('a burst that fits the receive buffer arrives complete and in order', async (dgram) => {
  const sockets = await pair(dgram, { recvBufferSize: 2 * 1024 * 1024 });
  const { receiver, sender, port } = sockets;
  const count = 1000;
  const sizes = Array.from({ length: count }, (_, i) => 4 + ((i * 37) % 300));
  const seen = [];
  const done = new Promise((resolve) => {
    receiver.on('message', (message) => {
      seen.push(message);
      if (seen.length === count) resolve();
    });
  });
  sizes.forEach((size, i) => {
    const message = Buffer.alloc(size, i & 0xff);
    message.writeUInt32BE(i);
    sender.send(message, port, '127.0.0.1');
  });
  await done;
  seen.forEach((message, i) => {
    expect([message.readUInt32BE(), message.length]).toEqual([i, sizes[i]]);
    expect(message.subarray(4).every((byte) => byte === (i & 0xff))).toBe(true);
  });
  close(sockets);
});

both('large, small and empty datagrams mix', async (dgram) => {
  const sockets = await pair(dgram, { recvBufferSize: 4 * 1024 * 1024 });
  const { receiver, sender, port } = sockets;
  const sizes = [0, 65507, 1, 4096, 65507, 0, 30000, 64, 65, 4095, 65507, 65507, 2];
  const seen = [];
  const done = new Promise((resolve) => {
    receiver.on('message', (message, { size }) => {
      seen.push([message.length, size, message.every((byte) => byte === (message.length & 0xff))]);
      if (seen.length === sizes.length) resolve();
    });
  });
  for (const size of sizes) sender.send(Buffer.alloc(size, size & 0xff), port, '127.0.0.1');
  await done;
  expect(seen).toEqual(sizes.map((size) => [size, size, true]));
  close(sockets);
});

describe.each([
  ['udp4', '127.0.0.1'],
  ['udp6', '::1']
])('%s', (type, host) => {
  both('datagrams of one size arrive one by one, with others among them', async (dgram) => {
    // Runs of one size, a shorter one behind them, an empty one, and a change of the receiver.
    const runs = [150, 10, 1, 3, 2, 11, 1, 0, 70, 1232, 2, 1300, 2, 7];
    const lengths = runs.flatMap((count, i) => (i % 2 ? [] : Array(count).fill(runs[i + 1])));
    const sender = dgram.createSocket(type);
    const receivers = [dgram.createSocket(type), dgram.createSocket(type)];
    const seen = [[], []];
    const sent = [[], []];
    let arrived;
    const all = new Promise((resolve) => (arrived = resolve));
    for (const [i, receiver] of receivers.entries()) {
      await new Promise((resolve) => receiver.bind({ address: host, port: 0 }, resolve));
      receiver.setRecvBufferSize(2 * 1024 * 1024);
      receiver.on('message', (message) => {
        seen[i].push(message.toString('latin1'));
        if (seen[0].length + seen[1].length === lengths.length) arrived();
      });
    }
    const results = lengths.map((length, i) => {
      const to = i % 50 < 45 ? 0 : 1;
      const text = String.fromCharCode(33 + (i % 90)).repeat(length);
      sent[to].push(text);
      return new Promise((resolve) => {
        sender.send(text, receivers[to].address().port, host, (...result) => resolve(result));
      });
    });
    expect(await Promise.all(results)).toEqual(lengths.map((length) => [null, length]));
    await all;
    expect(seen).toEqual(sent);
    for (const socket of [sender, ...receivers]) socket.close();
  });

  both('a connected socket sends many of one size', async (dgram) => {
    const [sender, receiver] = [dgram.createSocket(type), dgram.createSocket(type)];
    await new Promise((resolve) => receiver.bind({ address: host, port: 0 }, resolve));
    await new Promise((resolve) => sender.connect(receiver.address().port, host, resolve));
    const seen = [];
    const done = new Promise((resolve) => {
      receiver.on('message', (message) => seen.push(`${message}`) === 99 && resolve());
    });
    const texts = Array.from({ length: 99 }, (_, i) => `${i}`.padStart(8));
    for (const text of texts) sender.send(text);
    await done;
    expect(seen).toEqual(texts);
    sender.close();
    receiver.close();
  });
});

test('a message keeps its bytes, and its memory is its own', async () => {
  const sockets = await pair(ours);
  const { receiver, sender, port } = sockets;
  const kept = [];
  receiver.on('message', (message) => kept.push(message));
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 8; i++) sender.send(Buffer.alloc(100 + i * 700, round), port, '127.0.0.1');
    await turns(4);
  }
  expect(kept.length).toBe(160);
  kept.forEach((message, i) => {
    const round = Math.floor(i / 8);
    expect(message.length).toBe(100 + (i % 8) * 700);
    expect(message.every((byte) => byte === round)).toBe(true);
    expect(message.buffer.byteLength).toBe(message.length);
  });
  expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(kept.length);
  close(sockets);
});

test('what a program does to its message after the callback changes nothing', async () => {
  const sockets = await pair(ours);
  const { receiver, sender, port } = sockets;
  const message = Buffer.from('before');
  const got = new Promise((resolve) => receiver.on('message', resolve));
  await new Promise((resolve) => sender.send(message, port, '127.0.0.1', resolve));
  message.fill('x');
  expect(String(await got)).toBe('before');
  close(sockets);
});

test('messages of many senders name their own', async () => {
  const receiver = ours.createSocket('udp4');
  await new Promise((resolve) => receiver.bind(0, '0.0.0.0', resolve));
  const { port } = receiver.address();
  const senders = [];
  // More addresses than are remembered, twice over.
  for (let i = 0; i < 300; i++) {
    const socket = ours.createSocket('udp4');
    await new Promise((resolve) =>
      socket.bind(0, `127.0.${1 + (i >> 7)}.${1 + (i & 127)}`, resolve)
    );
    senders.push(socket);
  }
  const wrong = [];
  let count = 0;
  receiver.on('message', (message, { address, port: from }) => {
    count++;
    if (String(message) !== `${address}:${from}`) wrong.push([String(message), address, from]);
  });
  for (let round = 0; round < 2; round++) {
    for (const [i, socket] of senders.entries()) {
      const { address, port: from } = socket.address();
      await new Promise((resolve) => socket.send(`${address}:${from}`, port, '127.0.0.1', resolve));
      // No more than the receive buffer holds.
      if (i % 50 === 0) await turns(3);
    }
    await turns(10);
  }
  expect(wrong).toEqual([]);
  expect(count).toBe(600);
  for (const socket of [receiver, ...senders]) socket.close();
});

test('while JavaScript is slow the kernel keeps what is not yet received', async () => {
  const sockets = await pair(ours);
  const { receiver, sender, port } = sockets;
  const limit = receiver.getRecvBufferSize();
  let count = 0;
  receiver.on('message', () => {
    count++;
    // Sends far more than the receive buffer holds before the next message is heard.
    if (count === 1) {
      for (let i = 0; i < 4000; i++) sender.send(Buffer.alloc(1000), port, '127.0.0.1');
    }
  });
  const before = process.memoryUsage().external;
  sender.send('first', port, '127.0.0.1');
  await turns(60);
  // What did not fit was lost in the kernel, as UDP loses it.
  expect(count).toBeGreaterThan(20);
  expect(count).toBeLessThan(4001);
  expect(process.memoryUsage().external - before).toBeLessThan(16 * 1024 * 1024 + limit);
  close(sockets);
});
