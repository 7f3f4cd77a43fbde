'use strict';

// Requests through the proxy that an agent's proxyEnv or the environment names, as with node:http:
// what the proxy gets, what is refused, what goes past it.

const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { inspect } = require('node:util');

const { facts, node, ours, same, thrown } = require('../support/http-wire');
const { feature } = require('../support/parity');
const { runInChild } = require('../support/parity-child');

const major = Number(process.versions.node.split('.')[0]);
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A proxy that answers everything; `use(port, received)`. */
async function proxying(use) {
  const received = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received.push(chunk.toString('latin1'));
      socket.write(OK);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(server.address().port, received);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** What becomes of one request: what the proxy got and the request says of itself, or the error. */
async function outcome(http, port, received, environment, options, agentOptions) {
  received.length = 0;
  const proxyEnv = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.replace('PORT', String(port))])
  );
  let agent;
  const result = await new Promise((resolve) => {
    try {
      agent = new http.Agent({ proxyEnv, ...agentOptions });
      const given = { agent, ...options };
      if (given.port === 'PORT') given.port = port;
      const req = http.request(given, (res) => {
        res.resume();
        res.on('close', () => resolve([req.path, req.host, Object.entries(req.getHeaders())]));
      });
      req.on('connect', (res, socket) => socket.destroy());
      req.on('error', (error) => resolve(facts(error)));
      req.on('close', () => resolve('closed'));
      req.end();
    } catch (error) {
      resolve(facts(error));
    }
  });
  agent?.destroy();
  const text = JSON.stringify([result, received.join('')]);
  return text.replaceAll(String(port), 'PORT');
}

const PROXY = { http_proxy: 'http://127.0.0.1:PORT' };
const host = 'e.test';

/** Declares that each of many requests has the same outcome. */
function alike(sentence, cases) {
  same(sentence, (http) =>
    proxying(async (port, received) => {
      const outcomes = [];
      for (const [environment, options, agentOptions] of cases) {
        const told = await outcome(http, port, received, environment, options, agentOptions);
        outcomes.push([options, told]);
      }
      return outcomes;
    })
  );
}

