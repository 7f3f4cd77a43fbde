'use strict';

// What programs see of messages: properties, checks of arguments, order of events; as with node:http.

const { once } = require('node:events');
const net = require('node:net');
const { PassThrough } = require('node:stream');

const {
  answering,
  exchange,
  facts,
  node,
  ours,
  same,
  serve,
  thrown
} = require('../support/http-wire');

const GET = 'GET /path?a=%20#f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

/** What a listener notes of one request. */
function seen(sentence, request, note, options = {}) {
  same(sentence, async (http) => {
    const log = [];
    await serve(
      http,
      options,
      (req, res) => {
        note(req, res, log);
        if (!res.writableEnded && !res.destroyed) res.end();
      },
      (server, port) => exchange(port, request)
    );
    return log;
  });
}

describe('a request', () => {
  seen('shows its line and version', GET, (req, res, log) => {
    log.push(req.method, req.url, req.httpVersion, req.httpVersionMajor, req.httpVersionMinor);
    log.push(req.complete, req.aborted, req.upgrade, req.statusCode, req.statusMessage);
  });
  seen(
    'shows its fields in every form',
    'GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a:  2 \r\nCookie: a\r\ncookie: b\r\nEmpty:\r\n' +
      'User-Agent: a\r\nUser-Agent: b\r\nSet-Cookie: c\r\nConnection: close\r\n\r\n',
    (req, res, log) => {
      log.push(req.rawHeaders, req.headers, Object.entries(req.headersDistinct));
      log.push(req.trailers, req.rawTrailers, Object.entries(req.trailersDistinct));
      log.push(Object.getPrototypeOf(req.headers) === Object.prototype);
      log.push(Object.getPrototypeOf(req.headersDistinct));
    }
  );
  seen(
    'keeps fields of dangerous names harmless',
    'GET / HTTP/1.1\r\nHost: x\r\n__proto__: p\r\nconstructor: c\r\ntoString: t\r\n' +
      'Connection: close\r\n\r\n',
    (req, res, log) => {
      log.push(
        Object.entries(req.headers),
        Object.entries(req.headersDistinct),
        {}.p === undefined
      );
    }
  );
  seen('counts its fields up to maxHeadersCount', GET, (req, res, log) => {
    log.push(Object.keys(req.headers).length);
  });
  seen('is a Readable that ends', GET, (req, res, log) => {
    log.push(
      req.readable,
      req.readableEnded,
      req.readableFlowing,
      req.destroyed,
      req.readableLength
    );
    log.push(req.readableHighWaterMark, req.readableObjectMode, req.errored, req.closed);
    res.on('finish', () => log.push('finish'));
    res.on('close', () => log.push('res close', res.destroyed, res.closed));
    req.on('end', () => log.push('end', req.readableEnded, req.complete));
    req.on('close', () => log.push('close', req.destroyed));
    req.resume();
  });
  seen('can be set', GET, (req, res, log) => {
    req.headers = { mine: '1' };
    req.rawHeaders = ['Mine', '1'];
    req.url = '/other';
    log.push(req.headers, req.rawHeaders, req.url);
  });
});

