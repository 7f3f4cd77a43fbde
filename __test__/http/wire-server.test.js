'use strict';

// The bytes a server sends, for every way of writing a response, equal those of node:http.

const { exchange, same, serve } = require('../support/http-wire');

const LAST = 'GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const get = (headers = '', version = '1.1') => `GET / HTTP/${version}\r\nHost: x\r\n${headers}\r\n`;
const post = (headers, body) => `POST / HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`;

/** Declares that a request, and a last one behind it, get the same bytes. */
function bytes(sentence, request, handler, options = {}, prepare = () => {}) {
  same(sentence, (http) =>
    serve(
      http,
      options,
      (req, res) => {
        if (req.url === '/last') res.end('last');
        else handler(req, res, http);
      },
      (server, port) => {
        prepare(server);
        return exchange(port, request + LAST);
      }
    )
  );
}

describe('bodies', () => {
  bytes('end() alone', get(), (req, res) => res.end());
  bytes('end() with a string', get(), (req, res) => res.end('héllo'));
  bytes('end() with a Buffer', get(), (req, res) => res.end(Buffer.from('bytes')));
  bytes('end() with a large Buffer', get(), (req, res) => res.end(Buffer.alloc(70_000, 'x')));
  bytes('end() with latin1', get(), (req, res) => res.end('h\xe9llo', 'latin1'));
  bytes('end() with hex', get(), (req, res) => res.end('616263', 'hex'));
  bytes('end() with ucs2', get(), (req, res) => res.end('abc', 'ucs2'));
  bytes('end() with an empty string', get(), (req, res) => res.end(''));
  bytes('write() and end()', get(), (req, res) => {
    res.write('a');
    res.end('bc');
  });
  bytes('write() of several kinds', get(), (req, res) => {
    res.write('é');
    res.write(Buffer.from('two'));
    res.write('');
    res.write('6162', 'hex');
    res.end(Buffer.from('last'));
  });
  bytes('write() with a length', get(), (req, res) => {
    res.setHeader('Content-Length', 4);
    res.write('ab');
    res.end('cd');
  });
  bytes('writes of later ticks', get(), (req, res) => {
    res.write('one');
    setImmediate(() => {
      res.write('two');
      setImmediate(() => res.end('three'));
    });
  });
  bytes('flushHeaders() before the body', get(), (req, res) => {
    res.flushHeaders();
    setImmediate(() => res.end('body'));
  });
  bytes('writeHead() and an empty body', get(), (req, res) => res.writeHead(200).end());
  bytes('cork() around writes', get(), (req, res) => {
    res.cork();
    res.write('a');
    res.write('b');
    res.uncork();
    res.end('c');
  });
  bytes('HEAD with a body', 'HEAD / HTTP/1.1\r\nHost: x\r\n\r\n', (req, res) => res.end('unseen'));
  bytes('HEAD with writes', 'HEAD / HTTP/1.1\r\nHost: x\r\n\r\n', (req, res) => {
    res.write('unseen');
    res.end();
  });
  for (const status of [204, 304, 205, 100 + 99]) {
    bytes(`a body with status ${status}`, get(), (req, res) => {
      res.statusCode = status;
      res.end('body');
    });
  }
  bytes('204 and chunked', get(), (req, res) => {
    res.writeHead(204, { 'Transfer-Encoding': 'chunked' });
    res.end();
  });
  bytes('trailers', get(), (req, res) => {
    res.setHeader('Trailer', 'X-Sum');
    res.write('body');
    res.addTrailers({ 'X-Sum': 'abc', 'X-More': 'é' });
    res.end();
  });
  bytes('trailers that are no ASCII behind all of the body', get(), (req, res) => {
    res.setHeader('Trailer', 'X-Sum');
    res.addTrailers({ 'X-Sum': 'é' });
    res.end('語');
  });
  bytes('trailers as pairs', get(), (req, res) => {
    res.write('body');
    res.addTrailers([
      ['X-A', '1'],
      ['X-A', '2']
    ]);
    res.end('end');
  });
});

