'use strict';

// Which characters names and values of header fields may have (RFC 9110 section 5.6.2), by tables.

const { codeError } = require('../internal/errors');

const INVALID = 0;
const ASCII = 1;
const LATIN1 = 2;

/** What a code unit is in a field's value: a tab, visible ASCII, obs-text, or nothing allowed. */
const valueKinds = new Uint8Array(256);
valueKinds[0x09] = ASCII;
valueKinds.fill(ASCII, 0x20, 0x7f);
valueKinds.fill(LATIN1, 0x80);

const tokenKinds = new Uint8Array(256);
for (const mark of "!#$%&'*+-.^_`|~") tokenKinds[mark.charCodeAt(0)] = 1;
for (const [first, last] of ['09', 'AZ', 'az']) {
  tokenKinds.fill(1, first.charCodeAt(0), last.charCodeAt(0) + 1);
}

/** What no value may have: NUL, CR, LF, and what latin1 has no byte for. */
const NEVER = new RegExp('[\\0\\r\\n\\u0100-\\uffff]');

function isToken(text) {
  if (typeof text !== 'string' || text.length === 0) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || tokenKinds[code] === 0) return false;
  }
  return true;
}

/** @returns {number} INVALID, ASCII or LATIN1 */
function kindOfValue(text) {
  let kind = ASCII;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const here = code > 0xff ? INVALID : valueKinds[code];
    if (here !== ASCII) {
      if (here === INVALID) return INVALID;
      kind = LATIN1;
    }
  }
  return kind;
}

/** Whether every character is a byte below 0x80: its UTF-8 and its latin1 are the same. */
function isAscii(text) {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Node's documentation, "http.validateHeaderName(name[, label])". */
function validateHeaderName(name, label) {
  if (!isToken(name)) throw codeError('ERR_INVALID_HTTP_TOKEN', label || 'Header name', name);
}

/** Node's documentation, "http.validateHeaderValue(name, value)". */
function validateHeaderValue(name, value) {
  checkValue(name, value, false);
}

function checkValue(name, value, relaxed) {
  if (value === undefined) throw codeError('ERR_HTTP_INVALID_HEADER_VALUE', value, name);
  // A list is checked as its own text would be: the commas of it are allowed anyway.
  if (typeof value !== 'number' && !isValue(`${value}`, relaxed)) {
    throw codeError('ERR_INVALID_CHAR', 'header content', name);
  }
}

/** Whether a field may have it; relaxed, all but what ends a line or a text, and what is no byte. */
function isValue(text, relaxed) {
  return kindOfValue(text) !== INVALID || (relaxed && !NEVER.test(text));
}

module.exports = {
  INVALID,
  LATIN1,
  checkValue,
  isAscii,
  isToken,
  isValue,
  kindOfValue,
  validateHeaderName,
  validateHeaderValue
};
