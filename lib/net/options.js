'use strict';

// What a program tells net: signatures sorted into options and a callback, the option `blockList`, and
// the process-wide defaults.

const { codeError } = require('../internal/errors');
const host = require('../internal/host');
const validate = require('../internal/validate');

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

// The block list.

/**
 * Also on Node 20, which does not know it: an address that is to be kept out must not come in.
 * @returns {import('node:net').BlockList | undefined}
 */
function blockListOf({ blockList }) {
  if (!blockList) return undefined;
  const { BlockList } = host.net;
  if (blockList instanceof BlockList || BlockList.isBlockList?.(blockList)) return blockList;
  throw codeError('ERR_INVALID_ARG_TYPE', 'options.blockList', 'net.BlockList', blockList);
}

// Defaults that net lets a program change; they start as the host's.

const ATTEMPT_TIMEOUT_MIN = 10;

let autoSelectFamily;
let autoSelectFamilyAttemptTimeout;

function getDefaultAutoSelectFamily() {
  return (autoSelectFamily ??= host.net.getDefaultAutoSelectFamily());
}

function setDefaultAutoSelectFamily(value) {
  validate.type(value, 'value', 'boolean');
  autoSelectFamily = value;
}

function getDefaultAutoSelectFamilyAttemptTimeout() {
  return (autoSelectFamilyAttemptTimeout ??= host.net.getDefaultAutoSelectFamilyAttemptTimeout());
}

function setDefaultAutoSelectFamilyAttemptTimeout(value) {
  autoSelectFamilyAttemptTimeout = attemptTimeoutOf(value, 'value');
}

/** Milliseconds; below ten is ten. */
function attemptTimeoutOf(value, name) {
  validate.integer(value, name, 1, 2 ** 31 - 1);
  return Math.max(value, ATTEMPT_TIMEOUT_MIN);
}

module.exports = {
  attemptTimeoutOf,
  blockListOf,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isBoundSocket,
  isNormalized,
  kTake,
  normalizeArgs,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
  toNumber
};
