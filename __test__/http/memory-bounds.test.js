'use strict';

// What a peer sends that nobody reads stays with the peer, whoever has asked for the socket.

const { EventEmitter, once } = require('node:events');
const net = require('node:net');

const { answering, node, ours, serve } = require('../support/http-wire');

const LENGTH = 64 * 1024 * 1024;
const HEAD = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${LENGTH}\r\n`;

/** Sends a body until the other side takes no more; how much of it that is. */
async function fill(socket) {
  const chunk = Buffer.alloc(256 * 1024, 'x');
  let sent = 0;
  while (sent < LENGTH) {
    sent += chunk.length;
    if (socket.write(chunk)) continue;
    const drained = await Promise.race([
      once(socket, 'drain').then(() => true),
      new Promise((resolve) => setTimeout(resolve, 300, false))
    ]);
    if (!drained) break;
  }
  return sent;
}

describe('a body that nobody reads is not taken in by a server', () => {
  test.each([
    ['of a plain request', '', () => {}],
    ['of one whose socket was asked for', '', (req) => req.socket],
    ['of one whose socket is asked for later', '', (req) => setTimeout(() => req.socket, 20)],
    ['of one that was told to go on', 'Expect: 100-continue\r\n', () => {}],
    ['of one that was paused', '', (req) => req.on('data', () => {}).pause()],
    ['of one whose socket is heard as well', '', (req) => req.socket.on('data', () => {})]
  ])('%s', async (name, fields, use) => {
    let request;
    const listener = (req) => use((request = req));
    await serve(ours, {}, listener, async (server, port) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`${HEAD}${fields}\r\n`);
      expect(await fill(socket)).toBeLessThan(LENGTH);
      expect(request.readableLength).toBeLessThan(1024 * 1024);
      socket.destroy();
    });
  });
});

describe('a body that nobody reads is not taken in by a client', () => {
  test.each([
    ['of a plain answer', () => {}],
    ['of one that is paused', (res) => res.on('data', () => {}).pause()],
    ['of one whose socket is heard as well', (res) => res.socket.on('data', () => {})]
  ])('%s', async (name, use) => {
    let sent;
    const answer = (received, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LENGTH}\r\n\r\n`);
      sent = fill(socket);
    };
    await answering(answer, async (port) => {
      const request = ours.get({ port, host: '127.0.0.1', agent: false });
      request.on('error', () => {});
      const [response] = await once(request, 'response');
      response.on('error', () => {});
      use(response);
      expect(await sent).toBeLessThan(LENGTH);
      expect(response.readableLength).toBeLessThan(1024 * 1024);
      request.destroy();
    });
  });
});

test('requests whose answers a client does not read are held back', async () => {
  let count = 0;
  const answer = Buffer.alloc(10_000);
  const listener = (req, res) => {
    count++;
    res.end(answer);
  };
  await serve(ours, {}, listener, async (server, port) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    const requests = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000));
    for (let i = 0; i < 400 && socket.writableLength === 0; i++) {
      socket.write(requests);
      await new Promise(setImmediate);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    // As many as the kernel's buffers take in answers, and those of a read.
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(10_000);
    socket.destroy();
  });
});

describe('requests that nobody answers are held back, and lost none of them', () => {
  // Those of the read in which there were too many are told.
  const MOST = 8000;

  test.each([
    ['of a plain connection', () => {}],
    ['of one whose socket was asked for', (req) => req.socket],
    ['of one whose socket is heard as well', (req) => req.socket.on('data', () => {})],
    ['of one that is told to read on', (req) => req.socket.resume(), { each: true }],
    // What is held back amid a head is not late for that.
    ['of one that waits for longer than headersTimeout', () => {}, { total: 4000, wait: 1500 }]
  ])('%s', async (name, use, { total = 20_000, wait = 0, each = false } = {}) => {
    const requests = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(total));
    const unanswered = [];
    let most = 0;
    let count = 0;
    const listener = (req, res) => {
      unanswered.push(res);
      most = Math.max(most, unanswered.length);
      if (count++ === 0 || each) use(req);
    };
    const options = wait === 0 ? {} : { headersTimeout: 1000, connectionsCheckingInterval: 50 };
    await serve(ours, options, listener, async (server, port) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.write(requests);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      const chunks = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      while (!socket.destroyed) {
        const before = count;
        for (let i = 0; i < 20; i++) await new Promise(setImmediate);
        if (count > before) continue;
        if (most === count) await new Promise((resolve) => setTimeout(resolve, wait));
        for (const res of unanswered.splice(0)) res.end();
      }
      expect(Buffer.concat(chunks).toString('latin1').match(/HTTP/g)).toHaveLength(total + 1);
      expect(count).toBe(total + 1);
      expect(most).toBeLessThan(MOST);
      expect(most).toBeGreaterThan(1000);
    });
  });
});

describe('a client that leaves while its requests are held back is noticed', () => {
  const leave = {
    'by its end': (socket) => socket.end(),
    'by a reset': (socket) => socket.resetAndDestroy()
  };

  describe.each(Object.keys(leave))('%s', (how) => {
    test.each([
      ['node', node, true],
      ['ferronet', ours, true],
      // Node notices only after an answer.
      ['ferronet, without an answer', ours, false]
    ])('%s', async (_, http, answers) => {
      const answered = new EventEmitter();
      const listener = (req, res) => {
        if (req.url === '/second') {
          if (answers) res.end('never sent');
          answered.emit('second');
          return;
        }
        res.write('begun');
        setImmediate(() => {
          // More than the high-water mark: what follows waits for it to leave, which it never does.
          req.socket.cork();
          res.write(Buffer.alloc(150_000));
          answered.emit('first');
        });
      };
      await serve(http, {}, listener, async (server, port) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', () => {}).resume();
        const connections = () =>
          new Promise((resolve) => server.getConnections((_, n) => resolve(n)));
        socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
        await once(answered, 'first');
        socket.write('GET /second HTTP/1.1\r\nHost: x\r\n\r\n');
        await once(answered, 'second');
        leave[how](socket);
        const deadline = Date.now() + 5000;
        while ((await connections()) > 0 && Date.now() < deadline) await new Promise(setImmediate);
        expect(await connections()).toBe(0);
      });
    });
  });
});
