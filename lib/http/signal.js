'use strict';

// The `signal` of an incoming message, from Node 24 on: aborted when the message is, or when its
// connection is over before the exchange.

const { nodeMajor } = require('../internal/host');

/** On a message: null, OVER, or what its signal needs. */
const kAborts = Symbol('aborts');

/** The exchange is over, and nobody has asked for a signal. */
const OVER = { controller: null, socket: null, listener: null, over: true };

/** Gives messages their property. */
function defineSignal(prototype) {
  if (nodeMajor < 24) return;
  Object.defineProperty(prototype, 'signal', {
    configurable: true,
    get() {
      const { over } = this[kAborts] ?? { over: false };
      if (this[kAborts] === null || this[kAborts] === OVER) {
        const controller = new AbortController();
        this[kAborts] = { controller, socket: null, listener: null, over };
        if (this.destroyed && !(this.readableEnded && this.complete)) controller.abort();
        else if (!over) listen(this, this[kAborts]);
      }
      return this[kAborts].controller.signal;
    }
  });
}

function listen(message, aborts) {
  const { socket } = message;
  if (!socket) return;
  if (socket.destroyed) {
    abort(message);
    return;
  }
  aborts.socket = socket;
  aborts.listener = () => abort(message);
  socket.once('close', aborts.listener);
}

function abort(message) {
  endSignal(message);
  message[kAborts].controller?.abort();
}

/** The exchange is over: what becomes of the connection is of no interest any more. */
function endSignal(message) {
  const aborts = message[kAborts];
  if (aborts === null) {
    message[kAborts] = OVER;
  } else if (aborts.socket !== null) {
    aborts.socket.removeListener('close', aborts.listener);
    aborts.socket = aborts.listener = null;
    aborts.over = true;
  } else if (aborts !== OVER) {
    aborts.over = true;
  }
}

module.exports = { abort, defineSignal, endSignal, kAborts };
