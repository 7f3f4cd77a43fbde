'use strict';

// The benchmarks of `net`, with the targets they are held to.

module.exports = [
  {
    name: 'echo-64',
    title: 'Echo, 64 B messages, 50 connections',
    kind: 'load',
    server: 'echo.js',
    floor: ['serve-echo', '--size', '65536'],
    load: ['tcp', '--connections', '50', '--size', '64'],
    targets: [{ metric: 'cpuMicros', atMost: 0.85, times: 'node26' }]
  },
  {
    name: 'echo-16k',
    title: 'Echo, 16 KB messages, 50 connections',
    kind: 'load',
    server: 'echo.js',
    floor: ['serve-echo', '--size', '65536'],
    load: ['tcp', '--connections', '50', '--size', '16384'],
    targets: [{ metric: 'cpuMicros', atMost: 0.75, times: 'node26' }]
  },
  {
    name: 'pipe-1m',
    title: '`socket.pipe(socket)`, 1 MB messages, 4 connections',
    kind: 'load',
    server: 'pipe.js',
    floor: ['serve-echo', '--size', '524288'],
    load: ['tcp', '--connections', '4', '--size', '1048576'],
    targets: [{ metric: 'megabytesPerSecond', atLeast: 2, times: 'node26' }]
  },
  {
    name: 'pipe-1m-lone',
    title: '`socket.pipe(socket)`, 1 MB messages, one connection',
    note:
      'The rest of a message that does not fill a segment can wait here for a delayed acknowledgement ' +
      '(40 ms), which is what Node mostly does.',
    kind: 'load',
    server: 'pipe.js',
    floor: ['serve-echo', '--size', '524288'],
    load: ['tcp', '--connections', '1', '--size', '1048576']
  },
  {
    name: 'pipe-stream',
    title: '`socket.pipe(socket)`, bytes without a pause, 4 connections; an operation is 1 MB',
    kind: 'load',
    server: 'pipe.js',
    floor: ['serve-echo', '--size', '524288'],
    load: ['stream', '--connections', '4', '--size', '1048576']
  },
  {
    name: 'connect',
    title: 'Connect, one 64 B echo, close; 50 at once',
    kind: 'load',
    server: 'echo.js',
    floor: ['serve-echo', '--size', '65536'],
    load: ['connect', '--connections', '50', '--size', '64'],
    targets: [{ metric: 'cpuMicros', atMost: 0.8, times: 'node26' }]
  },
  {
    name: 'latency',
    title: 'Round trip of a lone connection, 64 B',
    kind: 'load',
    server: 'echo.js',
    floor: ['serve-echo', '--size', '65536'],
    load: ['tcp', '--connections', '1', '--size', '64'],
    targets: [{ metric: 'p50Micros', atMost: 1, times: 'host' }]
  },
  {
    name: 'idle',
    title: 'Memory of an idle accepted connection, 15,000 of them',
    kind: 'memory',
    server: 'echo.js',
    connections: 15_000,
    targets: [{ metric: 'kilobytesEach', atMost: 3 }]
  },
  {
    name: 'startup',
    title: "`require('ferronet/net')` in a new process (others: `require('net')`)",
    kind: 'startup',
    module: 'net',
    processes: 20,
    targets: [{ metric: 'requireMillis', atMost: 15 }]
  }
];
