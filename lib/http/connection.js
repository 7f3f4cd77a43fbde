'use strict';

// A server's connection as bytes. On a stream of ours reads come parsed and whole answers go past the
// socket, which is only made when somebody asks for it; over any other Duplex bytes are the socket's.

const process = require('node:process');

const {
  encoded,
  kEnd,
  kFailed,
  kMakeSocket,
  kProgress,
  kRead,
  kWritten
} = require('../internal/stream-handle');
const { Socket } = require('../net');
const { canConsume, canWritePast } = require('./consume');
const { MessageReader } = require('./message-reader');
const corking = require('./outgoing-pieces');
const { settle } = require('./outgoing-end');
const { BETWEEN_MESSAGES, Parser, REQUEST, startParsing, stopParsing } = require('./parser');
const { kCorked, kNeedDrain } = require('./symbols');

/** Answers to pipelined requests of one read wait for each other up to so many characters. */
const HELD_MAX = 8 * 1024;

/**
 * What is held, in which encoding, and whose answers it ends; of one connection, since one read is
 * told at a time.
 */
const held = { connection: null, text: '', latin1: false, messages: [] };

/** Connections that are over when the ticks and microtasks are. */
let closing = [];
const nothing = Promise.resolve();
let exitHandled = false;

class Connection extends MessageReader {
  /** Over `socket`, or over `handle`, which has none yet. */
  constructor(server, settings, socket, handle) {
    super(socket, handle);
    this.server = server;
    this.settings = settings;
    /** Reading has stopped; what a socket that is made later has to know. */
    this.stopped = false;
    /** The time that an idle connection is given runs; see time-limits.js for where there is no socket. */
    this.idle = false;
    this.idleSince = 0;
    this.idleQueue = null;
    this.idleBefore = null;
    this.idleAfter = null;
    /** What the message that is being written has written in this tick, if there is no socket. */
    this.pieces = null;
    /** The last answer has left. */
    this.closing = false;
    /** Messages that have left are told of one each tick, as they are in Node: those that wait. */
    this.leaving = null;
    this.isTelling = false;
    if (socket === null) {
      startParsing(REQUEST, this, settings, handle);
      handle.owner = this;
      handle.readStart();
    } else {
      const source = handle !== null && canConsume(socket) ? handle : null;
      this.parser = Parser.take(REQUEST, this, settings, source);
    }
    if (!exitHandled) {
      exitHandled = true;
      process.on('exit', () => held.connection?.flushHeld());
    }
  }

  // The socket.

  /** Who gets it may write to it, or end it: what is held comes first. */
  get socket() {
    this.flushHeld();
    return this.sock ?? this.makeSocket();
  }

  get isClosed() {
    return this.sock === null && this.handle.id < 0;
  }

  makeSocket() {
    const { handle, server } = this;
    if (this.isClosed) {
      this.sock = new Socket();
      this.sock.destroy();
      if (this.pieces !== null) this.movePieces();
      return this.sock;
    }
    const socket = server[kMakeSocket](handle);
    this.sock = socket;
    this.parser ??= Parser.blank(this, handle);
    this.listen(socket);
    socket._httpMessage = this.current;
    if (this.stopped) socket.pause();
    if (this.idleQueue !== null) {
      socket.setTimeout(this.idleQueue.time);
      this.idleQueue.remove(this);
    }
    if (this.pieces !== null) this.movePieces();
    if (this.closing) socket.destroySoon();
    return socket;
  }

  // Events of a stream that has no socket. What is not said below is for a socket to deal with.

  [kEnd]() {
    // In the midst of a request it is an error.
    const state = this.parser === null ? BETWEEN_MESSAGES : this.parser.state;
    if (this.isUnused && state === BETWEEN_MESSAGES) this.closeUnused();
    else this.socket[kEnd]();
  }

  [kFailed](status, syscall) {
    if (this.isUnused && this.server.listenerCount('clientError') === 0) this.closeUnused();
    else this.socket[kFailed](status, syscall);
  }

  [kRead](offset, length) {
    this.socket[kRead](offset, length);
  }

  [kProgress]() {}

  [kWritten](status, done) {
    this.socket[kWritten](status, done);
  }

  // Reading.

  readOn() {
    const { sock } = this;
    if (sock === null) {
      if (!this.stopped || this.handle.id < 0) return;
      this.stopped = false;
      this.handle.readStart();
    } else if (sock.readable) {
      sock.resume();
    }
  }

