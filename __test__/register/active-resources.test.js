'use strict';

// process.getActiveResourcesInfo() lists what is ours under Node's names, as Node lists its own.

const path = require('node:path');
const { report, root } = require('../support/child');

const register = path.join(root, 'dist', 'register.js');

const script = `
  const net = require('net');
  const dgram = require('dgram');
  const http = require('http');
  const { once } = require('events');
  const log = [];
  const ours = /TCP|UDP|Pipe|Connect|Write|Shutdown|Send/;
  // Pipes as well, and there once they are asked for, as by what Node itself starts for a preload.
  void [process.stdout, process.stderr];
  const note = (when) => {
    log.push([when, ...process.getActiveResourcesInfo().filter((name) => ours.test(name)).sort()]);
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

  async function tcp() {
    const server = net.createServer({ pauseOnConnect: true });
    note('new server');
    server.listen(0, '127.0.0.1');
    note('listening');
    await once(server, 'listening');
    const client = net.connect(server.address().port, '127.0.0.1');
    await new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
    note('connecting');
    const [accepted] = await once(server, 'connection');
    await pause();
    note('connected');
    client.unref();
    note('unref');
    client.ref().write(Buffer.alloc(20_000_000));
    note('a write waits');
    server.unref();
    note('server unref');
    server.ref();
    client.destroy();
    accepted.on('error', () => {}).destroy();
    server.close();
    note('closing');
    await pause();
    note('closed');
  }

  async function others() {
    const path = '/tmp/ferronet-resources-' + process.pid;
    const server = net.createServer().listen(path);
    await once(server, 'listening');
    const client = net.connect(path);
    note('connecting to a path');
    await pause();
    note('connected to a path');
    client.end();
    note('an end is under way');
    client.destroy();
    server.close();
    const socket = dgram.createSocket('udp4');
    await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
    await pause();
    note('bound');
    socket.close();
    const web = http.createServer((req, res) => {
      note('in a request');
      res.end();
    });
    await once(web.listen(0, '127.0.0.1'), 'listening');
    const [res] = await once(http.get({ agent: false, host: '127.0.0.1', port: web.address().port }), 'response');
    await once(res.resume(), 'end');
    web.close();
    await pause();
    note('in the end');
  }

  tcp().then(others).then(() => console.log(JSON.stringify(log)));`;

test('its list is the one that Node’s modules have', async () => {
  const expected = await report({ script });
  expect(expected.length).toBe(15);
  expect(await report({ script }, { nodeArgs: ['-r', register] })).toEqual(expected);
});

test('nothing is loaded before somebody asks', async () => {
  const loaded = `console.log(JSON.stringify(
    Object.keys(require.cache).filter((file) => /runtime|active-resources|\\.node$/.test(file))));`;
  expect(await report({ script: loaded }, { nodeArgs: ['-r', register] })).toEqual([]);
});
