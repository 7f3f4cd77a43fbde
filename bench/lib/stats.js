'use strict';

// Medians with their spread, and ratios between contenders of one round.

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @returns {{ median?: number, min?: number, max?: number }} nothing of nothing */
function spread(values) {
  if (values.length === 0) return {};
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Rounds are minutes apart and the machine may have changed between them, so each is compared with
 * its own baseline before anything is averaged.
 */
function pairedRatio(values, baseline) {
  return spread(values.map((value, round) => value / baseline[round]));
}

module.exports = { median, pairedRatio, spread };
