'use strict';

// A native stream or listener under Node's handle verbs. Turns commands into calls of the addon and
// its events into calls of the owner; knows bytes and error numbers, nothing of Node's streams.

const { AsyncResource } = require('node:async_hooks');
const { Buffer } = require('node:buffer');

const { numberOf } = require('./errors');
const { adopt, commands, debug, handleOf, native, open, write } = require('./runtime');
const { setImmediate } = require('./timers');

// What a handle calls on its owner, a socket or a server; symbols, since those are users' classes to
// extend.

/** `(offset, length)`: bytes were read; takeRead() or copyRead() get them. */
const kRead = Symbol('read');
/** `()`: the peer sent its FIN. */
const kEnd = Symbol('end');
/** `(status, syscall)`: reading, or sending what was taken before, failed. */
const kFailed = Symbol('failed');
/** `()`: a write that has to wait went forward. */
const kProgress = Symbol('progress');
/** `(status, done)`: a write that had to wait ended. */
const kWritten = Symbol('written');
/** `(handle)`: a connection was accepted. */
const kAccepted = Symbol('accepted');
/** `()`, of servers: whether the next connection inherits their context. */
const kInherits = Symbol('inherits');
/** `(handle)`, of servers that can do without a socket: serves a connection. Returns whether. */
const kServe = Symbol('serve');
/** `(handle)`: the socket of a connection that was served without. */
const kMakeSocket = Symbol('makeSocket');
/** `(status, handle)`: accepting failed, and pauses. */
const kAcceptFailed = Symbol('acceptFailed');

// Longer strings become Buffers: Rust keeps room for one of this length (`TEXT_ROOM` in src/binding/hot.rs).
const STRING_MAX = 16 * 1024;
// Below this, joining the chunks of a writev costs less than passing them one by one.
const JOIN_MAX = 16 * 1024;
// The kernel takes 1,024 at a time, and small writes kept for the end of the tick go along.
const CHUNKS_MAX = 1000;
// Error numbers of writeString() are offset by this, to tell them from counts.
const STRING_ERROR = -(2 ** 40);

const trace = debug.enabled;

/** Async types as Node names them. */
const types = {
  TCP: 'TCPWRAP',
  TCP_SERVER: 'TCPSERVERWRAP',
  PIPE: 'PIPEWRAP',
  PIPE_SERVER: 'PIPESERVERWRAP'
};

/** Each is told to be gone when it is closed, or has ended. */
const MANUAL = { requireManualDestroy: true };

/** What ends once, in the async context that it began in. */
class Request extends AsyncResource {
  /** @param {string} type as Node names it */
  constructor(type, handle, done) {
    super(type, { requireManualDestroy: true, triggerAsyncId: handle.getAsyncId() });
    this.type = type;
    this.done = done;
  }

  end(status) {
    this.run(this.done, undefined, status);
  }

  run(call, receiver, ...values) {
    try {
      this.runInAsyncScope(call, receiver, ...values);
    } finally {
      this.emitDestroy();
    }
  }
}

/** `done(status)` when it is over; what tells so has Node's name and arguments. */
class ConnectRequest extends Request {
  constructor(handle, done, address, port) {
    super(handle.type === types.TCP ? 'TCPCONNECTWRAP' : 'PIPECONNECTWRAP', handle, done);
    this.address = address;
    this.port = port;
  }

  oncomplete(status) {
    this.end(status);
  }
}

/** Our FIN. */
class ShutdownRequest extends Request {
  constructor(handle, done) {
    super('SHUTDOWNWRAP', handle, done);
    this.handle = handle;
  }
}

/** The resource of a connection that was given to another request. */
class ReusedHandle extends AsyncResource {
  constructor(handle) {
    super(handle.type, MANUAL);
    this.type = handle.type;
    this.handle = handle;
  }
}

/** A write that has to wait: what is left of it. */
class WriteRequest extends Request {
  /** @param {(Uint8Array | string)[]} chunks Buffers, and strings in latin1 */
  constructor(handle, chunks, done) {
    super('WRITEWRAP', handle, done);
    this.chunks = chunks;
  }

  /** Tells `owner`, once. */
  tell(owner, status) {
    this.run(owner[kWritten], owner, status, this.done);
  }
}

/** The resource that its events come in the async context of. */
class StreamHandle extends AsyncResource {
  /**
   * @param {string} type one of `types`
   * @param {object} [options] of AsyncResource
   */
  constructor(type, options = MANUAL) {
    super(type, options);
    this.id = -1;
    this.type = type;
    /** What gets the events: see the methods called on it below. */
    this.owner = null;
    this.reading = false;
    this.bytesRead = 0;
    this.bytesWritten = 0;
  }

