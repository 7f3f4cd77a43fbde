'use strict';

// What a stream handle calls on its owner, a socket or a server; symbols, since those are users'
// classes to extend.

module.exports = {
  /** `(offset, length)`: bytes were read; takeRead() or copyRead() get them. */
  kRead: Symbol('read'),
  /** `()`: the peer sent its FIN. */
  kEnd: Symbol('end'),
  /** `(status, syscall)`: reading, or sending what was taken before, failed. */
  kFailed: Symbol('failed'),
  /** `()`: a write that has to wait went forward. */
  kProgress: Symbol('progress'),
  /** `(status, done)`: a write that had to wait ended. */
  kWritten: Symbol('written'),
  /** `(handle)`: a connection was accepted. */
  kAccepted: Symbol('accepted'),
  /** `(status, handle)`: accepting failed, and pauses. */
  kAcceptFailed: Symbol('acceptFailed')
};
