'use strict';

// The line of the Date header, made once a second.

let text = '';
let from = 0;
let until = 0;

/** @returns {string} the field with now, as RFC 9110 section 5.6.7 writes it */
function dateLine() {
  const now = Date.now();
  if (now >= until || now < from) {
    from = now - (now % 1000);
    until = from + 1000;
    text = `Date: ${new Date(now).toUTCString()}\r\n`;
  }
  return text;
}

module.exports = { dateLine };