  /** @returns {StreamHandle} a new one, neither bound nor connected */
  static open(type) {
    const handle = new this(type);
    open(handle);
    return handle;
  }

  /** Called instead of getting an id, where there is no runtime to open it in. */
  refuse() {
    this.refused = true;
  }

  /** @returns {number} the descriptor, -1 for none */
  get fd() {
    return this.id < 0 ? -1 : native().fd(this.id);
  }

  /** @returns {number} the id under which `async_hooks` knows it */
  getAsyncId() {
    return this.scope.asyncId();
  }

  /** @returns {any} the AsyncResource that its events come in the context of */
  get scope() {
    return this.resource ?? this;
  }

  /** @returns {string[]} the types of those that are under way */
  requests() {
    return [this.connectRequest, this.pendingWrite, this.shutdownRequest]
      .filter((request) => request !== null)
      .map(({ type }) => type);
  }

  /** Runs `call` in the async context that its events come in. */
  inContext(call) {
    this.scope.runInAsyncScope(call);
  }

  /** Its events come in the context of what runs now from here on. */
  renewContext() {
    if (this.id < 0) return;
    this.scope.emitDestroy();
    this.resource = new ReusedHandle(this);
  }

  // Commands. Each returns 0 or a negative error number unless said otherwise.

  // @ts-expect-error: Node's name; it hides AsyncResource's, which nobody calls
  bind(address, port, ipv6Only, reusePort) {
    return native().bind(this.id, address, port, ipv6Only, reusePort);
  }

  bindPath(path) {
    return native().bindPath(this.id, Buffer.from(path));
  }

  fchmod(bits, add) {
    return native().chmod(this.id, bits, add);
  }

  listen(backlog) {
    return native().listen(this.id, backlog);
  }

  /** Takes over a descriptor or, if `share`, another one of it. */
  listenFd(fd, backlog, share = false) {
    return native().listenFd(this.id, fd, backlog, share);
  }

  acceptAgain() {
    if (this.id >= 0) native().acceptAgain(this.id);
  }

  open(fd, share = false) {
    return native().openFd(this.id, fd, share);
  }

  /** To an address, or a pipe's path. `request.oncomplete(status, ...)` follows if 0 is returned. */
  connect(request, address, port) {
    const status =
      this.type === types.PIPE
        ? native().connectPath(this.id, Buffer.from(address))
        : native().connect(this.id, address, port);
    if (status === 0) this.connectRequest = request;
    else request.emitDestroy();
    return status;
  }

  /** As connect(), under the name that Node has for the other family. */
  connect6(request, address, port) {
    return this.connect(request, address, port);
  }

  readStart() {
    this.reading = true;
    return commands.readStart(this.id);
  }

  readStop() {
    this.reading = false;
    return commands.readStop(this.id);
  }

  fixReadSize(size) {
    return native().fixReadSize(this.id, size);
  }

  /**
   * Writes. `done` is handed to the owner's [kWritten](status, done) if it has to wait.
   * @returns {number} 0: taken; 1: that call follows; negative: an error number
   */
  writeBuffer(chunk, done) {
    const length = chunk.length;
    this.bytesWritten += length;
    const taken = write(this.id, chunk);
    if (trace) debug('<- %d write %d of %d', this.id, taken, length);
    if (taken === length) return 0;
    if (taken < 0) return taken;
    this.pendingWrite = new WriteRequest(this, [taken > 0 ? chunk.subarray(taken) : chunk], done);
    return 1;
  }

  /** As writeBuffer(), of a string in an encoding that Buffer knows. */
  writeString(text, encoding, done) {
    const latin1 = encoding === 'latin1' || encoding === 'binary';
    if (text.length > STRING_MAX || !(latin1 || encoding === 'utf8' || encoding === 'utf-8')) {
      return this.writeBuffer(Buffer.from(text, encoding), done);
    }
    const taken = commands.writeString(this.id, text, latin1);
    if (trace) debug('<- %d writeString %d', this.id, taken);
    if (taken >= 0) {
      this.bytesWritten += taken;
      return 0;
    }
    if (taken < STRING_ERROR) return taken - STRING_ERROR;
    const bytes = Buffer.from(text, encoding);
    this.bytesWritten += bytes.length;
    this.pendingWrite = new WriteRequest(this, [bytes.subarray(-1 - taken)], done);
    return 1;
  }