// Before 24 Node let a path or a Host header lead the proxy elsewhere; ours does on no Node.
feature('strict proxyEnv', major >= 24, () => {
  alike('asks for whole URLs', [
    [PROXY, { host }],
    [PROXY, { host, port: 8080, path: '/a?b=1' }],
    [PROXY, { host: '::1', port: 99 }],
    [PROXY, { host: 'E.Test' }],
    [PROXY, { host: 'b\u00fccher.test' }],
    [PROXY, { host: '127.1' }],
    [PROXY, { host: 'a/b' }],
    [PROXY, { host: 'a b' }],
    [PROXY, { host, port: 65536 }],
    [PROXY, { host, defaultPort: 81 }],
    [PROXY, { host, method: 'POST' }],
    [PROXY, { host, auth: 'a:b' }],
    [PROXY, { host }, { keepAlive: true }]
  ]);

  alike('takes the proxy from the environment it is given', [
    [{ HTTP_PROXY: 'http://127.0.0.1:PORT' }, { host }],
    [{ http_proxy: 'http://127.0.0.1:PORT', HTTP_PROXY: 'http://127.0.0.1:1' }, { host }],
    [{ http_proxy: '', HTTP_PROXY: 'http://127.0.0.1:PORT' }, { host }],
    [{ http_proxy: 'http://us%20er:p%3Aw@127.0.0.1:PORT' }, { host }],
    [{ http_proxy: 'http://user@127.0.0.1:PORT' }, { host }],
    [{ http_proxy: 'http://us%ZZ@127.0.0.1:PORT' }, { host }],
    [{ http_proxy: 'http://127.0.0.1:PORT/path?x#y' }, { host }],
    [{ http_proxy: 'http://127.0.0.1:1' }, { host }],
    [{ HTTPS_PROXY: 'http://127.0.0.1:1' }, { host: '127.0.0.1', port: 'PORT' }]
  ]);

  alike(
    'lets no path lead elsewhere',
    [
      ...[
        'foo',
        '//other/x',
        '/a/../b',
        '/%61?x#y',
        '*',
        '?q',
        '',
        '/\\x',
        '\\\\other\\x',
        '/a\u00e9'
      ],
      ...['http://e.test/abs', 'http://e.test', 'HTTP://E.test:80/Abs', 'http:/e.test', '/"<>'],
      ...['http://e.test:81/', 'https://e.test/', 'http://u:p@e.test/', 'http://e.test@evil/'],
      ...['e.test:80', 'ftp://e.test/', 'x://', ':80', '@evil/', '.evil/', 5]
    ].map((path) => [PROXY, { host, path }])
  );

  alike('knows the targets of methods that are about something else', [
    [PROXY, { host, method: 'OPTIONS', path: '*' }],
    [PROXY, { host, method: 'OPTIONS', path: '/' }],
    [PROXY, { host, method: 'CONNECT', path: 'other:443' }],
    [PROXY, { host, method: 'CONNECT', path: 'other:443', headers: { host: 'mine' } }],
    [PROXY, { host, method: 'CONNECT', path: 'other:443', headers: ['host', 'mine'] }]
  ]);

  alike(
    'lets no Host header lead elsewhere',
    [
      ...['e.test', 'E.TEST', 'e.test:80', 'e.test:81', '', 'e.test.', ' e.test', 'other', 5],
      ...[['e.test'], ['other'], ['e.test', 'other'], 'u@e.test', 'e.test/x', 'e.test?', null]
    ].flatMap((value) => [
      [PROXY, { host, headers: { host: value } }],
      [PROXY, { host, port: 81, headers: { 'X-A': 'b', HOST: value } }]
    ])
  );

  alike('sends lists of headers as they are', [
    [PROXY, { host, headers: ['X-A', 'b'] }],
    [PROXY, { host, headers: ['Host', 'e.test', 'Expect', '7'] }],
    [PROXY, { host, headers: ['Host', 'E.TEST'] }],
    [PROXY, { host, headers: ['Host', 'other'] }],
    [PROXY, { host, headers: ['host', 'e.test', 'host', 'other'] }],
    [PROXY, { host, headers: [['Host', 'other']] }],
    [
      PROXY,
      {
        host,
        headers: [
          ['Host', 'e.test'],
          ['A', 'b']
        ]
      }
    ]
  ]);

  const known = { http_proxy: 'http://u:p@127.0.0.1:PORT' };
  alike('tells the proxy what is for it', [
    [known, { host }],
    [known, { host, headers: { 'proxy-authorization': 'mine', 'Proxy-Connection': 'mine' } }],
    [known, { host, headers: { Connection: 'keep-alive' } }],
    [known, { host, headers: { Expect: '7' }, method: 'POST' }],
    [known, { host, setHost: false }],
    [known, { host, setDefaultHeaders: false }]
  ]);

  // What goes past the proxy leads nowhere: only one of both gets an answer.
  const past = (name, rules) =>
    rules.map((no_proxy) => [
      { http_proxy: 'http://127.0.0.1:1', no_proxy },
      { host: name, port: 'PORT', family: 4 }
    ]);
  alike(
    'leaves out addresses that no_proxy names',
    past('127.0.0.1', [
      ...['127.0.0.1', '*', '127.0.0.1:PORT', '127.0.0.1:1', ' 127.0.0.1 ', 'a,127.0.0.1,b', ','],
      ...[
        'a, 127.0.0.1',
        'a 127.0.0.1',
        '127.0.0.0-127.0.0.9',
        '127.0.0.2-127.0.0.9',
        '127.0.0.1.'
      ],
      ...['127.0.0.0/8', '127.*', '.0.0.1', '*.0.0.1', '*.1', '0.0.1', '127.0.0.0-127.0.0.9:PORT']
    ])
  );
  alike(
    'leaves out names that no_proxy names',
    past('localhost', [
      ...['localhost', 'LOCALHOST', '.localhost', '*.localhost', 'localhost:PORT', 'localhost:1'],
      ...['ocalhost', '*ocalhost', '127.0.0.1', 'host', '']
    ])
  );
  alike('reads one of both spellings of it', [
    [
      { http_proxy: 'http://127.0.0.1:1', no_proxy: '', NO_PROXY: 'localhost' },
      { host: 'localhost', port: 'PORT', family: 4 }
    ],
    [
      { http_proxy: 'http://127.0.0.1:1', no_proxy: 'x', NO_PROXY: 'localhost' },
      { host: 'localhost', port: 'PORT', family: 4 }
    ]
  ]);
});

