'use strict';

// Checks of arguments, once, at the edge: each throws what Node throws. And what an IP address is.

const process = require('node:process');

const { codeError } = require('./errors');
const { nodeMajor } = require('./host');

function type(value, name, expected) {
  if (typeof value !== expected) throw codeError('ERR_INVALID_ARG_TYPE', name, expected, value);
}

function object(value, name) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw codeError('ERR_INVALID_ARG_TYPE', name, 'object', value);
  }
}

function number(value, name, min, max) {
  type(value, name, 'number');
  if (value < min || value > max || Number.isNaN(value)) {
    throw codeError('ERR_OUT_OF_RANGE', name, between(min, max), value);
  }
}

function integer(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
  type(value, name, 'number');
  if (!Number.isInteger(value)) throw codeError('ERR_OUT_OF_RANGE', name, 'an integer', value);
  if (value < min || value > max) {
    throw codeError('ERR_OUT_OF_RANGE', name, `>= ${min} && <= ${max}`, value);
  }
}

/**
 * A port as number or numeric string; returns it as a number.
 * @param {any} value
 */
function port(value, name = 'Port', allowZero = true) {
  const numeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
  // Until Node 24 a zero that is text passed where the number does not.
  const zero = nodeMajor < 24 ? value === 0 : Number(value) === 0;
  if (!numeric || +value !== +value >>> 0 || +value > 0xffff || (zero && !allowZero)) {
    throw codeError('ERR_SOCKET_BAD_PORT', name, value, allowZero);
  }
  return +value | 0;
}

function abortSignal(value, name) {
  if (
    value !== undefined &&
    (value === null || typeof value !== 'object' || !('aborted' in value))
  ) {
    throw codeError('ERR_INVALID_ARG_TYPE', name, 'AbortSignal', value);
  }
}

/** An integer that 32 bits hold, without a sign. */
function uint32(value, name) {
  integer(value, name, 0, 2 ** 32 - 1);
}

/** A timer's milliseconds, at most what timers can wait. */
function milliseconds(value, name) {
  type(value, name, 'number');
  if (value < 0 || !Number.isFinite(value)) {
    throw codeError('ERR_OUT_OF_RANGE', name, 'a non-negative finite number', value);
  }
  if (value > TIMEOUT_MAX) {
    process.emitWarning(
      `${value} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${TIMEOUT_MAX}.`,
      'TimeoutOverflowWarning'
    );
    return TIMEOUT_MAX;
  }
  return value;
}

function between(min, max) {
  return [min !== undefined && `>= ${min}`, max !== undefined && `<= ${max}`]
    .filter(Boolean)
    .join(' && ');
}

const TIMEOUT_MAX = 2 ** 31 - 1;

// What is an IP address as text: the checks that every listen and connect makes, without Node's own `net`,
// whose loading takes longer than that of this whole package.

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const ZONE = /%[\da-z.:-]+$/i;
const GROUP = /^[\da-f]{1,4}$/i;

/** @returns {boolean} */
function isIPv4(input) {
  return IPV4.test(input);
}

/** With its zone, if it has one (RFC 4007 section 11). */
function isIPv6(input) {
  const text = `${input}`;
  if (!text.includes(':')) return false;
  const halves = text.replace(ZONE, '').split('::');
  if (halves.length > 2) return false;
  let count = 0;
  for (const [index, half] of halves.entries()) {
    // Only the end of the whole may be written as IPv4.
    const groups = countGroups(half, index === halves.length - 1);
    if (groups < 0 || (groups === 0 && halves.length === 1)) return false;
    count += groups;
  }
  // `::` stands for one group at least.
  return halves.length === 2 ? count < 8 : count === 8;
}

/** @returns {0 | 4 | 6} */
function isIP(input) {
  if (isIPv4(input)) return 4;
  return isIPv6(input) ? 6 : 0;
}

/** The 16-bit groups of a part; -1 if it is none. */
function countGroups(part, last) {
  if (part === '') return 0;
  const groups = part.split(':');
  let count = groups.length;
  if (last && isIPv4(groups.at(-1))) {
    groups.pop();
    count += 1;
  }
  return groups.every((group) => GROUP.test(group)) ? count : -1;
}

module.exports = {
  abortSignal,
  integer,
  isIP,
  isIPv4,
  isIPv6,
  milliseconds,
  number,
  object,
  port,
  type,
  uint32
};
