'use strict';

// What can be set of a request that was not sent yet, and what its agent makes of it.

const { once } = require('node:events');
const net = require('node:net');

const { answering, node, ours, same, thrown } = require('../support/http-wire');

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** Gives the bytes of a request to which `change` was done before it was sent. */
function sent(http, options, change) {
  return answering(OK, async (port, received) => {
    const req = http.request({ host: '127.0.0.1', port, agent: false, ...options });
    req.on('connect', (res, socket) => socket.destroy());
    change(req);
    req.end();
    await once(req, 'close');
    return received.join('').replaceAll(String(port), 'PORT');
  });
}

describe('the path of a request', () => {
  same('is sent as it was last set', async (http) => {
    const seen = [];
    const wire = await sent(http, { path: '/first' }, (req) => {
      for (const path of ['/second', '/%20', '/last?a#b']) {
        req.path = path;
        seen.push(req.path);
      }
    });
    return [seen, wire];
  });

  test('cannot end the request line, whenever it is set', async () => {
    const errors = [];
    const wire = await sent(ours, { path: '/first' }, (req) => {
      for (const path of ['/a b', '/a\r\nX: y', '/\u0100', { path: '/' }]) {
        errors.push(thrown(() => (req.path = path)).code);
      }
    });
    expect(errors).toEqual(new Array(4).fill('ERR_UNESCAPED_CHARACTERS'));
    expect(wire).toMatch(/^GET \/first HTTP\/1\.1\r\n/);
  });
});

describe('the Host header', () => {
  same('is checked again for a request that is strict', (http) =>
    answering(OK, async (port) => {
      const outcomes = [];
      for (const options of [{ insecureHTTPParser: true }, {}, {}]) {
        const asks = () => http.request({ host: 'a\u0001b', port, lookup: () => {}, ...options });
        outcomes.push(
          thrown(() =>
            asks()
              .on('error', () => {})
              .destroy()
          )?.code
        );
      }
      return [...outcomes, await sent(http, {}, () => {}), await sent(http, {}, () => {})];
    })
  );

  same('is set by setHeader(), whosever it is', async (http) => {
    const { setHeader } = http.ClientRequest.prototype;
    const seen = [];
    await sent(http, {}, () => {});
    http.ClientRequest.prototype.setHeader = function (name, value) {
      seen.push(name);
      return setHeader.call(this, name, value);
    };
    try {
      return [await sent(http, {}, () => {}), seen];
    } finally {
      delete http.ClientRequest.prototype.setHeader;
    }
  });
});

describe('the Host header of CONNECT', () => {
  const cases = [
    { path: 'other:443' },
    { path: 'other:443', headers: { host: 'mine' } },
    { path: 'other:443', setHost: false },
    {}
  ];
  same('is what Node makes of the target', (http) =>
    Promise.all(cases.map((options) => sent(http, { method: 'CONNECT', ...options }, () => {})))
  );
});

same('setSocketKeepAlive() and setNoDelay() reach the socket, whenever they are called', (http) =>
  answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', async (port) => {
    const calls = [];
    const req = http.request({ host: '127.0.0.1', port, agent: false });
    req.once('socket', (socket) => {
      for (const name of ['setKeepAlive', 'setNoDelay']) {
        const method = socket[name];
        socket[name] = function (...args) {
          calls.push([name, ...args]);
          return method.apply(this, args);
        };
      }
    });
    req.setSocketKeepAlive(true, 1500);
    req.setNoDelay(false);
    req.end();
    const [res] = await once(req, 'response');
    req.setSocketKeepAlive(false);
    req.setNoDelay();
    res.resume();
    await once(req, 'close');
    return calls;
  })
);

same('a socket that createConnection() gives back and calls back with is taken once', (http) =>
  answering(OK, async (port) => {
    const log = [];
    const createConnection = (options, created) => {
      const socket = net.connect(port, '127.0.0.1');
      created(null, socket);
      created(new Error('too late'));
      return socket;
    };
    const req = http.get({ host: '127.0.0.1', createConnection });
    req.on('socket', () => log.push('socket'));
    req.on('error', (error) => log.push(error.message));
    const [res] = await once(req, 'response');
    res.resume();
    await once(req, 'close');
    return [...log, res.statusCode];
  })
);

same('setTimeout() does nothing to a request that is over', (http) =>
  answering(OK, async (port) => {
    const req = http.get({ host: '127.0.0.1', port, agent: false });
    const [res] = await once(req, 'response');
    res.resume();
    await once(req, 'close');
    const before = req.listenerCount('timeout');
    const same = req.setTimeout(1000, () => {}) === req;
    return [same, req.listenerCount('timeout') - before, req.timeoutCb === null];
  })
);

