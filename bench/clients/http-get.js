'use strict';

// A client that asks as fast as it can, so many at once over as many sockets that stay open, and
// says how many requests that were and what CPU time they took.
//
//     node http-get.js PORT CONNECTIONS WARMUP-SECONDS SECONDS

const http = require('http');
const { setTimeout: sleep } = require('timers/promises');

const [port, connections, warmup, seconds] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
const options = { host: '127.0.0.1', port, path: '/', agent };
let requests = 0;

function get() {
  return new Promise((resolve, reject) => {
    const request = http.get(options, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume();
      response.on('end', resolve);
    });
    request.on('error', reject);
  });
}

async function repeat() {
  for (;;) {
    await get();
    requests++;
  }
}

async function measure() {
  await sleep(warmup * 1000);
  const before = { requests, cpu: process.cpuUsage(), time: performance.now() };
  await sleep(seconds * 1000);
  const { user, system } = process.cpuUsage(before.cpu);
  const elapsed = (performance.now() - before.time) / 1000;
  const sockets = Object.values(agent.sockets).flat().length;
  const report = { requests: requests - before.requests, seconds: elapsed, sockets, user, system };
  console.log(JSON.stringify(report));
  process.exit();
}

for (let i = 0; i < connections; i++) repeat();
console.log('started');
measure();
