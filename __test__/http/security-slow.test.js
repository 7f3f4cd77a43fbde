'use strict';

// Clients that take their time, over each way in which a server comes by its connections: they are
// ended by the deadline that Node has for it, with the bytes and errors that Node has for it.

const net = require('node:net');

const { BRIDGED, forms, serveAs } = require('../support/http-forms');
const { node, ours, withoutDate } = require('../support/http-wire');

const HEAD = 'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n';
const CHUNKED = 'POST /slow HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
const GOOD = 'GET /good HTTP/1.1\r\nHost: x\r\n\r\n';

const NONE = { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 };
const checks = { ...NONE, connectionsCheckingInterval: 10 };
const headers = { ...checks, headersTimeout: 40 };
const request = { ...checks, requestTimeout: 40 };

/**
 * What is sent before the client falls silent, and the options by which it is ended; `answers` is how
 * many good requests are answered before.
 */
const slow = {
  'says nothing': { options: headers, bytes: '' },
  'is slow with the request line': { options: headers, bytes: 'GE' },
  'is slow with a field': { options: headers, bytes: HEAD },
  'is slow with the second head': { options: headers, bytes: `${GOOD}${HEAD}`, answers: 1 },
  'says nothing, by requestTimeout': { options: request, bytes: '' },
  'is slow with a body': { options: request, bytes: `${HEAD}\r\nabc` },
  'is slow with the second body': { options: request, bytes: `${GOOD}${HEAD}\r\na`, answers: 1 },
  'is slow with the size of a chunk': { options: request, bytes: `${CHUNKED}5` },
  'is slow with an extension': { options: request, bytes: `${CHUNKED}5;a` },
  'is slow with a chunk': { options: request, bytes: `${CHUNKED}5\r\na` },
  'is slow with trailers': { options: request, bytes: `${CHUNKED}0\r\nA: b` },
  'is idle between requests': {
    options: { ...NONE, keepAliveTimeout: 30, keepAliveTimeoutBuffer: 0 },
    bytes: GOOD,
    answers: 1
  },
  'is idle, by timeout': { options: NONE, bytes: GOOD, answers: 1, timeout: 30 },
  'says nothing, by timeout': { options: NONE, bytes: '', timeout: 30 },
  'is slow with a head, by timeout': { options: NONE, bytes: HEAD, timeout: 30 },
  'is slow with a body, by timeout': { options: NONE, bytes: `${HEAD}\r\na`, timeout: 30 }
};

/** A client that sends bytes, and then one at a time for as long as it is let, or none. */
async function play(form, http, { options, bytes, timeout = 0 }, { drips, handles }) {
  const seen = [];
  const listener = (req, res) => {
    seen.push(`${req.method} ${req.url}`);
    req.on('error', ({ code }) => seen.push(`request ${code}`));
    if (req.method === 'GET') res.end('answered');
    else req.resume().on('end', () => seen.push('ended'));
  };
  return serveAs(form, http, options, listener, async (server, port) => {
    server.timeout = timeout;
    if (handles) {
      server.on('clientError', ({ code }, socket) => {
        seen.push(code);
        socket.end('HTTP/1.1 408 Mine\r\n\r\n');
      });
    }
    const socket = net.connect(port, '127.0.0.1');
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.write(bytes);
    const dripping = drips ? setInterval(() => socket.write('a'), 5) : null;
    await new Promise((resolve) => socket.on('close', resolve));
    clearInterval(dripping);
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    return { seen: [...seen], answer: withoutDate(Buffer.concat(chunks).toString('latin1')) };
  });
}

describe.each(forms)('on a connection %s', (form) => {
  for (const [name, what] of Object.entries(slow)) {
    // What is no socket has no timeout of its own.
    if (form === BRIDGED && (what.timeout || what.options.keepAliveTimeout)) continue;
    test(`a client that ${name} is ended`, async () => {
      for (const handles of [false, true]) {
        const result = await play(form, ours, what, { drips: false, handles });
        expect(result.answer.match(/answered/g) ?? []).toHaveLength(what.answers ?? 0);
        expect(result).toEqual(await play(form, node, what, { drips: false, handles }));
      }
    });
  }

  // Each byte would begin the time anew, were it that of the socket. The answer may be lost by the
  // reset that the last of them meets.
  test.each([
    ['a head', { options: headers, bytes: `${HEAD}X: ` }],
    ['a body', { options: request, bytes: `${HEAD.replace('10', '100000')}\r\n` }],
    ['an extension', { options: request, bytes: `${CHUNKED}5;` }]
  ])('a client that drips %s is ended', async (name, what) => {
    const { seen } = await play(form, ours, what, { drips: true, handles: true });
    expect(seen).toContain('ERR_HTTP_REQUEST_TIMEOUT');
  });
});
