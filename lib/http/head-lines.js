'use strict';

// Renders the head of an outgoing message: the program's fields in its order and case, then those
// that HTTP needs and nobody set: Date, Connection, Keep-Alive, Content-Length, Transfer-Encoding.

const { Buffer } = require('node:buffer');

const { codeError } = require('../internal/errors');
const { setTimeout } = require('../internal/timers');
const { checkValue, validateHeaderName } = require('./fields');
const { kExpects, kFields, kRelaxed, kUniqueHeaders } = require('./symbols');

/** Which of the fields that matter here a head has. */
const CONNECTION = 1;
const CONTENT_LENGTH = 2;
const TRANSFER_ENCODING = 4;
const DATE = 8;
const EXPECT = 16;
const TRAILER = 32;
const KEEP_ALIVE = 64;

const watched = new Map([
  ['connection', CONNECTION],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['date', DATE],
  ['expect', EXPECT],
  ['trailer', TRAILER],
  ['keep-alive', KEEP_ALIVE]
]);

/** By length, one bit for each letter that a watched name begins with: it rules out most names. */
const watchedLetters = new Int32Array(18);
for (const name of watched.keys()) watchedLetters[name.length] |= letterBit(name);

const CLOSE_TOKEN = /\bclose\b/i;
const CHUNKED_TOKEN = /\bchunked\b/i;

/** The bits of the fields that fieldLines() has just written; read at once. */
let noted = 0;

/**
 * The whole head as text, with the message's flags brought into agreement with it.
 * @param {any} message an OutgoingMessage
 * @param {string} firstLine
 * @param {any} headers the message's own fields, or others: an object, a
 *   list of pairs, a flat list
 * @returns {string}
 */
function renderHead(message, firstLine, headers) {
  let text = firstLine;
  let seen = 0;
  if (headers === undefined || headers === null) {
    // Nothing was set.
  } else if (headers === message[kFields]) {
    for (let field = headers.first; field !== null; field = field.next) {
      text += fieldLines(message, field.name, field.value, false);
      seen |= noted;
    }
  } else if (!Array.isArray(headers)) {
    for (const name of Object.keys(headers)) {
      text += fieldLines(message, name, headers[name], true);
      seen |= noted;
    }
  } else if (headers.length > 0 && Array.isArray(headers[0])) {
    for (const [name, value] of headers) {
      text += fieldLines(message, name, value, true);
      seen |= noted;
    }
  } else {
    if (headers.length % 2 !== 0) throw codeError('ERR_INVALID_ARG_VALUE', 'headers', headers);
    for (let i = 0; i < headers.length; i += 2) {
      text += fieldLines(message, headers[i], headers[i + 1], true);
      seen |= noted;
    }
  }
  let tail;
  if (message.sendDate && (seen & DATE) === 0) {
    const date = dateLine();
    const lines = connectionLines(message, seen);
    tail = lines === keepAliveLines ? keepAliveTail(date) : date + lines;
  } else {
    tail = connectionLines(message, seen);
  }
  const framing = framingLine(message, seen);
  // Without chunks the message ends with its head or its length: nothing can follow.
  if (!message.chunkedEncoding && (seen & TRAILER) !== 0) {
    throw codeError('ERR_HTTP_TRAILER_INVALID');
  }
  message[kExpects] = (seen & EXPECT) !== 0;
  return text === firstLine ? plainHead(text, tail, framing) : `${text}${tail}${framing}\r\n`;
}

/** A head without fields of the program's, as it was made last. */
let plain = '';
let plainLine = '';
let plainTail = '';
let plainFraming = '';

/** Servers often say the same: then it is one string, which is put together once. */
function plainHead(line, tail, framing) {
  if (tail !== plainTail || framing !== plainFraming || line !== plainLine) {
    plainLine = line;
    plainTail = tail;
    plainFraming = framing;
    plain = `${line}${tail}${framing}\r\n`;
  }
  return plain;
}

/** The line of a field, or several for a list. */
function fieldLines(message, name, value, validate) {
  noted = 0;
  if (validate) validateHeaderName(name);
  const bit = bitOf(name);
  const list = prepare(message, name, value);
  if (!Array.isArray(list)) return fieldLine(message, name, list, validate, bit);
  let text = '';
  for (const item of list) text += fieldLine(message, name, item, validate, bit);
  noted = list.length > 0 ? bit : 0;
  return text;
}

function fieldLine(message, name, value, validate, bit) {
  if (validate) checkValue(name, value, message[kRelaxed]);
  if (bit !== 0) note(message, bit, value);
  noted = bit;
  return `${name}: ${value}\r\n`;
}

