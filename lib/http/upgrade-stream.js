'use strict';

// What an 'upgrade' listener gets while the body of its request is still to come (Node 26): the
// connection, of which it can write all, and read what is behind the body.

const { Duplex } = require('node:stream');

class UpgradeStream extends Duplex {
  #socket;
  #request;

  constructor(socket, request) {
    super({ allowHalfOpen: socket.allowHalfOpen });
    this.#socket = socket;
    this.#request = request;
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.on('end', () => this.#end());
    this.on('close', () => socket.destroy());
  }

  /** The body has been read to its end; `rest` came with it. */
  open(rest) {
    this.#request = null;
    if (rest.length > 0) this.#take(rest);
    this.#socket.on('data', (chunk) => this.#take(chunk));
  }

  #take(chunk) {
    if (!this.push(chunk)) this.#socket.pause();
  }

  #end() {
    this.push(null);
    // As on a socket, 'end' comes also where nobody reads, if there is nothing to be read.
    if (this.readableLength === 0) this.resume();
  }

  /** Nothing is behind the body before the body was read. */
  _read() {
    this.#request?.resume();
    this.#socket.resume();
  }

  _write(chunk, encoding, done) {
    this.#socket.write(chunk, encoding, done);
  }

  _final(done) {
    this.#socket.end(done);
  }

  _destroy(error, done) {
    this.#socket.destroy(error);
    done(error);
  }
}

module.exports = { UpgradeStream };
