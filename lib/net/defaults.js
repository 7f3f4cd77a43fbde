'use strict';

// The process-wide defaults that net lets a program change; they start as the host's.

const host = require('../internal/host');
const validate = require('../internal/validate');

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
  autoSelectFamilyAttemptTimeout = attemptTimeout(value, 'value');
}

/** Milliseconds; below ten is ten. */
function attemptTimeout(value, name) {
  validate.integer(value, name, 1, 2 ** 31 - 1);
  return Math.max(value, ATTEMPT_TIMEOUT_MIN);
}

module.exports = {
  attemptTimeout,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout
};
