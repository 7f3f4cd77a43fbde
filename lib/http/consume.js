'use strict';

// Sockets of ours whose bytes go to a parser in Rust and not through their streams: which can be read
// so, and what a program may do on one to see its bytes after all.

const EventEmitter = require('node:events');

const { StreamHandle } = require('../internal/stream-handle');
const { Socket } = require('../net');
const { kConnection } = require('./symbols');

const plainOn = Socket.prototype.on;
const plainPush = Socket.prototype.push;
const plainRemove = Socket.prototype.removeListener;
const plainReadMore = Socket.prototype._read;
const plainWrite = Socket.prototype.write;
const plainWriteGeneric = Socket.prototype._writeGeneric;
const plainRead = StreamHandle.prototype.onread;

/** Methods that are put before those of such a socket. */
const overrides = ['addListener', 'on', 'prependListener'];

/** The stream of ours below a socket, or null. */
function handleOf(socket) {
  if (!(socket instanceof Socket)) return null;
  return socket._handle instanceof StreamHandle ? socket._handle : null;
}

/** Whether nobody but a parser has to see what a socket with a handle reads. */
function canConsume(socket) {
  return (
    !socket.connecting &&
    socket.push === plainPush &&
    socket._read === plainReadMore &&
    socket._handle.codec === null &&
    socket.readableLength === 0 &&
    socket.readableEncoding === null &&
    socket.readable &&
    socket.listenerCount('data') === 0 &&
    socket.listenerCount('readable') === 0
  );
}

/** Whether what is written past a socket comes right behind all that was written through it. */
function canWritePast(socket) {
  return (
    socket.write === plainWrite &&
    socket._writeGeneric === plainWriteGeneric &&
    socket.writableLength === 0 &&
    socket.writable &&
    socket.writableCorked === 0
  );
}

/** Nobody uses a socket: whatever comes is an answer that nobody asked for, and ends it. */
function guard(socket) {
  const handle = handleOf(socket);
  if (handle !== null) handle.onread = onUnasked;
}

/** Somebody uses it again. */
function unguard(handle) {
  if (handle.onread === onUnasked) handle.onread = plainRead;
}

function onUnasked(offset, length) {
  this.bytesRead += length;
  this.owner.destroy();
}

/** Tells the socket's connection when somebody wants to see bytes, or reading is to pause. */
function watch(socket) {
  if (Object.hasOwn(socket, 'addListener')) return;
  socket.on('pause', onPause);
  socket.on('resume', onResume);
  socket.on = socket.addListener = on;
  socket.prependListener = prependListener;
}

function unwatch(socket) {
  for (const name of overrides) if (Object.hasOwn(socket, name)) delete socket[name];
  socket.removeListener('pause', onPause);
  socket.removeListener('resume', onResume);
  if (socket._handle && !socket._handle.reading) socket._handle.readStart();
}

/** Listens for what is no byte: a socket of ours has no need to know. */
function hear(socket, name, listener) {
  const watched = socket.on === on && Socket.prototype.on === plainOn;
  if (watched || socket.on === plainOn) EventEmitter.prototype.on.call(socket, name, listener);
  else socket.on(name, listener);
}

function unhear(socket, name, listener) {
  if (socket.removeListener !== plainRemove) socket.removeListener(name, listener);
  else EventEmitter.prototype.removeListener.call(socket, name, listener);
}

/** The stream knows nothing of what is read past it: the handle has to be told. */
function onPause() {
  if (this[kConnection]?.isConsuming) this._handle?.readStop();
}

/**
 * The stream takes itself to be reading: it was never given anything. It says so also when it was
 * paused since it was asked to resume.
 */
function onResume() {
  if (this._paused) this.pause();
  if (!this._handle) return;
  // One that is read by 'readable' says that it is paused.
  if (!this.isPaused() || this.listenerCount('readable') > 0) {
    if (!this._handle.reading) this._handle.readStart();
  } else if (this[kConnection]?.isConsuming) {
    this._handle.readStop();
  }
}

function on(name, listener) {
  if (name === 'data' || name === 'readable') this[kConnection]?.share();
  return Socket.prototype.on.call(this, name, listener);
}

function prependListener(name, listener) {
  if (name === 'data' || name === 'readable') this[kConnection]?.share();
  return Socket.prototype.prependListener.call(this, name, listener);
}

module.exports = {
  canConsume,
  canWritePast,
  guard,
  handleOf,
  hear,
  unguard,
  unhear,
  unwatch,
  watch
};
