'use strict';

// An entry of the performance timeline, as Node makes them for what it measures itself.

const { PerformanceEntry } = require('./host').perfHooks;

const kEntry = Symbol('entry');

/** Node's documentation, "Class: PerformanceNodeEntry". */
class PerformanceNodeEntry {
  constructor(entry) {
    this[kEntry] = entry;
  }

  get name() {
    return this[kEntry].name;
  }

  get entryType() {
    return this[kEntry].entryType;
  }

  get startTime() {
    return this[kEntry].startTime;
  }

  get duration() {
    return this[kEntry].duration;
  }

  get detail() {
    return this[kEntry].detail;
  }

  toJSON() {
    const { name, entryType, startTime, duration, detail } = this;
    return { name, entryType, startTime, duration, detail };
  }
}
Object.setPrototypeOf(PerformanceNodeEntry.prototype, PerformanceEntry.prototype);
// The getters that are Node's PerformanceEntry's own; `detail` is not seen by for...in.
for (const name of ['name', 'entryType', 'startTime', 'duration']) {
  Object.defineProperty(PerformanceNodeEntry.prototype, name, { enumerable: true });
}

module.exports = { PerformanceNodeEntry };
