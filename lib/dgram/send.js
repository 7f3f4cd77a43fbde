'use strict';

// send(): its argument forms, and the way of a datagram to the handle.

const { Buffer } = require('node:buffer');
const process = require('node:process');

const { codeError, hostPortError } = require('../internal/errors');
const validate = require('../internal/validate');
const { bindStates, connectStates, kState, running, whenBound } = require('./state');

const BYTES = ['Buffer', 'TypedArray', 'DataView', 'string'];
const EMPTY = Buffer.alloc(0);

/** `socket.send(msg[, offset, length][, port][, address][, callback])` */
function send(socket, args) {
  const connected = socket[kState].connectState === connectStates.CONNECTED;
  const form = connected ? connectedForm(args) : unconnectedForm(args);
  const parts = toParts(form.message);
  const port = connected ? form.port : validate.port(form.port, 'Port', false);
  let { address, callback } = form;
  if (typeof callback !== 'function') callback = undefined;
  if (typeof address === 'function') {
    callback = address;
    address = undefined;
  } else if (address !== undefined && address !== null) {
    validate.type(address, 'address', 'string');
  }
  const state = running(socket);

  if (state.bindState === bindStates.UNBOUND) socket.bind({ port: 0, exclusive: true }, null);
  if (state.bindState !== bindStates.BOUND) {
    whenBound(socket, () => socket.send(parts, port, address, callback));
  } else if (connected) {
    transmit(socket, parts, undefined, undefined, null, callback);
  } else if (address && state.isResolved(address)) {
    process.nextTick(transmit, socket, parts, port, address, address, callback);
  } else {
    state.resolve(address, (error, ip) => {
      if (error) fail(socket, error, callback);
      else transmit(socket, parts, port, address, `${ip}`, callback);
    });
  }
}

/** `(msg, offset, length, port[, address][, callback])` or `(msg, port[, address][, callback])` */
function unconnectedForm([message, second, third, fourth, address, callback]) {
  if (address || (fourth && typeof fourth !== 'function')) {
    return { message: slice(message, second, third), port: fourth, address, callback };
  }
  return { message, port: second, address: third, callback: fourth };
}

/** `(msg, offset, length[, callback])` or `(msg[, callback])`; a port or an address is too much. */
function connectedForm([message, second, third, fourth, address, last]) {
  let port = fourth;
  let callback = last;
  if (typeof third === 'number') {
    message = slice(message, second, third);
    if (typeof fourth === 'function') {
      callback = fourth;
      port = null;
    }
  } else {
    callback = second;
  }
  if (port || address) throw codeError('ERR_SOCKET_DGRAM_IS_CONNECTED');
  return { message, port, address, callback };
}

function slice(message, offset, length) {
  const bytes = toBytes(message);
  if (bytes === null) throw codeError('ERR_INVALID_ARG_TYPE', 'buffer', BYTES, message);
  offset >>>= 0;
  length >>>= 0;
  if (offset > bytes.byteLength) throw codeError('ERR_BUFFER_OUT_OF_BOUNDS', 'offset');
  if (offset + length > bytes.byteLength) throw codeError('ERR_BUFFER_OUT_OF_BOUNDS', 'length');
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length);
}

/** The views that make up one datagram: a list of the program's is copied, its bytes are not. */
function toParts(message) {
  if (!Array.isArray(message)) {
    const bytes = toBytes(message);
    if (bytes === null) throw codeError('ERR_INVALID_ARG_TYPE', 'buffer', BYTES, message);
    return [bytes];
  }
  const parts = message.map(toBytes);
  if (parts.includes(null)) {
    throw codeError('ERR_INVALID_ARG_TYPE', 'buffer list arguments', BYTES, message);
  }
  return parts;
}

function toBytes(message) {
  if (typeof message === 'string') return Buffer.from(message);
  return ArrayBuffer.isView(message) ? message : null;
}

function join(parts) {
  if (parts.length === 1) return parts[0];
  if (parts.length === 0) return EMPTY;
  return Buffer.concat(
    parts.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))
  );
}

/** Queues a datagram whose address is known. It leaves with the others of this turn. */
function transmit(socket, parts, port, address, ip, callback) {
  const { handle, ipv6, sendBlockList } = socket[kState];
  // Closed while the name was resolved: nobody is told.
  if (handle === null) return;
  if (ip !== null && sendBlockList?.check(ip, ipv6 ? 'ipv6' : 'ipv4')) {
    return fail(socket, codeError('ERR_IP_BLOCKED', ip), callback);
  }
  const message = join(parts);
  const number = handle.send(message, port, ip, callback !== undefined);
  if (callback === undefined) return;
  if (number < 0) {
    process.nextTick(callback, hostPortError(number, 'send', address, port));
  } else {
    process.nextTick(report, handle, number, message.byteLength, address, port, callback);
  }
}

/** Without a callback only what kept a datagram from being queued is emitted. */
function fail(socket, error, callback) {
  if (callback !== undefined) process.nextTick(callback, error);
  else process.nextTick(() => socket.emit('error', error));
}

function report(handle, number, size, address, port, callback) {
  handle.result(number, (status) => {
    if (status < 0) callback(hostPortError(status, 'send', address, port));
    else callback(null, size);
  });
}

module.exports = { send };
