'use strict';

// Nothing that a program passes on, from wherever it has it, can end a line of what is sent: it is
// refused as by node:http, and where an older Node lets it pass, as by newer ones.

const { once } = require('node:events');

const { forms, serveAs } = require('../support/http-forms');
const { answering, exchange, node, ours, thrown } = require('../support/http-wire');

const major = Number(process.versions.node.split('.')[0]);
const GET = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const INJECTED = 'X-Injected: yes';

/** What ends a line, or could for a peer that looks at the lower byte of a character only. */
const ends = {
  'CR LF': '\r\n',
  CR: '\r',
  LF: '\n',
  NUL: '\0',
  'U+010D U+010A': '\u010d\u010a',
  'U+560D U+560A': '\u560d\u560a'
};

const ways = {
  'the value of setHeader()': (res, text) => res.setHeader('X-A', text),
  'a value of a list': (res, text) => res.setHeader('X-A', ['a', text]),
  'the name of setHeader()': (res, text) => res.setHeader(text, 'a'),
  'the value of appendHeader()': (res, text) => res.appendHeader('X-A', text),
  'a value of setHeaders()': (res, text) => res.setHeaders(new Map([['X-A', text]])),
  'a value of writeHead()': (res, text) => res.writeHead(200, { 'X-A': text }),
  'a name of writeHead()': (res, text) => res.writeHead(200, { [text]: 'a' }),
  'a value of the list of writeHead()': (res, text) => res.writeHead(200, ['X-A', text]),
  'a name of the list of writeHead()': (res, text) => res.writeHead(200, [text, 'a']),
  'the reason of writeHead()': (res, text) => res.writeHead(200, text),
  statusMessage: (res, text) => {
    res.statusMessage = text;
    res.writeHead(200);
  },
  'the value of a trailer': (res, text) => {
    res.write('a');
    res.addTrailers({ 'X-A': text });
  },
  'the name of a trailer': (res, text) => {
    res.write('a');
    res.addTrailers({ [text]: 'a' });
  },
  'the link of an early hint': (res, text) => res.writeEarlyHints({ link: `<${text}>; rel=a` }),
  'a parameter of the link of an early hint': (res, text) =>
    res.writeEarlyHints({ link: `<a>; ${text}` }),
  'the value of an early hint': (res, text) =>
    res.writeEarlyHints({ link: '<a>; rel=a', 'X-A': text }),
  'the name of an early hint': (res, text) =>
    res.writeEarlyHints({ link: '<a>; rel=a', [text]: 'a' })
};
/** Older Nodes send whatever they are given. */
const unchecked = (way) => major < 24 && way.endsWith('of an early hint');

describe.each(forms)('the answer on a connection %s', (form) => {
  describe.each(Object.keys(ways))('cannot be split by %s', (way) => {
    test.each(Object.keys(ends))('with %s', async (name) => {
      const text = `a${ends[name]}${INJECTED}`;
      const play = async (http) => {
        let error;
        const listener = (req, res) => {
          error = thrown(() => ways[way](res, text));
          if (res.headersSent) res.end();
          else res.writeHead(500, 'Refused').end();
        };
        const answer = await serveAs(form, http, {}, listener, (server, port) =>
          exchange(port, way.includes('trailer') ? POST : GET)
        );
        return { error, answer };
      };
      const result = await play(ours);
      expect(result.answer).not.toMatch(/^X-Injected/m);
      expect(result.answer).not.toContain('\0');
      if (!unchecked(way)) expect(result).toEqual(await play(node));
    });
  });
});

/** Options of a request, each of which becomes part of what is sent. */
const parts = {
  path: (text) => ({ path: `/${text}` }),
  method: (text) => ({ method: `GET${text}` }),
  'a value': (text) => ({ headers: { 'X-A': text } }),
  'a value of a list': (text) => ({ headers: ['X-A', text] }),
  'a name': (text) => ({ headers: { [text]: 'a' } }),
  'the Host header': (text) => ({ headers: { Host: text } }),
  host: (text) => ({ host: `127.0.0.1${text}`, lookup: toLoopback }),
  hostname: (text) => ({ hostname: `127.0.0.1${text}`, lookup: toLoopback }),
  auth: (text) => ({ auth: text }),
  'the Upgrade header': (text) => ({ headers: { Connection: 'upgrade', Upgrade: text } }),
  'the Expect header': (text) => ({ headers: { Expect: text } }),
  'a trailer': (text) => ({ method: 'POST', trailer: text })
};

function toLoopback(name, options, done) {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}

describe.each(Object.keys(parts))('a request cannot be split by %s', (part) => {
  test.each(Object.keys(ends))('with %s', async (name) => {
    const play = (http) => {
      const { trailer, ...options } = parts[part](`a${ends[name]}${INJECTED}`);
      const answer = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
      return answering(answer, async (port, received) => {
        let req;
        const error = thrown(() => {
          req = http.request({ host: '127.0.0.1', port, agent: false, ...options });
          req.on('error', () => {});
          if (trailer !== undefined) {
            req.write('a');
            req.addTrailers({ 'X-A': trailer });
          }
          req.end();
        });
        if (error === 'nothing thrown') await new Promise((resolve) => req.on('close', resolve));
        else req?.destroy();
        return { error, sent: received.join('').replaceAll(String(port), 'PORT') };
      });
    };
    const result = await play(ours);
    expect(result.sent).not.toMatch(/^X-Injected/m);
    expect(result.sent).not.toContain('\0');
    expect(result).toEqual(await play(node));
  });
});

describe('a URL cannot split a request', () => {
  test.each([
    'http://127.0.0.1:PORT/a\r\nX-Injected: yes',
    'http://127.0.0.1:PORT/a%0d%0aX-Injected:%20yes',
    'http://a\r\nb:c@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT/\u560d\u560aX-Injected: yes',
    'http://a%0d%0aX-Injected:%20yes@127.0.0.1:PORT/'
  ])('%j', async (url) => {
    const play = (http) => {
      const answer = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
      return answering(answer, async (port, received) => {
        const req = http.get(url.replace('PORT', port), { agent: false });
        const [res] = await once(req, 'response');
        res.resume();
        await once(res, 'close');
        return received.join('').replaceAll(String(port), 'PORT');
      });
    };
    const sent = await play(ours);
    expect(sent).not.toMatch(/^X-Injected/m);
    expect(sent).toBe(await play(node));
  });
});
