'use strict';

// The kinds of events that cross from Rust, in the order of `Kinds` in src/binding/delivery.rs.

/** @enum {number} */
const kinds = {
  READ: 0,
  END: 1,
  READ_FAILED: 2,
  WRITABLE: 3,
  WRITE_FAILED: 4,
  CONNECTED: 5,
  SHUT_DOWN: 6,
  ACCEPTED: 7,
  ACCEPT_FAILED: 8,
  CLOSED: 9,
  DATAGRAM: 10,
  RECEIVE_FAILED: 11,
  SENT: 12,
  HTTP: 13,
  /** There is none. */
  NONE: 14
};

module.exports = kinds;
