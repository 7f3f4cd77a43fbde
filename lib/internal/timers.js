'use strict';

// Node's timers and clock as they are when this is loaded. Tests put fakes in the place of the
// globals; connections go on by the real ones, as Node's do.

const {
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout
} = require('node:timers');

/** In milliseconds, from some time on. */
const clock = performance.now.bind(performance);

module.exports = {
  clearInterval,
  clearTimeout,
  clock,
  setImmediate,
  setInterval,
  setTimeout
};