  stopReading() {
    if (this.sock !== null) {
      this.sock.pause();
    } else if (this.handle.id >= 0) {
      this.stopped = true;
      this.handle.readStop();
    }
  }

  // Writing.

  /** Whether what is written now comes right behind what the kernel has. */
  get mayWrite() {
    const { handle, sock } = this;
    if (handle === null || handle.id < 0) return false;
    return sock === null || canWritePast(sock);
  }

  /**
   * Sends the rest of a message, and has `message` told when it is sent.
   * @param {string | Uint8Array | null} rest behind the text; a string in its encoding
   */
  send(text, latin1, rest, message) {
    const hasMore = this.parser !== null && this.parser.hasMore;
    // Where there is a socket, somebody may have it who ends it in the meantime.
    const holds = held.connection === this;
    const isText = rest === null || typeof rest === 'string';
    if (isText && this.sock === null && (hasMore || holds)) {
      this.hold(rest === null ? text : text + rest, latin1, message);
      if (!hasMore) this.flushHeld();
      return;
    }
    if (holds) this.flushHeld();
    if (this.sock !== null) {
      // It may have got what the kernel did not take of what was held.
      if (this.sock.writableLength > 0) {
        this.sendLater(encoded(text, latin1, rest), [message]);
        return;
      }
      this.sock._unrefTimer();
    }
    const left = this.handle.writeNow(text, latin1, rest);
    if (left === null) this.leave(message);
    else this.sendLater(left, [message]);
  }

  hold(text, latin1, message) {
    const full = held.latin1 !== latin1 || held.text.length + text.length > HELD_MAX;
    if (held.connection === this && full) this.flushHeld();
    held.connection = this;
    held.text += text;
    held.latin1 = latin1;
    held.messages.push(message);
    this.startTelling();
  }

  flushHeld() {
    if (held.connection !== this) return;
    const { latin1, messages, text } = held;
    held.connection = null;
    held.text = '';
    held.messages = [];
    if (this.handle.id < 0) return;
    const rest = this.handle.writeNow(text, latin1, null);
    if (rest !== null) this.sendLater(rest, messages);
    else for (const message of messages) this.leave(message);
  }

  /** A message is with the kernel: tells of it when it is told of those before it. */
  leave(message) {
    if (this.leaving === null) this.leaving = [message];
    else this.leaving.push(message);
    this.startTelling();
  }

  startTelling() {
    if (this.isTelling) return;
    this.isTelling = true;
    process.nextTick(tellNext, this);
  }

  /** The kernel did not take all of it, or nothing: the socket has the queue, and the error. */
  sendLater(rest, messages) {
    corking.writeAll(this.socket, rest, (error) => this.tellLater(messages, error));
  }

  /** Messages that waited have left, or failed to. */
  tellLater(messages, error) {
    if (this.isTelling && !error) this.leaving = [...(this.leaving ?? []), ...messages];
    else for (const message of messages) sent(this, message, error);
  }

  // Writing in pieces, without a socket.

  /** Where `message` writes until the tick is over. */
  piecesOf(message) {
    if (this.pieces === null) {
      this.startPieces(message);
      process.nextTick(flushPieces, this, message);
    }
    return this.pieces;
  }

  /** As piecesOf(), where whoever asks sends them in this tick. */
  startPieces(message) {
    this.flushHeld();
    this.pieces = new corking.Pieces(message);
    if (corking.HOLDS_TICKS) message[kCorked] = 1;
  }

  hasPieces(message) {
    return this.pieces !== null && this.pieces.message === message;
  }

  /** How much of a message has not left, in a connection that has no socket. */
  sizeOfPieces(message) {
    return this.hasPieces(message) ? this.pieces.length : 0;
  }

  takePieces() {
    const { pieces } = this;
    this.pieces = null;
    if (corking.HOLDS_TICKS) pieces.message[kCorked] = 0;
    return pieces;
  }

  /** Sends what was kept; `ends`: it is the rest of the message. */
  sendPieces(ends) {
    const pieces = this.takePieces();
    const { message } = pieces;
    const chunks = corking.takeChunks(message);
    if (chunks !== null) pieces.addChunks(chunks);
    if (ends) pieces.addEnd();
    const rest = this.handle.writePieces(pieces.take(), pieces.size);
    if (rest !== null) {
      corking.writeAll(this.socket, rest, (error) => {
        afterPieces(this, pieces, error);
        if (ends) this.tellLater([message], error);
      });
    } else if (ends) {
      if (pieces.callbacks !== null) process.nextTick(afterPieces, this, pieces);
      this.leave(message);
    } else {
      const tells = pieces.callbacks !== null;
      if (tells) process.nextTick(afterPieces, this, pieces);
      if (chunks !== null) corking.tellDrain(message);
      if (!tells && message[kNeedDrain]) process.nextTick(afterPieces, this, pieces);
    }
  }

