'use strict';

// PerformanceObserver: Node's own, which is also told of our requests and connections. Node offers no
// way to add entries to its timeline, so those of types `http` and `net` are kept here, and handed over
// with the others.

const { inspect } = require('node:util');

const { codeError } = require('../internal/errors');
const host = require('../internal/host').perfHooks;
// finish() of the timeline needs it when a peer has brought an entry about.
require('../internal/performance-entry');
const { observed, observers } = require('../internal/timeline');
const { setImmediate } = require('../internal/timers');

/** Those who have something to be told, in one immediate as in Node. */
const pending = new Set();

/** Node's documentation, "Class: PerformanceObserver". */
class PerformanceObserver extends host.PerformanceObserver {
  #callback;
  #entries = [];
  #types = new Set();
  /** Node will call for records that were taken; that call was made already, for ours as well. */
  #isDue = false;
  #isMade = false;
  #tell = (entry) => {
    if (!this.#types.has(entry.entryType)) return;
    this.#entries.push(entry);
    if (pending.size === 0) setImmediate(tellAll);
    pending.add(this.#handOver);
  };
  #handOver = () => {
    const entries = this.takeRecords();
    this.#isMade = this.#isDue;
    this.#call(new EntryList(entries));
  };

  constructor(callback) {
    super(typeof callback === 'function' ? (list) => this.#onList(list) : callback);
    this.#callback = callback;
  }

  observe(...args) {
    const [options] = args;
    super.observe(options);
    const { entryTypes, type } = options;
    const isList = entryTypes !== undefined && entryTypes !== null;
    const types = new Set(isList ? entryTypes : [...this.#types, type]);
    this.#observe([...types].filter((name) => Object.hasOwn(observed, name)));
  }

  disconnect() {
    super.disconnect();
    this.#observe([]);
    this.#entries = [];
    this.#isDue = this.#isMade = false;
    pending.delete(this.#handOver);
  }

  takeRecords() {
    const theirs = super.takeRecords();
    if (theirs.length > 0) this.#isDue = true;
    return [...theirs, ...this.#entries.splice(0)];
  }

  #observe(types) {
    for (const type of this.#types) observed[type]--;
    this.#types = new Set(types);
    for (const type of types) observed[type]++;
    if (types.length > 0) observers.add(this.#tell);
    else observers.delete(this.#tell);
  }

  /** Node has records, or had some. */
  #onList(list) {
    const isMade = this.#isMade;
    this.#isDue = this.#isMade = false;
    const theirs = list.getEntries();
    if (isMade && theirs.length === 0 && this.#entries.length === 0) return;
    pending.delete(this.#handOver);
    const ours = this.#entries.splice(0);
    this.#call(ours.length === 0 ? list : new EntryList([...theirs, ...ours]));
  }

  #call(list) {
    this.#callback.call(this, list, this);
  }
}

function tellAll() {
  const all = [...pending];
  pending.clear();
  for (const handOver of all) handOver();
}

const kEntries = Symbol('entries');

/** Node's documentation, "Class: PerformanceObserverEntryList". */
class EntryList {
  constructor(entries) {
    this[kEntries] = entries.sort((a, b) => a.startTime - b.startTime);
  }

  getEntries() {
    return this[kEntries].slice();
  }

  getEntriesByType(type) {
    if (arguments.length === 0) throw codeError('ERR_MISSING_ARGS', ['type']);
    const wanted = `${type}`;
    return this[kEntries].filter(({ entryType }) => entryType === wanted);
  }

  getEntriesByName(name, type = null) {
    if (arguments.length === 0) throw codeError('ERR_MISSING_ARGS', ['name']);
    const wanted = `${name}`;
    return this[kEntries].filter(
      (entry) => entry.name === wanted && (type === null || entry.entryType === type)
    );
  }

  [inspect.custom](depth, options) {
    if (depth < 0) return this;
    const inner = { ...options, depth: options.depth === null ? null : options.depth - 1 };
    return `${this.constructor.name} ${inspect(this[kEntries], inner)}`;
  }
}
// To everybody else it is one of Node's.
const { PerformanceObserverEntryList } = host;
Object.setPrototypeOf(EntryList.prototype, PerformanceObserverEntryList.prototype);
Object.defineProperty(EntryList.prototype, 'constructor', { value: PerformanceObserverEntryList });

module.exports = { PerformanceObserver };
