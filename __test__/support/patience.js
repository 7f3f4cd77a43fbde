'use strict';

// A deadline that counts the time this process really ran, not the time it was kept from running.

const TICK_MS = 100;

module.exports = { afterRunning };

/**
 * Calls back after so many milliseconds of running. A machine that stands still for a while (as
 * virtual ones do) fires a plain timer before the events it has held back, which looks like a hang.
 * @param {number} milliseconds
 * @param {() => void} callback
 * @returns {() => void} stops it
 */
function afterRunning(milliseconds, callback) {
  let left = Math.ceil(milliseconds / TICK_MS);
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    callback();
  }, TICK_MS);
  return () => clearInterval(timer);
}
