'use strict';

// The process-wide defaults that net lets a program change; they start as the host's.

const { net: host } = require('../internal/host');
const validate = require('../internal/validate');

const ATTEMPT_TIMEOUT_MIN = 10;

const defaults = {
  autoSelectFamily: host.getDefaultAutoSelectFamily(),
  autoSelectFamilyAttemptTimeout: host.getDefaultAutoSelectFamilyAttemptTimeout()
};

function getDefaultAutoSelectFamily() {
  return defaults.autoSelectFamily;
}

function setDefaultAutoSelectFamily(value) {
  validate.type(value, 'value', 'boolean');
  defaults.autoSelectFamily = value;
}

function getDefaultAutoSelectFamilyAttemptTimeout() {
  return defaults.autoSelectFamilyAttemptTimeout;
}

function setDefaultAutoSelectFamilyAttemptTimeout(value) {
  defaults.autoSelectFamilyAttemptTimeout = attemptTimeout(value, 'value');
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
