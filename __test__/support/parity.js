'use strict';

// Decides which implementations a parity test runs against, and declares the jest tests for them.

const path = require('node:path');
const known = require('./known');
const { runProgram } = require('./parity-recorder');
const { runInChild, fine, failed } = require('./parity-child');

const node = { name: 'node', net: require('node:net'), specifier: 'node:net' };
const implementations = [node];
if (process.env.PARITY_ONLY !== 'node') implementations.push(loadOurs());
const ours = implementations[1] ?? null;

module.exports = {
  implementations,
  node,
  ours,
  parity,
  sameLog,
  sameLogAcross,
  sameChildLog,
  fine,
  failed,
  feature
};

/**
 * Declares one test per implementation; the body does its own assertions.
 * @param {string} sentence
 * @param {(implementation: { name: string, net: typeof import('node:net') }) => unknown} body
 */
function parity(sentence, body) {
  for (const implementation of implementations) {
    declare(implementation, sentence, () => body(implementation));
  }
}

/**
 * Declares that a program leaves the same log with every implementation. Node's own log must equal
 * `expected`, or, without it, repeat itself exactly: otherwise the comparison would prove nothing.
 * @param {string} sentence
 * @param {(context: import('./parity-recorder').Context) => unknown} program
 * @param {unknown} [expected]
 */
function sameLog(sentence, program, expected) {
  compare(sentence, (implementation) => runProgram(program, both(implementation)), expected);
}

/**
 * As `sameLog`, and the two mixed pairings as well: our server with Node's client, and the reverse.
 * The program takes its server from `context.server` and its client from `context.client`.
 */
function sameLogAcross(sentence, program, expected) {
  const run = (implementation) => runProgram(program, both(implementation));
  const reference = compare(sentence, run, expected);
  if (!ours) return;
  const mixed = [
    { name: 'ferronet server, node client', server: ours, client: node },
    { name: 'node server, ferronet client', server: node, client: ours }
  ];
  for (const pairing of mixed) {
    const roles = { server: pairing.server.net, client: pairing.client.net };
    declare(pairing, sentence, async () => {
      expect(await runProgram(program, roles)).toEqual(await reference());
    });
  }
}

/**
 * As `sameLog` for what can only be seen from outside: exit codes, uncaught exceptions, async_hooks.
 * The program is sent to a fresh process by its source text, so it must close over nothing.
 * @param {string} sentence
 * @param {(net: typeof import('node:net'), log: (...entries: unknown[]) => void) => unknown} program
 * @param {unknown} [expected]
 * @param {{ execArgv?: string[], env?: Record<string, string> }} [options]
 */
function sameChildLog(sentence, program, expected, options) {
  const run = (implementation) => runInChild(program, implementation.specifier, options);
  compare(sentence, run, expected);
}

/** Declares the block's tests only where Node itself has the feature: elsewhere there is nothing to compare. */
function feature(name, present, block) {
  if (present) describe(`where Node has ${name}`, block);
}

/** Declares the test of each implementation; returns a function that resolves with Node's log. */
function compare(sentence, run, expected) {
  let log;
  const reference = () => (log ??= run(node));
  declare(node, sentence, async () => {
    if (expected !== undefined) {
      expect(await reference()).toEqual(expected);
      return;
    }
    expect(isEmpty(await reference())).toBe(false);
    expect(await run(node)).toEqual(await reference());
  });
  if (ours) {
    declare(ours, sentence, async () => {
      expect(await run(ours)).toEqual(await reference());
    });
  }
  return reference;
}

function declare({ name }, sentence, body) {
  const title = `[${name}] ${sentence}`;
  if (name === node.name) test(title, body);
  else known.declare(name, sentence, title, body);
}

// The programs' own deadlines end a hang; this one only has to be out of their way.
jest.setTimeout(120000);

function isEmpty(log) {
  return log === undefined || log === null || Object.values(log).flat().length === 0;
}

function both(implementation) {
  return { server: implementation.net, client: implementation.net };
}

function loadOurs() {
  const specifier = path.join(__dirname, '..', '..', 'dist', 'net');
  const net = require(specifier);
  if (net === node.net || net.Socket === node.net.Socket) {
    throw new Error('dist/net is node:net itself: the parity suite would compare Node with Node');
  }
  return { name: 'ferronet', net, specifier };
}
