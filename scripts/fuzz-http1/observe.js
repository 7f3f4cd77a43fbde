// @ts-nocheck: Node's own parser has no types.
'use strict';

// Runs the host's parser and ours over the same chunks and writes down what each told, in one form.

const { HTTPParser } = require('_http_common');

const { splitIndexed } = require('../../lib/http/fields');
const { HttpParser } = require('../../lib/internal/binding');

/**
 * @typedef {object} Case
 * @property {1 | 2} type 1 requests, 2 responses
 * @property {string[]} chunks latin1
 * @property {number} lenient
 * @property {number} maxHeaderSize
 * @property {0 | 1 | 2} decide what the callback of a head returns where it may
 */

const KEEP_ALIVE = 1;
const UPGRADE = 2;
const INDEXED = 8192;
const AWAITS = 2048;
const NEED_MORE = 0;
const HEAD = 1;
const BODY = 2;
const COMPLETE = 3;
const ERROR = 4;

const registers = new Int32Array(16);
const ours = new HttpParser(registers);
// One for all, as Node itself keeps them: made anew they outrun the garbage collector.
const host = new HTTPParser();

/** A trace of lines, in which neighbouring pieces of a body are one. */
class Trace {
  lines = [];
  body = '';

  push(line) {
    this.flush();
    this.lines.push(line);
  }

  flush() {
    if (this.body !== '') this.lines.push(`body ${JSON.stringify(this.body)}`);
    this.body = '';
  }

  head(values) {
    this.push(`head ${JSON.stringify(values)}`);
  }
}

/** @param {Case} test */
function observeHost({ type, chunks, lenient, maxHeaderSize, decide }) {
  const trace = new Trace();
  const parser = host;
  let early = [];
  let earlyUrl = '';
  let upgrades = false;
  let upgraded = false;
  parser.initialize(type, {}, maxHeaderSize, lenient);
  parser[HTTPParser.kOnHeaders | 0] = (headers, url) => {
    early.push(...headers);
    earlyUrl += url;
  };
  parser[HTTPParser.kOnHeadersComplete | 0] = (
    major,
    minor,
    headers = early,
    method,
    url = earlyUrl,
    status,
    reason,
    upgrade,
    keepAlive
  ) => {
    const start = type === 1 ? [method, url] : [status, reason];
    trace.head([major, minor, ...start, headers, upgrade, keepAlive]);
    early = [];
    earlyUrl = '';
    const answer = type === 2 || upgrade ? decide : 0;
    upgrades = upgrade || answer === 2 || status === 101;
    return answer;
  };
  parser[HTTPParser.kOnBody | 0] = (bytes, start, length) => {
    trace.body += bytes.latin1Slice(start, start === undefined ? undefined : start + length);
  };
  parser[HTTPParser.kOnMessageComplete | 0] = () => {
    trace.push(`complete ${JSON.stringify(early)}`);
    early = [];
    earlyUrl = '';
    upgraded = upgrades;
  };
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk, 'latin1');
    const result = parser.execute(bytes, 0, bytes.length);
    // An error, of whichever realm.
    if (typeof result === 'object') {
      trace.push(`error ${result.code}:${result.reason} at ${result.bytesParsed}`);
      return trace.lines;
    }
    trace.push(`consumed ${result}`);
    // What follows is not for a parser.
    if (upgraded) return trace.lines;
  }
  const result = parser.finish();
  trace.push(typeof result === 'object' ? `end ${result.code}:${result.reason}` : 'end');
  return trace.lines;
}

/** @param {Case} test */
function observeOurs({ type, chunks, lenient, maxHeaderSize, decide }) {
  const trace = new Trace();
  ours.initialize(type, maxHeaderSize, lenient, 0);
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk, 'latin1');
    let at = 0;
    for (let going = true; going;) {
      const text = ours.execute(bytes, at, bytes.length);
      if (registers[1] < at || registers[1] > bytes.length) throw new Error('went out of bounds');
      at = registers[1];
      switch (registers[0]) {
        case NEED_MORE:
          going = false;
          break;
        case HEAD:
          pushHead(trace, text, type);
          if (registers[10] & AWAITS) ours.decide(decide);
          if (registers[5] === 1) trace.push('complete []');
          break;
        case BODY:
          trace.body += bytes.latin1Slice(registers[3], registers[4]);
          if (registers[5] === 1) trace.push('complete []');
          break;
        case COMPLETE:
          trace.push(`complete ${JSON.stringify(linesOf(text ?? '', 0, registers[6]))}`);
          break;
        case ERROR:
          trace.push(`error ${text} at ${at}`);
          return trace.lines;
        default:
          trace.push(`complete ${JSON.stringify(linesOf(text ?? '', 0, registers[6]))}`);
          trace.push(`consumed ${at}`);
          return trace.lines;
      }
    }
    trace.push(`consumed ${at}`);
  }
  const text = ours.finish();
  if (registers[0] === COMPLETE) trace.push('complete []');
  trace.push(registers[0] === ERROR ? `end ${text}` : 'end');
  return trace.lines;
}

function pushHead(trace, head, type) {
  const version = registers[9];
  const text = head.slice(registers[3], registers[4]);
  const flags = registers[10];
  trace.head([
    version >> 4,
    version & 15,
    registers[8],
    text,
    flags & INDEXED
      ? splitIndexed(head, registers[7], registers[6])
      : linesOf(head, registers[7], registers[6]),
    (flags & UPGRADE) !== 0,
    (flags & KEEP_ALIVE) !== 0
  ]);
}

/** Splits header lines into the flat list that Node gives. */
function linesOf(text, from, count) {
  const list = [];
  let at = from;
  for (let line = 0; line < count; line++) {
    const colon = text.indexOf(': ', at);
    const end = text.indexOf('\r\n', colon + 2);
    list.push(text.slice(at, colon), text.slice(colon + 2, end));
    at = end + 2;
  }
  return list;
}

/**
 * @param {Case} test
 * @returns {{ host: string[], ours: string[], same: boolean }} what each told
 */
function compare(test) {
  const host = observeHost(test);
  const own = observeOurs(test);
  const same = host.length === own.length && host.every((line, index) => line === own[index]);
  return { host, ours: own, same };
}

module.exports = { compare, observeHost, observeOurs };
