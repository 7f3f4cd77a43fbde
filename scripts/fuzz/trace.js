'use strict';

// Writes down what a scenario's program sees, and waits until nothing happens any more.

/** How long nothing has to happen. */
const ROUNDS = 12;
const MILLISECONDS = 0.3;

class Trace {
  constructor() {
    /** Everything in its order, as `who event details`. */
    this.lines = [];
    /** What is said in the end. */
    this.reports = [];
    /** What a program waits for by itself. */
    this.pending = 0;
    this.stopped = false;
  }

  add(who, what, ...details) {
    if (!this.stopped) this.lines.push([who, what, ...details.map((it) => show(it))].join(' '));
  }

  /** Hears all events of an emitter of the given names. */
  hear(who, emitter, events) {
    for (const event of events) {
      emitter.on(event, (...values) => this.add(who, event, ...values));
    }
  }

  /** What was seen of each, apart. */
  apart() {
    const each = {};
    for (const line of this.lines) (each[line.split(' ', 1)[0]] ??= []).push(line);
    return each;
  }

  /** Until nothing new was seen, here or by `client`, for a while, in many iterations of the loop. */
  async quiet(client = { length: 0 }) {
    let seen = -1;
    let since = 0;
    for (let still = 0; still < ROUNDS || performance.now() - since < MILLISECONDS; still++) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = this.lines.length + client.length;
      if (now === seen && this.pending === 0) continue;
      still = 0;
      since = performance.now();
      seen = now;
    }
  }
}

/**
 * A value as text that is the same for both.
 * @param {any} value
 */
function show(value) {
  if (value instanceof Error) {
    // The engine spells out what was called: newer Nodes keep the socket under a symbol.
    const message = value.message.replace('this[kSocket]', 'this.socket');
    return `<${/** @type {any} */ (value).code ?? value.name}: ${message}>`;
  }
  if (Buffer.isBuffer(value)) return `<${value.length} bytes>`;
  if (typeof value === 'string')
    return value.length > 60 ? `<${value.length} characters>` : JSON.stringify(value);
  if (typeof value === 'function') return '<function>';
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const name = Object.getPrototypeOf(value)?.constructor?.name ?? 'null';
    return name === 'Object' || name === 'null' ? JSON.stringify(value) : `<${name}>`;
  }
  return JSON.stringify(value) ?? String(value);
}

/** Text of which what is the same over and over is left out. */
function brief(text) {
  const short = text.replace(/(.)\1{60,}/g, (run, byte) => `${byte}{${run.length}}`);
  return JSON.stringify(short);
}

module.exports = { Trace, brief, show };
