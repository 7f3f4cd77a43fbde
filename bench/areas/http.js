'use strict';

// The benchmarks of `http`, with the targets they are held to.

module.exports = [
  {
    name: 'hello',
    title: '`response.end(text)`, 50 connections',
    note: "Bun's numbers are those of `Bun.serve`, its own API.",
    kind: 'http',
    server: 'http-hello.js',
    servers: { bun: 'bun-serve.js' },
    floor: ['serve-hello'],
    targets: [
      { metric: 'operationsPerSecond', atLeast: 1.4, times: 'node26' },
      { metric: 'operationsPerSecond', atLeast: 1.6, times: 'node20' },
      { metric: 'operationsPerSecond', atLeast: 1, times: 'bun' },
      { metric: 'p99Micros', atMost: 1, times: 'host' }
    ]
  },
  {
    name: 'json',
    title: 'JSON API: four fields read, a body parsed, four fields set; 50 connections',
    kind: 'http',
    server: 'http-json.js',
    floor: ['serve-json'],
    send: ['post', 'order'],
    targets: [{ metric: 'operationsPerSecond', atLeast: 1.35, times: 'node26' }]
  },
  {
    name: 'stream',
    title: '1 MB in chunks of 16 KB, with backpressure, 50 connections',
    kind: 'http',
    server: 'http-stream.js',
    floor: ['serve-stream', '--size', '16384'],
    send: ['get', '/16384'],
    bulk: true,
    targets: [{ metric: 'operationsPerSecond', atLeast: 1.3, times: 'node26' }]
  },
  {
    name: 'stream-64k',
    title: '1 MB in chunks of 64 KB, with backpressure, 50 connections',
    note: 'Mostly the time that the kernel takes to copy 1 MB, whoever asks it to.',
    kind: 'http',
    server: 'http-stream.js',
    floor: ['serve-stream', '--size', '65536'],
    send: ['get', '/65536'],
    bulk: true
  },
  {
    name: 'pipeline',
    title: '`response.end(text)`, 16 requests at a time, 50 connections',
    kind: 'http',
    server: 'http-hello.js',
    floor: ['serve-hello'],
    send: ['pipeline', '16'],
    targets: [{ metric: 'operationsPerSecond', atLeast: 3, times: 'node26' }]
  },
  {
    name: 'client',
    title: '`http.get` over 50 sockets that stay open',
    kind: 'httpClient',
    client: 'http-get.js',
    connections: 50,
    targets: [{ metric: 'cpuMicros', atMost: 0.6, times: 'node26' }]
  },
  {
    name: 'idle',
    title: 'Memory of an idle connection that has had one answer, 15,000 of them',
    kind: 'memory',
    server: 'http-idle.js',
    hold: 'hold-http',
    connections: 15_000,
    targets: [{ metric: 'kilobytesEach', atMost: 3.5 }]
  },
  {
    name: 'startup',
    title: "`require('ferronet/http')` in a new process (others: `require('http')`)",
    kind: 'startup',
    module: 'http',
    processes: 20,
    targets: [{ metric: 'requireMillis', atMost: 15 }]
  }
];
