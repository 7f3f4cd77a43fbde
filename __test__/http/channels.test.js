'use strict';

// What diagnostics_channel subscribers see of http, as with node:http.

const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { once } = require('node:events');

const { answering, exchange, facts, same, serve } = require('../support/http-wire');

const NAMES = [
  'net.client.socket',
  'http.client.request.created',
  'http.client.request.start',
  'http.client.request.error',
  'http.client.response.finish',
  'http.server.request.start',
  'http.server.response.created',
  'http.server.response.finish'
];

/** Logs what is published while `use` runs, with what of it is settled by then. */
async function published(http, use, mark = []) {
  const log = mark;
  const subscriptions = NAMES.map((name) => {
    const subscriber = (message, channel) => log.push([channel, contents(http, message)]);
    subscribe(name, subscriber);
    return () => unsubscribe(name, subscriber);
  });
  try {
    await use(log);
  } finally {
    for (const end of subscriptions) end();
  }
  return log;
}

function contents(http, message) {
  return Object.entries(message).map(([name, value]) => [name, described(http, value)]);
}

function described(http, value) {
  if (value instanceof http.IncomingMessage) {
    const { method, url, statusCode, complete } = value;
    return ['IncomingMessage', method, url, statusCode, complete];
  }
  if (value instanceof http.ServerResponse) {
    const { statusCode, headersSent, writableEnded, finished } = value;
    return ['ServerResponse', statusCode, headersSent, writableEnded, finished, kind(value.socket)];
  }
  if (value instanceof http.ClientRequest) {
    const { method, path, headersSent, writableEnded } = value;
    const fields = value.getHeaders();
    return ['ClientRequest', method, path, Object.keys(fields), headersSent, writableEnded];
  }
  if (value instanceof http.Server) return ['Server', value.listening];
  if (value instanceof Error) return facts(value);
  return kind(value);
}

function kind(value) {
  return value === null || value === undefined ? value : value.constructor.name;
}

const GET = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

describe('a server publishes', () => {
  same('each request and response of a connection, before and after their events', (http) =>
    published(http, async (log) => {
      const listener = (req, res) => {
        log.push(`request ${req.url}`);
        res.on('finish', () => log.push(`finish ${req.url}`));
        res.on('close', () => log.push(`close ${req.url}`));
        res.setHeader('Connection', req.url === '/3' ? 'close' : 'keep-alive');
        setTimeout(() => res.end(req.url), 2);
      };
      await serve(http, {}, listener, (server, port) =>
        exchange(port, ['/1', '/2', '/3'].map(GET).join(''))
      );
    })
  );

  same('requests that no listener sees', (http) =>
    published(http, (log) =>
      serve(
        http,
        {},
        () => log.push('request'),
        async (server, port) => {
          await exchange(port, 'GET /nohost HTTP/1.1\r\n\r\n', { end: true });
          const expects = 'GET /expects HTTP/1.1\r\nHost: x\r\nExpect: 7\r\n\r\n';
          await exchange(port, expects, { end: true });
          await exchange(port, 'no request\r\n\r\n', { end: true });
        }
      )
    )
  );

  same('nothing of upgrades', (http) =>
    published(http, (log) =>
      serve(
        http,
        {},
        () => log.push('request'),
        async (server, port) => {
          server.on('upgrade', (req, socket) => {
            log.push('upgrade');
            socket.end('HTTP/1.1 101 Yes\r\n\r\n');
          });
          const head = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
          await exchange(port, head);
        }
      )
    )
  );

  same('no finish of a response that is cut short', (http) =>
    published(http, (log) =>
      serve(
        http,
        {},
        (req, res) => {
          res.on('close', () => log.push('close'));
          res.write('a');
          res.destroy();
        },
        (server, port) => exchange(port, GET('/'))
      )
    )
  );
});

describe('a client publishes', () => {
  const asking = (http, answer, options = {}, send = (req) => req.end()) =>
    published(http, (log) =>
      answering(answer, async (port) => {
        const req = http.request({ host: '127.0.0.1', port, agent: false, ...options });
        log.push('made');
        req.on('socket', () => log.push('socket'));
        req.on('finish', () => log.push('finish'));
        req.on('error', (error) => log.push(['error', error.code]));
        req.on('response', (res) => {
          log.push('response');
          res.on('end', () => log.push('end'));
          res.on('error', (error) => log.push(['response error', error.code]));
          res.resume();
        });
        send(req, log);
        await new Promise((resolve) => req.on('close', resolve));
      })
    );
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';

  same('a request and its answer', (http) => asking(http, OK));
  same('a request with a body, as it is made and as it is sent', (http) =>
    asking(http, OK, { method: 'POST', headers: { 'X-A': 'b' } }, (req, log) => {
      req.write('body');
      log.push('written');
      req.end('end');
      log.push('ended');
    })
  );
  same('interim answers not, the answer proper once', (http) =>
    asking(http, `HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${OK}`)
  );
  same('nothing but the request of an upgrade', (http) =>
    asking(http, 'HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', {
      headers: { Connection: 'upgrade', Upgrade: 'x' }
    })
  );
  same('an answer that is none', (http) => asking(http, 'nonsense\r\n\r\n'));
  same('a connection that ends without an answer', (http) => asking(http, ''));
  same('an answer that is cut short', (http) =>
    asking(http, 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok')
  );
  same('that a request was destroyed', (http) =>
    asking(http, OK, {}, (req) => req.destroy(Object.assign(new Error('mine'), { code: 'MINE' })))
  );
  same('that nobody listens', (http) =>
    published(http, async (log) => {
      const req = http.get({ host: '127.0.0.1', port: 1, agent: false });
      await new Promise((resolve) =>
        req.on('error', (error) => {
          log.push(error.code);
          resolve();
        })
      );
    })
  );
  same('requests of an agent that share a socket', (http) =>
    published(http, async (log) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const answer = (received) =>
        received.join('').endsWith('\r\n\r\n')
          ? 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
          : undefined;
      await answering(
        answer,
        (port) =>
          Promise.all(
            ['/1', '/2'].map(async (path) => {
              const req = http.get({ host: '127.0.0.1', port, agent, path });
              const [res] = await once(req, 'response');
              log.push(`response ${path} ${req.reusedSocket}`);
              res.resume();
              await once(res, 'close');
            })
          ),
        { keep: true }
      );
      agent.destroy();
    })
  );
});