test('on no Node may a path or a Host header lead the proxy elsewhere', () =>
  proxying(async (port, received) => {
    const asked = (options) => outcome(ours, port, received, PROXY, { host, ...options });
    expect(await asked({ path: '//other/x' })).toContain('GET http://e.test//other/x HTTP/1.1');
    for (const options of [{ path: 'http://other/' }, { headers: { host: 'other' } }]) {
      expect(await asked(options)).toContain('must match the request authority (e.test)');
      expect(received).toEqual([]);
    }
  }));

describe('a proxy whose address cannot be read', () => {
  const addresses = ['http://', 'https://h:x', 'http://h:99999', 'http://ho st/', 'x y', '//h:1'];
  const thrownFor = (http, address) =>
    thrown(() => new http.Agent({ proxyEnv: { http_proxy: address } }));

  // Older Nodes know no proxies.
  feature('proxyEnv', major >= 24, () => {
    same('is refused, and never gone around', (http) =>
      addresses.map((address) => thrownFor(http, address))
    );
  });

  test.each([
    'http://us:s3cret@h:99999',
    'http://us:s3cret@',
    'https://us:s3@s3cret@h',
    'http://a:s3cret@h o'
  ])('of the form %s is not told with its password', (address) => {
    const { code, message } = thrownFor(ours, address);
    expect(code).toBe('ERR_PROXY_INVALID_CONFIG');
    expect(message).not.toContain('s3cret');
  });

  test('nor is one that is not there', async () => {
    const agent = new ours.Agent({ proxyEnv: { http_proxy: 'http://us:s3cret@127.0.0.1:1' } });
    const [error] = await once(ours.get('http://e.test/', { agent }), 'error');
    expect(error.code).toBe('ECONNREFUSED');
    const text = inspect(error, { depth: 9, showHidden: true });
    expect(text).not.toContain('s3cret');
    expect(text).not.toContain(Buffer.from('us:s3cret').toString('base64'));
  });
});

describe('the global agent', () => {
  /** What a child says whose environment names a proxy that refuses. */
  const said = async (http, env, execArgv = []) => {
    const specifier =
      http === node ? 'node:http' : path.join(__dirname, '..', '..', 'dist', 'http');
    const program = (child, log) => {
      const { globalAgent } = child;
      log(globalAgent.options.proxyEnv === process.env);
      child.get({ host: '127.0.0.1', port: 1 }).on('error', ({ port }) => log(port));
    };
    const given = { env: { http_proxy: 'http://127.0.0.1:2', no_proxy: '', ...env }, execArgv };
    return (await runInChild(program, specifier, given)).log;
  };

  same('takes the environment for its proxy when Node is told to', async (http) => [
    await said(http, {}),
    await said(http, { NODE_USE_ENV_PROXY: '1' }),
    await said(http, { NODE_USE_ENV_PROXY: '0' }),
    await said(http, { NODE_USE_ENV_PROXY: '1', no_proxy: '127.0.0.1' }),
    await said(http, {}, major >= 22 ? ['--use-env-proxy'] : [])
  ]);
});
