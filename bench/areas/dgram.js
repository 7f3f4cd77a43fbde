'use strict';

// The benchmarks of `dgram`, with the targets they are held to.

module.exports = [
  {
    name: 'echo',
    title: 'UDP echo, 64 B datagrams, 20 clients with 8 under way each',
    kind: 'load',
    server: 'udp-echo.js',
    load: ['udp', '--connections', '20', '--size', '64', '--window', '8'],
    targets: [{ metric: 'cpuMicros', atMost: 0.7, times: 'node26' }]
  },
  {
    name: 'latency',
    title: 'UDP round trip of a lone client, 64 B',
    kind: 'load',
    server: 'udp-echo.js',
    load: ['udp', '--connections', '1', '--size', '64'],
    targets: [{ metric: 'p50Micros', atMost: 1, times: 'host' }]
  },
  {
    name: 'flood',
    title: 'UDP in one direction, 64 B datagrams from 2 sockets, faster than anybody receives',
    kind: 'flow',
    server: 'udp-sink.js',
    load: ['udp-flood', '--connections', '2', '--size', '64'],
    targets: [{ metric: 'operationsPerSecond', atLeast: 1.8, times: 'node26' }]
  },
  {
    name: 'send',
    title: 'UDP sent by the server, 64 B datagrams in bursts of 100 to one address',
    kind: 'flow',
    server: 'udp-send.js',
    load: ['udp-sink', '--size', '64'],
    targets: [{ metric: 'operationsPerSecond', atLeast: 2, times: 'node26' }]
  },
  {
    name: 'startup',
    title: "`require('ferronet/dgram')` in a new process (others: `require('dgram')`)",
    kind: 'startup',
    module: 'dgram',
    processes: 20,
    targets: [{ metric: 'requireMillis', atMost: 15 }]
  }
];
