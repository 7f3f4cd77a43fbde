'use strict';

// Received header fields: splits the parser's text into names and values, and joins the values of
// fields that came more than once (Node's documentation, "message.headers").

/** Of these the first one counts; the others are dropped. */
const SINGLE = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent'
]);

/** Names in lower case by name as sent, for those seen often. */
const lowered = new Map();
const LOWERED_MAX = 512;

function toLower(name) {
  let lower = lowered.get(name);
  if (lower === undefined) {
    lower = name.toLowerCase();
    if (lowered.size < LOWERED_MAX && name.length < 64) lowered.set(name, lower);
  }
  return lower;
}

/**
 * `Name: value\r\n` times `count`, from `start` on, as `[name, value, name, value ...]`.
 * @param {string} text
 * @param {number} start
 * @param {number} count
 */
function splitLines(text, start, count) {
  const list = new Array(count * 2);
  for (let i = 0, at = start; i < count; i++) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    list[i * 2] = text.slice(at, colon);
    list[i * 2 + 1] = text.slice(colon + 2, end);
    at = end + 2;
  }
  return list;
}

/** Adds a field to an object of the shape of `message.headers`. */
function addField(name, value, headers, joinDuplicates) {
  const lower = toLower(name);
  const before = headers[lower];
  if (lower === 'set-cookie') {
    if (before === undefined) headers[lower] = [value];
    else before.push(value);
  } else if (typeof before !== 'string') {
    // What is there and no text is inherited: `constructor` may be a header's name.
    headers[lower] = value;
  } else if (lower === 'cookie') {
    headers[lower] = `${before}; ${value}`;
  } else if (joinDuplicates || !SINGLE.has(lower)) {
    headers[lower] = `${before}, ${value}`;
  }
}

/** Adds a field to an object of the shape of `message.headersDistinct`, which inherits nothing. */
function addDistinct(name, value, headers) {
  const lower = toLower(name);
  const before = headers[lower];
  if (before === undefined) headers[lower] = [value];
  else before.push(value);
}

module.exports = { addDistinct, addField, splitLines, toLower };
