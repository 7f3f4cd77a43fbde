'use strict';

// Between a connection and the parser in Rust: hands each chunk over, or gets what Rust has read and
// parsed, and hands each event on to the connection; the only file that knows the registers.

const { HttpParser } = require('../internal/binding');
const { commands, native, takePart } = require('../internal/runtime');
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
const registers = new Int32Array(20);
/** Those that tell of a connection's read: where it begins, and whether that was all of it. */
const READ_BASE = 16;
const READ_LENGTH = 17;
const READ_ENDS = 18;

const idle = [];
let idleMax = 1000;
let registered = false;

/** What parsers of chunks and of connections have in common. */
class Parsing {
  constructor() {
    /** Gets onHead(text), onBody(bytes) and onComplete(trailers, count); null when freed. */
    this.owner = null;
    this.state = BETWEEN_MESSAGES;
    this.upgraded = false;
    this.running = false;
  }

  /**
   * Tells the owner of the event that the registers hold.
   * @returns {Error | null} an input that cannot be parsed
   */
  tell(text, consumed) {
    this.state = registers[STATE];
    switch (registers[KIND]) {
      case HEAD: {
        const complete = registers[HEAD_COMPLETE] === 1;
        const awaits = (registers[head.FLAGS] & flags.AWAITS) !== 0;
        const decision = this.owner.onHead(text);
        if (this.owner === null) break;
        if (awaits && decision !== GO_ON) this.decide(decision);
        if (complete) this.owner.onComplete(null, 0);
        break;
      }
      case BODY: {
        const last = registers[BODY_LAST] === 1;
        this.owner.onBody(this.bytes(registers[BODY_START], registers[BODY_END]));
        if (last && this.owner !== null) this.owner.onComplete(null, 0);
        break;
      }
      case COMPLETE:
        this.owner.onComplete(text, registers[TRAILER_COUNT]);
        break;
      case UPGRADED:
        this.upgraded = true;
        this.owner.onComplete(null, 0);
        break;
      case ERROR:
        return parseError(text, consumed);
    }
    return null;
  }

  /** Tells what the end of the input completes. @returns {Error | undefined} */
  tellEnd(text) {
    this.state = registers[STATE];
    if (registers[KIND] === ERROR) return parseError(text, 0);
    if (registers[KIND] === COMPLETE) this.owner.onComplete(text, registers[TRAILER_COUNT]);
  }
}

/** Parses the chunks that come out of any Duplex. */
class Parser extends Parsing {
  constructor() {
    super();
    this.native = new HttpParser(registers);
    this.paused = false;
    /** What came while paused, or while an event was being handled; null for nothing. */
    this.rest = null;
    this.chunk = null;
  }

  /** A parser that is not in use, or a new one. */
  static take(type, owner, maxHeaderSize, lenient) {
    const parser = Parser.blank(owner);
    parser.native.initialize(type, maxHeaderSize, lenientBits(lenient), 0);
    return parser;
  }

  static blank(owner) {
    const parser = idle.pop() ?? new Parser();
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
      this.chunk = null;
    }
  }

  run(chunk) {
    const { native } = this;
    let at = 0;
    for (;;) {
      const text = native.execute(chunk, at, chunk.length);
      at = registers[CONSUMED];
      if (registers[KIND] === NEED_MORE) {
        this.state = registers[STATE];
        if (this.rest === null || this.paused) return at;
        chunk = this.rest;
        this.rest = null;
        at = 0;
        continue;
      }
      this.chunk = chunk;
      const error = this.tell(text, at);
      if (error !== null) return error;
      if (this.upgraded || this.owner === null) return at;
    }
  }

  bytes(start, end) {
    return this.chunk.subarray(start, end);
  }

  decide(decision) {
    this.native.decide(decision);
  }

  /** The end of the input. @returns {Error | undefined} */
  finish() {
    if (this.owner === null || this.state === FAILED) return;
    return this.tellEnd(this.native.finish());
  }
}

/**
 * The parser of a connection of ours, whose reads Rust parses before JavaScript sees them; each
 * comes as one call of onread(). Bytes are copied only where they are a body's.
 */
class ConnectionParser extends Parsing {
  constructor(owner, handle) {
    super();
    this.owner = owner;
    this.handle = handle;
    /** Where the read being told begins. */
    this.base = 0;
    /** More of it will be told. */
    this.hasMore = false;
  }

  /** Lets what `handle` reads be parsed from now on. */
  static take(type, owner, maxHeaderSize, lenient, handle) {
    if (!registered) native().setRegisters(registers);
    registered = true;
    const parser = new ConnectionParser(owner, handle);
    commands.httpStart(handle.id, type, maxHeaderSize, lenientBits(lenient));
    handle.codec = parser;
    return parser;
  }

  /** A read: its first event, the others are asked for. */
  onread(text) {
    const { handle } = this;
    const { id } = handle;
    const length = registers[READ_LENGTH];
    handle.bytesRead += length;
    this.base = registers[READ_BASE];
    this.running = true;
    let consumed;
    let error;
    try {
      for (;;) {
        consumed = registers[CONSUMED];
        this.hasMore = registers[READ_ENDS] === 0;
        error = this.tell(text, consumed);
        if (error !== null || this.upgraded || this.owner === null || !this.hasMore) break;
        text = commands.httpNext(id);
      }
    } finally {
      this.running = this.hasMore = false;
      this.owner?.flushHeld();
    }
    this.owner?.afterRead(error, consumed, length);
  }

  /** Bytes of the read being told, in a Buffer of their own. */
  bytes(start, end) {
    return takePart(this.base, start, end);
  }

  decide(decision) {
    commands.httpDecide(this.handle.id, decision);
  }

  /** Lets the connection read bytes again. @returns {Parser} goes on where this one stands */
  release() {
    const parser = Parser.blank(this.owner);
    parser.native.adopt(native(), this.handle.id);
    parser.state = this.state;
    this.owner = null;
    this.handle.codec = null;
    return parser;
  }

  free() {
    if (this.owner === null) return;
    this.owner = null;
    this.handle.codec = null;
    if (this.handle.id >= 0) commands.httpStop(this.handle.id);
  }

  /** The end of the input. @returns {Error | undefined} */
  finish() {
    if (this.owner === null || this.state === FAILED || this.handle.id < 0) return;
    return this.tellEnd(commands.httpFinish(this.handle.id));
  }
}

function lenientBits(lenient) {
  return lenient ? LENIENT_ALL : LENIENT_NONE;
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
  ConnectionParser,
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
