'use strict';

// What http shows of itself: names that only some Nodes have, and what servers and messages have of
// their own, as with node:http.

const { once } = require('node:events');
const { PassThrough } = require('node:stream');

const { exchange, same, serve, thrown } = require('../support/http-wire');

/** What a program may ask for before it uses it. */
const names = {
  http: ['setGlobalProxyFromEnv', 'setMaxIdleHTTPParsers', 'WebSocket', 'CloseEvent'],
  OutgoingMessage: ['_headers', '_headerNames', 'setHeaders', 'appendHeader', 'getRawHeaderNames'],
  ServerResponse: ['writeHeader', 'writeInformation', 'writeEarlyHints'],
  IncomingMessage: ['signal', 'headersDistinct', 'connection'],
  Server: ['closeAllConnections', 'closeIdleConnections']
};

same('has the names that this Node has', (http) =>
  Object.entries(names).map(([owner, list]) => {
    const object = owner === 'http' ? http : http[owner].prototype;
    return [owner, list.filter((name) => name in object)];
  })
);

same('tells the events of a message that nobody has heard yet', async (http) => {
  const log = [];
  const tell = (message) => {
    log.push(message.eventNames(), message.listenerCount('end'), message.listeners('end').length);
    message.once('end', () => {});
    log.push(message.eventNames());
  };
  tell(new http.IncomingMessage());
  await serve(
    http,
    {},
    (req, res) => {
      tell(req);
      res.end();
    },
    async (server, port) => {
      const [res] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response');
      await once(res.resume(), 'end');
    }
  );
  return log;
});

same('disposes of a server that listens, and of no other', async (http) => {
  const server = http.createServer();
  const dispose = () =>
    server[Symbol.asyncDispose]().then(
      () => 'fine',
      (error) => error.code
    );
  const log = [await dispose()];
  server.listen(0);
  await once(server, 'listening');
  log.push(await dispose(), server.listening, await dispose());
  return log;
});

same('takes values of these options as Node takes them', async (http) => {
  const outcome = (options) => {
    const req = http.request({ host: '127.0.0.1', port: 1, agent: false, ...options });
    req.on('error', () => {}).destroy();
    return 'taken';
  };
  return [null, undefined, 0, '', 5, 'x', {}].flatMap((value) =>
    ['signal', 'lookup', 'createConnection', 'uniqueHeaders'].map((name) => {
      const call = () => outcome({ [name]: value });
      return [name, thrown(call)];
    })
  );
});

same('informs of what can be sent, and says whether there is room', (http) => {
  const inform = (...args) => {
    const response = new http.ServerResponse({ httpVersionMajor: 1, httpVersionMinor: 1 });
    if (response.writeInformation === undefined) return 'not in this Node';
    return [response.writeInformation(...args), response.outputData.map(({ data }) => data)];
  };
  const statuses = [undefined, '103', 99, 100, 101, 103, 150, 199, 200, 103.5];
  const fields = [
    null,
    { a: 'b' },
    { a: ['1', '2'] },
    ['a', 'b'],
    [['a', 'b']],
    ['a'],
    5,
    () => {}
  ];
  const told = (...args) => {
    let result;
    return [thrown(() => (result = inform(...args))), result];
  };
  return [statuses.map((status) => told(status)), fields.map((list) => told(103, list))];
});

same('shows what decides about upgrades', (http) => {
  const server = http.createServer();
  const decide = server.shouldUpgradeCallback;
  const log = [typeof decide, decide?.call(server)];
  server.on('upgrade', () => {});
  log.push(decide?.call(server));
  for (const shouldUpgradeCallback of [undefined, null, 5, () => true]) {
    log.push(thrown(() => http.createServer({ shouldUpgradeCallback })));
  }
  return log;
});

same('says which names and values of fields are none', (http) => {
  const names = [
    'X',
    'x-y',
    "!#$%&'*+-.^_`|~9",
    '',
    ' x',
    'x:',
    'caf\xe9',
    'a\n',
    7,
    null,
    undefined
  ];
  const values = [
    '',
    'a b\t',
    'caf\xe9',
    '\u0100',
    'a\nb',
    'a\rb',
    '\0',
    '\x7f',
    7,
    null,
    undefined,
    []
  ];
  return [
    names.map((name) => thrown(() => http.validateHeaderName(name))),
    names.map((name) => thrown(() => http.validateHeaderName(name, 'a label'))),
    values.map((value) => thrown(() => http.validateHeaderValue('X-Name', value)))
  ];
});

same('gives up the socket of a response that is detached', (http) => {
  const log = [];
  const response = new http.ServerResponse({ httpVersionMajor: 1, httpVersionMinor: 1 });
  const socket = new PassThrough();
  response.assignSocket(socket);
  log.push(response.socket === socket, socket._httpMessage === response);
  log.push(thrown(() => response.assignSocket(new PassThrough())));
  const heard = socket.listenerCount('close');
  response.detachSocket(socket);
  log.push(response.socket, socket._httpMessage, heard - socket.listenerCount('close'));
  return log;
});

same('tells of requests beyond the last of a socket', async (http) => {
  const log = [];
  const prepare = (server) => {
    server.maxRequestsPerSocket = 1;
    server.on('dropRequest', (req, socket) => log.push(['dropped', req.url, socket.destroyed]));
  };
  await serve(
    http,
    {},
    (req, res) => {
      log.push(req.url);
      res.end();
    },
    async (server, port) => {
      prepare(server);
      const get = (url, more = '') => `GET ${url} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
      log.push(await exchange(port, get('/1') + get('/2') + get('/3', 'Connection: close\r\n')));
    }
  );
  return log;
});

same('closes a connection that it should upgrade and that nobody takes', (http) => {
  const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: y\r\n';
  const ask = async (server, port) => [
    await exchange(port, `${upgrade}\r\n`, { end: true }),
    await exchange(port, `${upgrade}Content-Length: 3\r\n\r\nabc`, { end: true })
  ];
  const options = { shouldUpgradeCallback: () => true };
  return serve(http, options, (req, res) => res.end(req.url), ask).then((told) => [
    'told',
    ...told
  ]);
});