describe('a response', () => {
  seen('shows its state', GET, (req, res, log) => {
    const state = () =>
      log.push([
        res.headersSent,
        res.finished,
        res.writableEnded,
        res.writableNeedDrain,
        res.destroyed,
        res.statusCode,
        res.statusMessage
      ]);
    state();
    res.setHeader('X-A', ['1', '2']);
    log.push(res.getHeader('x-a'), res.getHeaderNames(), res.getRawHeaderNames(), res.getHeaders());
    log.push(res.hasHeader('X-a'), res.hasHeader('nothing'), res.getHeader('nothing'));
    log.push(res.write('a'));
    state();
    res.end(() => log.push('callback'));
    state();
    res.on('prefinish', () => log.push('prefinish'));
    res.on('finish', () => log.push(res.writableFinished, res.writableLength));
    res.on('finish', state);
    res.on('close', state);
  });
  seen('refuses what comes too late', GET, (req, res, log) => {
    res.end('done');
    res.on('error', (error) => log.push(['error', facts(error)]));
    log.push(thrown(() => res.setHeader('X', '1')));
    log.push(thrown(() => res.appendHeader('X', '1')));
    log.push(thrown(() => res.removeHeader('X')));
    log.push(thrown(() => res.writeHead(200)));
    log.push(thrown(() => res.setHeaders(new Map([['a', 'b']]))));
    log.push(res.write('late', (error) => log.push(['callback', facts(error)])));
  });
  seen('refuses what is wrong', GET, (req, res, log) => {
    for (const call of [
      () => res.setHeader('', '1'),
      () => res.setHeader('a b', '1'),
      () => res.setHeader('é', '1'),
      () => res.setHeader(5, '1'),
      () => res.setHeader('X'),
      () => res.setHeader('X', 'a\r\nb'),
      () => res.setHeader('X', 'a\u0100'),
      () => res.setHeader('X', ['ok', 'a\nb']),
      () => res.getHeader(5),
      () => res.hasHeader(),
      () => res.removeHeader(null),
      () => res.setHeaders({}),
      () => res.setHeaders([]),
      () => res.writeHead(99),
      () => res.writeHead(1000),
      () => res.writeHead('abc'),
      () => res.writeHead(200, 'bad\nreason'),
      () => res.writeHead(200, ['odd']),
      () => res.addTrailers({ 'a b': '1' }),
      () => res.addTrailers({ a: '\r' }),
      () => res.write(5),
      () => res.write(null),
      () => res.write(undefined),
      () => res.end({}),
      () => res.writeEarlyHints('x'),
      () => res.writeEarlyHints({ link: 'bad' })
    ]) {
      log.push(thrown(call));
    }
    // The reason that was refused stays.
    res.statusMessage = 'OK';
  });
  seen('counts its length strictly', GET, (req, res, log) => {
    res.strictContentLength = true;
    res.setHeader('Content-Length', 3);
    log.push(thrown(() => res.write('four')));
    log.push(thrown(() => res.end('no')));
    res.destroy();
    log.push(res.destroyed);
  });
  seen(
    'may refuse a body where there is none',
    GET,
    (req, res, log) => {
      res.writeHead(204);
      log.push(thrown(() => res.write('x')));
      log.push(thrown(() => res.end('x')));
    },
    { rejectNonStandardBodyWrites: true }
  );
});

describe('without a connection', () => {
  same('an OutgoingMessage keeps what it gets', (http) => {
    const message = new http.OutgoingMessage();
    const before = [message.headersSent, message.writableLength, message.writable, message.socket];
    message._implicitHeader = () => {};
    return [before, message.write('abc'), message.outputData.length, message.writableLength];
  });
  same('classes and their kinds', (http) => [
    http.IncomingMessage.prototype instanceof require('node:stream').Readable,
    http.OutgoingMessage.prototype instanceof require('node:stream').Stream,
    http.ServerResponse.prototype instanceof http.OutgoingMessage,
    http.ClientRequest.prototype instanceof http.OutgoingMessage,
    new http.IncomingMessage().readable,
    http.METHODS,
    http.STATUS_CODES,
    http.maxHeaderSize
  ]);
  same('options of a server are checked', (http) =>
    [
      { headersTimeout: 2, requestTimeout: 1 },
      { requestTimeout: -1 },
      { keepAliveTimeout: '1' },
      { maxHeaderSize: 'x' },
      { insecureHTTPParser: 1 },
      { joinDuplicateHeaders: 1 },
      { requireHostHeader: 1 },
      { connectionsCheckingInterval: 'x' },
      { noDelay: true }
    ].map((options) => thrown(() => http.createServer(options)))
  );
  same('options of a request are checked', (http) =>
    [
      { method: 5 },
      { method: 'A B' },
      { path: '/a b' },
      { path: '/\u0100' },
      { protocol: 'ftp:' },
      { hostname: 5 },
      { host: {} },
      { agent: {} },
      { timeout: 'x' },
      { headers: { 'a b': '1' } },
      { headers: { a: '\n' } },
      { maxHeaderSize: 'x' },
      { insecureHTTPParser: 1 },
      'http://',
      'ftp://host/'
    ].map((options) => thrown(() => http.request(options)))
  );
  same('options of an agent are checked', (http) =>
    [{ scheduling: 'x' }, { maxTotalSockets: 0 }, { maxTotalSockets: 'x' }].map((options) =>
      thrown(() => new http.Agent(options))
    )
  );
  same('names of sockets', (http) => {
    const agent = new http.Agent();
    return [
      {},
      { host: 'a' },
      { host: 'a', port: 1 },
      { host: 'a', port: 1, localAddress: 'b' },
      { host: 'a', family: 6 },
      { socketPath: '/x' }
    ].map((options) => agent.getName(options));
  });
});

