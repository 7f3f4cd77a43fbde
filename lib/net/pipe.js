'use strict';

// What one socket pipes to another passes from read to write without becoming a Buffer, as long as the
// pipe is all that would see it.

const { EventEmitter } = require('node:events');
const { Duplex } = require('node:stream');

const { commands, debug, takePart, takeRead } = require('../internal/runtime');

const { push, write } = Duplex.prototype;
const { emit } = EventEmitter.prototype;

class Pipe {
  constructor(to, onData, methods) {
    this.to = to;
    /** The only listener of 'data': `null` if it is not the one that pipe() adds. */
    this.onData = isOfPipe(onData) ? onData : null;
    /** Those of sockets, which a class of the program's may replace. */
    this.methods = methods;
    /** The listener of 'drain' that pipe() adds when it has to wait for the first time. */
    this.onDrain = undefined;
  }

  /** What stands for the one pipe that `from` has now: `last`, if it is that one. */
  static of(from, last, methods) {
    const [to] = from._readableState.pipes;
    const { data } = from._events;
    if (last !== null && last.to === to && (last.onData === data || Array.isArray(data)))
      return last;
    return new Pipe(to, data, methods);
  }

  /** A READ event of the socket that is piped. Returns as push() does. */
  read(from, offset, length) {
    if (!this.isUnseen(from)) return from.push(takeRead(offset, length));

    // The first chunk shows in `readableDidRead`.
    const taken = from.readableDidRead ? this.forward(offset, length) : 0;
    if (taken === length) return true;
    const rest = taken === 0 ? takeRead(offset, length) : takePart(offset, taken, length);
    const more = from.push(rest);
    this.onDrain ??= this.to._events.drain;
    return more;
  }

  /** Writes what was read; returns how much of it was taken. */
  forward(offset, length) {
    const { to } = this;
    const taken = commands.forward(to._handle.id, offset, length);
    if (debug.enabled) debug('<- %d forward %d of %d', to._handle.id, taken, length);
    to._handle.bytesWritten += taken;
    to._unrefTimer();
    return taken;
  }

  /** Whether a chunk would be written as it is, and that it was shows in no other way. */
  isUnseen(from) {
    const { methods, to } = this;
    return (
      to.write === write &&
      to._write === methods._write &&
      to._writeGeneric === methods._writeGeneric &&
      from._events.data === this.onData &&
      from._events.pause === undefined &&
      from._events.resume === undefined &&
      from._read === methods._read &&
      from.read === methods.read &&
      from.pause === methods.pause &&
      from.resume === methods.resume &&
      from.readableFlowing &&
      from.readableLength === 0 &&
      from.readableEncoding === null &&
      from.emit === emit &&
      from.push === push &&
      to._events.drain === this.onDrain &&
      to._handle !== null &&
      !to.connecting &&
      to.writable &&
      to.writableLength === 0 &&
      to.writableCorked === 0 &&
      !to.writableNeedDrain
    );
  }
}

/** Whether a listener is made by pipe(): all that are have one text, and show in no other way. */
function isOfPipe(listener) {
  if (typeof listener !== 'function' || listener.name !== 'ondata') return false;
  if (textOfPipe === null) {
    const sample = new Duplex({ read() {} });
    sample.pipe(sample);
    textOfPipe = String(sample.listeners('data')[0]);
    sample.destroy();
  }
  return String(listener) === textOfPipe;
}

/** @type {string | null} */
let textOfPipe = null;

module.exports = { Pipe };
