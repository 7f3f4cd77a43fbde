'use strict';

// Options that only the newest Nodes have: read, refused or ignored as this Node does.

const { once } = require('node:events');
const net = require('node:net');

const { answering, exchange, node, same, serve, thrown } = require('../support/http-wire');
const { feature } = require('../support/parity');

const CHECKS_HINTS = Number(process.versions.node.split('.')[0]) >= 24;

describe('optimizeEmptyRequests', () => {
  same('is refused unless it is a boolean', (http) =>
    [true, false, undefined, 1, 'x', null].map((optimizeEmptyRequests) =>
      thrown(() => http.createServer({ optimizeEmptyRequests }))
    )
  );

  same('ends requests without a body before anybody sees them', async (http) => {
    const log = [];
    const listener = (req, res) => {
      const { readable, readableEnded, destroyed } = req;
      const seen = [req.url, readable, readableEnded, destroyed];
      log.push(seen);
      const { closed, complete, _dumped, _consuming, readableFlowing } = req;
      seen.push(closed, complete, _dumped, _consuming, readableFlowing);
      for (const name of ['data', 'end', 'close']) req.on(name, () => seen.push(name));
      setTimeout(() => {
        seen.push(req.complete, req.aborted);
        res.end('x');
      }, 5);
    };
    await serve(http, { optimizeEmptyRequests: true }, listener, async (server, port) => {
      for (const head of [
        'GET /empty HTTP/1.1\r\n',
        'POST /none HTTP/1.1\r\n',
        'POST /zero HTTP/1.1\r\nContent-Length: 0\r\n'
      ]) {
        await exchange(port, `${head}Host: x\r\nConnection: close\r\n\r\n`);
      }
    });
    return log;
  });
});

describe('httpValidation', () => {
  const VALUES = [undefined, 'strict', 'relaxed', 'insecure'];
  const client = (http, options) => {
    const req = http.request({ createConnection: () => new net.Socket(), ...options });
    req.on('error', () => {});
    return req;
  };

  same('is refused unless it is one of three, and alone', (http) =>
    [...VALUES, null, 'x', 1].flatMap((httpValidation) =>
      [{}, { insecureHTTPParser: true }].flatMap((others) => [
        thrown(() => http.createServer({ httpValidation, ...others })),
        thrown(() => client(http, { httpValidation, ...others }).destroy())
      ])
    )
  );

  same('says which values a request may send', (http) =>
    [...VALUES, true].map((value) => {
      const option = value === true ? 'insecureHTTPParser' : 'httpValidation';
      const req = client(http, { [option]: value });
      const errors = ['\x01', '\x7f', '\xff', '\u0100', '\n', '\r', '\0'].map(
        (character) => thrown(() => req.setHeader('X-A', `a${character}b`)).code
      );
      req.destroy();
      return errors;
    })
  );

  same('says which values an answer may have', async (http) => {
    const answer = 'HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 0\r\n\r\n';
    const log = [];
    for (const httpValidation of VALUES) {
      await answering(answer, async (port) => {
        const req = http.get({ host: '127.0.0.1', port, agent: false, httpValidation });
        req.on('error', ({ code }) => log.push(code));
        req.on('response', (res) => log.push(res.resume().headers['x-a']));
        await new Promise((resolve) => req.on('close', resolve));
      });
    }
    return log;
  });

  same('says which values an answer may be given, wherever they are', async (http) => {
    const log = [];
    for (const httpValidation of VALUES) {
      const listener = (req, res) => {
        for (const character of ['\x01', '\u0100', '\n', '\0']) {
          const value = `a${character}b`;
          for (const call of [
            () => res.setHeader('X-A', value),
            () => res.appendHeader('X-B', value),
            () => res.addTrailers({ 'X-C': value }),
            // Older Nodes send whatever they are given.
            () => CHECKS_HINTS && res.writeEarlyHints({ link: '<a>; rel=x', 'X-D': value }),
            () => new http.ServerResponse(req).setHeader('X-E', value)
          ]) {
            log.push(thrown(call)?.code);
          }
        }
        res.end('x');
      };
      await serve(http, { httpValidation }, listener, async (server, port) => {
        const head = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
        log.push(await exchange(port, `${head}Content-Length: 0\r\n\r\n`));
      });
    }
    return log;
  });

  same('says which values a request may have that comes', async (http) => {
    const request = 'GET / HTTP/1.1\r\nHost: x\r\nX-A: a\x01b\r\nConnection: close\r\n\r\n';
    const log = [];
    for (const httpValidation of VALUES) {
      const listener = (req, res) => res.end(JSON.stringify(req.headers));
      await serve(http, { httpValidation }, listener, async (server, port) => {
        log.push(await exchange(port, request));
      });
    }
    return log;
  });
});

describe('keepAliveTimeoutBuffer', () => {
  const values = [undefined, 0, 30, -1, '1', 1.5];

  same('is read where Node knows it', (http) =>
    values.map((keepAliveTimeoutBuffer) => [
      thrown(() => http.createServer({ keepAliveTimeoutBuffer })),
      http.createServer({ keepAliveTimeoutBuffer: 70 }).keepAliveTimeoutBuffer
    ])
  );

  same('is waited for where Node knows it, and a second where it does not', async (http) => {
    const listener = (req, res) => res.end('x');
    const options = { keepAliveTimeout: 30, keepAliveTimeoutBuffer: 0 };
    const times = [];
    for (const buffer of [0, 400]) {
      await serve(http, options, listener, async (server, port) => {
        server.keepAliveTimeoutBuffer = buffer;
        const begun = performance.now();
        await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
        const time = performance.now() - begun;
        times.push(time < 300 ? 'at once' : time < 900 ? 'later' : 'a second later');
      });
    }
    return times;
  });
});

feature('request.signal', 'signal' in node.IncomingMessage.prototype, () => {
  same('the signal of a request is aborted when the client is gone', (http) => {
    const log = [];
    let closed;
    const over = new Promise((resolve) => (closed = resolve));
    const listener = (req) => {
      const { signal } = req;
      log.push(typeof signal, signal?.aborted, signal === req.signal);
      req.on('close', () => {
        log.push(signal?.aborted, signal?.reason?.name);
        closed();
      });
    };
    return serve(http, {}, listener, async (server, port) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(server, 'request');
      socket.destroy();
      await over;
      return log;
    });
  });
});
