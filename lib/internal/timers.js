'use strict';

// Node's timers and clock as they are when this is loaded. Tests put fakes in the place of the
// globals; connections go on by the real ones, as Node's do.

const process = require('node:process');
const {
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout
} = require('node:timers');

const { hrtime } = process;

/** In milliseconds, from some time on. Not that of `performance`, which takes 3 ms to load. */
function now() {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

module.exports = {
  clearInterval,
  clearTimeout,
  now,
  setImmediate,
  setInterval,
  setTimeout
};
