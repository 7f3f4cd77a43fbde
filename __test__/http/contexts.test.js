'use strict';

// AsyncLocalStorage: which store each listener and callback of a request sees, as with node:http.

const { AsyncLocalStorage, createHook, executionAsyncResource } = require('node:async_hooks');
const { once } = require('node:events');
const net = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');

const { same, serve } = require('../support/http-wire');

/** A store, and a log in which everything that sees it is told with what it saw. */
function recorder() {
  const storage = new AsyncLocalStorage();
  const log = [];
  const see = (label) => log.push(`${label}: ${storage.getStore()}`);
  const watch = (prefix, emitter, names) => {
    for (const name of names) emitter.on(name, () => see(`${prefix} ${name}`));
  };
  // Which of two sides comes first is not what is compared here.
  return { storage, see, watch, log, sorted: () => log.sort() };
}

const post = (path, body = 'ab') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Waits until so many answers have ended; each ends with the last chunk. */
async function answers(socket, received, count) {
  while (received.join('').split('0\r\n\r\n').length <= count) await once(socket, 'data');
}

/** Runs `use` on a raw connection to a server, outside of any store. */
function talking(http, options, listener, use, setUp = () => {}) {
  return serve(http, options, listener, async (server, port) => {
    setUp(server);
    const socket = net.connect(port, '127.0.0.1');
    const received = [];
    socket.on('data', (chunk) => received.push(chunk.toString('latin1')));
    socket.on('error', () => {});
    try {
      await use(socket, (count) => answers(socket, received, count));
    } finally {
      socket.destroy();
    }
    // What is emitted when the client has gone.
    await sleep(20);
  });
}

/** Answers in a later turn, in two pieces, telling of everything on the way. */
function answerLater({ see, watch }, req, res) {
  const { url } = req;
  watch(url, req, ['data', 'end', 'close']);
  watch(url, res, ['finish', 'close']);
  setTimeout(async () => {
    see(`${url} timer`);
    await null;
    see(`${url} await`);
    res.write('x', () => see(`${url} write callback`));
    res.end('y', () => see(`${url} end callback`));
  }, 2);
}

