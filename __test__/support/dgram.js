'use strict';

// Runs one program on Node's dgram and on ours and compares what it saw, as plain data.

const { inspect } = require('node:util');
const { afterRunning } = require('./patience');

const node = require('node:dgram');
const ours = require('../../dist/dgram');

if (ours === node || ours.Socket === node.Socket) {
  throw new Error('dist/dgram is node:dgram itself: the suite would compare Node with Node');
}

const DEADLINE_MS = 4000;
const implementations = [
  ['node', node],
  ['ferronet', ours]
];

module.exports = { both, implementations, node, ours, plain, run, same, turns };

/** Declares that a program leaves the same log with Node's dgram, twice, and with ours. */
function same(sentence, program) {
  test(sentence, async () => {
    const [first, second, own] = [
      await run(node, program),
      await run(node, program),
      await run(ours, program)
    ];
    expect(first.length).toBeGreaterThan(0);
    expect(second).toEqual(first);
    expect(own).toEqual(first);
  });
}

/** Declares one test for each implementation; the body asserts. */
function both(sentence, body) {
  for (const [name, dgram] of implementations) test(`[${name}] ${sentence}`, () => body(dgram));
}

/**
 * Runs `program(context)`; every socket it made through the context is closed afterwards.
 * @returns {Promise<unknown[]>} what it logged
 */
async function run(dgram, program) {
  const context = new Context(dgram);
  let stop;
  const late = new Promise((resolve, reject) => {
    stop = afterRunning(DEADLINE_MS, () => {
      reject(
        new Error(`not finished after ${DEADLINE_MS} ms; so far: ${inspect(context.entries)}`)
      );
    });
  });
  try {
    await Promise.race([program(context), late]);
  } finally {
    stop();
    await context.dispose();
  }
  return context.entries;
}

class Context {
  constructor(dgram) {
    this.dgram = dgram;
    this.entries = [];
    this.sockets = [];
    this.labels = new Map();
  }

  /** Creates a socket, closed after the program. */
  socket(...args) {
    const socket = this.dgram.createSocket(...args);
    this.sockets.push(socket);
    return socket;
  }

  /** A socket that is bound to loopback, whose port logs show by a name. */
  async bound(name, type = 'udp4', options = {}) {
    const socket = this.socket({ type, ...options });
    await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1', () => {
        socket.removeListener('error', reject);
        resolve();
      });
    });
    this.labels.set(socket.address().port, name);
    return socket;
  }

  log(...values) {
    this.entries.push(values.map((value) => plain(value, this.labels)));
  }

  /** What a call returned or threw; `itself` for the receiver. */
  attempt(label, socket, call) {
    try {
      const returned = call();
      this.log(label, returned === socket ? 'itself' : returned);
    } catch (error) {
      this.log(label, error);
    }
  }

  async dispose() {
    for (const socket of this.sockets) {
      socket.on('error', () => {});
      try {
        socket.close();
      } catch {} // closed by the program
    }
    await turns(3);
  }
}

/** Lets the loop go round. */
async function turns(count) {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

/** Plain data for anything; ports by their names. */
function plain(value, labels = new Map()) {
  if (typeof value === 'number') return labels.get(value) ?? value;
  if (typeof value === 'string') return named(value, labels);
  if (Buffer.isBuffer(value)) {
    return value.length > 40 ? `${value.length} bytes` : `<${value.toString('latin1')}>`;
  }
  if (value instanceof Error || Object.prototype.toString.call(value) === '[object Error]') {
    const fields = { name: value.name, text: named(String(value), labels) };
    for (const key of Object.keys(value)) fields[key] = plain(value[key], labels);
    return fields;
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, labels));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, plain(item, labels)])
    );
  }
  return value === undefined ? '<undefined>' : String(value);
}

function named(text, labels) {
  for (const [port, name] of labels) {
    // Not where the digits are part of a longer number.
    text = text.replace(new RegExp(`(?<!\\d)${port}(?!\\d)`, 'g'), name);
  }
  return text;
}
