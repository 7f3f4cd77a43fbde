'use strict';

// Between a connection and the parser in Rust: hands each chunk over, or gets what Rust has read and
// parsed, and hands each event on to the connection; the only file that knows the registers.

const { Buffer } = require('node:buffer');

const { HttpParser } = require('../internal/binding');
const { nodeMajor } = require('../internal/host');
const { commands, native, takePart, takeText } = require('../internal/runtime');
const validate = require('../internal/validate');

const REQUEST = 1;
const RESPONSE = 2;

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
  AWAITS: 2048,
  /** In front of the text is an index of its fields. */
  INDEXED: 8192,
  /** Of those no name comes twice, and all have numbers. */
  DISTINCT: 16384
};

/** What owner.onHead() answers about the message's body. */
const GO_ON = 0;
const NO_BODY = 1;
const TUNNEL = 2;
/** The other protocol that the head asks for is not spoken: HTTP goes on. */
const STAY = 3;

/** States of a parser; any other is past a head or final. CLOSED: behind the last message. */
const BETWEEN_MESSAGES = 0;
const IN_HEAD = 1;
const FAILED = 4;
const CLOSED = 5;

/** One set for all parsers: they are read before any other code runs. */
const registers = new Int32Array(20);
/** Those that tell of a connection's read: where it begins, and whether that was all of it. */
const READ_BASE = 16;
const READ_LENGTH = 17;
const READ_ENDS = 18;
/** Where to ask for another call, in which the next event is told, or that the body has ended. */
const READ_WANTS = 19;
const NEXT_EVENT = 1;
const COMPLETION = 2;

/** From so many on Node's parser tells some of a head's fields before it, as it does trailers. */
const FIELDS_WITH_HEAD = 32;

/** What a listener leaves by enterWith() does not stay for the next event; up to Node 22 it does. */
const RESETS_CONTEXT = nodeMajor >= 24;

/** What an exception is to those who send on, by the event whose listener threw it. */
const exceptions = {
  [HEAD]: 'HPE_CB_HEADERS_COMPLETE:User callback error',
  [BODY]: 'HPE_JS_EXCEPTION:JS Exception',
  [COMPLETE]: 'HPE_CB_MESSAGE_COMPLETE:User callback error'
};

const idle = [];
let idleMax = 1000;
let registered = false;

/**
 * Parses the chunks that come out of any Duplex; or, with a handle, what Rust has read and parsed
 * before JavaScript sees it: then each read comes as one call of the owner's onread().
 */
class Parser {
  constructor() {
    /**
     * Gets onHead(text), onBody(start, end) and onComplete(trailers, count), by inContext(call) where its
     * async context may have been left, and with a handle onread(text) and afterRead(error,
     * consumed, length); null when freed. `isRead`: somebody waits for the message's end;
     * `ticksAmidReads`: ticks run behind a piece of a body, as in Node's servers and not its clients.
     */
    this.owner = null;
    this.state = BETWEEN_MESSAGES;
    this.paused = false;
    this.upgraded = false;
    this.running = false;
    /** What came while paused, or while an event was being handled; null for nothing. */
    this.rest = null;
    /** What parses chunks, made for the first of them, and the chunk that it parses. */
    this.native = null;
    this.chunk = null;
    /** The stream whose reads come parsed, or null. */
    this.handle = null;
    /** Where the read that is being told begins, and whether more of it will be told. */
    this.base = 0;
    this.hasMore = false;
    /** Of which handle it is: one that a listener closes has no id any more. */
    this.id = -1;
    /** The event that is being told, and where it ended. */
    this.telling = NEED_MORE;
    this.consumed = 0;
    /** What a listener's exception or a refusal left behind: the error that the next bytes are. */
    this.broken = null;
    /** No program has run in this call yet. */
    this.fresh = false;
    /** A body was told to its end, and not yet that its message is complete. */
    this.owesEnd = false;
    /** An event that ticks run before: its text and registers. */
    this.next = null;
  }

  /** A parser that is not in use, or a new one; of chunks, or of what `handle` reads. */
  static take(type, owner, limits, handle = null) {
    const parser = Parser.blank(owner, handle);
    if (handle === null) {
      const { lenient, maxFields, maxHeaderSize } = limits;
      parser.native ??= new HttpParser(registers);
      parser.native.initialize(type, maxHeaderSize, lenient, maxFields);
    } else {
      startParsing(type, owner, limits, handle);
    }
    return parser;
  }