describe('any Duplex', () => {
  same('serves as a connection', async (http) => {
    const toServer = new PassThrough();
    const toClient = new PassThrough();
    const server = http.createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += chunk)).on('end', () => res.end(`got ${body}`));
    });
    const side = require('node:stream').Duplex.from({ readable: toServer, writable: toClient });
    server.emit('connection', side);
    toServer.write(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi'
    );
    let text = '';
    for await (const chunk of toClient) text += chunk;
    return text.replace(/Date: .*\r\n/, '');
  });
});

test('every name of node:http is there', () => {
  const names = Object.keys(node);
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !(name in ours))).toEqual([]);
});

test('the fast way of a hello world builds no stream for the request', async () => {
  let state;
  await serve(
    ours,
    {},
    (req, res) => {
      res.end('hello');
      state = Object.getOwnPropertySymbols(req).find((it) => it.description === 'readableState');
      state = [req[state]];
    },
    (server, port) => exchange(port, GET)
  );
  expect(state).toEqual([null]);
});

test('a framing field beyond maxHeadersCount is refused', async () => {
  const text = await serve(
    ours,
    {},
    (req, res) => res.end('answered'),
    (server, port) => {
      server.maxHeadersCount = 2;
      return exchange(
        port,
        'POST / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nContent-Length: 2\r\n\r\nhi'
      );
    }
  );
  expect(text).toMatch(/^HTTP\/1\.1 431 /);
});

test('an answer on a socket that waits in the pool is not the next answer', async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad'), 20);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new ours.Agent({ keepAlive: true });
  const get = async () => {
    const req = ours.get({ host: '127.0.0.1', port: server.address().port, agent });
    const [res] = await once(req, 'response');
    let body = '';
    for await (const chunk of res) body += chunk;
    return [body, req.reusedSocket];
  };
  const first = await get();
  const [[socket]] = Object.values(agent.freeSockets);
  const before = socket.bytesRead;
  while (socket.bytesRead === before) await new Promise(setImmediate);
  expect([first, await get()]).toEqual([
    ['good', false],
    ['good', false]
  ]);
  agent.destroy();
  server.close();
});

describe('a proxy of the environment', () => {
  const sent = (env, url, options) =>
    answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', async (port, received) => {
      const proxyEnv = Object.fromEntries(
        Object.entries(env).map(([name, value]) => [name, value.replace('PORT', String(port))])
      );
      const agent = new ours.Agent({ proxyEnv });
      const req = ours.get(url.replace('PORT', String(port)), { agent, ...options });
      const [res] = await once(req, 'response');
      res.resume();
      await once(res, 'close');
      return received.join('').replaceAll(String(port), 'PORT');
    });
  const head = (lines) => `${lines.join('\r\n')}\r\n\r\n`;

  test('gets the whole URL, and what it is to be told', async () => {
    const env = { HTTP_PROXY: 'http://us%20er:pw@127.0.0.1:PORT' };
    expect(await sent(env, 'http://example.test/path?x=1')).toBe(
      head([
        'GET http://example.test/path?x=1 HTTP/1.1',
        'Host: example.test',
        'proxy-authorization: Basic dXMgZXI6cHc=',
        'proxy-connection: close',
        'Connection: close'
      ])
    );
  });

  test('is left out for what NO_PROXY names', async () => {
    const env = { http_proxy: 'http://127.0.0.1:1', no_proxy: 'other.test, 127.0.0.0-127.0.0.9' };
    expect(await sent(env, 'http://127.0.0.1:PORT/')).toBe(
      head(['GET / HTTP/1.1', 'Host: 127.0.0.1:PORT', 'Connection: close'])
    );
  });

  test('must be one that can be spoken to', () => {
    const secret = { HTTP_PROXY: 'https://user:secret@host' };
    const error = thrown(() => new ours.Agent({ proxyEnv: secret }));
    expect(error.code).toBe('ERR_PROXY_INVALID_CONFIG');
    expect(error.message).not.toContain('secret');
  });
});
