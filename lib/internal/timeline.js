'use strict';

// What a PerformanceObserver is told of requests and connections: http and net say here when one
// begins and ends. While nobody observes, that is one look at a number.

/** How many observe each type of entry that is ours; see lib/perf-hooks/observer.js. */
const observed = { http: 0, net: 0 };

/** Functions of an entry, one of each who observes any. */
const observers = new Set();

const kBegun = Symbol('begun');

/** Called where `observed[entryType]` is not 0; `subject` remembers it. */
function begin(subject, entryType, name, detail) {
  subject[kBegun] = { entryType, name, detail, startTime: performance.now() };
}

/** Called likewise; adds to the detail. What began while nobody observed is no entry. */
function finish(subject, detail) {
  const begun = subject[kBegun];
  if (begun === undefined) return;
  const { PerformanceNodeEntry } = require('./performance-entry');
  const entry = new PerformanceNodeEntry({
    ...begun,
    duration: performance.now() - begun.startTime,
    detail: { ...begun.detail, ...detail }
  });
  for (const tell of observers) tell(entry);
}

module.exports = { begin, finish, observed, observers };
