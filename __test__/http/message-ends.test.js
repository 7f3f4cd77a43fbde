'use strict';

// How messages end, well or badly: what is told of it, when, and what of the connection is left.

const { once } = require('node:events');
const net = require('node:net');

const { answering, exchange, facts, same, serve, thrown } = require('../support/http-wire');

const get = (url, more = '') => `GET ${url} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const LAST = get('/last', 'Connection: close\r\n');

/** What a listener logs, and what the client of `request` gets. */
function told(sentence, request, listener, prepare = () => {}) {
  same(sentence, async (http) => {
    const log = [];
    const text = await serve(
      http,
      {},
      (req, res) => listener(req, res, log),
      (server, port) => {
        prepare(server, log);
        return exchange(port, request);
      }
    );
    return [log, text];
  });
}

/** Logs what becomes of a message. */
function hear(log, name, message) {
  for (const event of ['finish', 'end', 'aborted', 'error', 'close']) {
    message.on(event, (error) => log.push([name, event, facts(error)]));
  }
}

describe('the pieces of a chunked body', () => {
  told('that are written to a corked response', LAST, (req, res, log) => {
    res.flushHeaders();
    res.cork();
    res.write('one', () => log.push('one'));
    res.write(Buffer.from('two'), () => log.push('two'));
    log.push(res.writableCorked, res.writableLength > 0);
    res.uncork();
    log.push(res.writableCorked);
    res.end();
  });
  told('of one tick', LAST, (req, res) => {
    res.write('one');
    res.write('two', 'latin1');
    process.nextTick(() => {
      res.write('three');
      res.end('end');
    });
  });
  told('that wait for another response', get('/first') + LAST, (req, res) => {
    if (req.url === '/first') {
      setImmediate(() => res.end('first'));
      return;
    }
    res.cork();
    res.write('one');
    res.write('two');
    res.uncork();
    res.end('three');
  });
  told('of an encoding that nobody knows', get('/') + LAST, (req, res, log) => {
    if (req.url === '/last') return res.end('last');
    res.on('error', () => {});
    log.push(thrown(() => res.write('abcd', 'no such')));
    log.push(thrown(() => res.end('abcd', 'no such')));
    res.end('well');
  });
});

describe('end()', () => {
  told('calls back, and before or after the listeners', LAST, (req, res, log) => {
    res.on('finish', () => log.push('finish'));
    res.end('done', (...values) => log.push(['called', ...values]));
    res.end((error) => log.push(['again', facts(error)]));
    res.on('close', () => res.end((error) => log.push(['late', facts(error)])));
  });
  told('of what is no text, behind an end', LAST, (req, res, log) => {
    res.on('error', (error) => log.push(facts(error)));
    res.end('done');
    log.push(thrown(() => res.end(5)));
  });
  told('of a response whose socket is destroyed', LAST, (req, res, log) => {
    hear(log, 'response', res);
    req.socket.destroy();
    res.end('lost', (error) => log.push(['called', facts(error)]));
  });
});

describe('a response that waits for another', () => {
  const waits = (use) => (req, res, log) => {
    hear(log, req.url, res);
    if (req.url === '/first') setImmediate(() => res.end('first'));
    else use(res, log);
  };
  told('is told that the connection is gone', get('/first') + get('/second'), (req, res, log) => {
    hear(log, req.url, res);
    hear(log, `request ${req.url}`, req);
    if (req.url === '/second') setImmediate(() => req.socket.destroy());
  });
  told(
    'is closed when it is destroyed',
    get('/first') + get('/second'),
    waits((res, log) => {
      res.destroy();
      setImmediate(() => {
        log.push(res.destroyed, res.closed);
        setImmediate(() => res.req.socket.destroy());
      });
    })
  );
});

describe('an interim answer', () => {
  told('behind the head', LAST, (req, res, log) => {
    res.flushHeaders();
    log.push(
      thrown(() => res.writeContinue()),
      thrown(() => res.writeProcessing())
    );
    log.push(thrown(() => res.writeEarlyHints({ link: '</a>; rel=preload' })));
    res.end('done');
  });
  told('of any number, where there is such a method', LAST, (req, res, log) => {
    log.push(typeof res.writeInformation);
    for (const values of [[110], [101], [99], ['100'], [103, 5], [103, { 'X-A': ['a', 'b'] }]]) {
      if (res.writeInformation) log.push(thrown(() => res.writeInformation(...values)));
    }
    res.end('done');
  });
});

describe('a request that is answered', () => {
  told('closes the connection when it is destroyed at once', get('/'), (req, res, log) => {
    hear(log, req.url, req);
    res.on('finish', () => req.destroy());
    res.end('done');
  });
  told('aborts its signal no more', get('/') + LAST, (req, res, log) => {
    const { signal } = req;
    signal?.addEventListener('abort', () => log.push([req.url, 'aborted']));
    res.on('close', () => log.push(signal?.aborted));
    res.end('done');
  });
  told('had aborted its signal with the connection', LAST, (req, res, log) => {
    req.signal?.addEventListener('abort', () => log.push('aborted'));
    req.socket.destroy();
    setImmediate(() => log.push('signal' in req, req.signal?.aborted));
  });
});

describe('ticks run where fields are told by themselves', () => {
  const chunked = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  const trailers = `${chunked}0\r\nX-T: t\r\n\r\n`;
  const many = Array.from({ length: 31 }, (_, i) => `X-${i}: ${i}\r\n`).join('');
  const reads = {
    'between requests behind trailers': trailers + get('/a') + get('/b') + LAST,
    'before trailers': `${trailers}${LAST}`,
    'behind a head of many': get('/a', many) + get('/b') + LAST,
    'before a head of many': get('/a') + get('/b', many) + get('/c') + LAST,
    'but before no head that is broken': `${trailers}${get('/a')}BROKEN / HTTP/1.1\r\n\r\n`
  };
  for (const [where, read] of Object.entries(reads)) {
    told(
      where,
      read,
      (req, res, log) => {
        const { complete } = req;
        log.push([req.url, complete]);
        process.nextTick(() => log.push([`tick of ${req.url}`, req.complete]));
        queueMicrotask(() => log.push(`microtask of ${req.url}`));
        req.on('end', () => log.push([`end of ${req.url}`, req.trailers]));
        req.resume();
        res.end('done');
      },
      (server, log) =>
        server.on('clientError', (error, socket) => {
          log.push(error.code);
          socket.destroy();
        })
    );
  }

  told(
    'and requests that have begun are not idle then',
    trailers + get('/a') + get('/b') + LAST,
    (req, res) => {
      res.end('done');
      if (req.url === '/a') process.nextTick(() => req.server.closeIdleConnections());
    },
    (server) => server.prependListener('request', (req) => (req.server = server))
  );
});

same('a socket that is only listened to by "readable" sees the end', (http) =>
  serve(
    http,
    {},
    (req, res) => {
      req.socket.on('readable', () => {});
      res.end('done');
    },
    async (server, port) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.write(get('/'));
      const closed = new Promise((resolve) => {
        server.on('connection', (peer) => peer.on('close', resolve));
      });
      await once(socket, 'data');
      socket.end();
      await closed;
      return 'closed';
    }
  )
);

describe('a request for an upgrade', () => {
  const UPGRADE =
    'POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n' +
    'Content-Length: 10\r\n\r\n';
  for (const pieces of [
    [`${UPGRADE}0123456789behind`],
    [`${UPGRADE}01234`, '56789behind'],
    [`${UPGRADE}01234`, '56789', 'behind']
  ]) {
    same(`that has a body, in ${pieces.length} pieces`, async (http) => {
      const log = [];
      let closed;
      const text = await serve(http, {}, null, async (server, port) => {
        server.on('upgrade', (req, stream, rest) => {
          let body = '';
          let behind = rest.toString();
          req.on('data', (chunk) => (body += chunk));
          stream.on('data', (chunk) => (behind += chunk));
          stream.on('end', () => {
            log.push(body, behind);
            stream.end('over');
          });
          closed = once(stream, 'close');
          stream.write('HTTP/1.1 101 Yes\r\n\r\n');
        });
        const socket = net.connect(port, '127.0.0.1');
        socket.setNoDelay();
        socket.write(pieces[0]);
        await once(socket, 'data');
        let got = '';
        socket.on('data', (chunk) => (got += chunk));
        for (const piece of pieces.slice(1)) {
          socket.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.end();
        await once(socket, 'close');
        log.push(await closed);
        return got;
      });
      return [log, text];
    });
  }
});

describe('a client', () => {
  same(
    'takes what came for all of a body that ends with a connection that is reset',
    async (http) =>
      answering(
        (received, socket) => {
          if (received.length === 1) return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
          socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end');
          setTimeout(() => socket.resetAndDestroy(), 20);
          return undefined;
        },
        async (port) => {
          const log = [];
          const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
          const [first] = await once(http.get({ port, agent }), 'response');
          first.resume();
          await once(first, 'close');
          const request = http.get({ port, agent });
          request.on('error', (error) => log.push(error.code));
          const [response] = await once(request, 'response');
          hear(log, 'response', response);
          response.resume();
          await once(response, 'close');
          agent.destroy();
          return [log, response.complete];
        },
        { keep: true }
      )
  );

  same('keeps the socket of a request that is destroyed when all is over', async (http) =>
    answering(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      async (port) => {
        const agent = new http.Agent({ keepAlive: true });
        const request = http.get({ port, agent });
        const [response] = await once(request, 'response');
        response.resume();
        response.on('end', () => request.destroy());
        await once(request, 'close');
        await new Promise((resolve) => setImmediate(resolve));
        const kept = Object.values(agent.freeSockets).flat();
        const log = [kept.filter((socket) => !socket.destroyed).length, request.destroyed];
        agent.destroy();
        return log;
      },
      { keep: true }
    )
  );

  same('writes up to the high-water mark that it is told', async (http) => {
    const request = http.request({
      method: 'POST',
      highWaterMark: 10,
      createConnection: () => new net.Socket()
    });
    request.on('error', () => {});
    const log = [request.writableHighWaterMark, request.write('a'.repeat(50))];
    request.destroy();
    return log;
  });
});

describe('a request that was answered', () => {
  const upload = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde';
  /** @type {Record<string, (req: any) => unknown>} */
  const looks = {
    'read in part': (req) => req.read(3),
    'read in whole': (req) => req.read(),
    'asked for nothing': (req) => req.read(0),
    'put back': (req) => req.unshift(req.read(1)),
    'resumed and paused again': (req) => req.resume().pause(),
    'listened to for what is readable': (req) => req.on('readable', () => {})
  };
  for (const [how, look] of Object.entries(looks)) {
    for (const wait of [process.nextTick, setImmediate]) {
      told(
        `lets pass what is left of a body that was ${how}, ${wait.name}`,
        upload + LAST,
        (req, res, log) => {
          if (req.url === '/last') return res.end();
          hear(log, 'request', req);
          wait(() => {
            log.push(look(req)?.length);
            res.end();
          });
          res.on('close', () => setImmediate(() => log.push(req.readableEnded, req.destroyed)));
        }
      );
    }
  }
});

describe('the socket below the last answer, first asked for', () => {
  const looks = {
    "by a listener of 'finish'": (req, res, look) => res.on('finish', look),
    "by one of 'close'": (req, res, look) => res.on('close', look),
    "by one of the request's 'close'": (req, res, look) => req.on('close', look),
    'in the next tick': (req, res, look) => process.nextTick(process.nextTick, look),
    'some promises later': async (req, res, look) => {
      for (let i = 0; i < 5; i++) await null;
      look();
    }
  };
  for (const [when, ask] of Object.entries(looks)) {
    told(when, LAST, (req, res, log) => {
      const look = () => {
        const { destroyed, readyState, remoteAddress, writable } = req.socket;
        log.push([when, destroyed, readyState, remoteAddress, writable]);
        req.socket.on('close', (failed) => log.push(['closed', failed]));
      };
      res.end('x');
      ask(req, res, look);
    });
  }
});

describe('an answer that comes in one read, over a socket that is used again', () => {
  for (const [name, answer] of [
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'],
    [
      'in chunks, with trailers',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\nX-T: t\r\n\r\n'
    ]
  ]) {
    same(`is complete when microtasks run: ${name}`, (http) => {
      const agent = new http.Agent({ keepAlive: true });
      const play = async (port) => {
        const log = [];
        for (let i = 0; i < 3; i++) {
          const [res] = await once(http.get({ agent, host: '127.0.0.1', port }), 'response');
          log.push(res.complete, res.readableLength, res.rawTrailers);
          const free = once(agent, 'free');
          for await (const chunk of res) log.push(String(chunk));
          await free;
        }
        agent.destroy();
        return log;
      };
      return answering(answer, play, { keep: true });
    });
  }
});
