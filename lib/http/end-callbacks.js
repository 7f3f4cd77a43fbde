'use strict';

// Callbacks of a message's end(): what they are told, and when, which not all Nodes have alike.

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { kErrored } = require('./symbols');

/** From Node 24 on they come before 'finish' and learn of errors; until then they listen to it. */
const ARE_QUEUED = nodeMajor >= 24;

const kCallbacks = Symbol('endCallbacks');
/** Undefined until they are told; then the error, null for none. */
const kOutcome = Symbol('endOutcome');

/** For the prototype of messages: most have neither. */
const defaults = { [kCallbacks]: null, [kOutcome]: undefined };

/** The callback of the end() that ends a message. */
function addEndCallback(message, callback) {
  if (!ARE_QUEUED) message.once('finish', callback);
  else if (message[kCallbacks] === null) message[kCallbacks] = [callback];
  else message[kCallbacks].push(callback);
}

/** The callback of a further end(). */
function addLateCallback(message, callback) {
  const outcome = message[kOutcome];
  if (outcome) process.nextTick(callback, outcome);
  else if (isOver(message)) callback(codeError('ERR_STREAM_ALREADY_FINISHED', 'end'));
  else addEndCallback(message, callback);
}

/** One that nobody heard is closed without being told. */
function isOver(message) {
  return message.writableFinished && (!ARE_QUEUED || message[kOutcome] === null || message._closed);
}

function hasEndCallbacks(message) {
  return message[kCallbacks] !== null;
}

/** A message has left, or will not: `error` says why. */
function tellEnd(message, error) {
  if (!ARE_QUEUED) return;
  message[kOutcome] = error;
  const callbacks = message[kCallbacks];
  if (callbacks === null) return;
  message[kCallbacks] = null;
  for (const callback of callbacks) callback(error);
}

/** Why there is no 'finish' behind the last write of a message to `socket`; null if there is. */
function failureOf(message, socket, error) {
  const failure = ARE_QUEUED && (error || message[kErrored] || socket?.errored);
  if (failure) return failure;
  return socket?._hadError ? codeError('ERR_STREAM_DESTROYED', 'end') : null;
}

function hasFailed(message) {
  return Boolean(message[kOutcome]);
}

module.exports = {
  addEndCallback,
  addLateCallback,
  defaults,
  failureOf,
  hasEndCallbacks,
  hasFailed,
  tellEnd
};
