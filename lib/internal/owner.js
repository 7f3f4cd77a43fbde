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
  /** `()`, of servers: whether the next connection inherits their context. */
  kInherits: Symbol('inherits'),
  /** `(handle)`, of servers that can do without a socket: serves a connection. Returns whether. */
  kServe: Symbol('serve'),
  /** `(handle)`: the socket of a connection that was served without. */
  kMakeSocket: Symbol('makeSocket'),
  /** `(status, handle)`: accepting failed, and pauses. */
  kAcceptFailed: Symbol('acceptFailed')
};