test('the options of the global agent are those of Node', () => {
  expect(ours.globalAgent.options).toEqual(node.globalAgent.options);
  expect(Object.keys(ours.globalAgent.options)).toEqual(Object.keys(node.globalAgent.options));
});

describe('the time that a server keeps a connection', () => {
  const heads = [
    'Keep-Alive: timeout=5',
    'X: y\r\nkeep-alive: timeout=6, max=100\r\nZ: a',
    'KEEP-ALIVE:timeout=07',
    'Keep-Alive: timeout=4\r\nKeep-Alive: timeout=8',
    'Keep-Alive: max=4\r\nKeep-Alive: timeout=8',
    'Keep-Alive: a timeout=9',
    'Keep-Alive: Timeout=9',
    'Keep-Alive: timeout=1',
    'X: \ty'
  ];
  const looks = {
    'by who does not look': () => {},
    'by who changes headers': (res) => (res.headers['keep-alive'] = 'timeout=3'),
    'by who changes rawHeaders': (res) => (res.rawHeaders[1] = 'timeout=3')
  };

  for (const [title, look] of Object.entries(looks)) {
    same(`bounds that of a free socket, ${title}`, (http) =>
      Promise.all(heads.map((head) => timeoutOf(http, head, look)))
    );
  }

  function timeoutOf(http, head, look) {
    const answer = `HTTP/1.1 200 OK\r\n${head}\r\nContent-Length: 0\r\n\r\n`;
    const ask = async (port) => {
      const agent = new http.Agent({ keepAlive: true, timeout: 60_000 });
      const req = http.get({ host: '127.0.0.1', port, agent });
      const [res] = await once(req, 'response');
      look(res);
      res.resume();
      const [{ destroyed, timeout }] = await once(agent, 'free');
      agent.destroy();
      return { destroyed, timeout };
    };
    return answering(answer, ask, { keep: true });
  }
});

describe('a free socket on which the server speaks', () => {
  // Up to Node 20 it is given up when it would be used.
  const atOnce = process.versions.node.split('.')[0] >= 22;

  test(`is given up ${atOnce ? 'at once' : 'later'}`, async () => {
    const answer = (received, socket) => {
      setTimeout(() => socket.write('unasked'), 5);
      return 'HTTP/1.1 204 No Content\r\n\r\n';
    };
    const ask = async (port) => {
      const agent = new ours.Agent({ keepAlive: true });
      ours.get({ host: '127.0.0.1', port, agent }, (res) => res.resume());
      const [socket] = await once(agent, 'free');
      const closed = once(socket, 'close');
      while (socket.bytesRead < 30 && !socket.destroyed) await new Promise(setImmediate);
      const isFree = agent.freeSockets[agent.getName({ host: '127.0.0.1', port })] !== undefined;
      const { destroyed } = socket;
      if (!destroyed) agent.destroy();
      await closed;
      expect([destroyed, isFree]).toEqual([atOnce, true]);
      expect(agent.totalSocketCount).toBe(0);
    };
    await answering(answer, ask, { keep: true });
  });

  test('is heard again, whoever gives it to a request', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const ask = async (port) => {
      const agent = new ours.Agent({ keepAlive: true });
      const get = async (options) => {
        const [res] = await once(ours.get({ host: '127.0.0.1', port, ...options }), 'response');
        for await (const chunk of res) expect(String(chunk)).toBe('ok');
      };
      const free = once(agent, 'free');
      await get({ agent });
      const [socket] = await free;
      await get({
        agent: { addRequest: (request) => request.onSocket(socket), defaultPort: port }
      });
      agent.destroy();
    };
    await answering(answer, ask, { keep: true });
  });
});

describe('what a request that is destroyed says of it', () => {
  for (const [how, destroy] of [
    ['with an error', (req) => req.destroy(new Error('mine'))],
    ['without', (req) => req.destroy()],
    ['by abort()', (req) => req.abort()]
  ]) {
    const play = async (http, port, connected) => {
      const req = http.request({ host: '127.0.0.1', port, agent: false, method: 'POST' });
      const log = [];
      const look = () => log.push(String(req.errored), req.destroyed, req.closed);
      req.on('error', (error) => log.push(error.message));
      req.write('part', (error) => log.push(error?.code));
      if (connected) {
        const [socket] = await once(req, 'socket');
        await once(socket, 'connect');
      }
      // An 'error' comes before, which once() would take for its own.
      const closed = new Promise((resolve) => req.on('close', resolve));
      destroy(req);
      look();
      await closed;
      look();
      return log;
    };
    same(`${how}, before it is connected`, (http) => play(http, 1, false));
    same(`${how}, when it is`, (http) => answering(undefined, (port) => play(http, port, true)));
  }
});