  /**
   * Writes text, and what stands behind it, if anything: bytes, or text in the same encoding, latin1 or
   * UTF-8. At most STRING_MAX characters of text.
   * @param {string | Uint8Array | null} rest
   * @returns {Uint8Array[] | null} what was not taken, all of it if that failed: nothing is kept, and
   *   whoever writes it again waits for room, or learns of the error
   */
  writeNow(text, latin1, rest) {
    const taken =
      rest === null
        ? commands.writeString(this.id, text, latin1)
        : commands.writeMessage(this.id, text, latin1, rest);
    if (trace) debug('<- %d writeNow %d', this.id, taken);
    if (taken >= 0) {
      this.bytesWritten += taken;
      return null;
    }
    const failed = taken < STRING_ERROR;
    if (failed) this.failWrites(taken - STRING_ERROR);
    const count = failed ? 0 : -1 - taken;
    this.bytesWritten += count;
    return after(encoded(text, latin1, rest), count);
  }

  /**
   * As writeNow(), of Buffers, or strings in latin1, of so many bytes in all.
   * @returns {Uint8Array[] | null}
   */
  writePieces(chunks, total) {
    if (chunks.length === 1 && typeof chunks[0] === 'string' && total <= STRING_MAX) {
      return this.writeNow(chunks[0], true, null);
    }
    if (total > JOIN_MAX && chunks.length <= CHUNKS_MAX) return this.writeAtOnce(chunks, total);
    const pending = { chunks: total <= JOIN_MAX ? [join(chunks, total)] : chunks };
    const status = send(this.id, pending);
    if (status < 0) this.failWrites(status);
    const rest = status === 0 ? [] : pending.chunks.map(bytesOf);
    this.bytesWritten += total;
    for (const chunk of rest) this.bytesWritten -= chunk.length;
    return rest.length > 0 ? rest : null;
  }

  /** As writePieces(), in one call. */
  writeAtOnce(chunks, total) {
    const taken = commands.writev(this.id, ...chunks);
    if (trace) debug('<- %d writev %d in %d chunks', this.id, taken, chunks.length);
    if (taken > 0) this.bytesWritten += taken;
    else if (taken < 0) this.failWrites(taken);
    return taken === total ? null : after(chunks, Math.max(0, taken)).map(bytesOf);
  }

  /** The kernel says once why it has failed: to those who write what was not taken it is said again. */
  failWrites(status) {
    this.writeBuffer = this.writev = () => status;
  }

  /** As writeBuffer(), of several Buffers, or strings in latin1. */
  writev(chunks, done) {
    let total = 0;
    for (let i = 0; i < chunks.length; i++) total += chunks[i].length;
    if (total <= JOIN_MAX) return this.writeBuffer(join(chunks, total), done);
    this.bytesWritten += total;
    const pending = { chunks };
    const status = send(this.id, pending);
    if (status === 1) this.pendingWrite = new WriteRequest(this, pending.chunks, done);
    return status;
  }

  /** `done(status)` follows. */
  shutdown(done) {
    const status = commands.shutdown(this.id);
    if (status === 0) this.shutdownRequest = new ShutdownRequest(this, done);
    return status;
  }

  /** `done()` follows, in the loop's closing phase. */
  close(done) {
    this.end(done, false);
  }

  /** As close(), with a reset instead of a FIN. */
  reset(done) {
    this.end(done, true);
    return 0;
  }

  end(done, reset) {
    if (this.refused && done) setImmediate(done);
    if (this.id < 0) return;
    if (trace) debug('<- %d close', this.id);
    const id = this.id;
    this.id = -1;
    this.reading = false;
    this.closeDone = done ?? null;
    if (this.connectRequest !== null) {
      this.connectRequest.emitDestroy();
      this.connectRequest = null;
    }
    commands.close(id, reset);
  }

  setNoDelay(enable) {
    return native().setNoDelay(this.id, enable);
  }

  /** `delay` and `interval` in seconds. */
  setKeepAlive(enable, delay, interval = 1, count = 10) {
    return native().setKeepAlive(this.id, enable, delay, interval, count);
  }

  setTypeOfService(value) {
    return native().setTypeOfService(this.id, value);
  }

  getTypeOfService() {
    return native().getTypeOfService(this.id);
  }

  /** Fills `out` with address, family and port. */
  getsockname(out) {
    return fill(out, native().getsockname(this.id));
  }

  getpeername(out) {
    return fill(out, native().getpeername(this.id));
  }

  ref() {
    if (this.id >= 0) commands.setRef(this.id, true);
  }

  unref() {
    if (this.id >= 0) commands.setRef(this.id, false);
  }

  hasRef() {
    return this.id >= 0 && native().hasRef(this.id);
  }

  // Events, called by lib/internal/runtime.js.

  onread(offset, length) {
    this.bytesRead += length;
    this.owner[kRead](offset, length);
  }

  onend() {
    this.reading = false;
    this.owner[kEnd](this);
  }

  onreadfailed(status) {
    this.reading = false;
    this.owner[kFailed](status, 'read');
  }

