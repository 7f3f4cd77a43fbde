'use strict';

// The HTTP chapter of the book notes on our http: its samples, and each event they name.

const { once } = require('node:events');
const net = require('node:net');

const http = require('../../dist/http');

let servers = [];

async function serve(listener) {
  const server = http.createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, server.address().port];
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});

async function text(message) {
  let all = '';
  for await (const chunk of message.setEncoding('utf8')) all += chunk;
  return all;
}

async function request(options, body) {
  const sent = http.request({ host: '127.0.0.1', ...options });
  sent.end(body);
  const [response] = await once(sent, 'response');
  return { response, body: await text(response), sent };
}

/** Writes raw text and gives everything that comes back. */
async function raw(port, ...pieces) {
  const socket = net.connect(port, '127.0.0.1');
  for (const piece of pieces) socket.write(piece);
  return text(socket);
}

test('a server says hello with a status, headers and a body', async () => {
  const [, port] = await serve((req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/plain' });
    res.end('Hello World\n');
  });
  const { response, body } = await request({ port, path: '/a?b=c' });
  expect([response.statusCode, response.headers['content-type'], body]).toEqual([
    200,
    'text/plain',
    'Hello World\n'
  ]);
});

test('a server gets the request line, the headers and the body in pieces', async () => {
  const [, port] = await serve((req, res) => {
    const chunks = [];
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
      const { method, url, httpVersion, headers } = req;
      const body = Buffer.concat(chunks).toString();
      res.end(JSON.stringify({ method, url, httpVersion, custom: headers['x-custom'], body }));
    });
  });
  const headers = { 'X-Custom': 'yes' };
  const { body } = await request({ port, method: 'POST', path: '/up', headers }, '你好');
  expect(JSON.parse(body)).toEqual({
    method: 'POST',
    url: '/up',
    httpVersion: '1.1',
    custom: 'yes',
    body: '你好'
  });
});

test('writeHead() wins over setHeader(), and after it a header is too late', async () => {
  let late;
  const [, port] = await serve((req, res) => {
    res.setHeader('X-A', 'set');
    res.writeHead(202, { 'X-A': 'written' });
    try {
      res.setHeader('X-B', 'late');
    } catch (error) {
      late = error.code;
    }
    res.end();
  });
  const { response } = await request({ port });
  expect([response.statusCode, response.headers['x-a'], late]).toEqual([
    202,
    'written',
    'ERR_HTTP_HEADERS_SENT'
  ]);
});

test("'connection' comes before 'request', once for the requests of one connection", async () => {
  const events = [];
  const [server, port] = await serve((req, res) => res.end());
  server.on('connection', () => events.push('connection'));
  server.on('request', (req) => events.push(`request ${req.url}`));
  const agent = new http.Agent({ keepAlive: true });
  await request({ port, agent, path: '/1' });
  await request({ port, agent, path: '/2' });
  agent.destroy();
  expect(events).toEqual(['connection', 'request /1', 'request /2']);
});

test("'close' comes when the last connection has ended", async () => {
  const [server, port] = await serve((req, res) => {
    server.close();
    setImmediate(() => res.end('last'));
  });
  servers = [];
  const closed = once(server, 'close');
  const { body } = await request({ port, agent: false });
  await closed;
  expect([body, server.listening]).toEqual(['last', false]);
});

test("'checkContinue' decides before the body is sent", async () => {
  const [server, port] = await serve((req, res) => res.end('request'));
  server.on('checkContinue', (req, res) => {
    if (req.url === '/no') {
      res.writeHead(400, { Connection: 'close' });
      res.end('refused');
      return;
    }
    res.writeContinue();
    text(req).then((body) => res.end(`got ${body}`));
  });
  const headers = { Expect: '100-continue', 'Content-Length': 4 };
  const sent = http.request({ host: '127.0.0.1', port, method: 'POST', headers, agent: false });
  await once(sent, 'continue');
  sent.end('body');
  const [response] = await once(sent, 'response');
  expect(await text(response)).toBe('got body');

  const refused = http.request({ host: '127.0.0.1', port, path: '/no', headers, agent: false });
  refused.on('continue', () => refused.destroy(new Error('not to be sent')));
  refused.flushHeaders();
  const [refusal] = await once(refused, 'response');
  expect([refusal.statusCode, await text(refusal)]).toEqual([400, 'refused']);
});

