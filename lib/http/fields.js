'use strict';

// Header fields: which characters names and values may have, how received ones are split and joined, and
// those of a message to send.

const { httpFieldNames } = require('../internal/binding');
const { codeError } = require('../internal/errors');

// Characters (RFC 9110 section 5.6.2), by tables.

/** What a field's value may have: a tab, visible ASCII, obs-text. */
const valueCodes = new Uint8Array(256);
valueCodes[0x09] = 1;
valueCodes.fill(1, 0x20, 0x7f);
valueCodes.fill(1, 0x80);

const tokenCodes = new Uint8Array(256);
for (const mark of "!#$%&'*+-.^_`|~") tokenCodes[mark.charCodeAt(0)] = 1;
for (const [first, last] of ['09', 'AZ', 'az']) {
  tokenCodes.fill(1, first.charCodeAt(0), last.charCodeAt(0) + 1);
}

/** What no value may have: NUL, CR, LF, and what latin1 has no byte for. */
const NEVER = new RegExp('[\\0\\r\\n\\u0100-\\uffff]');

function isToken(text) {
  if (typeof text !== 'string' || text.length === 0) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || tokenCodes[code] === 0) return false;
  }
  return true;
}

/** Whether a field may have it; relaxed, all but what ends a line or a text, and what is no byte. */
function isValue(text, relaxed) {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || valueCodes[code] === 0) return relaxed && !NEVER.test(text);
  }
  return true;
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

// Received fields: the parser's text as names and values, and the values of fields that came more than
// once joined (Node's documentation, "message.headers").

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
    // It must not keep the text that it was cut from.
    if (lowered.size < LOWERED_MAX && name.length < 64) lowered.set(copyOf(name), copyOf(lower));
  }
  return lower;
}

/** In heads up to this what is cut out of them shares their memory: a copy is work for each request. */
const SHARED_MAX = 1024;
/** V8 copies what is shorter. */
const COPIED_MAX = 12;

/**
 * Part of a head. Programs keep urls and values for longer than the request: of a large head such a part
 * is a text of its own, or a client could have 16 KiB kept with each.
 */
function cut(text, start, end) {
  const part = text.slice(start, end);
  return text.length <= SHARED_MAX || end - start <= COPIED_MAX ? part : copyOf(part);
}

/** The same characters in memory of their own, but for one. */
function copyOf(text) {
  return ` ${text}`.slice(1);
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
    list[i * 2] = cut(text, at, colon);
    list[i * 2 + 1] = cut(text, colon + 2, end);
    at = end + 2;
  }
  return list;
}

/** Names that the parser gives by number; the first is none. */
const names = httpFieldNames();
/** Those that were seen, in lower case, as keys: V8 looks up no other string as fast. */
const keys = new Array(names.length).fill(null);
/** What an index has of each field: the number and length of its name, the length of its value in two. */
const INDEX_ENTRY = 4;

/** As splitLines(), of a head with an index. */
function splitIndexed(text, start, count) {
  const list = new Array(count * 2);
  for (let i = 0, entry = 0, at = start; i < count; i++, entry += INDEX_ENTRY) {
    const number = text.charCodeAt(entry);
    const colon = at + text.charCodeAt(entry + 1);
    const end = colon + 2 + lengthAt(text, entry);
    list[i * 2] = number === 0 ? cut(text, at, colon) : names[number];
    list[i * 2 + 1] = cut(text, colon + 2, end);
    at = end + 2;
  }
  return list;
}

/** `message.headers` of a head with an index; `distinct` says that no name comes twice, and all have numbers. */
function indexedFields(text, start, count, distinct, joinDuplicates) {
  const headers = {};
  for (let i = 0, entry = 0, at = start; i < count; i++, entry += INDEX_ENTRY) {
    const colon = at + text.charCodeAt(entry + 1);
    const end = colon + 2 + lengthAt(text, entry);
    const value = cut(text, colon + 2, end);
    const key = keyAt(text, entry, at, colon);
    if (distinct && key !== 'set-cookie') headers[key] = value;
    else addByKey(key, value, headers, joinDuplicates);
    at = end + 2;
  }
  return headers;
}