  onwritefailed(status) {
    this.owner[kFailed](status, 'write');
  }

  /** Goes on with a write that was taken in part. */
  onwritable() {
    const pending = this.pendingWrite;
    if (pending === null) return;
    this.pendingWrite = null;
    const status = send(this.id, pending);
    if (status === 1) {
      this.pendingWrite = pending;
      this.owner[kProgress]();
    } else {
      pending.tell(this.owner, status);
    }
  }

  onconnected(status) {
    const request = this.connectRequest;
    this.connectRequest = null;
    if (request === null) return;
    if (this.connected) {
      // Connected anew without a word from the peer: told in the loop's next iteration, as by libuv.
      setImmediate(() => {
        if (this.id >= 0) request.oncomplete(status, this, request, true, true);
      });
      return;
    }
    this.connected = status === 0;
    request.oncomplete(status, this, request, true, true);
  }

  onshutdown(status) {
    const request = this.shutdownRequest;
    this.shutdownRequest = null;
    if (request !== null) request.end(status);
  }

  /** Called in no async context: a connection inherits nothing from whoever listens. */
  makeAccepted(id) {
    const type = this.type === types.TCP_SERVER ? types.TCP : types.PIPE;
    const options = { requireManualDestroy: true, triggerAsyncId: this.asyncId() };
    if (this.owner[kInherits]?.() === true) {
      this.inContext(() => adopt(new StreamHandle(type, options), id));
    } else {
      adopt(new StreamHandle(type, options), id);
    }
  }

  onaccepted(id) {
    this.owner[kAccepted](handleOf(id));
  }

  onacceptfailed(status) {
    this.owner[kAcceptFailed](status, this);
  }

  /** The requests that were under way end first, as cancelled. */
  onclosed() {
    const { owner, pendingWrite, shutdownRequest, closeDone } = this;
    this.owner = this.codec = null;
    if (pendingWrite !== null) {
      this.pendingWrite = null;
      pendingWrite.tell(owner, numberOf('ECANCELED'));
    }
    if (shutdownRequest !== null) {
      this.shutdownRequest = null;
      shutdownRequest.end(numberOf('ECANCELED'));
    }
    if (closeDone !== null) closeDone();
  }
}

// Set while a request is under way: idle connections do without.
Object.assign(StreamHandle.prototype, {
  closeDone: null,
  /** What gets the messages of a connection that speaks HTTP: see lib/http/parser.js. */
  codec: null,
  connectRequest: null,
  connected: false,
  pendingWrite: null,
  refused: false,
  resource: null,
  shutdownRequest: null
});

/** Writes what is left of a write. Returns as writeBuffer() does; `pending.chunks` keeps the rest. */
function send(id, pending) {
  while (pending.chunks.length > 0) {
    const { chunks } = pending;
    const offered = chunks.length > CHUNKS_MAX ? chunks.slice(0, CHUNKS_MAX) : chunks;
    const taken =
      offered.length === 1 ? write(id, bytesOf(chunks[0])) : commands.writev(id, ...offered);
    if (trace) debug('<- %d writev %d in %d chunks', id, taken, offered.length);
    if (taken < 0) return taken;
    pending.chunks = after(chunks, taken);
    if (pending.chunks.length > chunks.length - offered.length) return 1;
  }
  return 0;
}

/** The chunks without their first `count` bytes. */
function after(chunks, count) {
  let index = 0;
  while (index < chunks.length && count >= chunks[index].length) count -= chunks[index++].length;
  const rest = chunks.slice(index);
  if (count > 0) rest[0] = bytesOf(rest[0]).subarray(count);
  return rest;
}

/** What writeNow() writes, as bytes. */
function encoded(text, latin1, rest) {
  const encoding = latin1 ? 'latin1' : 'utf8';
  if (rest === null || typeof rest === 'string')
    return [Buffer.from(text + (rest ?? ''), encoding)];
  return [Buffer.from(text, encoding), rest];
}

function bytesOf(chunk) {
  return typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
}

/** Chunks as one. */
function join(chunks, total) {
  const joined = Buffer.allocUnsafe(total);
  let at = 0;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i];
    if (typeof chunk === 'string') joined.write(chunk, at, 'latin1');
    else joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

function fill(out, result) {
  if (typeof result === 'number') return result;
  Object.assign(out, result);
  return 0;
}

module.exports = {
  ConnectRequest,
  STRING_MAX,
  StreamHandle,
  encoded,
  kAcceptFailed,
  kAccepted,
  kEnd,
  kFailed,
  kInherits,
  kMakeSocket,
  kProgress,
  kRead,
  kServe,
  kWritten,
  types
};
