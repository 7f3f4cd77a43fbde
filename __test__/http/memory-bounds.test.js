'use strict';

// What a peer sends that nobody reads stays with the peer, whoever has asked for the socket.

const { EventEmitter, once } = require('node:events');
const net = require('node:net');
const path = require('node:path');

const { report, root } = require('../support/child');
const { answering, node, ours, same, serve, withoutDate } = require('../support/http-wire');

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

/** Whether a server has no connection any more, in some time. */
async function closed(server) {
  const deadline = Date.now() + 5000;
  for (;;) {
    const count = await new Promise((resolve) => server.getConnections((_, n) => resolve(n)));
    if (count === 0 || Date.now() > deadline) return count === 0;
    await new Promise(setImmediate);
  }
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
    // Without an answer nobody reads on.
    test.each([
      ['node', node],
      ['ferronet', ours]
    ])('when one is answered (%s)', async (_, http) => {
      const answered = new EventEmitter();
      const listener = (req, res) => {
        if (req.url === '/second') {
          res.end('never sent');
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
        socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
        await once(answered, 'first');
        socket.write('GET /second HTTP/1.1\r\nHost: x\r\n\r\n');
        await once(answered, 'second');
        leave[how](socket);
        expect(await closed(server)).toBe(true);
      });
    });

    // Of Node's there are never too many.
    test.each([
      ['node', node],
      ['ferronet', ours]
    ])('when none is answered because there are too many (%s)', async (_, http) => {
      let count = 0;
      const told = new EventEmitter();
      const listener = () => {
        if (++count === 2000) told.emit('all');
      };
      await serve(http, {}, listener, async (server, port) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', () => {}).resume();
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000));
        await once(told, 'all');
        leave[how](socket);
        expect(await closed(server)).toBe(true);
      });
    });
  });
});

describe('of a client whose answers wait for a slow one', () => {
  const requests = [0, 1, 2].map((n) => `GET /${n} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');

  /** Gives the answer that was waited for once the client's `leave` is with the kernel. */
  async function slowly(http, leave) {
    let slow;
    const listener = (req, res) => {
      if (req.url === '/0') slow = res;
      else res.end('x'.repeat(200));
    };
    return serve(http, { highWaterMark: 100 }, listener, async (server, port) => {
      const log = [];
      server.on('clientError', (error, socket) => {
        log.push([error.code, error.syscall]);
        socket.destroy();
      });
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(requests);
      while (slow === undefined) await new Promise(setImmediate);
      let text = '';
      socket.on('data', (data) => (text += data));
      leave(socket);
      // Whoever reads would have heard of it.
      await new Promise((resolve) => setTimeout(resolve, 50));
      slow.end('slow');
      return [await closed(server), withoutDate(text), log];
    });
  }

  same('the end is heard behind them', (http) => slowly(http, (socket) => socket.end()));

  same('a reset is heard by the write that meets it', (http) =>
    slowly(http, (socket) => socket.resetAndDestroy())
  );
});

describe('what a program keeps of a large request does not keep the rest of it', () => {
  test.each([
    ['its url', 'kept.add(req.url)'],
    ['a value', "kept.add(req.headers['x-kept'])"],
    ['a value of rawHeaders', 'kept.add(req.rawHeaders[3])'],
    ['nothing, but its names are many', 'req.headers']
  ])('%s', async (name, keep) => {
    const grown = await report(
      {
        script: `
          const http = require(process.env.FERRONET_TEST_NET);
          const net = require('node:net');
          const count = 2000;
          const kept = new Set();
          const used = () => (gc(), gc(), process.memoryUsage().heapUsed);
          const server = http.createServer((req, res) => {
            ${keep};
            res.end();
          });
          server.listen(0, '127.0.0.1', () => {
            const socket = net.connect(server.address().port, '127.0.0.1');
            const more = 'X-More: ' + 'x'.repeat(15_000);
            let before;
            let i = 0;
            const send = () => {
              socket.write(
                'GET /a/path/of/some/length/' + i + ' HTTP/1.1\\r\\nHost: x\\r\\n' +
                'X-Kept: a-value-of-some-length-' + i + '\\r\\n' +
                'X-A-Name-Of-Some-Length-' + i++ + ': x\\r\\n' + more + '\\r\\n\\r\\n'
              );
            };
            socket.on('data', () => {
              if (i === 10) before = used();
              if (i < count) return send();
              socket.destroy();
              server.close(() => console.log(used() - before));
            });
            send();
          });`
      },
      { net: path.join(root, 'dist/http/index.js'), nodeArgs: ['--expose-gc'] }
    );
    expect(grown).toBeLessThan(3 * 1024 * 1024);
  });
});
