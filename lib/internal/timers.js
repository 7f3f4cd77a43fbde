'use strict';

// Node's timers as they are when this is loaded. Tests put fakes in the place of the globals;
// connections go on by the real ones, as Node's do.

const {
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout
} = require('node:timers');

module.exports = {
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout
};