test("without 'checkContinue' the server says 100 itself and goes on", async () => {
  const [, port] = await serve(async (req, res) => res.end(await text(req)));
  const headers = { Expect: '100-continue', 'Content-Length': 4 };
  const sent = http.request({ host: '127.0.0.1', port, method: 'POST', headers });
  sent.on('continue', () => sent.end('body'));
  const [response] = await once(sent, 'response');
  expect(await text(response)).toBe('body');
});

test("'connect' hands a tunnel over, and without it the connection is closed", async () => {
  const [server, port] = await serve((req, res) => res.end());
  expect(await raw(port, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
  server.on('connect', (req, socket, head) => {
    socket.end(`HTTP/1.1 200 OK\r\n\r\n${req.url} ${head}`);
  });
  expect(await raw(port, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nhead')).toBe(
    'HTTP/1.1 200 OK\r\n\r\na:1 head'
  );
});

test("'upgrade' changes the protocol on both sides", async () => {
  const [server, port] = await serve((req, res) => res.end());
  server.on('upgrade', (req, socket) => {
    socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  const headers = { Connection: 'Upgrade', Upgrade: 'echo' };
  const sent = http.get({ host: '127.0.0.1', port, headers });
  const [response, socket] = await once(sent, 'upgrade');
  socket.end('over and out');
  expect([response.statusCode, await text(socket)]).toEqual([101, 'over and out']);
});

test("'clientError' tells of what is no request, with a socket to answer on", async () => {
  const [server, port] = await serve((req, res) => res.end());
  server.on('clientError', (error, socket) => socket.end(`HTTP/1.1 400 ${error.code}\r\n\r\n`));
  expect(await raw(port, 'no request\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 HPE_/);
});

test('an agent with maxSockets makes requests wait for one another', async () => {
  let now = 0;
  let most = 0;
  const [, port] = await serve((req, res) => {
    most = Math.max(most, ++now);
    setImmediate(() => {
      now--;
      res.end();
    });
  });
  const agent = new http.Agent({ maxSockets: 2 });
  const all = Array.from({ length: 10 }, () => request({ port, agent }));
  expect(Object.values(agent.requests).flat().length).toBe(8);
  await Promise.all(all);
  expect(most).toBe(2);
});

test('agent: false lifts the limit: each request has a connection of its own', async () => {
  const ports = new Set();
  const [, port] = await serve((req, res) => {
    ports.add(req.socket.remotePort);
    res.end();
  });
  const all = Array.from({ length: 6 }, () => request({ port, agent: false }));
  for (const { sent } of await Promise.all(all)) expect(sent.reusedSocket).toBe(false);
  expect(ports.size).toBe(6);
});

test('one request is passed through another', async () => {
  const [, target] = await serve(async (req, res) => {
    res.writeHead(201, { 'X-Target': req.headers['x-from'] });
    res.end(`${req.method} ${req.url} ${await text(req)}`);
  });
  const [, port] = await serve((req, res) => {
    const { method, url, headers } = req;
    const onward = http.request({ host: '127.0.0.1', port: target, method, path: url, headers });
    req.pipe(onward);
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
  });
  const headers = { 'X-From': 'client' };
  const { response, body } = await request({ port, method: 'PUT', path: '/p', headers }, 'body');
  expect([response.statusCode, response.headers['x-target'], body]).toEqual([
    201,
    'client',
    'PUT /p body'
  ]);
});

test("a client's events: socket, finish, response, close, and those of its response", async () => {
  const [, port] = await serve((req, res) => res.end('x'));
  const events = [];
  const sent = http.request({ host: '127.0.0.1', port, agent: false });
  for (const name of ['socket', 'finish', 'response', 'close']) {
    sent.on(name, () => events.push(name));
  }
  sent.end();
  const [response] = await once(sent, 'response');
  response.on('data', () => events.push('data')).on('end', () => events.push('end'));
  await once(sent, 'close');
  expect(events).toEqual(['socket', 'finish', 'response', 'data', 'end', 'close']);
});
