'use strict';

// The addon's runtime of this environment, made when the first handle is: hands each event to the
// handle it happened to, and owns the memory that Rust reads into.

const { debuglog } = require('node:util');

const addon = require('./binding');
const kinds = require('./events');

const debug = debuglog('ferronet', (enabled) => {
  trace = enabled;
});
const COPY_BELOW = addon.copyBelow();
const SLAB_SIZE = addon.slabSize();
const kindNames = Object.keys(kinds);

/** Handles that are not closed yet, by id: what Rust refers to is alive. */
const handles = [];
let slab = Buffer.alloc(0);
let runtime = null;
let trace = debug.enabled;

/** The commands of the hot path, there from the first handle on; see src/binding/hot.rs. */
const commands = {};

module.exports = {
  adopt,
  commands,
  debug,
  fdKind: addon.fdKind,
  handleOf: (id) => handles[id],
  native,
  open,
  takeRead
};

/** @returns {object} The addon's `Runtime`; see src/binding/commands.rs for its verbs. */
function native() {
  if (runtime === null) {
    runtime = new addon.Runtime(dispatch, accept, allocateSlab);
    runtime.defineCommands(commands);
    // Rust joins small writes of one tick; the last tick has nothing after it.
    process.on('exit', () => runtime.flushForExit());
  }
  return runtime;
}

/** Opens a handle of an `async_hooks` type such as TCPWRAP and sets its id. */
function open(handle, type) {
  handle.id = native().open(handle, type);
  handles[handle.id] = handle;
}

/** Gives an accepted connection its handle. */
function adopt(handle, id, type) {
  handle.id = id;
  runtime.attach(id, handle, type);
  handles[id] = handle;
}

/**
 * The bytes of the READ event being handled, in a Buffer of their own: small ones are copied, so
 * that they never keep a slab alive, larger ones are views.
 */
function takeRead(offset, length) {
  if (length >= COPY_BELOW) return slab.subarray(offset, offset + length);
  const bytes = Buffer.allocUnsafe(length);
  slab.copy(bytes, 0, offset, offset + length);
  return bytes;
}

/** Called by Rust, once for each event, in the handle's async context. */
function dispatch(kind, id, a, b) {
  const handle = handles[id];
  if (trace) debug('-> %d %s %d %d', id, kindNames[kind], a, b);
  switch (kind) {
    case kinds.READ:
      return handle.onread(a, b, slab);
    case kinds.END:
      return handle.onend();
    case kinds.READ_FAILED:
      return handle.onreadfailed(a);
    case kinds.WRITABLE:
      return handle.onwritable();
    case kinds.WRITE_FAILED:
      return handle.onwritefailed(a);
    case kinds.CONNECTED:
      return handle.onconnected(a);
    case kinds.SHUT_DOWN:
      return handle.onshutdown(a);
    case kinds.ACCEPTED:
      return handle.onaccepted(a);
    case kinds.ACCEPT_FAILED:
      return handle.onacceptfailed(a);
    case kinds.CLOSED:
      handles[id] = undefined;
      return handle.onclosed();
  }
}

/** Called by Rust before an ACCEPTED event, in no async context: the listener makes the handle. */
function accept(id, newId) {
  handles[id].makeAccepted(newId);
}

/** Called by Rust when no room is left. */
function allocateSlab() {
  slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
  return slab;
}
