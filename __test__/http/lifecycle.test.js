'use strict';

// Servers that end, or lose their connections, in the midst of everything: nothing crashes, nothing
// stays behind, and the others go on.

const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');

const { describe: tell, report, run, start, stopAll, root } = require('../support/child');
const { expectNothingLeft } = require('../support/churn');
const { forms, serveAs } = require('../support/http-forms');
const { answering, exchange, node, ours, withoutDate } = require('../support/http-wire');

jest.setTimeout(120_000);
afterAll(stopAll);

const OURS = path.join(root, 'dist', 'http', 'index.js');
const NODE = 'node:http';
const MIB = 1024 * 1024;
const get = (url, more = '') => `GET ${url} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

const settled = async (turns = 20) => {
  for (let i = 0; i < turns; i++) await new Promise(setImmediate);
};

/** Opens so many connections, writes to each, and gives them once they are open. */
async function crowd(port, count, text) {
  const sockets = Array.from({ length: count }, () => net.connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.over = new Promise((resolve) => socket.on('close', resolve));
    socket.text = '';
    socket.on('data', (chunk) => (socket.text += chunk));
  }
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  if (text) for (const socket of sockets) socket.write(text);
  return sockets;
}

test('worker threads terminated in the midst of requests leave nothing behind', async () => {
  const how = { ours: [OURS, 100], node: [NODE, 30], warm: 10 };
  await expectNothingLeft('http/worker-churn.js', how);
}, 600_000);

test('everything that served or asked is collected once it is over', async () => {
  const options = { nodeArgs: ['--expose-gc'], limit: 60_000 };
  const { made, gone, files } = await report('http/live-objects.js', { ...options, net: OURS });
  const reference = await report('http/live-objects.js', { ...options, net: NODE });
  expect(made).toEqual(reference.made);
  expect(files).toBe(reference.files);
  for (const kind of Object.keys(made)) {
    expect(made[kind]).toBeGreaterThan(0);
    // What V8 keeps of the last ones on its stack.
    expect({ kind, left: Math.max(made[kind] - gone[kind], 2) }).toEqual({ kind, left: 2 });
  }
});

describe('a process that ends in a listener', () => {
  const pipelined = ['/a', '/socket', '/b', '/chunks', '/pending'];

  async function play(impl, how, before) {
    const running = start('http/exit-inside.js', { net: impl, args: [how] });
    const port = Number(await running.line());
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write([...before, '/exit'].map((url) => get(url)).join(''));
    await closed;
    const { code, signal } = await running.result;
    return { code, signal, text: withoutDate(text) };
  }

  describe.each(['exit', 'answers', 'writes', 'tick', 'throws'])('by %s', (how) => {
    test.each([
      ['alone', []],
      ['behind an answer', ['/a']],
      ['behind an answer through a socket', ['/socket']],
      ['behind answers of both kinds', ['/a', '/socket', '/b']],
      ['behind one that is pending', ['/a', '/pending', '/b']],
      ['behind one that has begun', ['/chunks', '/b']],
      ['behind all of them', pipelined]
    ])('%s sends at least what Node sends', async (name, before) => {
      const { text, ...result } = await play(OURS, how, before);
      const { text: expected, ...reference } = await play(NODE, how, before);
      expect(result).toEqual(reference);
      // Node loses answers that wait for those before them to be told of.
      expect(text.startsWith(expected)).toBe(true);
      const answered = ['/a', '/socket', '/b'].filter((url) => before.includes(url));
      const first = before.findIndex((url) => !answered.includes(url));
      const due = first < 0 ? answered : before.slice(0, first);
      expect(text.match(/\/\w+(?=HTTP|$|last)/g) ?? []).toEqual(expect.arrayContaining(due));
    });
  });
});

describe('out of descriptors', () => {
  const SERVER = `
    const http = require(process.env.FERRONET_TEST_NET);
    const server = http.createServer((req, res) => res.end('answer'));
    server.on('error', (error) => console.log('error ' + error.code));
    server.listen({ port: 0, host: '127.0.0.1', backlog: 300 }, () => console.log(server.address().port));
  `;

  test('a server answers those it could accept, and then the others', async () => {
    const running = start({ script: SERVER }, { net: OURS, files: 64 });
    const port = Number(await running.line());
    const sockets = await crowd(port, 200, get('/'));
    const answered = () => sockets.filter(({ text }) => text.includes('answer')).length;
    while (answered() < 20) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(answered()).toBeLessThan(64);
    // Those that are served make room for those that wait.
    while (answered() < 200) {
      for (const socket of sockets) if (socket.text.includes('answer')) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const result = await running.stop();
    expect(tell(result)).not.toContain('error');
  });
});

describe.each(forms)('on connections %s', (form) => {
  test.each(['push', 'unshift'])('a listener may %s bytes amid a read', async (method) => {
    const play = async (http) => {
      const seen = [];
      const listener = (req, res) => {
        seen.push(req.url);
        if (req.url === '/body') req.socket[method](Buffer.from(get('/pushed')));
        req.resume().on('end', () => res.end('answer'));
      };
      await serveAs(form, http, {}, listener, async (server, port) => {
        const body = 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc';
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.resume();
        socket.write(body);
        while (!seen.includes('/pushed')) await settled(1);
        socket.destroy();
      });
      return seen;
    };
    expect(await play(ours)).toEqual(['/body', '/pushed']);
    expect(await play(node)).toEqual(['/body', '/pushed']);
  });

  test('a listener may end all of them while their requests are being told', async () => {
    let count = 0;
    const listener = (req, res) => {
      count++;
      if (count === 1) req.socket.server.closeAllConnections();
      res.end('answer');
    };
    const use = async (server, port) => {
      const sockets = await crowd(port, 40, get('/') + get('/'));
      // Those that came later are served.
      const isDone = ({ destroyed, text }) => destroyed || text.match(/answer/g)?.length === 2;
      while (!sockets.every(isDone)) await settled(1);
      expect(sockets.some(({ destroyed }) => destroyed)).toBe(true);
      for (const socket of sockets) socket.destroy();
      const before = count;
      // Their ids are others' now: nothing that was for the first may get to these.
      for (let i = 0; i < 40; i++) {
        const text = await exchange(port, get(`/${i}`, 'Connection: close\r\n'));
        expect(text.match(/answer/g)).toHaveLength(1);
      }
      expect(count).toBe(before + 40);
      expect(count).toBeLessThanOrEqual(120);
    };
    await serveAs(form, ours, {}, listener, use);
  });

  test('a listener may destroy others whose requests came in the same turn', async () => {
    const requests = new Set();
    let told = 0;
    const listener = (req, res) => {
      told++;
      requests.add(req);
      // All others, of which some are yet to be told.
      if (told === 3) for (const other of requests) if (other !== req) other.destroy();
      if (req.url === '/last') res.end('answer');
    };
    await serveAs(form, ours, {}, listener, async (server, port) => {
      const sockets = await crowd(port, 30, get('/'));
      while (told < 30) await settled(1);
      for (const req of requests) req.destroy();
      await Promise.all(sockets.map(({ over }) => over));
      const text = await exchange(port, get('/last', 'Connection: close\r\n'));
      expect(text).toContain('answer');
    });
  });

  test('resets at every stage leave a server that answers, and no connection', async () => {
    const stages = [
      '',
      'GE',
      get('/'),
      get('/pending'),
      get('/') + get('/pending') + get('/'),
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc',
      'POST /pending HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
      get('/large')
    ];
    const large = Buffer.alloc(4 * MIB);
    const listener = (req, res) => {
      req.on('error', () => {});
      if (req.url === '/large') res.end(large);
      else if (req.method === 'POST') req.on('data', (chunk) => res.write(chunk));
      else if (req.url !== '/pending') res.end('answer');
    };
    await serveAs(form, ours, {}, listener, async (server, port) => {
      for (const turns of [0, 1, 3]) {
        for (const text of stages) {
          const sockets = await crowd(port, 10, text);
          await settled(turns);
          for (const socket of sockets) socket.resetAndDestroy();
          await Promise.all(sockets.map(({ over }) => over));
        }
      }
      const text = await exchange(port, get('/', 'Connection: close\r\n'));
      expect(text).toContain('answer');
      const count = () => new Promise((resolve) => server.getConnections((e, n) => resolve(n)));
      while ((await count()) > 0) await settled(1);
      server.close();
      // A bridge is none of the server's connections: the test's helper ends those.
      await once(server, 'close');
    });
  });

  test('what stands behind CONNECT and an upgrade is the program’s, as in Node', async () => {
    const play = async (http, request) => {
      const seen = [];
      const take = (name) => (req, socket, head) => {
        seen.push([name, req.url, head.toString('latin1'), req.rawHeaders.length]);
        try {
          socket.setEncoding('utf8');
        } catch (error) {
          seen.push(error.code);
        }
        socket.on('data', (chunk) => socket.write(`echo ${chunk}`));
        socket.on('end', () => socket.end('end'));
        socket.write('HTTP/1.1 101 Yours\r\n\r\n');
      };
      const listener = (req, res) => {
        seen.push(['request', req.url]);
        res.end('answer');
      };
      return serveAs(form, http, {}, listener, async (server, port) => {
        server.on('connect', take('connect'));
        server.on('upgrade', take('upgrade'));
        const socket = net.connect(port, '127.0.0.1');
        let text = '';
        socket.on('data', (chunk) => (text += chunk));
        socket.write(request);
        while (!text.includes('Yours')) await settled(1);
        socket.write('more');
        while (!text.includes('echo more')) await settled(1);
        socket.end();
        await once(socket, 'close');
        return { seen, text: withoutDate(text) };
      });
    };
    const upgrade = get('/up', 'Connection: Upgrade\r\nUpgrade: x\r\n');
    const connect = 'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const asks of [upgrade, connect]) {
      for (const text of [asks, `${asks}GET /smuggled HTTP/1.1\r\n\r\n`, get('/before') + asks]) {
        const result = await play(ours, text);
        expect(result.seen.flat()).not.toContain('/smuggled');
        expect(result).toEqual(await play(node, text));
      }
    }
  });
});

test('close() and closeIdleConnections() under load lose no answer that has begun', async () => {
  const listener = (req, res) => {
    if (req.url === '/slow') setTimeout(() => res.end('slow answer'), 30);
    else res.end('answer');
  };
  for (const ask of [() => {}, (server) => server.on('connection', () => {})]) {
    const server = ours.createServer(listener);
    ask(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const busy = await crowd(port, 20, get('/slow'));
    const idle = await crowd(port, 20, get('/'));
    const silent = await crowd(port, 5, '');
    while (idle.some(({ text }) => !text.includes('answer'))) await settled(1);
    const closed = once(server, 'close');
    server.close();
    await Promise.all(idle.map((socket) => socket.over));
    await Promise.all(busy.map((socket) => socket.over));
    expect(busy.filter(({ text }) => text.endsWith('slow answer'))).toHaveLength(20);
    server.closeAllConnections();
    await Promise.all(silent.map((socket) => socket.over));
    await closed;
  }
});

test('a listener of an answer may push bytes to its socket', async () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc';
  const play = (http) =>
    answering(answer, async (port) => {
      const seen = [];
      const req = http.get({ port, host: '127.0.0.1', agent: false });
      req.on('error', ({ code }) => seen.push(code));
      req.on('response', (res) => {
        res.on('error', ({ code }) => seen.push(code));
        res.on('data', () => res.socket.push(Buffer.from('more')));
      });
      await new Promise((resolve) => req.on('close', resolve));
      return seen.length;
    });
  expect(await play(ours)).toBeLessThanOrEqual(1);
  expect(await play(node)).toBeLessThanOrEqual(1);
});

test('an exception in a listener is its connection’s alone', async () => {
  const script = `
    const http = require(process.env.FERRONET_TEST_NET);
    const net = require('node:net');
    let caught = 0;
    process.on('uncaughtException', () => caught++);
    const server = http.createServer((req, res) => {
      if (req.url === '/throw') throw new Error('of the listener');
      res.end(req.url);
    });
    server.listen(0, '127.0.0.1', () => {
      let answers = 0;
      let left = 40;
      for (let i = 0; i < 40; i++) {
        const socket = net.connect(server.address().port, '127.0.0.1');
        const url = i % 2 ? '/throw' : '/good';
        socket.write('GET ' + url + ' HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
        if (i % 2) setTimeout(() => socket.destroy(), 100);
        socket.on('data', (chunk) => {
          if (!String(chunk).includes('/good')) return;
          answers++;
          socket.destroy();
        });
        socket.on('close', () => {
          if (--left > 0) return;
          server.close(() => console.log(JSON.stringify({ answers, caught })));
        });
      }
    });
  `;
  const play = async (impl) => JSON.parse((await run({ script }, { net: impl })).stdout);
  expect(await play(OURS)).toEqual({ answers: 20, caught: 20 });
  expect(await play(NODE)).toEqual({ answers: 20, caught: 20 });
});

test('an exception in a listener of "timeout" keeps no other idle connection', async () => {
  const script = `
    const http = require(process.env.FERRONET_TEST_NET);
    const net = require('node:net');
    let caught = 0;
    process.on('uncaughtException', () => caught++);
    const server = http.createServer({ keepAliveTimeout: 1 }, (req, res) => res.end());
    server.keepAliveTimeoutBuffer = 0;
    server.on('timeout', (socket) => {
      socket.destroy();
      throw new Error('of the listener');
    });
    server.listen(0, '127.0.0.1', () => {
      let left = 5;
      for (let i = 0; i < 5; i++) {
        const socket = net.connect(server.address().port, '127.0.0.1');
        socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
        socket.resume();
        socket.on('close', () => {
          if (--left > 0) return;
          server.close(() => console.log(JSON.stringify({ caught })));
        });
      }
    });
  `;
  const play = (impl) => report({ script }, { net: impl, limit: 10_000 });
  expect(await play(OURS)).toEqual(await play(NODE));
});