  /** A parser that stands before a message. */
  static blank(owner, handle) {
    const parser = idle.pop() ?? new Parser();
    parser.owner = owner;
    parser.handle = handle;
    parser.state = BETWEEN_MESSAGES;
    parser.paused = parser.upgraded = parser.owesEnd = false;
    parser.broken = parser.next = null;
    return parser;
  }

  free() {
    if (this.owner === null) return;
    if (this.handle !== null) stopParsing(this.handle);
    this.giveBack();
  }

  /** Leaves a stream, if any, to be parsed on: another parser will tell of it. */
  giveBack() {
    this.owner = this.handle = this.rest = null;
    // One that runs is still on the stack.
    if (!this.running && idle.length < idleMax) idle.push(this);
  }

  /** Lets the stream read bytes again, and parses chunks from where it stands. */
  release() {
    const { handle } = this;
    this.native ??= new HttpParser(registers);
    this.native.adopt(native(), handle.id);
    this.handle = handle.codec = null;
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
    if (this.broken !== null) return this.broken;
    this.running = true;
    let returned = false;
    try {
      const result = this.run(chunk);
      returned = true;
      return result;
    } finally {
      if (!returned) this.breakOff();
      this.running = false;
      this.chunk = null;
    }
  }

  run(chunk) {
    let at = 0;
    this.fresh = true;
    for (;;) {
      const text = this.native.execute(chunk, at, chunk.length);
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
      this.consumed = at;
      const error = this.tellNext(text, at);
      if (error !== null) return error;
      if (this.upgraded || this.owner === null) return at;
    }
  }

  /**
   * Tells a read, called by the owner's onread(): its first event, the others are asked for; those
   * behind a piece of a body by another call, for ticks to run before.
   */
  tellRead(text) {
    const length = registers[READ_LENGTH];
    if (!this.running) {
      this.handle.bytesRead += length;
      this.id = this.handle.id;
      this.base = registers[READ_BASE];
      this.running = true;
    }
    if (this.next !== null) text = this.takeNext();
    this.fresh = true;
    this.owesEnd = false;
    let error = this.broken;
    let returned = false;
    let wants = 0;
    try {
      while (error === null) {
        const body = registers[KIND] === BODY;
        const last = body && registers[BODY_LAST] === 1;
        this.consumed = registers[CONSUMED];
        this.hasMore = registers[READ_ENDS] === 0;
        if (body) this.tellBody();
        else error = this.tellNext(text, this.consumed);
        if (error !== null || this.upgraded || this.owner === null) break;
        if (!this.owner.ticksAmidReads) {
          if (last) this.owner.onComplete(null, 0);
          if (this.owner === null) break;
        } else if (last) wants = COMPLETION;
        else if (body && (this.hasMore || this.owner.incoming.upgrade)) wants = NEXT_EVENT;
        if (wants !== 0 || !this.hasMore) break;
        text = commands.httpNext(this.id);
        if (this.isApart()) {
          wants = COMPLETION;
          this.keepNext(text);
          break;
        }
      }
      returned = true;
    } finally {
      if (!returned) this.breakOff();
      this.running = wants !== 0;
      this.owesEnd = wants === COMPLETION && this.next === null;
      this.hasMore = false;
    }
    if (wants !== 0) registers[READ_WANTS] = wants;
    else this.owner?.afterRead(error, this.consumed, length);
  }

  /** Whether ticks run before the event in the registers: Node tells its fields by themselves. */
  isApart() {
    const kind = registers[KIND];
    const { toldFields } = this.owner;
    if (toldFields === undefined) return false;
    if (kind === COMPLETE) return registers[TRAILER_COUNT] > 0;
    return kind === HEAD && (toldFields || registers[head.COUNT] >= FIELDS_WITH_HEAD);
  }

  keepNext(text) {
    if (registers[KIND] === HEAD) this.owner.onBegun();
    this.next = { text, registers: registers.slice() };
  }

  takeNext() {
    const { text, registers: values } = this.next;
    this.next = null;
    registers.set(values);
    registers[READ_WANTS] = 0;
    return text;
  }

  /**
   * A listener has thrown. The rest of what was read is not parsed, so nothing that follows may be: as
   * in Node it is an error.
   */
  breakOff() {
    this.refuse(exceptions[this.telling] ?? exceptions[BODY]);
  }

