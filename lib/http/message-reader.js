'use strict';

// The reading half of a connection, a server's or a client's: its reads come parsed, past its stream,
// until somebody wants to see bytes; from there on what the socket emits is parsed chunk by chunk.

const { setImmediate } = require('../internal/timers');
const { isReadable } = require('./incoming');

/**
 * A subclass has onHead(text), onBody(start, end) and onComplete(trailers, count), as parser.js wants them;
 * afterParsing(error, chunk, consumed), which looks where the parser has stopped; and makeSocket(), if
 * it begins without a socket.
 */
class MessageReader {
  /** Of `socket`, or of `handle`, which has none yet. */
  constructor(socket, handle) {
    /** The socket, if there is one. */
    this.sock = socket;
    /** The stream of ours below, or null. */
    this.handle = handle;
    /** Without a socket there is none between two messages. */
    this.parser = null;
    /** Where messages are told, if that is not the context of the handle. */
    this.context = null;
    /** The message whose head came last, until it is complete. */
    this.incoming = null;
    /** Somebody else wants to see what is read. */
    this.sharesBytes = false;
    /** No message will come any more. */
    this.ended = false;
  }

  get isConsuming() {
    if (this.parser === null) return this.handle !== null && !this.ended;
    return this.parser.handle !== null;
  }

  /** Somebody else wants to see what is read. */
  share() {
    this.sharesBytes = true;
    this.unconsume();
  }

  /** Reads become bytes of the socket again, once the one being told is told to its end. */
  unconsume() {
    if (!this.isConsuming || this.parser?.running) return;
    if (this.sock === null) this.makeSocket();
    this.parser.release();
  }

  /** A chunk that the socket has emitted. */
  read(chunk) {
    if (this.isConsuming) {
      // Somebody has pushed it, past the stream. A read that is being told ends behind the ticks.
      if (this.parser.running) {
        setImmediate(() => this.read(chunk));
        return;
      }
      this.unconsume();
    }
    if (this.ended) return;
    if (this.context === null) this.parse(chunk);
    else this.context.runInAsyncScope(this.parse, this, chunk);
  }

  parse(chunk) {
    const result = this.parser.execute(chunk);
    const error = result instanceof Error ? result : null;
    this.afterParsing(error, chunk, result);
  }

  /** A read is to be told: see tellRead() in parser.js. */
  onread(text) {
    const { context, parser } = this;
    if (context === null) parser.tellRead(text);
    else context.runInAsyncScope(parser.tellRead, parser, text);
  }

  /** Runs `call` where messages are told, which a listener may have left. */
  inContext(call) {
    const { context, handle } = this;
    if (context !== null) context.runInAsyncScope(call);
    else if (handle.id >= 0) handle.inContext(call);
    else call();
  }

  /** Whether somebody waits for the end of the message. */
  get isRead() {
    return this.incoming !== null && isReadable(this.incoming);
  }

  /** A read was told, of which so many bytes are parsed. */
  afterRead(error, consumed, length) {
    const { parser } = this;
    if (this.sock !== null) this.sock._unrefTimer();
    if (error !== null) this.afterParsing(error, parser.bytes(0, length), 0);
    else if (parser.upgraded) this.afterParsing(null, parser.bytes(0, length), consumed);
    else this.afterParsing(null, null, consumed);
    if (this.sharesBytes) this.unconsume();
  }
}

module.exports = { MessageReader };
