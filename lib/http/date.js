'use strict';

// The line of the Date header, made once a second.

const { setTimeout } = require('../internal/timers');

let text = '';

/** @returns {string} the field with now, as RFC 9110 section 5.6.7 writes it */
function dateLine() {
  if (text === '') {
    const now = new Date();
    text = `Date: ${now.toUTCString()}\r\n`;
    setTimeout(forget, 1000 - now.getMilliseconds()).unref();
  }
  return text;
}

/** The second is over. */
function forget() {
  text = '';
}

module.exports = { dateLine };
