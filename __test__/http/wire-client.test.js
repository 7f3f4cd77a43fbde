'use strict';

// The bytes a client sends, and what it makes of the bytes that come back, equal node:http's.

const { once } = require('node:events');

const { answering, facts, same } = require('../support/http-wire');

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** Declares that a request is the same bytes; `write` sends its body and end. */
function bytes(sentence, options, write = (req) => req.end()) {
  same(sentence, (http) =>
    answering(
      (received) => (received.join('').includes('END') || !options.body ? EMPTY : undefined),
      async (port, received) => {
        const given = typeof options === 'function' ? options(http) : options;
        const { body, ...request } = given;
        const req = http.request({ host: '127.0.0.1', port, ...request });
        const answered = once(req, 'response');
        write(req, http);
        const [res] = await answered;
        res.resume();
        await once(res, 'close');
        return received.join('').replaceAll(String(port), 'PORT');
      }
    )
  );
}

describe('requests', () => {
  bytes('GET', {});
  bytes('a path and a query', { path: '/a/b?c=d%20e' });
  bytes('a lower-case method', { method: 'post' });
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'QUERY']) {
    bytes(`${method} with a whole body`, { method, body: true }, (req) => req.end('the END'));
  }
  for (const method of ['POST', 'GET', 'DELETE']) {
    bytes(`${method} in pieces`, { method, body: true }, (req) => {
      req.write('the ');
      req.end('END');
    });
  }
  bytes('POST without a body', { method: 'POST' });
  bytes('headers in case and order', {
    headers: { 'x-lower': '1', 'X-UPPER': ['2', '3'], Cookie: ['a=1', 'b=2'] }
  });
  bytes('headers as a list', { headers: ['X-A', '1', 'Host', 'here', 'x-a', '2'] });
  bytes('headers as pairs', {
    headers: [
      ['X-A', '1'],
      ['Host', 'here']
    ]
  });
  bytes('a Host of the program', { headers: { host: 'elsewhere' } });
  bytes('no Host', { setHost: false });
  bytes('no fields but those given', { setDefaultHeaders: false, headers: { Host: 'x' } });
  bytes('auth', { auth: 'user:pässword' });
  bytes('auth and Authorization', { auth: 'user:password', headers: { Authorization: 'mine' } });
  bytes('an agent that keeps alive', (http) => ({ agent: new http.Agent({ keepAlive: true }) }));
  bytes('an agent that does not', (http) => ({ agent: new http.Agent() }));
  bytes('an agent with maxSockets', (http) => ({ agent: new http.Agent({ maxSockets: 1 }) }));
  bytes('no agent', { agent: false });
  bytes('Connection: close', { headers: { Connection: 'close' } });
  bytes('Connection: keep-alive', { agent: false, headers: { Connection: 'keep-alive' } });
  bytes(
    'a Content-Length',
    { method: 'POST', headers: { 'Content-Length': 3 }, body: true },
    (req) => req.end('END')
  );
  bytes('setHeader() and removeHeader()', {}, (req) => {
    req.setHeader('X-A', '1');
    req.removeHeader('host');
    req.end();
  });
  bytes('trailers', { method: 'POST', headers: { Trailer: 'X-T' }, body: true }, (req) => {
    req.write('END');
    req.addTrailers({ 'X-T': '1' });
    req.end();
  });
  bytes('a Buffer', { method: 'POST', body: true }, (req) => req.end(Buffer.from('END')));
  bytes('flushHeaders()', { method: 'POST', body: true }, (req) => {
    req.flushHeaders();
    setImmediate(() => req.end('END'));
  });
});

describe('responses', () => {
  const told = (sentence, answer, options = {}) =>
    same(sentence, (http) =>
      answering(answer, async (port) => {
        const log = [];
        const req = http.request({ host: '127.0.0.1', port, agent: false, ...options });
        req.on('information', ({ statusCode, headers, rawHeaders }) =>
          log.push(['information', statusCode, headers, rawHeaders])
        );
        req.on('continue', () => log.push(['continue']));
        req.on('error', (error) => log.push(['error', facts(error)]));
        req.on('upgrade', (res, socket, head) => {
          log.push(['upgrade', res.statusCode, res.headers, head.toString()]);
          socket.destroy();
        });
        req.on('connect', (res, socket, head) => {
          log.push(['connect', res.statusCode, head.toString()]);
          socket.destroy();
        });
        req.on('response', (res) => {
          log.push(['response', res.statusCode, res.statusMessage, res.httpVersion]);
          log.push([res.rawHeaders, res.headers, Object.entries(res.headersDistinct)]);
          let body = '';
          res.on('data', (chunk) => (body += chunk.toString('latin1')));
          res.on('end', () => log.push(['end', res.complete, res.rawTrailers, res.trailers]));
          res.on('aborted', () => log.push(['aborted']));
          res.on('error', (error) => log.push(['res error', facts(error)]));
          res.on('close', () => log.push(['res close', body, res.complete, res.aborted]));
        });
        req.end();
        // Not once(): it would take an 'error' for its own.
        await new Promise((resolve) => req.on('close', resolve));
        await new Promise(setImmediate);
        log.push(['closed', req.destroyed, req.reusedSocket, req.aborted]);
        return log;
      })
    );

  told('a whole body', OK);
  told('until the end', 'HTTP/1.1 200 OK\r\n\r\nbody');
  told('1.0', 'HTTP/1.0 200 OK\r\nX: 1\r\n\r\nbody');
  told(
    'chunks and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\nx-t: 2\r\n\r\n'
  );
  told('a reason of latin1', 'HTTP/1.1 200 caf\xe9\r\nContent-Length: 0\r\n\r\n');
  told('no reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n');
  told('204', 'HTTP/1.1 204 No Content\r\n\r\n');
  told('304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n');
  told('the answer to HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', { method: 'HEAD' });
  told(
    'interim answers',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${OK}`
  );
  told(
    'fields that came more than once',
    'HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\nX: 1\r\nx: 2\r\nServer: a\r\nserver: b\r\n' +
      'Constructor: c\r\n__proto__: p\r\nContent-Length: 0\r\n\r\n'
  );
  told(
    'fields that came more than once, joined',
    'HTTP/1.1 200 OK\r\nServer: a\r\nserver: b\r\nContent-Length: 0\r\n\r\n',
    { joinDuplicateHeaders: true }
  );
  told('an upgrade', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nrest', {
    headers: { Connection: 'upgrade', Upgrade: 'x' }
  });
  told('a tunnel', 'HTTP/1.1 200 OK\r\n\r\nrest', { method: 'CONNECT', path: 'x:1' });
  told('a body cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbody');
  told('chunks cut short', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab');
  told('a head cut short', 'HTTP/1.1 200 OK\r\nContent-');
  told('nothing', '');
  told('nonsense', 'nonsense\r\n\r\n');
  told('a second answer', OK.replace('Connection: close\r\n', '') + OK);
  told('two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab');
  told('a head too long', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  told('a head too long for the request', 'HTTP/1.1 200 OK\r\nX: 0123456789\r\n\r\n', {
    maxHeaderSize: 20
  });
});
