'use strict';

// Requests with which servers have been attacked, over each way in which bytes reach the parser: told
// as by node:http, and never is what they hide a request of its own. What the parser itself refuses
// is in codec-security.test.js.

const { once } = require('node:events');

const { forms, serveAs } = require('../support/http-forms');
const { answering, exchange, node, ours, same } = require('../support/http-wire');
const { feature } = require('../support/parity');

const HOST = 'Host: x\r\n';
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
const post = (fields, body = '') => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
const chunked = (body) => post('Transfer-Encoding: chunked\r\n', body);

/** By name: what is sent. What stands behind it must not be answered. */
const hostile = {
  'a length and an encoding': post(
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    '0\r\n\r\n'
  ),
  'an encoding and a length': post(
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
    '0\r\n\r\n'
  ),
  'two lengths': post('Content-Length: 0\r\nContent-Length: 60\r\n'),
  'two lengths that are equal': post('Content-Length: 0\r\nContent-Length: 0\r\n'),
  'a list of lengths': post('Content-Length: 0, 0\r\n'),
  'a length with a sign': post('Content-Length: +0\r\n'),
  'a length of hex': post('Content-Length: 0x0\r\n'),
  'a length past 64 bits': post('Content-Length: 18446744073709551616\r\n'),
  'an empty length': post('Content-Length: \r\n'),
  'a length behind a space': post('Content-Length : 0\r\n'),
  'an encoding behind a space': post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
  'an encoding behind a tab': post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'),
  'an encoding that is not the last': post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
  'two encodings': post(
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
    '0\r\n\r\n'
  ),
  'an unknown encoding': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
  'an encoding in quotes': post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
  'an encoding on a line of its own': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
  'a folded field': post('A: b\r\n c\r\nContent-Length: 0\r\n'),
  'a folded field with a tab': post('A: b\r\n\tc\r\nContent-Length: 0\r\n'),
  'a bare LF behind the request line': `POST / HTTP/1.1\n${HOST}\r\n`,
  'a bare LF behind a field': `POST / HTTP/1.1\r\nA: b\n${HOST}Content-Length: 0\r\n\r\n`,
  'a bare LF at the end of the head': `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\n`,
  'a bare CR in a field': post('A: b\rContent-Length: 60\r\nContent-Length: 0\r\n'),
  'CR LF CR and another byte': `POST / HTTP/1.1\r\n${HOST}\r\rX: y\r\n\r\n`,
  'a NUL in a value': post('A: b\0c\r\nContent-Length: 0\r\n'),
  'a NUL in a name': post('A\0: b\r\nContent-Length: 0\r\n'),
  'a control byte in a name': post('A\x01: b\r\nContent-Length: 0\r\n'),
  'a space before the first field': `POST / HTTP/1.1\r\n ${HOST}Content-Length: 0\r\n\r\n`,
  'a field without a colon': post('Content-Length 0\r\n'),
  'an empty name': post(': 0\r\n'),
  'a space in the path': `POST / a HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
  'a NUL in the path': `POST /\0 HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
  'an unknown method': `POSTS / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
  'a method in lower case': `post / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
  'an unknown version': `POST / HTTP/1.2\r\n${HOST}Content-Length: 0\r\n\r\n`,
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a size past 64 bits': chunked('10000000000000000\r\n\r\n0\r\n\r\n'),
  'a size with a sign': chunked('+0\r\n\r\n'),
  'a size with 0x': chunked('0x0\r\n\r\n'),
  'a space behind a size': chunked('0 \r\n\r\n'),
  'a size of nothing': chunked('\r\n0\r\n\r\n'),
  'a bare LF behind a size': chunked('0\n\r\n'),
  'a LF in an extension': chunked('0;a\n\r\n'),
  'an extension of nothing': chunked('0;\r\n\r\n'),
  'more than the size says': chunked('1\r\nab\r\n0\r\n\r\n'),
  'no line end behind a chunk': chunked('1\r\na0\r\n\r\n'),
  'a bare LF behind a chunk': chunked('1\r\na\n0\r\n\r\n'),
  'a trailer with a bare LF': chunked('0\r\nA: b\nC: d\r\n\r\n'),
  'a folded trailer': chunked('0\r\nA: b\r\n c\r\n\r\n'),
  'a request behind the last': `${post('Connection: close\r\nContent-Length: 0\r\n')}`,
  'a request behind HTTP/1.0': `POST / HTTP/1.0\r\n${HOST}Content-Length: 0\r\n\r\n`,
  'extensions without end': chunked(`1;${'a'.repeat(20_000)}\r\na\r\n0\r\n\r\n`),
  'extensions without end, in pieces': chunked(`1;${'a'.repeat(3000)}\r\na\r\n`.repeat(6)),
  'trailers without end': chunked(`0\r\n${'A: bcdefgh\r\n'.repeat(2500)}\r\n`),
  'a head without end': post(`A: ${'b'.repeat(20_000)}\r\nContent-Length: 0\r\n`),
  'fields without end': post(`${'A: b\r\n'.repeat(9000)}Content-Length: 0\r\n`),
  'a path without end': `POST /${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
  'a framing field behind a thousand others': post(
    `${'A: b\r\n'.repeat(1200)}Content-Length: ${SMUGGLED.length}\r\n`
  ),
  TLS: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
};

/** Where an older Node is fooled itself, what ours does is Node 24's. */
const fooled = {
  20: [
    'a framing field behind a thousand others',
    'CR LF CR and another byte',
    'a bare CR in a field'
  ]
};
const major = Number(process.versions.node.split('.')[0]);

/** Sends bytes and tells what of it the program saw, and what came back. */
async function attack(form, http, bytes, options = {}, prepare = () => {}) {
  const seen = [];
  const listener = (req, res) => {
    seen.push(`${req.method} ${req.url}`);
    req.on('error', ({ code }) => seen.push(`request ${code}`));
    if (req.method === 'GET') res.end('answered');
    else req.resume().on('end', () => res.end('answered'));
  };
  return serveAs(form, http, options, listener, async (server, port) => {
    prepare(server);
    server.on('clientError', ({ code, reason, bytesParsed }, socket) => {
      seen.push([code, reason, bytesParsed]);
      if (socket.writable) socket.end('HTTP/1.1 400 Refused\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
    const answer = await exchange(port, bytes, { end: true });
    // What the requests are told of the end.
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    return { seen: [...seen], answer };
  });
}

describe.each(forms)('on a connection %s', (form) => {
  for (const [name, bytes] of Object.entries(hostile)) {
    test(`nothing gets in behind ${name}`, async () => {
      const result = await attack(form, ours, bytes + SMUGGLED);
      expect(result.seen.join()).not.toContain('/smuggled');
      expect(result.answer.match(/answered/g) ?? []).not.toHaveLength(2);
      if (fooled[major]?.includes(name)) return;
      expect(result).toEqual(await attack(form, node, bytes + SMUGGLED));
    });

    // The bytes of a good request before it may be what a fast path takes.
    test(`nothing gets in behind a good request and ${name}`, async () => {
      const all = `GET /good HTTP/1.1\r\n${HOST}\r\n${bytes}${SMUGGLED}`;
      const result = await attack(form, ours, all);
      expect(result.seen[0]).toBe('GET /good');
      expect(result.seen.join()).not.toContain('/smuggled');
      if (fooled[major]?.includes(name)) return;
      expect(result).toEqual(await attack(form, node, all));
    });
  }
});

// Node 20 drops the fields beyond, 32 at a time, and is fooled.
feature('limit of fields that refuses', major >= 22, () => {
  const get = (count) => `GET /${count} HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(count - 1)}\r\n`;
  const counts = { 1000: undefined, 4: 4, 9: 9 };

  describe.each(forms)('on a connection %s', (form) => {
    test.each(Object.entries(counts))(
      'a head of more than %s fields is refused',
      async (most, set) => {
        const play = (http) => attackLimited(form, http, set, get(most) + get(Number(most) + 1));
        const result = await play(ours);
        expect(result.seen).toHaveLength(2);
        expect(result).toEqual(await play(node));
      }
    );

    test('trailers of more than a thousand fields are refused', async () => {
      const bytes = chunked(`0\r\n${'A: b\r\n'.repeat(1001)}\r\n${SMUGGLED}`);
      const result = await attack(form, ours, bytes);
      expect(result.seen.flat()).toContain('HPE_HEADER_OVERFLOW');
      expect(result).toEqual(await attack(form, node, bytes));
    });
  });

  async function attackLimited(form, http, most, bytes) {
    const prepare = (server) => {
      if (most !== undefined) server.maxHeadersCount = most;
    };
    return attack(form, http, bytes, {}, prepare);
  }

  same('a client sees no more of an answer than maxHeadersCount says', async (http) => {
    const seen = [];
    const fields = `${'A: b\r\n'.repeat(1200)}Content-Length: 2\r\n`;
    await answering(`HTTP/1.1 200 OK\r\n${fields}\r\nok`, async (port) => {
      for (const maxHeadersCount of [undefined, 10, 0]) {
        const req = http.get({ port, host: '127.0.0.1', agent: false });
        if (maxHeadersCount !== undefined) req.maxHeadersCount = maxHeadersCount;
        const [res] = await once(req, 'response');
        seen.push([res.rawHeaders.length, Object.keys(res.headers), res.headers.a.length]);
        let body = '';
        for await (const chunk of res) body += chunk;
        seen.push(body);
      }
    });
    return seen;
  });

  // Beyond 31 of them Node 20 counts otherwise.
  same('nor of its trailers', async (http) => {
    const seen = [];
    for (const count of [0, 1, 3, 30, 31]) {
      const lines = Array.from({ length: count }, (_, i) => `T${i}: ${i}\r\n`).join('');
      const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
      await answering(`${head}2\r\nok\r\n0\r\n${lines}\r\n`, async (port) => {
        for (const maxHeadersCount of [undefined, 0, 1, 2, 3, 30, 100]) {
          const req = http.get({ port, host: '127.0.0.1', agent: false });
          if (maxHeadersCount !== undefined) req.maxHeadersCount = maxHeadersCount;
          const [res] = await once(req, 'response');
          await once(res.resume(), 'end');
          seen.push([res.rawTrailers, res.trailers, res.trailersDistinct]);
        }
      });
    }
    return seen;
  });
});

// Whatever the limit hides: nobody else may read the request in another way than the parser.
describe.each(forms)('on a connection %s', (form) => {
  test.each(['Content-Length: 37', 'Transfer-Encoding: chunked'])(
    '%s cannot hide behind the limit of fields',
    async (field) => {
      const bytes = `POST / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(1200)}${field}\r\n\r\n`;
      const { seen, answer } = await attack(form, ours, bytes + SMUGGLED + SMUGGLED);
      expect(seen.flat()).toContain('HPE_HEADER_OVERFLOW');
      expect(seen).toHaveLength(1);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Refused\r\n[^/]*$/);
    }
  );
});

describe.each(forms)('on a connection %s', (form) => {
  /** Ways of answering without having read the body, which is a request for who takes it for one. */
  const listeners = {
    'answers at once': { request: (req, res) => res.end('answered') },
    'answers later': { request: (req, res) => setImmediate(() => res.end('answered')) },
    refuses: { checkContinue: (req, res) => res.writeHead(413).end('answered') },
    'refuses later': {
      checkContinue: (req, res) => setImmediate(() => res.writeHead(413).end('answered'))
    },
    pauses: { request: (req, res) => void (req.pause(), res.end('answered')) },
    'has begun to read': {
      request: (req, res) => req.once('data', () => res.end('answered'))
    }
  };
  const bodies = {
    'of a length': [`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED],
    'in chunks': [
      'Transfer-Encoding: chunked\r\n',
      `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
    ]
  };

  describe.each(Object.keys(bodies))('a body %s', (kind) => {
    test.each(Object.keys(listeners))('is no request for a listener that %s', async (how) => {
      const { checkContinue, request } = listeners[how];
      const [fields, body] = bodies[kind];
      const play = async (http, pieces) => {
        const seen = [];
        const listener = (req, res) => {
          seen.push(req.url);
          if (req.method === 'GET') res.end('last');
          else request(req, res);
        };
        return serveAs(form, http, {}, listener, async (server, port) => {
          if (checkContinue) server.on('checkContinue', checkContinue);
          const answer = await exchange(port, pieces);
          return { seen, answer };
        });
      };
      const expects = checkContinue ? 'Expect: 100-continue\r\n' : '';
      const last = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
      const all = post(fields + expects, body) + last;
      const result = await play(ours, all);
      expect(result.seen.join()).not.toContain('/smuggled');
      expect(result.answer).toContain('answered');
      expect(result).toEqual(await play(node, all));
      // Byte by byte, so that the answer leaves before the body has come.
      const pieces = await play(ours, [...all]);
      expect(pieces.seen).toEqual(result.seen);
    });
  });
});

describe.each(forms)('on a connection %s', (form) => {
  test.each([
    ['no Host', ''],
    ['an empty Host', 'Host:\r\n'],
    ['two Hosts', 'Host: a\r\nHost: b\r\n'],
    ['a Host that is none', 'Host: a b/c@d:e\r\n']
  ])('%s is judged as by Node', async (name, fields) => {
    const play = async (http) => {
      const seen = [];
      const listener = (req, res) => {
        seen.push(req.headers.host, req.headersDistinct.host, req.rawHeaders);
        res.end('answered');
      };
      const request = `GET / HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`;
      const use = (server, port) => exchange(port, request);
      return [await serveAs(form, http, {}, listener, use), seen];
    };
    expect(await play(ours)).toEqual(await play(node));
  });

  test('names of an object are names like others', async () => {
    const fields = [
      '__proto__',
      'constructor',
      'toString',
      '__proto__',
      'hasOwnProperty',
      'set-cookie'
    ]
      .map((name, i) => `${name}: ${i}\r\n`)
      .join('');
    const request = post(`Transfer-Encoding: chunked\r\n${fields}`, `1\r\na\r\n0\r\n${fields}\r\n`);
    const play = async (http) => {
      const seen = [];
      const listener = (req, res) => {
        req.resume().on('end', () => {
          for (const name of ['headers', 'headersDistinct', 'trailers', 'trailersDistinct']) {
            seen.push(Object.entries(req[name]), Object.getPrototypeOf(req[name]) === null);
          }
          res.end();
        });
      };
      const use = (server, port) => exchange(port, `${request}GET / HTTP/1.0\r\n\r\n`);
      await serveAs(form, http, {}, listener, use);
      return seen;
    };
    const result = await play(ours);
    expect(result).not.toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(result).toEqual(await play(node));
  });
});
