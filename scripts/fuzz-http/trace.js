'use strict';

// What is kept of a scenario of http beside what its program sees.

const { Trace } = require('../fuzz/trace');

class HttpTrace extends Trace {
  constructor() {
    super();
    /** Sockets that a program took over. */
    this.tunnels = [];
    /** The client sent what is no request. */
    this.broken = false;
  }
}

module.exports = { HttpTrace };
