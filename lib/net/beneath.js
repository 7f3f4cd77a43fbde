'use strict';

// What a TLSSocket of Node's writes and ends by, in place of the stream that a socket of ours is: past the
// stream, which then has nothing to tell of it, as above a socket of Node's.

const { Buffer } = require('node:buffer');

const { errnoError, numberOf } = require('../internal/errors');

const NOTHING = Buffer.alloc(0);

/** Has what Node's wrapper calls on a stream. */
class Beneath {
  /**
   * @param {any} socket connected
   * @param {{ pause(socket: any): void, resume(socket: any): void }} reading
   */
  constructor(socket, reading) {
    this.socket = socket;
    this.reading = reading;
    /** What was written since cork(). */
    this.entries = [];
    /** Writes and ends that were asked for; the first one is under way. */
    this.tasks = [];
    /** Whether our FIN was asked for, by either. */
    this.isShut = socket.writableFinished;
    /** Whether the stream still has what was written before there was a TLSSocket. */
    this.isBehind = socket.writableLength > 0;
    this._writeGeneric = socket._writeGeneric;
    this._final = socket._final;
    // A handle takes one write at a time, whoever it comes from.
    socket._writeGeneric = (...args) => this.writeOfStream(...args);
    socket._final = (done) => this.finish(done);
    if (this.isBehind) socket.write(NOTHING, () => this.begin());
  }

  pause() {
    this.reading.pause(this.socket);
  }

  resume() {
    this.reading.resume(this.socket);
  }

  cork() {}

  write(chunk, done) {
    this.entries.push({ chunk, encoding: 'buffer', done });
  }

  uncork() {
    const { entries } = this;
    this.entries = [];
    this.run((over) => {
      this._writeGeneric.call(this.socket, true, entries, '', (failed) => {
        // What a destroy cancels is no error to the streams of older Nodes, but to those who write to a handle.
        const error = failed ?? (this.socket.destroyed ? cancelled() : undefined);
        for (const { done } of entries) done(error);
        over();
      });
    });
  }

  end(done) {
    this.finish(done);
  }

  destroy(error) {
    this.socket.destroy(error);
  }

  writeOfStream(several, data, encoding, done) {
    const { socket } = this;
    if (this.isBehind) return this._writeGeneric.call(socket, several, data, encoding, done);
    this.run((over) => {
      this._writeGeneric.call(socket, several, data, encoding, (error) => {
        over();
        done(error);
      });
    });
  }

  finish(done) {
    this.run((over) => {
      if (this.isShut) {
        over();
        return done();
      }
      this.isShut = true;
      this._final.call(this.socket, (error) => {
        over();
        done(error);
      });
    });
  }

  /** Calls `task(over)` when what was asked for before is over. */
  run(task) {
    this.tasks.push(task);
    if (this.tasks.length === 1 && !this.isBehind) this.next();
  }

  begin() {
    this.isBehind = false;
    this.next();
  }

  next() {
    if (this.tasks.length === 0) return;
    this.tasks[0](() => {
      this.tasks.shift();
      this.next();
    });
  }
}

function cancelled() {
  return errnoError(numberOf('ECANCELED'), 'write');
}

module.exports = { Beneath };