  /** The owner does not take what it is being told: that is an error, and so is all that follows. */
  refuse(reason) {
    this.broken = parseError(reason, this.consumed);
    this.state = FAILED;
  }

  /** Tells of an event in the owner's context, whatever those before it have made of that. */
  tellNext(text, consumed) {
    const { fresh } = this;
    this.fresh = false;
    if (fresh || !RESETS_CONTEXT) return this.tell(text, consumed);
    let error = null;
    this.owner.inContext(() => {
      error = this.tell(text, consumed);
    });
    return error;
  }

  /** A piece of a body; the end of its message is told in a call of its own. */
  tellBody() {
    this.state = registers[STATE];
    this.telling = BODY;
    this.owner.onBody(registers[BODY_START], registers[BODY_END]);
  }

  /**
   * Tells the owner of the event that the registers hold.
   * @returns {Error | null} an input that cannot be parsed
   */
  tell(text, consumed) {
    this.state = registers[STATE];
    this.telling = registers[KIND];
    switch (this.telling) {
      case HEAD: {
        const complete = registers[HEAD_COMPLETE] === 1;
        const awaits = (registers[head.FLAGS] & flags.AWAITS) !== 0;
        const decision = this.owner.onHead(text);
        if (this.owner === null) break;
        if (this.broken !== null) return this.broken;
        if (awaits && decision !== GO_ON) this.decide(decision);
        if (!complete) break;
        if (RESETS_CONTEXT && this.owner.isRead)
          this.owner.inContext(() => this.completeBodiless());
        else this.completeBodiless();
        break;
      }
      case BODY: {
        const last = registers[BODY_LAST] === 1;
        this.tellBody();
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

  completeBodiless() {
    this.owner.onComplete(null, 0);
  }

  /** The stream is closed: there will be no further call. */
  settle() {
    if (this.owesEnd && this.owner !== null) this.owner.onComplete(null, 0);
    this.owesEnd = false;
  }

  /** Bytes of what is being told; those of a read in a Buffer of their own. */
  bytes(start, end) {
    return this.chunk === null ? takePart(this.base, start, end) : this.chunk.subarray(start, end);
  }

  /** The same as text, as takeText() says; null also for what no stream of ours has read. */
  text(state, start, end) {
    return this.chunk === null ? takeText(state, this.base, start, end) : null;
  }

  decide(decision) {
    if (this.handle === null) this.native.decide(decision);
    else commands.httpDecide(this.handle.id, decision);
  }

  /** The end of the input. @returns {Error | undefined} */
  finish() {
    if (this.owner === null || this.state === FAILED) return;
    if (this.handle !== null && this.handle.id < 0) return;
    const text = this.handle === null ? this.native.finish() : commands.httpFinish(this.handle.id);
    const kind = registers[KIND];
    this.state = registers[STATE];
    if (kind === ERROR) return parseError(text, 0);
    if (kind === COMPLETE) this.owner.onComplete(text, registers[TRAILER_COUNT]);
  }
}

/** Has what a stream reads parsed from now on; `owner` gets it by onread(). */
function startParsing(type, owner, { lenient, maxFields, maxHeaderSize }, handle) {
  if (!registered) native().setRegisters(registers);
  registered = true;
  commands.httpStart(handle.id, type, maxHeaderSize, lenient, maxFields);
  handle.codec = owner;
}

function stopParsing(handle) {
  handle.codec = null;
  if (handle.id >= 0) commands.httpStop(handle.id);
}

/** `HPE_CODE:Reason`, as Node shows it. */
function parseError(text, bytesParsed) {
  const colon = text.indexOf(':');
  const reason = text.slice(colon + 1);
  const error = new Error(`Parse Error: ${reason}`);
  return Object.assign(error, { bytesParsed, code: text.slice(0, colon), reason });
}

/** Node's documentation, "http.setMaxIdleHTTPParsers(max)". */
function setMaxIdleHTTPParsers(max) {
  validate.integer(max, 'max', 1);
  idleMax = max;
}

module.exports = {
  FIELDS_WITH_HEAD,
  GO_ON,
  IN_HEAD,
  BETWEEN_MESSAGES,
  CLOSED,
  NO_BODY,
  Parser,
  REQUEST,
  RESPONSE,
  STAY,
  TUNNEL,
  flags,
  head,
  registers,
  setMaxIdleHTTPParsers,
  startParsing,
  stopParsing
};
