'use strict';

// Tests put fakes in the place of timers and the clock: connections go on by the real ones, as
// Node's do.

const path = require('node:path');

const { reported, root, run, stopAll } = require('../support/child');

afterAll(stopAll);

const STANDING_STILL = `
  const http = require(process.argv.at(-1));
  const { once } = require('node:events');
  const net = require('node:net');
  const seen = [];
  const server = http.createServer((req, res) => {
    req.resume();
    res.write('part');
    res.end('last');
  });
  const late = (name) => {
    throw new Error(name + ' was asked for');
  };
  server.listen(0, '127.0.0.1', async () => {
    for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
      globalThis[name] = () => late(name);
    }
    for (const name of ['clearTimeout', 'clearInterval']) globalThis[name] = () => late(name);
    performance.now = () => late('now');
    const agent = new http.Agent({ keepAlive: true });
    const options = { agent, host: '127.0.0.1', port: server.address().port, method: 'POST' };
    for (const body of [undefined, 'text', Buffer.alloc(100_000)]) {
      const req = http.request({ ...options, timeout: 60_000 });
      req.end(body);
      const [res] = await once(req, 'response');
      let text = '';
      for await (const chunk of res) text += chunk;
      seen.push(text, req.reusedSocket);
    }
    // The server's own time for a connection that is idle.
    agent.destroy();
    server.keepAliveTimeout = 30;
    server.keepAliveTimeoutBuffer = 0;
    const socket = net.connect(options.port, options.host);
    socket.resume().write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
    await once(socket, 'close');
    server.close(() => console.log(JSON.stringify(seen)));
  });
`;

test('requests are made and answered while a program’s timers stand still', async () => {
  const play = async (name) => reported(await run({ script: STANDING_STILL }, { args: [name] }));
  const expected = await play('node:http');
  expect(expected).toContain('partlast');
  expect(await play(path.join(root, 'dist', 'http'))).toEqual(expected);
});