describe('heads', () => {
  bytes('headers in case and order', get(), (req, res) => {
    res.setHeader('x-lower', '1');
    res.setHeader('X-UPPER', ['2', '3']);
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    res.setHeader('X-Number', 5);
    res.end();
  });
  bytes('writeHead() with an object', get(), (req, res) => {
    res.setHeader('X-A', 'first');
    res.setHeader('X-B', 'kept');
    res.writeHead(201, { 'x-a': 'second', 'X-C': ['1', '2'] });
    res.end('x');
  });
  bytes('writeHead() with a reason', get(), (req, res) => res.writeHead(200, 'Fine').end('x'));
  bytes('writeHead() with a list', get(), (req, res) => {
    res.writeHead(200, ['X-A', '1', 'x-a', '2', 'Content-Length', '1']);
    res.end('x');
  });
  bytes('writeHead() with a list after setHeader()', get(), (req, res) => {
    res.setHeader('X-A', '0');
    res.writeHead(200, ['X-A', '1', 'x-a', '2']);
    res.end('x');
  });
  bytes('an unknown status', get(), (req, res) => res.writeHead(599).end());
  bytes('a status message', get(), (req, res) => {
    res.statusMessage = 'Custom';
    res.end();
  });
  bytes("a status of the program's own in STATUS_CODES", get(), (req, res, http) => {
    http.STATUS_CODES[499] = 'Client Gone';
    res.statusCode = 499;
    res.end();
    delete http.STATUS_CODES[499];
  });
  bytes('another reason in STATUS_CODES', get() + get(), (req, res, http) => {
    // The second of them is answered with what was sent before.
    http.STATUS_CODES[202] = http.STATUS_CODES[202] === 'Accepted' ? 'Taken' : 'Accepted';
    res.statusCode = 202;
    res.end();
  });
  bytes('latin1 in a header, with a body of UTF-8', get(), (req, res) => {
    res.setHeader('X-Name', 'caf\xe9');
    res.end('é');
  });
  bytes('latin1 in a header, with chunks', get(), (req, res) => {
    res.setHeader('X-Name', 'caf\xe9');
    res.write('é');
    res.end('x');
  });
  bytes('latin1 in a header, with a Buffer', get(), (req, res) => {
    res.setHeader('X-Name', 'caf\xe9');
    res.end(Buffer.from('é'));
  });
  bytes('a file name of UTF-8', get(), (req, res) => {
    const name = Buffer.from('attachment; filename="é"').toString('latin1');
    res.writeHead(200, { 'Content-Length': 1, 'Content-Disposition': name });
    res.end('x');
  });
  bytes('cookies in one line', get(), (req, res) => {
    res.setHeader('Cookie', ['a=1', 'b=2']);
    res.end();
  });
  bytes('appendHeader()', get(), (req, res) => {
    res.appendHeader('X-A', '1');
    res.appendHeader('x-a', ['2', '3']);
    res.end();
  });
  bytes('setHeaders()', get(), (req, res) => {
    res.setHeaders(
      new Map([
        ['X-A', '1'],
        ['set-cookie', ['a', 'b']]
      ])
    );
    res.end();
  });
  bytes(
    'uniqueHeaders',
    get(),
    (req, res) => {
      res.setHeader('X-A', ['1', '2']);
      res.end();
    },
    { uniqueHeaders: ['x-a'] }
  );
});

describe('the fields that HTTP adds', () => {
  for (const name of ['Date', 'Connection', 'Content-Length', 'Transfer-Encoding', 'Keep-Alive']) {
    bytes(`${name} removed, whole body`, get(), (req, res) => {
      res.removeHeader(name);
      res.end('body');
    });
    bytes(`${name} removed, body in pieces`, get(), (req, res) => {
      res.removeHeader(name);
      res.write('bo');
      res.end('dy');
    });
  }
  for (const value of ['close', 'keep-alive', 'upgrade', 'Close', 'keep-alive, close']) {
    bytes(`Connection set to ${value}`, get(), (req, res) => {
      res.setHeader('Connection', value);
      res.end('body');
    });
    bytes(`Connection: ${value} in the request`, get(`Connection: ${value}\r\n`), (req, res) => {
      res.end('body');
    });
  }
  bytes('Keep-Alive set', get(), (req, res) => {
    res.setHeader('Keep-Alive', 'timeout=9');
    res.end('body');
  });
  bytes('Date set', get(), (req, res) => {
    res.setHeader('Date', 'today');
    res.end('body');
  });
  bytes('sendDate off', get(), (req, res) => {
    res.sendDate = false;
    res.end('body');
  });
  bytes('shouldKeepAlive off', get(), (req, res) => {
    res.shouldKeepAlive = false;
    res.end('body');
  });
  bytes('a length and an encoding', get(), (req, res) => {
    res.writeHead(200, { 'Content-Length': 4, 'Transfer-Encoding': 'identity' });
    res.end('body');
  });
  bytes('keepAliveTimeout', get(), (req, res) => res.end(), { keepAliveTimeout: 65_500 });
  bytes('no keepAliveTimeout', get(), (req, res) => res.end(), { keepAliveTimeout: 0 });
  bytes(
    'maxRequestsPerSocket',
    get() + get() + get(),
    (req, res) => res.end('x'),
    {},
    (server) => (server.maxRequestsPerSocket = 2)
  );
});

describe('versions', () => {
  bytes('1.0', get('', '1.0'), (req, res) => res.end('body'));
  bytes('1.0, in pieces', get('', '1.0'), (req, res) => {
    res.write('bo');
    res.end('dy');
  });
  bytes('1.0 and keep-alive', get('Connection: keep-alive\r\n', '1.0'), (req, res) => {
    res.end('body');
  });
  bytes('1.0, keep-alive, in pieces', get('Connection: keep-alive\r\n', '1.0'), (req, res) => {
    res.write('bo');
    res.end('dy');
  });
  bytes('1.0 and TE', get('TE: chunked\r\nConnection: keep-alive\r\n', '1.0'), (req, res) => {
    res.write('bo');
    res.end('dy');
  });
});

