'use strict';

// Finds where what a server sent stops being a sequence of answers, by their framing alone.

const HEAD = /HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\s:]+:[^\r\n]*\r\n)*)\r\n/y;
const SIZE = /([0-9a-f]+)\r\n/y;
const TRAILERS = /(?:[^\s:]+:[^\r\n]*\r\n)*\r\n/y;

/**
 * @param {string} text all that was sent on a connection, one character a byte
 * @param {{ steps?: any[][] }} scenario what was asked for
 * @returns {number} where the first answer begins that is none; behind the text if all of it is, the
 *   last maybe in part
 */
function firstFault(text, { steps = [] }) {
  const asked = steps.map(([name, value]) => (name === 'send' ? value : '')).join('');
  const methods = [...asked.matchAll(/([A-Z]+) \/\d* HTTP\/1\.[01]\r\n/g)].map((match) => match[1]);
  let at = 0;
  for (let answers = 0; at < text.length;) {
    const head = match(HEAD, text, at);
    if (head === null) {
      const begins = text.startsWith('HTTP/1.1 ', at) && !text.includes('\r\n\r\n', at);
      return begins ? Infinity : at;
    }
    const start = at;
    at += head[0].length;
    const status = Number(head[1]);
    if (status === 101) return Infinity;
    if (status < 200) continue;
    const bodiless = methods[answers++] === 'HEAD' || status === 204 || status === 304;
    if (!bodiless) at = endOfBody(text, at, head[2]);
    if (at < 0) return start;
  }
  return Infinity;
}

/** @returns {number} where the next answer begins, at most behind the text; -1 where nothing can */
function endOfBody(text, at, fields) {
  if (!/^Transfer-Encoding: .*chunked/im.test(fields)) {
    const stated = /^Content-Length: (\d+)/im.exec(fields);
    return stated === null ? text.length : Math.min(text.length, at + Number(stated[1]));
  }
  for (;;) {
    const size = match(SIZE, text, at);
    if (size === null) return text.length - at < 10 ? text.length : -1;
    const length = Number.parseInt(size[1], 16);
    at += size[0].length + length;
    if (at >= text.length) return text.length;
    if (length === 0) break;
    if (!text.startsWith('\r\n', at)) return text.length - at < 2 ? text.length : -1;
    at += 2;
  }
  const trailers = match(TRAILERS, text, at);
  return trailers === null ? -1 : at + trailers[0].length;
}

function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

module.exports = { firstFault };
