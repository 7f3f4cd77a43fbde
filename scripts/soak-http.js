'use strict';

// Keeps an HTTP server and its clients busy, good and bad ones, and looks whether memory, descriptors
// or connections grow: `node --expose-gc scripts/soak-http.js [requests] [http module]`.

const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');

const { bundle } = require('./bundle');

bundle();
const total = Number(process.argv[2] ?? 2_000_000);
const http = require(process.argv[3] ?? 'ferronet/http');
const SAMPLES = 20;
/** What may be between the second quarter and the last, in MiB: V8 takes and gives back pages. */
const GROWTH_MAX = 24;

const body = Buffer.alloc(3000, 'x');
const large = Buffer.alloc(300_000, 'y');
let served = 0;

const server = http.createServer((req, res) => {
  served++;
  req.on('error', () => {});
  switch (req.url) {
    case '/chunks':
      res.write('one');
      res.end('two');
      break;
    case '/large':
      res.end(large);
      break;
    case '/socket':
      res.end(String(req.socket.remotePort));
      break;
    case '/echo':
      req.pipe(res);
      break;
    case '/later':
      setImmediate(() => res.end(body));
      break;
    case '/destroy':
      req.destroy();
      break;
    case '/pending':
      break;
    default:
      res.end('hello');
  }
});
server.on('clientError', (error, socket) => socket.destroy());

const urls = ['/', '/', '/', '/chunks', '/socket', '/later', '/', '/echo', '/', '/large'];

async function main() {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  const stop = { stopped: false };
  const bad = Promise.all(Object.values(misfits).map((misfit) => repeat(stop, () => misfit(port))));
  const lanes = Array.from({ length: 40 }, (_, lane) => work(stop, port, agent, lane));
  const samples = [];
  for (let i = 1; i <= SAMPLES; i++) {
    while (served < (total * i) / SAMPLES) await new Promise((resolve) => setTimeout(resolve, 20));
    await collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    const sample = { rss: mib(rss), heap: mib(heapUsed), external: mib(external) };
    samples.push(sample);
    console.log(served, sample, 'files', fs.readdirSync('/proc/self/fd').length);
  }
  stop.stopped = true;
  await Promise.all([bad, ...lanes]);
  agent.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  await collect();
  const early = median(samples.slice(SAMPLES / 4, SAMPLES / 2));
  const late = median(samples.slice(-SAMPLES / 4));
  const files = fs.readdirSync('/proc/self/fd').length;
  console.log({ served, early, late, files, open: server._connections });
  if (late - early > GROWTH_MAX || server._connections !== 0) process.exitCode = 1;
}

/** Good requests, one after the other, some over connections of their own. */
async function work(stop, port, agent, lane) {
  for (let i = lane; !stop.stopped; i++) {
    const url = urls[i % urls.length];
    const own = i % 50 === 0;
    await new Promise((resolve) => {
      const method = url === '/echo' ? 'POST' : 'GET';
      const options = { host: '127.0.0.1', port, path: url, method, agent: own ? false : agent };
      const req = http.request(options, (res) => {
        // Some lose interest.
        if (i % 97 === 0) res.destroy();
        else res.resume();
        res.on('error', () => {});
      });
      req.on('error', () => {});
      req.on('close', resolve);
      req.end(method === 'POST' ? body : undefined);
    });
  }
}

/** Those that do what they should not, over and over. */
const misfits = {
  abortsBody: (port) =>
    speak(port, 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc', 'reset'),
  abortsChunks: (port) =>
    speak(
      port,
      'POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab',
      'end'
    ),
  abortsHead: (port) => speak(port, 'GET / HTTP/1.1\r\nHo', 'end'),
  talksNonsense: (port) => speak(port, 'nonsense\r\n\r\n', 'wait'),
  hidesLength: (port) => speak(port, `GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(1100)}\r\n`, 'end'),
  pipelines: (port) => speak(port, 'GET /later HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200), 'reset'),
  neverReads: (port) => speak(port, 'GET /large HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50), 'deaf'),
  isDestroyed: (port) => speak(port, 'GET /destroy HTTP/1.1\r\nHost: x\r\n\r\n', 'wait'),
  givesUp: (port) => speak(port, 'GET /pending HTTP/1.1\r\nHost: x\r\n\r\n', 'reset'),
  upgrades: (port) =>
    speak(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'end')
};

async function speak(port, text, how) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('connect', () => socket.write(text));
  if (how === 'deaf') socket.pause();
  else socket.resume();
  if (how === 'end') socket.end();
  if (how === 'reset' || how === 'deaf') setTimeout(() => socket.resetAndDestroy(), 10);
  await closed;
}

async function repeat(stop, call) {
  while (!stop.stopped) await call();
}

async function collect() {
  for (let i = 0; i < 3; i++) {
    global.gc?.();
    await new Promise(setImmediate);
  }
}

function median(samples) {
  const sorted = samples.map(({ rss }) => rss).sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function mib(bytes) {
  return Math.round(bytes / 1024 / 1024);
}

main();
