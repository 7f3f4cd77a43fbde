'use strict';

// Between a connection and the parser in Rust: hands each chunk over and each event on to the
// connection; the only file that knows the parser's registers.

const { HttpParser } = require('../internal/binding');
const validate = require('../internal/validate');

const REQUEST = 1;
const RESPONSE = 2;

const LENIENT_NONE = 0;
/** Everything that `insecureHTTPParser: true` lets pass. */
const LENIENT_ALL = 1023;

/** Events, as the first register tells them. */
const NEED_MORE = 0;
const HEAD = 1;
const BODY = 2;
const COMPLETE = 3;
const ERROR = 4;
const UPGRADED = 5;

/** The second register: where to go on. The others depend on the event. */
const KIND = 0;
const CONSUMED = 1;
const STATE = 2;
const BODY_START = 3;
const BODY_END = 4;
const BODY_LAST = 5;
const HEAD_COMPLETE = 5;
const TRAILER_COUNT = 6;

/** Indices into `registers` while owner.onHead() runs. */
const head = {
  TEXT_START: 3,
  TEXT_END: 4,
  COUNT: 6,
  FIELDS: 7,
  METHOD: 8,
  VERSION: 9,
  FLAGS: 10,
  HOSTS: 12
};

/** Bits of registers[head.FLAGS]. */
const flags = {
  KEEP_ALIVE: 1,
  UPGRADE: 2,
  CHUNKED: 4,
  CONTENT_LENGTH: 8,
  TRANSFER_ENCODING: 16,
  EXPECT: 64,
  EXPECT_CONTINUE: 128,
  AWAITS: 2048
};

/** What owner.onHead() answers about the message's body. */
const GO_ON = 0;
const NO_BODY = 1;
const TUNNEL = 2;

/** States of a parser; any other is past a head or final. */
const BETWEEN_MESSAGES = 0;
const IN_HEAD = 1;
const FAILED = 4;

/** One set for all parsers: they are read before any other code runs. */
const registers = new Int32Array(16);

const idle = [];
let idleMax = 1000;

class Parser {
  constructor() {
    this.native = new HttpParser(registers);
    /** Gets onHead(text), onBody(bytes) and onComplete(trailers, count); null when freed. */
    this.owner = null;
    this.state = BETWEEN_MESSAGES;
    this.paused = false;
    this.upgraded = false;
    this.running = false;
    /** What came while paused, or while an event was being handled; null for nothing. */
    this.rest = null;
  }

  /** A parser that is not in use, or a new one. */
  static take(type, owner, maxHeaderSize, lenient) {
    const parser = idle.pop() ?? new Parser();
    parser.native.initialize(type, maxHeaderSize, lenient ? LENIENT_ALL : LENIENT_NONE, 0);
    parser.owner = owner;
    parser.state = BETWEEN_MESSAGES;
    parser.paused = parser.upgraded = false;
    return parser;
  }

  free() {
    if (this.owner === null) return;
    this.owner = null;
    this.rest = null;
    // One that runs is still on the stack.
    if (!this.running && idle.length < idleMax) idle.push(this);
  }

  /** Takes no further chunk; what is left of the one being parsed is. */
  pause() {
    this.paused = true;
  }

  /** Goes on with what came meanwhile; returns as execute() does. */
  resume() {
    this.paused = false;
    const { rest } = this;
    if (rest === null || this.running) return 0;
    this.rest = null;
    return this.execute(rest);
  }

  /**
   * Parses a chunk, telling the owner of each event.
   * @returns {any} how many bytes were parsed: less than all after an upgrade, when paused, and
   *   when the owner let go of the parser; or an Error
   */
  execute(chunk) {
    if (this.running || this.paused) {
      this.rest = this.rest === null ? chunk : Buffer.concat([this.rest, chunk]);
      return 0;
    }
    this.running = true;
    try {
      return this.run(chunk);
    } finally {
      this.running = false;
    }
  }

  run(chunk) {
    const { native } = this;
    let at = 0;
    for (;;) {
      const text = native.execute(chunk, at, chunk.length);
      const kind = registers[KIND];
      at = registers[CONSUMED];
      this.state = registers[STATE];
      switch (kind) {
        case NEED_MORE:
          if (this.rest === null || this.paused) return at;
          chunk = this.rest;
          this.rest = null;
          at = 0;
          continue;
        case HEAD: {
          const complete = registers[HEAD_COMPLETE] === 1;
          const awaits = (registers[head.FLAGS] & flags.AWAITS) !== 0;
          const decision = this.owner.onHead(text);
          if (this.owner === null) return at;
          if (awaits && decision !== GO_ON) native.decide(decision);
          if (complete) this.owner.onComplete(null, 0);
          break;
        }
        case BODY: {
          const last = registers[BODY_LAST] === 1;
          this.owner.onBody(chunk.subarray(registers[BODY_START], registers[BODY_END]));
          if (last && this.owner !== null) this.owner.onComplete(null, 0);
          break;
        }
        case COMPLETE:
          this.owner.onComplete(text, registers[TRAILER_COUNT]);
          break;
        case UPGRADED:
          this.upgraded = true;
          this.owner.onComplete(null, 0);
          return at;
        case ERROR:
          return parseError(text, at);
      }
      if (this.owner === null) return at;
    }
  }

  /** The end of the input. @returns {Error | undefined} */
  finish() {
    if (this.owner === null || this.state === FAILED) return;
    const text = this.native.finish();
    const kind = registers[KIND];
    this.state = registers[STATE];
    if (kind === ERROR) return parseError(text, 0);
    if (kind === COMPLETE) this.owner.onComplete(text, registers[TRAILER_COUNT]);
  }
}

/** `HPE_CODE:Reason`, as Node shows it. */
function parseError(text, bytesParsed) {
  const colon = text.indexOf(':');
  const reason = text.slice(colon + 1);
  const error = new Error(`Parse Error: ${reason}`);
  return Object.assign(error, { code: text.slice(0, colon), reason, bytesParsed });
}

/** Node's documentation, "http.setMaxIdleHTTPParsers(max)". */
function setMaxIdleHTTPParsers(max) {
  validate.integer(max, 'max', 1);
  idleMax = max;
}

module.exports = {
  GO_ON,
  IN_HEAD,
  BETWEEN_MESSAGES,
  NO_BODY,
  Parser,
  REQUEST,
  RESPONSE,
  TUNNEL,
  flags,
  head,
  registers,
  setMaxIdleHTTPParsers
};
