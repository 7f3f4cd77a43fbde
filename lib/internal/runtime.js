'use strict';

// The addon's runtime of this environment, made when the first handle is: hands each event to the
// handle it happened to, and owns the memory that Rust reads into.

const { Buffer } = require('node:buffer');
const process = require('node:process');
const { debuglog } = require('node:util');

const addon = require('./binding');

/**
 * The kinds of events, in the order of `Kinds` in src/binding/delivery.rs.
 * @enum {number}
 */
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

const debug = debuglog('ferronet');
const trace = debug.enabled;
/** Where a READ event's bytes are: an offset in the scratch area, this, or below it a slot. */
const IN_SPARE = -1;
const KEEP_FROM = addon.keepFrom();
/** Up to here V8 keeps the bytes of a typed array in the object itself. */
const IN_OBJECT = 64;
/** As in src/binding/environment.rs. */
const SMALL_WRITE = 256;
const kindNames = Object.keys(kinds);
/** Node's own, whatever a program makes of it: no code of a program may see the memory below. */
const setBytes = Function.prototype.call.bind(Uint8Array.prototype.set);
// What Buffer.prototype.toString() calls; undocumented, and where it is missing text is made of Buffers.
const { utf8Slice } = Buffer.prototype;
const textOf = utf8Slice === undefined ? null : Function.prototype.call.bind(utf8Slice);

/**
 * What Node runs behind each callback of its own timers and immediates, when there is another to call:
 * the ticks and microtasks that the callback left. Undocumented, and where it is missing Rust calls
 * JavaScript for each event, at a tenth of what a request of HTTP costs.
 * @type {(() => void) | undefined}
 */
// @ts-expect-error
const runTicks = process._tickCallback;

/** Handles that are not closed yet, by id: what Rust refers to is alive. */
/** @type {any[]} */
const handles = [];
/**
 * The event that is told: its kind, the handle, two integers, and whether it is the last that waits; behind
 * them, which delivery this is, or 0 outside of any.
 */
const told = new Int32Array(6);
const KIND = 0;
const ID = 1;
const A = 2;
const B = 3;
const LAST = 4;
const DELIVERY = 5;
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
/** Each for one read, by the number of its slot: see src/runtime/fits.rs. */
/** @type {(Buffer | null)[]} */
const fits = [];
/** @type {import('./addon').Runtime | null} */
let runtime = null;

/** The commands of the hot path, there from the first handle on; see src/binding/hot.rs. */
/** @type {any} */
const commands = {};

/** Node's own, whatever a test puts in its place; not that of `performance`, which takes 3 ms to load. */
const { hrtime } = process;
/** When it was, and in which delivery. */
let time = 0;
let timeOf = 0;

module.exports = {
  adopt,
  clock,
  commands,
  copyRead,
  debug,
  fdKind: addon.fdKind,
  handleOf: (id) => handles[id],
  handles,
  native,
  open,
  takePart,
  takeRead,
  takeReadText,
  takeText,
  write
};

