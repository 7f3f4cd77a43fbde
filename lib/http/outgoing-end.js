'use strict';

// What an outgoing message tells when all of it is with the socket, or will not be: 'finish', and before
// it, from Node 24 on, the callbacks of end(), also of what went wrong.

const { EventEmitter } = require('node:events');
const process = require('node:process');

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { kConnection, kErrored, kFinished, kSocket } = require('./symbols');

const plainEmit = EventEmitter.prototype.emit;

const kCallbacks = Symbol('endCallbacks');
const kFailure = Symbol('failure');

/** Up to Node 22 a callback of end() is a listener of 'finish'. */
const TELLS_FAILURE = nodeMajor >= 24;

/** What few messages have. */
const defaults = { [kCallbacks]: null, [kFailure]: null };

/** end() was called with a callback, maybe not for the first time. */
function whenEnded(message, callback, first) {
  if (TELLS_FAILURE) {
    if (message[kFailure] !== null) process.nextTick(callback, message[kFailure]);
    else if (message[kFinished]) callback(codeError('ERR_STREAM_ALREADY_FINISHED', 'end'));
    else (message[kCallbacks] ??= []).push(callback);
  } else if (first) {
    message.once('finish', callback);
  } else if (message.writableFinished) {
    callback(codeError('ERR_STREAM_ALREADY_FINISHED', 'end'));
  } else {
    message.on('finish', callback);
  }
}

/**
 * The socket has taken the last piece, or said why not.
 * @returns {boolean} whether 'finish' is to follow
 */
function settle(message, error) {
  const socket = madeSocket(message);
  if (!TELLS_FAILURE) return (message[kFinished] = !socket?._hadError);
  const failure = error || message[kErrored] || socket?.errored;
  if (failure || socket?._hadError) {
    message[kFailure] = failure || codeError('ERR_STREAM_DESTROYED', 'end');
    if (message[kCallbacks] !== null) callBack(message, message[kFailure]);
    return false;
  }
  message[kFinished] = true;
  if (message[kCallbacks] !== null) callBack(message, null);
  return true;
}

function callBack(message, error) {
  const callbacks = message[kCallbacks];
  message[kCallbacks] = null;
  for (const callback of callbacks) callback(error);
}

function isFinished(message) {
  // What waits for its turn is not with the socket, whatever was sent ahead.
  if (TELLS_FAILURE) return message[kFinished];
  if (message[kSocket] === null && message[kConnection] !== null) {
    return message[kFinished] && message.outputSize === 0;
  }
  return message.finished && message.outputSize === 0 && message.writableLength === 0;
}

/** Whether somebody hears of what happens to a message: by a listener, or by an emit() of a program's own. */
function isHeard(message) {
  return message._eventsCount !== 0 || message.emit !== plainEmit;
}

/** As isHeard(), of one event. */
function isHeardOf(message, name) {
  return isHeard(message) && (message.emit !== plainEmit || message.listenerCount(name) > 0);
}

/** The socket of a message, unless there is none yet. */
function madeSocket(message) {
  const socket = message[kSocket];
  return socket === undefined ? message[kConnection].sock : socket;
}

module.exports = { defaults, isFinished, isHeard, isHeardOf, madeSocket, settle, whenEnded };