/** The value of a head's first field of this name, in lower case and known to the parser; or undefined. */
function findIndexed(text, start, count, name) {
  for (let i = 0, entry = 0, at = start; i < count; i++, entry += INDEX_ENTRY) {
    const colon = at + text.charCodeAt(entry + 1);
    const end = colon + 2 + lengthAt(text, entry);
    if (keyAt(text, entry, at, colon) === name) return text.slice(colon + 2, end);
    at = end + 2;
  }
  return undefined;
}

/** The name of an entry, in lower case. */
function keyAt(text, entry, at, colon) {
  const number = text.charCodeAt(entry);
  if (number === 0) return toLower(text.slice(at, colon));
  return (keys[number] ??= Object.keys({ [names[number].toLowerCase()]: 0 })[0]);
}

function lengthAt(text, entry) {
  return text.charCodeAt(entry + 2) + text.charCodeAt(entry + 3) * 256;
}

/** Adds a field to an object of the shape of `message.headers`. */
function addField(name, value, headers, joinDuplicates) {
  addByKey(toLower(name), value, headers, joinDuplicates);
}

function addByKey(lower, value, headers, joinDuplicates) {
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

// Fields to send, in the order and case in which they were set. Most messages have a handful: those are
// found by looking at each, many by an index.

/** With more fields than this an index is kept. */
const SCANNED = 16;

/** Names that an object would list first, in the order of their numbers; fields keep to that. */
const INDEX_NAME = /^(?:0|[1-9]\d{0,9})$/;
const INDEX_MAX = 2 ** 32 - 2;

class Fields {
  constructor() {
    // Linked: the first push() to an array makes room for 17.
    /** @type {{ key: string, name: string, value: any, next: any } | null} `key` is the name in lower case */
    this.first = null;
    this.last = null;
    this.count = 0;
    /** Each by its key, once they are many. */
    this.index = null;
  }

  /** The field, or null. */
  find(key) {
    if (this.index !== null) return this.index.get(key) ?? null;
    let field = this.first;
    while (field !== null && field.key !== key) field = field.next;
    return field;
  }

  get(key) {
    return this.find(key)?.value;
  }

  /** Sets a field, in the place that it has. */
  set(key, name, value) {
    const field = this.find(key);
    if (field !== null) {
      field.name = name;
      field.value = value;
      return;
    }
    const before = isIndexName(key) ? this.placeOf(key) : this.last;
    const added = { key, name, value, next: before === null ? this.first : before.next };
    if (before === null) this.first = added;
    else before.next = added;
    if (added.next === null) this.last = added;
    this.count++;
    if (this.index !== null) this.index.set(key, added);
    else if (this.count > SCANNED) this.makeIndex();
  }

  delete(key) {
    const field = this.find(key);
    if (field === null) return;
    let before = null;
    for (let other = this.first; other !== field; other = other.next) before = other;
    if (before === null) this.first = field.next;
    else before.next = field.next;
    if (this.last === field) this.last = before;
    this.count--;
    this.index?.delete(key);
  }

  /** The field behind which the name of a number belongs; null for none. */
  placeOf(key) {
    let before = null;
    for (let field = this.first; field !== null; field = field.next) {
      if (!isIndexName(field.key) || Number(field.key) > Number(key)) break;
      before = field;
    }
    return before;
  }

  makeIndex() {
    this.index = new Map();
    for (const field of this) this.index.set(field.key, field);
  }

  *[Symbol.iterator]() {
    for (let field = this.first; field !== null; field = field.next) yield field;
  }
}

function isIndexName(key) {
  const first = key.charCodeAt(0);
  return first < 0x3a && first > 0x2f && INDEX_NAME.test(key) && Number(key) <= INDEX_MAX;
}

module.exports = {
  Fields,
  addDistinct,
  addField,
  checkValue,
  cut,
  findIndexed,
  indexedFields,
  isAscii,
  isToken,
  isValue,
  splitIndexed,
  splitLines,
  toLower,
  validateHeaderName,
  validateHeaderValue
};