/** @returns {import('./addon').Runtime} The addon's `Runtime`; see src/binding/commands.rs for its verbs. */
function native() {
  if (runtime === null) {
    try {
      runtime = new addon.Runtime(deliver, allocate);
    } catch (error) {
      return refuse(error);
    }
    runtime.defineCommands(commands, told, crossing);
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

/** Opens a handle: sets its id. */
function open(handle) {
  const id = native().open();
  if (id < 0) {
    handle.refuse();
    return;
  }
  handle.id = id;
  handles[id] = handle;
}

/** Gives an accepted connection its handle. */
function adopt(handle, id) {
  handle.id = id;
  handles[id] = handle;
}

/**
 * The bytes of the READ event being handled, in a Buffer whose memory nobody else sees, as Node's:
 * programs do use `chunk.buffer`, and transfer it.
 */
function takeRead(offset, length) {
  if (offset < IN_SPARE) return takeFit(slotOf(offset), length);
  if (offset === IN_SPARE && length >= KEEP_FROM) {
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

/**
 * In milliseconds, from some time on; the same throughout a delivery, as libuv's is throughout an iteration
 * of its loop.
 */
function clock() {
  const delivery = told[DELIVERY];
  if (delivery === 0) return now();
  if (delivery !== timeOf) {
    time = now();
    timeOf = delivery;
  }
  return time;
}

function now() {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

function slotOf(offset) {
  return IN_SPARE - 1 - offset;
}

/** The Buffer of a slot, which gets another. */
function takeFit(slot, length) {
  const whole = fits[slot];
  const next = tryAllocate(length);
  // Rust tells of it no more: somebody has taken it already, and it is read into again.
  if (commands.renewFit(slot, next) !== 1) return Buffer.from(whole);
  fits[slot] = next;
  return whole;
}

/** Without memory for it a slot stays empty, and what is read is copied. */
function tryAllocate(size) {
  try {
    return Buffer.allocUnsafeSlow(size);
  } catch {
    return null;
  }
}

/** The bytes of the READ event being handled were copied: a slot keeps its Buffer. */
function keepFit(offset) {
  if (offset < IN_SPARE) commands.renewFit(slotOf(offset), fits[slotOf(offset)]);
}

/** What the bytes of the READ event being handled are in; in a spare or slot they are at its start. */
function memoryAt(offset) {
  if (offset >= 0) return scratch;
  return offset === IN_SPARE ? spare : fits[slotOf(offset)];
}

/** Part of the read being handled, which begins at `base`, in a Buffer of its own. */
function takePart(base, start, end) {
  const memory = memoryAt(base);
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

/**
 * As takePart(), as the text that a Readable of this state would make of it; null where it makes none, or
 * where a character may be split.
 * @returns {string | null}
 */
function takeText({ decoder, encoding }, base, start, end) {
  if (encoding !== 'utf8' || decoder?.lastNeed !== 0 || textOf === null) return null;
  const memory = memoryAt(base);
  const from = Math.max(base, 0);
  if (memory[from + end - 1] > 0x7f) return null;
  return textOf(memory, from + start, from + end);
}

/** As takeText(), of all of the READ event being handled; what takeRead() would give away stays bytes. */
function takeReadText(state, offset, length) {
  const leaves = offset === IN_SPARE && length >= KEEP_FROM;
  const text = leaves ? null : takeText(state, offset, 0, length);
  if (text !== null) keepFit(offset);
  return text;
}

/** Writes bytes; returns how many were taken, or a negative error number. */
function write(id, bytes) {
  if (bytes.length > SMALL_WRITE) return commands.write(id, bytes);
  // Of what was transferred nothing is left, and it cannot be copied from.
  if (bytes.length > 0) setBytes(crossing, bytes);
  return commands.writeSmall(id, bytes.length);
}

/** Copies the bytes of the READ event being handled into a Uint8Array. */
function copyRead(offset, length, target) {
  setBytes(target, new Uint8Array(memoryAt(offset).buffer, Math.max(offset, 0), length));
  keepFit(offset);
}

/**
 * Called by Rust when there are events: tells each to the handle it happened to, with ticks behind it as
 * behind any callback of Node's.
 */
function deliver() {
  let text = commands.nextEvent();
  while (told[KIND] !== kinds.NONE) {
    // Behind the last one they run when this returns.
    const returns = told[LAST] === 1 || runTicks === undefined;
    const handle = handles[told[ID]];
    if (trace) debug('-> %d %s %d %d', told[ID], kindNames[told[KIND]], told[A], told[B]);
    dispatch(handle, told[KIND], told[A], told[B], text);
    if (returns) return;
    runTicks();
    text = commands.nextEvent();
  }
}

/** Tells an event in the async context of its handle, or of the request that it ends. */
function dispatch(handle, kind, a, b, text) {
  switch (kind) {
    case kinds.READ:
      return handle.scope.runInAsyncScope(handle.onread, handle, a, b);
    case kinds.HTTP: {
      // Who closed it may have stopped it from being parsed, in the midst of a read.
      const { codec } = handle;
      return codec === null ? undefined : handle.scope.runInAsyncScope(codec.onread, codec, text);
    }
    case kinds.END:
      return handle.scope.runInAsyncScope(handle.onend, handle);
    case kinds.READ_FAILED:
      return handle.scope.runInAsyncScope(handle.onreadfailed, handle, a);
    case kinds.WRITABLE:
      return handle.scope.runInAsyncScope(handle.onwritable, handle);
    case kinds.WRITE_FAILED:
      return handle.scope.runInAsyncScope(handle.onwritefailed, handle, a);
    case kinds.CONNECTED:
      return handle.onconnected(a);
    case kinds.SHUT_DOWN:
      return handle.onshutdown(a);
    case kinds.ACCEPTED:
      // In no context: a connection inherits nothing from whoever listens.
      handle.makeAccepted(a);
      return handle.scope.runInAsyncScope(handle.onaccepted, handle, a);
    case kinds.ACCEPT_FAILED:
      return handle.scope.runInAsyncScope(handle.onacceptfailed, handle, a);
    case kinds.DATAGRAM:
      return handle.scope.runInAsyncScope(handle.ondatagram, handle, a, b);
    case kinds.RECEIVE_FAILED:
      return handle.scope.runInAsyncScope(handle.onreceivefailed, handle, a);
    case kinds.SENT:
      return handle.scope.runInAsyncScope(handle.onsent, handle, a, b);
    case kinds.CLOSED: {
      handles[told[ID]] = undefined;
      const { scope } = handle;
      try {
        return scope.runInAsyncScope(handle.onclosed, handle);
      } finally {
        scope.emitDestroy();
      }
    }
  }
}

/** Called by Rust when it has no memory to read into: first for the scratch area, then for spares or a slot. */
function allocate(size, slot) {
  if (slot !== undefined) return (fits[slot] = tryAllocate(size));
  const memory = Buffer.allocUnsafeSlow(size);
  if (scratch === null) scratch = memory;
  else spare = memory;
  return memory;
}
