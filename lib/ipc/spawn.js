'use strict';

// Processes that are spawned from here on: their channels carry our sockets and servers, and a socket of
// ours may be one of their descriptors. Loaded when somebody asks for Node's `child_process`.

const { ChildProcess } = require('node:child_process');

const { replaced } = require('../internal/modules');
const { join } = require('./channel');

/** What exec(), fork(), spawn() and a cluster come to. */
/** @type {any} */
const prototype = ChildProcess.prototype;
const { spawn } = prototype;

prototype.spawn = function (options) {
  const shared = new Set();
  if (Array.isArray(options?.stdio) && require.cache[replaced.get('net')] !== undefined) {
    options.stdio = options.stdio.map((stream) => toDescriptor(stream, shared));
  }
  const result = spawn.call(this, options);
  if (typeof this.send === 'function') join(this);
  for (const socket of shared) stopReading(socket);
  return result;
};

/** @returns the number that a stream of ours has, anything else as it is */
function toDescriptor(stream, shared) {
  const { StreamHandle } = require('../internal/stream-handle');
  const handle = [stream?.handle, stream?._handle].find((it) => it instanceof StreamHandle);
  if (handle === undefined || handle.fd < 0) return stream;
  shared.add(stream);
  return handle.fd;
}

/** The bytes are for the child now. */
function stopReading(socket) {
  if (typeof socket.pause !== 'function') return;
  socket._handle.readStop();
  socket.pause();
  socket.readableFlowing = false;
  socket._readableState.reading = false;
}