describe('pipelining', () => {
  bytes(
    'answers in the order of the requests',
    get() + get() + get(),
    (() => {
      let count = 0;
      return (req, res) => {
        const number = count++;
        setTimeout(() => res.end(`answer ${number % 3}`), 30 - 10 * (number % 3));
      };
    })()
  );
  bytes('bodies between them', post('Content-Length: 3\r\n', 'abc') + get(), (req, res) => {
    req.resume().on('end', () => res.end(req.method));
  });
  bytes(
    'chunked requests with trailers',
    post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'),
    (req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += chunk));
      req.on('end', () => res.end(JSON.stringify([body, req.trailers, req.rawTrailers])));
    }
  );
});

describe('before the response', () => {
  const expecting = post('Expect: 100-continue\r\nContent-Length: 3\r\n', 'abc');
  bytes('100 by itself', expecting, (req, res) => req.resume().on('end', () => res.end('done')));
  bytes(
    '100 by the program',
    expecting,
    (req, res) => res.end('request'),
    {},
    (server) =>
      server.on('checkContinue', (req, res) => {
        res.writeContinue();
        req.resume().on('end', () => res.end('checked'));
      })
  );
  bytes(
    'a final status instead',
    expecting,
    (req, res) => res.end('request'),
    {},
    (server) => server.on('checkContinue', (req, res) => res.writeHead(413).end())
  );
  bytes('another expectation', get('Expect: tea\r\n'), (req, res) => res.end('never'));
  bytes(
    'another expectation, checked',
    get('Expect: tea\r\n'),
    (req, res) => res.end('never'),
    {},
    (server) => server.on('checkExpectation', (req, res) => res.end('tea'))
  );
  bytes('102 and 103', get(), (req, res) => {
    res.writeProcessing();
    res.writeEarlyHints({ link: ['</a>; rel=preload', '</b>; rel=preload'], 'x-hint': '1' });
    res.end('x');
  });
});

describe('refusals', () => {
  const refused = (sentence, request, options) =>
    same(sentence, (http) =>
      serve(
        http,
        options ?? {},
        (req, res) => res.end('answered'),
        async (server, port) => ['closed after', await exchange(port, request, { end: true })]
      )
    );
  refused('no request at all', 'nonsense\r\n\r\n');
  refused('no Host', 'GET / HTTP/1.1\r\n\r\n');
  refused('no Host, allowed', 'GET / HTTP/1.1\r\n\r\n', { requireHostHeader: false });
  refused('two lengths', post('Content-Length: 1\r\nContent-Length: 2\r\n', 'ab'));
  refused('length and encoding', post('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n', 'ab'));
  refused('a head too long', get(`X: ${'x'.repeat(20_000)}\r\n`));
  refused('a head too long for the server', get(`X: ${'x'.repeat(300)}\r\n`), {
    maxHeaderSize: 200
  });
  refused('a bare LF', 'GET / HTTP/1.1\nHost: x\n\n');
  refused('a space before the colon', get('X : 1\r\n'));
  refused('a bad chunk', post('Transfer-Encoding: chunked\r\n', 'zz\r\n'));
  refused(
    'chunk extensions without end',
    post('Transfer-Encoding: chunked\r\n', `3;${'x'.repeat(20_000)}`)
  );
  refused('half a request', 'GET / HTTP/1.1\r\nHost:');
  refused('an error in the second request', `${get()}nonsense\r\n\r\n`);
  refused('CONNECT that nobody hears', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n');
  refused('an upgrade that nobody hears', get('Connection: Upgrade\r\nUpgrade: x\r\n'));
});

describe('answers to requests of one read', () => {
  const lengths = [10, 7_800, 15_900, 8_100, 8_000, 16_100, 16_384, 1];

  /** Each as long as its url says, in characters. */
  const answers = (http, character, encoding) =>
    serve(
      http,
      {},
      (req, res) => res.end(character.repeat(Number(req.url.slice(1))), encoding),
      (server, port) => {
        const heads = lengths.map((length) => `GET /${length} HTTP/1.1\r\nHost: x\r\n`);
        const last = heads.length - 1;
        const ends = (i) => (i === last ? 'Connection: close\r\n\r\n' : '\r\n');
        return exchange(port, heads.map((head, i) => head + ends(i)).join(''));
      }
    );

  same('are whole, of three bytes for each character', (http) => answers(http, '语', 'utf8'));
  same('are whole, of two', (http) => answers(http, 'ä', 'utf8'));
  same('are whole, of one', (http) => answers(http, 'ä', 'latin1'));
});
