'use strict';

// The addon's runtime of this environment, made when the first handle is: hands each event to the
// handle it happened to, and owns the memory that Rust reads into.

const { debuglog } = require('node:util');

const addon = require('./binding');
const kinds = require('./events');

const debug = debuglog('ferronet');
const trace = debug.enabled;
const KEEP_FROM = addon.keepFrom();
/** Up to here V8 keeps the bytes of a typed array in the object itself. */
const IN_OBJECT = 64;
/** As in src/binding/environment.rs. */
const SMALL_WRITE = 256;
const kindNames = Object.keys(kinds);
/** Node's own, whatever a program makes of it: no code of a program may see the memory below. */
const setBytes = Function.prototype.call.bind(Uint8Array.prototype.set);

/** Handles that are not closed yet, by id: what Rust refers to is alive. */
/** @type {any[]} */
const handles = [];
/**
 * Where small writes cross, and behind them small reads. A Buffer of up to 64 bytes has no memory of its
 * own until native code asks for it, at the price of half a write; copied by JavaScript, it stays so.
 */
const crossing = Buffer.allocUnsafeSlow(SMALL_WRITE + IN_OBJECT);
/** Views of a small read, by its length. */
/** @type {Uint8Array[]} */
const incoming = [];
/** What Rust reads into: shared by small reads, and for one bulk read. */
/** @type {Buffer | null} */
let scratch = null;
/** @type {Buffer | null} */
let spare = null;
/** @type {import('./addon').Runtime | null} */
let runtime = null;

/** The commands of the hot path, there from the first handle on; see src/binding/hot.rs. */
/** @type {any} */
const commands = {};

module.exports = {
  adopt,
  commands,
  copyRead,
  debug,
  fdKind: addon.fdKind,
  handleOf: (id) => handles[id],
  native,
  open,
  takePart,
  takeRead,
  write
};

/** @returns {import('./addon').Runtime} The addon's `Runtime`; see src/binding/commands.rs for its verbs. */
function native() {
  if (runtime === null) {
    try {
      runtime = new addon.Runtime(dispatch, accept, allocate);
    } catch (error) {
      return refuse(error);
    }
    runtime.defineCommands(commands, crossing);
    // Rust joins small writes of one tick; the last tick has nothing after it.
    process.on('exit', () => runtime.flushForExit());
  }
  return runtime;
}

/**
 * Stands for a runtime that cannot be made, as for want of descriptors: a handle opens all the same, and
 * its verbs answer why, where Node's would.
 */
function refuse(error) {
  if (error.errno === undefined) throw error;
  return new Proxy(error, { get: () => () => error.errno });
}

/** Opens a handle of an `async_hooks` type such as TCPWRAP and sets its id. */
function open(handle, type) {
  const id = native().open(handle, type);
  if (id < 0) {
    handle.refuse();
    return;
  }
  handle.id = id;
  handles[id] = handle;
}

/** Gives an accepted connection its handle. */
function adopt(handle, id, type) {
  handle.id = id;
  commands.attach(id, handle, type);
  handles[id] = handle;
}

/**
 * The bytes of the READ event being handled, in a Buffer whose memory nobody else sees, as Node's:
 * programs do use `chunk.buffer`, and transfer it. A negative offset says that they are in the spare.
 */
function takeRead(offset, length) {
  if (offset < 0 && length >= KEEP_FROM) {
    const whole = spare;
    spare = null; // Rust asks for another
    if (length === whole.length) return whole;
    whole.fill(0, length); // memory as it was allocated: it may show what others read before
    return whole.subarray(0, length);
  }
  if (length <= IN_OBJECT && offset >= 0) {
    const bytes = Buffer.alloc(length);
    setBytes(bytes, (incoming[length] ??= new Uint8Array(crossing.buffer, SMALL_WRITE, length)));
    return bytes;
  }
  const bytes = Buffer.allocUnsafeSlow(length);
  copyRead(offset, length, bytes);
  return bytes;
}

/** Part of the read being handled, which begins at `base`, in a Buffer of its own. */
function takePart(base, start, end) {
  const memory = base < 0 ? spare : scratch;
  const from = Math.max(base, 0) + start;
  const length = end - start;
  if (length <= IN_OBJECT) {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = memory[from + i];
    return bytes;
  }
  const bytes = Buffer.allocUnsafeSlow(length);
  setBytes(bytes, new Uint8Array(memory.buffer, from, length));
  return bytes;
}

/** Writes bytes; returns how many were taken, or a negative error number. */
function write(id, bytes) {
  if (bytes.length > SMALL_WRITE) return commands.write(id, bytes);
  setBytes(crossing, bytes);
  return commands.writeSmall(id, bytes.length);
}

/** Copies the bytes of the READ event being handled into a Uint8Array. */
function copyRead(offset, length, target) {
  const memory = offset < 0 ? spare : scratch;
  setBytes(target, new Uint8Array(memory.buffer, Math.max(offset, 0), length));
}

/** Called by Rust, once for each event, in the handle's async context. */
function dispatch(kind, id, a, b) {
  const handle = handles[id];
  if (trace) debug('-> %d %s %d %d', id, kindNames[kind], a, b);
  switch (kind) {
    case kinds.READ:
      return handle.onread(a, b);
    case kinds.HTTP:
      // Who closed it may have stopped it from being parsed, in the midst of a read.
      return handle.codec?.onread(a);
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
    case kinds.DATAGRAM:
      return handle.ondatagram(a, b);
    case kinds.RECEIVE_FAILED:
      return handle.onreceivefailed(a);
    case kinds.SENT:
      return handle.onsent(a, b);
    case kinds.CLOSED:
      handles[id] = undefined;
      return handle.onclosed();
  }
}

/** Called by Rust before an ACCEPTED event, in no async context: the listener makes the handle. */
function accept(id, newId) {
  handles[id].makeAccepted(newId);
}

/** Called by Rust when it has no memory to read into: first for the scratch area, then for spares. */
function allocate(size) {
  const memory = Buffer.allocUnsafeSlow(size);
  if (scratch === null) scratch = memory;
  else spare = memory;
  return memory;
}