describe('a server', () => {
  same('keeps the stores of its requests apart that run() gives them', async (http) => {
    const record = recorder();
    const listener = (req, res) => {
      record.see(`${req.url} before`);
      record.storage.run(req.url, answerLater, record, req, res);
      record.see(`${req.url} after`);
    };
    await talking(http, {}, listener, async (socket, answered) => {
      socket.write(post('/1'));
      await answered(1);
      socket.write(post('/2') + post('/3') + post('/4').slice(0, -1));
      await answered(3);
      socket.write('b');
      await answered(4);
    });
    return record.sorted();
  });

  same('gives each request what enterWith() left of the one before it', async (http) => {
    const record = recorder();
    const listener = (req, res) => {
      record.see(`${req.url} before`);
      record.storage.enterWith(req.url);
      answerLater(record, req, res);
    };
    await talking(http, {}, listener, async (socket, answered) => {
      for (const [index, path] of ['/1', '/2', '/3'].entries()) {
        socket.write(post(path).slice(0, -1));
        while (!record.log.some((line) => line.startsWith(`${path} data`))) await sleep(1);
        socket.write('b');
        await answered(index + 1);
      }
    });
    return record.sorted();
  });

  same('does so too where requests come in one piece', async (http) => {
    const record = recorder();
    const listener = (req, res) => {
      record.see(`${req.url} before`);
      record.storage.enterWith(req.url);
      answerLater(record, req, res);
    };
    await talking(http, {}, listener, async (socket, answered) => {
      socket.write(post('/1') + post('/2') + post('/3'));
      await answered(3);
    });
    return record.sorted();
  });

  /** Listens in a store, and is asked twice. */
  async function listening(http, events) {
    const record = recorder();
    const server = http.createServer((req, res) => {
      record.see(`${req.url} request`);
      answerLater(record, req, res);
    });
    record.watch('server', server, events);
    server.on('checkContinue', (req, res) => answerLater(record, req, res));
    record.storage.run('listen', () => server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const socket = net.connect(server.address().port, '127.0.0.1');
    const received = [];
    socket.on('data', (chunk) => received.push(chunk.toString('latin1')));
    socket.write(post('/1'));
    await answers(socket, received, 1);
    socket.write(post('/2').replace('Host', 'Expect: 100-continue\r\nHost'));
    await answers(socket, received, 2);
    socket.destroy();
    server.close();
    await once(server, 'close');
    return record.sorted();
  }

  same('runs its requests in the context it was told to listen in', (http) =>
    listening(http, ['checkContinue', 'close'])
  );

  same('does so too where somebody sees the sockets', (http) =>
    listening(http, ['connection', 'checkContinue', 'close'])
  );

  same('emits data and end of a body between the requests of one read', async (http) => {
    const record = recorder();
    const listener = (req, res) => {
      record.see(`${req.url} request`);
      record.watch(req.url, req, ['data', 'end']);
      req.on('end', () => res.end());
    };
    await talking(http, {}, listener, async (socket) => {
      socket.write(post('/1') + post('/2') + post('/3').replace(/ab$/, 'a'));
      await sleep(20);
      socket.write('b');
      await sleep(20);
    });
    return record.log;
  });

  same('tells of clients that fail outside of any store', async (http) => {
    const record = recorder();
    await talking(
      http,
      {},
      (req, res) => record.storage.run(req.url, () => res.end('x')),
      async (socket) => {
        socket.write(`GET /1 HTTP/1.1\r\nHost: x\r\n\r\n`);
        await once(socket, 'data');
        socket.write('no request\r\n\r\n');
        await once(socket, 'close');
      },
      (server) =>
        server.on('clientError', (error, socket) => {
          record.see(error.code);
          socket.destroy();
        })
    );
    return record.sorted();
  });
});

describe('a client', () => {
  /** Runs `use(go)` against a server; `go(name, options)` makes a request in a store of that name. */
  async function asking(http, agentOptions, use) {
    const record = recorder();
    const { see, storage, watch } = record;
    const agent = new http.Agent(agentOptions);
    agent.on('free', () => see('agent free'));
    const answer = (req, res) => {
      req.resume();
      req.on('end', () => {
        if (req.url === '/fails') return req.socket.destroy();
        res.write('a');
        setTimeout(() => res.end('b'), 3);
      });
    };
    const request = (port, name, { ends = true, looks = false, ...options }, done) => {
      const given = {
        port,
        host: '127.0.0.1',
        agent,
        method: 'POST',
        path: `/${name}`,
        ...options
      };
      const req = http.request(given, (res) => {
        see(`${name} response`);
        watch(`${name} response`, res, ['data', 'end', 'close']);
      });
      const names = ['socket', 'continue', 'information', 'finish', 'timeout', 'error', 'close'];
      watch(name, req, names);
      if (looks) req.once('socket', (socket) => look(name, req, socket));
      req.on('close', done);
      req.write('x', () => see(`${name} write callback`));
      if (ends) req.end(() => see(`${name} end callback`));
      else setTimeout(() => storage.run('elsewhere', () => req.end()), 20);
    };
    /** Listens to the socket itself; how often 'data' comes is no matter. */
    const look = (name, req, socket) => {
      for (const event of ['data', 'end', 'close']) {
        const listener = () => see(`${name} socket ${event}`);
        socket.once(event, listener);
        req.once('close', () => socket.removeListener(event, listener));
      }
    };
    await serve(http, {}, answer, async (server, port) => {
      await use((name, options = {}) =>
        storage.run(name, () => new Promise((done) => request(port, name, options, done)))
      );
      agent.destroy();
    });
    return record.sorted();
  }

  same('hears of an answer in the store of whoever asked', (http) =>
    asking(http, {}, async (go) => {
      await Promise.all([go('one'), go('two'), go('none', { agent: false })]);
      await go('continues', { headers: { Expect: '100-continue' } });
      await go('fails');
    })
  );

  same('does so over a socket that another used before', (http) =>
    asking(http, { keepAlive: true }, async (go) => {
      await go('first');
      await go('second');
      await go('third', { headers: { Expect: '100-continue' } });
      await go('idles', { timeout: 5, ends: false });
      await go('fails');
    })
  );

  same('so do listeners of a used socket', (http) =>
    asking(http, { keepAlive: true }, async (go) => {
      for (const name of ['one', 'two', 'fails']) await go(name, { looks: true });
    })
  );

  same('so do listeners of a socket that was waited for', (http) =>
    asking(http, { keepAlive: true, maxSockets: 1 }, (go) =>
      Promise.all(['one', 'two', 'fails'].map((name) => go(name, { looks: true })))
    )
  );

  same('does so when it had to wait for a socket', (http) =>
    asking(http, { keepAlive: true, maxSockets: 1 }, (go) =>
      Promise.all(['one', 'two', 'three'].map((name) => go(name)))
    )
  );

  same('has an answer closed before, or after, the next request has its socket', async (http) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const log = [];
    await serve(
      http,
      {},
      (req, res) => res.end('x'),
      (server, port) =>
        Promise.all(
          ['one', 'two'].map(
            (name) =>
              new Promise((resolve) => {
                const req = http.get({ host: '127.0.0.1', port, agent }, (res) => {
                  for (const event of ['end', 'close']) {
                    res.on(event, () => log.push(`${name} response ${event}`));
                  }
                  res.on('close', resolve).resume();
                });
                for (const event of ['socket', 'close']) {
                  req.on(event, () => log.push(`${name} ${event}`));
                }
              })
          )
        )
    );
    agent.destroy();
    return log;
  });

  same('does so when the socket it waited for is a new one', (http) =>
    asking(http, { maxSockets: 1 }, (go) => Promise.all(['one', 'two'].map((name) => go(name))))
  );

  same('has its resources, and those of the server, destroyed when they are over', async (http) => {
    const types = new Map();
    const log = [];
    const wanted = ['HTTPCLIENTREQUEST', 'HTTPINCOMINGMESSAGE'];
    const hook = createHook({
      init(id, type) {
        if (wanted.includes(type)) types.set(id, type);
      },
      destroy(id) {
        if (types.has(id)) log.push(types.get(id));
      }
    });
    hook.enable();
    const listener = (req, res) => (req.url === '/fails' ? req.socket.destroy() : res.end('x'));
    await serve(http, {}, listener, async (server, port) => {
      // Somebody sees the sockets: a connection without one has no resource but its handle's.
      server.on('connection', () => {});
      const agent = new http.Agent({ keepAlive: true });
      for (const path of ['/', '/', '/fails']) {
        await new Promise((resolve) => {
          const req = http.get({ port, host: '127.0.0.1', agent, path }, (res) => res.resume());
          req.on('error', () => {}).on('close', resolve);
        });
        await sleep(5);
        log.push(path);
      }
      agent.destroy();
      await sleep(5);
    });
    hook.disable();
    return [log, types.size];
  });

  same('hears of an answer in a resource that names the request', async (http) => {
    const types = [];
    const hook = createHook({
      init(id, type) {
        if (type === 'HTTPCLIENTREQUEST') types.push(type);
      }
    });
    return serve(
      http,
      {},
      (req, res) => res.end('x'),
      async (server, port) => {
        const agent = new http.Agent({ keepAlive: true });
        const log = [];
        hook.enable();
        for (let i = 0; i < 2; i++) {
          const req = http.get({ port, host: '127.0.0.1', agent });
          const [res] = await new Promise((resolve) => {
            req.on('response', (res) => {
              const resource = executionAsyncResource();
              log.push(resource.constructor.name, resource.type, resource.req === req);
              resolve([res]);
            });
          });
          res.resume();
          await once(res, 'close');
        }
        hook.disable();
        agent.destroy();
        return [...log, types];
      }
    );
  });
});
