'use strict';

// Sorts the many signatures of connect() and listen() into options and a callback.

const kNormalized = Symbol('normalized arguments');
/** The method of a BoundSocket that gives its handle to a server or a socket. */
const kTake = Symbol('take');

/**
 * `(options[, cb])`, `(path[, cb])` or `(port[, host][, cb])` as `[options, cb]`.
 * @param {any[]} args
 */
function normalizeArgs(args) {
  const [first, second] = args;
  let options = {};
  if (args.length === 0) {
    return mark([options, null]);
  }
  if (first !== null && typeof first === 'object') {
    options = first;
  } else if (isPipeName(first)) {
    options.path = first;
  } else {
    options.port = first;
    if (args.length > 1 && typeof second === 'string') options.host = second;
  }
  const last = args[args.length - 1];
  return mark([options, typeof last === 'function' ? last : null]);
}

/** Whether the array came from normalizeArgs(): Node's own callers pass it on as one argument. */
function isNormalized(value) {
  return Array.isArray(value) && value[kNormalized] === true;
}

/** Told by its method, so that only who makes one loads its class. */
function isBoundSocket(value) {
  return typeof value?.[kTake] === 'function';
}

/** A number from a port's text, or false for what is none: a path, an object. */
function toNumber(value) {
  const number = Number(value);
  return number >= 0 ? number : false;
}

function isPipeName(value) {
  return typeof value === 'string' && toNumber(value) === false;
}

function mark(normalized) {
  normalized[kNormalized] = true;
  return normalized;
}

module.exports = { isBoundSocket, isNormalized, kTake, normalizeArgs, toNumber };
