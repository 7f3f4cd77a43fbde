'use strict';

// The reviewed list of parity tests that ferronet is known to fail, each with the reason it may.
//
// An entry turns the named test into one that must fail, so that an entry which has become untrue is
// itself reported, as is one that names no test. Fields: `file` (the test file without .test.js),
// `sentence` (the test's exact sentence), `reason`; where it does not hold everywhere, `nodes` (the
// Node majors it holds on) and `pairings` (of 'ferronet', 'ferronet server, node client' and
// 'node server, ferronet client').

/**
 * @type {{ file: string, sentence: string, reason: string, nodes?: number[], pairings?: string[] }[]}
 */
module.exports = [
  {
    file: 'async-hooks',
    sentence: 'see the same resources over a Unix socket',
    reason: 'the resource a Unix socket makes for nothing is not made'
  },
  {
    file: 'async-hooks',
    sentence: 'run every callback in the resource it belongs to',
    reason: 'the triggers of TickObjects; the resources are the same'
  },
  {
    file: 'process',
    sentence: 'sees its handles through process.getActiveResourcesInfo()',
    reason: 'Node lists its own handles only; the preload adds ours'
  },
  {
    file: 'exports',
    sentence: 'has no underscored member in Socket.prototype but those of Node',
    reason:
      'defaults of rare state live on the prototype: fields of their own cost each connection 64 bytes'
  },
  {
    file: 'destroy',
    sentence: 'aborted beforehand has the same outcome',
    reason: 'Node says destroyed: false of a socket that its signal destroyed'
  },
  {
    file: 'unix',
    sentence: 'carries a connection and leaves no file',
    reason: 'Node 20 pads abstract names with NULs to the full length of an address',
    nodes: [20],
    pairings: ['ferronet server, node client', 'node server, ferronet client']
  },
  {
    file: 'validation-connect',
    sentence: 'a path longer than a socket address holds has the same outcome',
    reason: 'ours is EINVAL always; Node 20 and 22 cut the path short',
    nodes: [20, 22]
  },
  {
    file: 'validation-listen',
    sentence: 'a path longer than a socket address has the same outcome',
    reason: 'as for connect()',
    nodes: [20, 22]
  },
  {
    file: 'options',
    sentence: 'takes interval and count, by position or by name',
    reason: 'what libuv refuses as a whole is set here as far as the kernel takes it',
    nodes: [24, 26]
  },
  {
    file: 'options',
    sentence: 'judges interval and count alike',
    reason: 'as above',
    nodes: [24, 26]
  },
  {
    file: 'transfer',
    sentence: 'moves an accepted socket to a worker thread',
    reason: 'a socket belongs to the runtime of its thread',
    nodes: [24, 26]
  },
  {
    file: 'transfer',
    sentence: 'moves a listening server to a worker thread',
    reason: 'as above',
    nodes: [24, 26]
  },
  {
    file: 'transfer',
    sentence: 'refuses sockets that are not fresh connections',
    reason: 'as above; all are refused, as DataCloneError',
    nodes: [24, 26]
  },
  {
    file: 'bound-socket',
    sentence: "of { path: '' } is judged alike",
    reason: 'Node binds to an abstract name of the kernel; nobody could connect to it by path',
    nodes: [24, 26]
  }
];