/** A list that has to be one line becomes one. */
function prepare(message, name, value) {
  if (
    name.length === 19 &&
    name.toLowerCase() === 'content-disposition' &&
    message._contentLength
  ) {
    return Array.isArray(value) ? value.map(bytesAsText) : bytesAsText(value);
  }
  if (!Array.isArray(value)) return value;
  const lower = name.toLowerCase();
  const cookies = lower === 'cookie' && value.length > 1;
  return cookies || message[kUniqueHeaders]?.has(lower) ? value.join('; ') : value;
}

/** File names were sent as the bytes of their UTF-8 once, one character each: they still may be. */
function bytesAsText(value) {
  return Buffer.from(`${value}`, 'latin1').toString();
}

function bitOf(name) {
  if (name.length > 17 || (watchedLetters[name.length] & letterBit(name)) === 0) return 0;
  return watched.get(name) ?? watched.get(name.toLowerCase()) ?? 0;
}

/** The same for a letter in either case. */
function letterBit(name) {
  return 1 << (name.charCodeAt(0) & 31);
}

/** What a field that was set means for the message. */
function note(message, bit, value) {
  switch (bit) {
    case CONNECTION:
      message._removedConnection = false;
      if (CLOSE_TOKEN.test(value)) message._last = true;
      else message.shouldKeepAlive = true;
      break;
    case TRANSFER_ENCODING:
      message._removedTE = false;
      if (CHUNKED_TOKEN.test(value)) message.chunkedEncoding = true;
      break;
    case CONTENT_LENGTH:
      message._contentLength = +value;
      message._removedContLen = false;
      break;
    case KEEP_ALIVE:
      message._defaultKeepAlive = false;
      break;
  }
}

/** Decides whether the connection lives on, and says so where nobody else did. */
function connectionLines(message, seen) {
  // A body that must not be there would be taken for the next message.
  if (message.chunkedEncoding && (message.statusCode === 204 || message.statusCode === 304)) {
    message.chunkedEncoding = false;
    message.shouldKeepAlive = false;
  }
  if (message._removedConnection) {
    message._last = !message.shouldKeepAlive;
    return '';
  }
  if ((seen & CONNECTION) !== 0) return '';
  const delimited = (seen & CONTENT_LENGTH) !== 0 || message.useChunkedEncodingByDefault;
  if (!message.shouldKeepAlive || !(delimited || message.agent)) {
    message._last = true;
    return 'Connection: close\r\n';
  }
  if (message.maxRequestsOnConnectionReached) return 'Connection: close\r\n';
  if (!message._keepAliveTimeout || !message._defaultKeepAlive) return KEEP;
  return linesOf(message._keepAliveTimeout, message._maxRequestsPerSocket);
}

const KEEP = 'Connection: keep-alive\r\n';

/** What most responses say, as it was said last: with these numbers, and behind this date. */
let keepAliveLines = '';
let keptTimeout = -1;
let keptMost;
let tail = '';
let tailDate = '';

function linesOf(timeout, most) {
  if (timeout !== keptTimeout || most !== keptMost) {
    const max = ~~most > 0 ? `, max=${most}` : '';
    keepAliveLines = `${KEEP}Keep-Alive: timeout=${Math.floor(timeout / 1000)}${max}\r\n`;
    keptTimeout = timeout;
    keptMost = most;
    tailDate = '';
  }
  return keepAliveLines;
}

function keepAliveTail(date) {
  if (date !== tailDate) {
    tailDate = date;
    tail = date + keepAliveLines;
  }
  return tail;
}

let lastLength = -1;
let lastLengthLine = '';

function lengthLine(length) {
  if (length !== lastLength) {
    lastLength = length;
    lastLengthLine = `Content-Length: ${length}\r\n`;
  }
  return lastLengthLine;
}

/** The line of the Date header, made once a second. */
let dateText = '';

/** @returns {string} the field with now, as RFC 9110 section 5.6.7 writes it */
function dateLine() {
  if (dateText === '') {
    const now = new Date();
    dateText = `Date: ${now.toUTCString()}\r\n`;
    setTimeout(forget, 1000 - now.getMilliseconds()).unref();
  }
  return dateText;
}

/** The second is over. */
function forget() {
  dateText = '';
}

/** How the receiver finds the body's end, where nobody else said it. */
function framingLine(message, seen) {
  if ((seen & (CONTENT_LENGTH | TRANSFER_ENCODING)) !== 0) return '';
  if (!message._hasBody) {
    message.chunkedEncoding = false;
  } else if (!message.useChunkedEncodingByDefault) {
    message._last = true;
  } else if (
    (seen & TRAILER) === 0 &&
    !message._removedContLen &&
    typeof message._contentLength === 'number'
  ) {
    return lengthLine(message._contentLength);
  } else if (!message._removedTE) {
    message.chunkedEncoding = true;
    return 'Transfer-Encoding: chunked\r\n';
  } else {
    // Only the connection's end can say it.
    message._last = true;
  }
  return '';
}

module.exports = { renderHead };
