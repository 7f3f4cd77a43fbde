'use strict';

// Where Node's dgram sockets have their handle: under a symbol that is nowhere to be had but on one.

const host = require('../internal/host');

/** @type {symbol | undefined} */
let state;

/** @returns {any} the symbol under which a dgram.Socket of Node's has its state */
function datagramState() {
  if (state === undefined) {
    const sample = host.dgram.createSocket('udp4');
    state = Object.getOwnPropertySymbols(sample).find((it) => it.description === 'state symbol');
    sample.close();
  }
  return state;
}

module.exports = { datagramState };
