'use strict';

// Turns one call with a questionable argument into data: what it threw, returned or emitted first.

const { inspect } = require('node:util');

module.exports = { outcomeOf, attempt, show };

const SETTLING_EVENTS = ['error', 'listening', 'connect', 'close'];

/**
 * Calls `attempt` and describes the outcome. What a call emits later on the emitter it returned
 * belongs to its outcome too, so that throwing and emitting are never taken for the same.
 * @param {import('./parity-recorder').Context} context
 * @param {(net: typeof import('node:net')) => unknown} attempt
 * @param {{ alwaysSettles?: boolean }} [options] true to wait even if nothing seems under way
 */
async function outcomeOf(context, attempt, { alwaysSettles = false } = {}) {
  let returned;
  try {
    returned = attempt(context.net);
  } catch (error) {
    return { threw: error };
  }
  if (!isEmitter(returned)) return { returned };
  context.track(returned);
  const settled = alwaysSettles
    ? new Promise((resolve) => watch(returned, resolve))
    : emitted(returned);
  return { returned: returned.constructor.name, emitted: await settled };
}

/** What a purely synchronous call did; a method that returns its own object says so. */
function attempt(context, object, call) {
  try {
    const returned = call(object, context.net);
    return { returned: returned === object ? 'itself' : returned };
  } catch (error) {
    return { threw: error };
  }
}

/** A value as it appears in a test's sentence. */
function show(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  return inspect(value, { breakLength: Infinity });
}

/** The first event that decides the fate of a socket or server, or none if nothing is under way. */
function emitted(emitter) {
  const underWay = emitter.connecting || emitter.listening || emitter.destroyed || emitter._handle;
  if (!underWay) return new Promise((resolve) => watchOneTurn(emitter, resolve));
  return new Promise((resolve) => watch(emitter, resolve));
}

function watch(emitter, resolve) {
  for (const event of SETTLING_EVENTS) {
    emitter.once(event, (...args) => resolve({ event, args: event === 'error' ? args : [] }));
  }
}

/** Without anything under way only something already scheduled can still come. */
function watchOneTurn(emitter, resolve) {
  watch(emitter, resolve);
  setImmediate(() => setImmediate(resolve, 'nothing'));
}

function isEmitter(value) {
  return typeof value === 'object' && value !== null && typeof value.emit === 'function';
}