  /** Somebody wants the socket: from here on it has the queue. */
  movePieces() {
    const { sock } = this;
    const { message } = this.pieces;
    const pieces = this.takePieces();
    sock.cork();
    if (corking.HOLDS_TICKS) message[kCorked] = 1;
    corking.writeAll(sock, pieces.take(), (error) => afterPieces(this, pieces, error));
  }

  // Idleness.

  /** Between two requests: for `milliseconds`, and not longer. */
  startIdling(milliseconds) {
    const { sock } = this;
    this.idle = true;
    if (sock === null) {
      if (this.idleQueue !== null) this.idleQueue.remove(this);
      this.settings.idleQueue(milliseconds).add(this);
    } else if (typeof sock.setTimeout === 'function') {
      sock.setTimeout(milliseconds);
    } else {
      this.idle = false;
    }
  }

  /** A request has begun. */
  stopIdling() {
    if (!this.idle) return;
    this.idle = false;
    if (this.idleQueue !== null) this.idleQueue.remove(this);
    else this.sock?.setTimeout(this.server.timeout || 0);
  }

  /** Its time is over. */
  onIdle() {
    this.idle = false;
    const { incoming, server } = this;
    if (incoming !== null || server.listenerCount('timeout') > 0) this.socket.emit('timeout');
    else this.closeUnused();
  }

  // The end.

  /** Ends it, with an error if something is under way. */
  destroy(error) {
    if (this.sock === null && this.isUnused) this.closeUnused();
    else this.socket.destroy(error);
  }

  /** Closes a connection that nobody has seen, unless somebody asks for it before the loop goes on. */
  closeSoon() {
    this.closing = true;
    // A tick that a microtask asks for comes when there is none left.
    if (closing.push(this) === 1) nothing.then(closeBehind);
  }

  /** Closes a connection that nobody has seen. */
  closeUnused() {
    const { handle, server } = this;
    if (handle.id < 0) return;
    this.forget();
    handle.close();
    server._connections--;
    server._emitCloseIfDrained();
  }

  /** Gives the parser back; no request will come of this connection any more. */
  forget() {
    if (this.ended) return;
    this.ended = true;
    this.context?.emitDestroy();
    this.settings.connections.delete(this);
    if (this.idleQueue !== null) this.idleQueue.remove(this);
    if (this.parser === null) {
      stopParsing(this.handle);
      return;
    }
    this.parser.free();
    this.parser = null;
    if (this.sock !== null) this.sock.parser = null;
  }
}

/** The tick is over, in which `message` wrote; the socket has it all if somebody asked for one. */
function flushPieces(connection, message) {
  if (connection.pieces !== null) connection.sendPieces(false);
  else if (connection.sock !== null) {
    corking.uncorkTick(corking.HOLDS_TICKS ? message : connection.sock);
  }
}

/** They have left: as with a socket's, there is room again before the writers are told. */
function afterPieces(connection, { callbacks, message }, error) {
  const kept = connection.pieces !== null || connection.sock?.writableLength > 0;
  if (message[kNeedDrain] && !message.finished && !message.destroyed && !kept) {
    message[kNeedDrain] = false;
    message.emit('drain');
  }
  if (callbacks !== null) for (const callback of callbacks) callback(error ?? null);
}

function closeBehind() {
  process.nextTick(closeUnseen);
}

function closeUnseen() {
  const list = closing;
  closing = [];
  for (const connection of list) if (connection.sock === null) connection.closeUnused();
}

/** A message has left, whole. */
function sent(connection, message, error) {
  if (settle(message, error)) connection.onSent(message);
}

/** Tells of the next message that has left. */
function tellNext(connection) {
  const { leaving } = connection;
  try {
    if (leaving !== null && leaving.length > 0) {
      // Mostly there is one, which is not worth a call of shift().
      sent(connection, leaving.length === 1 ? leaving.pop() : leaving.shift(), null);
    }
  } finally {
    connection.isTelling = leaving !== null && leaving.length > 0;
    if (connection.isTelling) process.nextTick(tellNext, connection);
  }
}

module.exports = { Connection };
