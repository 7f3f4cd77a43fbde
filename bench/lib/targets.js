'use strict';

// Holds what was measured against the target that a benchmark states.

const { FLOOR } = require('./contenders');
const kinds = require('./kinds');
const { pairedRatio, spread } = require('./stats');

/**
 * @typedef {{ contender: import('./contenders').Contender, samples: Record<string, number>[] }} Entry
 *
 * @typedef {object} Target
 * @property {string} metric
 * @property {number} [atMost]
 * @property {number} [atLeast]
 * @property {string} [times] the contender whose multiple the limit is; `host` is the same runtime
 *   without ferronet; without it the limit is absolute
 */

/**
 * @param {{ kind: string }} bench
 * @param {Target} target
 * @returns {string} the target in words
 */
function describe({ kind }, target) {
  const { title } = kinds[kind].metrics.find(({ name }) => name === target.metric);
  const limit =
    target.atMost === undefined ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
  const times = { undefined: '', host: ' x the same Node alone' }[target.times];
  return `${title.replace(', ', ' in ')}: ${limit}${times ?? ` x ${titleOf(target.times)}`}`;
}

/**
 * @param {Target} target
 * @param {Entry[]} entries
 * @returns {{ contender: string, value: number, pass: boolean }[]} one for each contender of ours
 *   whose reference was measured too
 */
function verdicts(target, entries) {
  return entries
    .filter(({ contender }) => contender.host !== null)
    .map((entry) => verdict(target, entry, entries))
    .filter((one) => one !== undefined);
}

/**
 * @param {Target} target
 * @param {Entry[]} entries
 * @returns {{ contender: string, value: number, pass: boolean } | undefined} what the floor makes of a
 *   target; nothing where it was not measured, or the reference is the same runtime: it has none
 */
function floorVerdict(target, entries) {
  const floor = entries.find(({ contender }) => contender.name === FLOOR);
  return floor && verdict(target, floor, entries);
}

function verdict(target, entry, entries) {
  const value = reached(target, entry, entries);
  if (value === undefined) return undefined;
  return { contender: entry.contender.title, value, pass: meets(target, value) };
}

function reached({ metric, times }, { contender, samples }, entries) {
  const values = samples.map((sample) => sample[metric]);
  if (times === undefined) return spread(values).median;
  const reference = times === 'host' ? contender.host : times;
  return ratioTo(reference, metric, samples, entries)?.median;
}

/** @returns {{ median?: number, min?: number, max?: number } | undefined} */
function ratioTo(reference, metric, samples, entries) {
  const baseline = entries.find(({ contender }) => contender.name === reference);
  if (baseline === undefined) return undefined;
  const of = (list) => list.map((sample) => sample[metric]);
  return pairedRatio(of(samples), of(baseline.samples));
}

function meets({ atMost = Infinity, atLeast = -Infinity }, value) {
  return value <= atMost && value >= atLeast;
}

function titleOf(name) {
  return name.replace(/^node/, 'Node ').replace(/^bun$/, 'Bun');
}

module.exports = { describe, floorVerdict, ratioTo, titleOf, verdicts };
