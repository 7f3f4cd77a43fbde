'use strict';

// The text of the Date header, made once a second.

let text = '';
let from = 0;
let until = 0;

/** @returns {string} now, as RFC 9110 section 5.6.7 writes it */
function httpDate() {
  const now = Date.now();
  if (now >= until || now < from) {
    from = now - (now % 1000);
    until = from + 1000;
    text = new Date(now).toUTCString();
  }
  return text;
}

module.exports = { httpDate };
