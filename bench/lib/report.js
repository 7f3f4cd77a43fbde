'use strict';

// Turns samples into the tables that are printed and committed.

const { BASELINE } = require('./contenders');
const kinds = require('./kinds');
const machine = require('./machine');
const { spread } = require('./stats');
const { describe, floorVerdict, ratioTo, titleOf, verdicts } = require('./targets');

/**
 * @param {object} bench
 * @param {import('./targets').Entry[]} entries
 * @returns {string} heading, table and verdict in markdown
 */
function section(bench, entries) {
  const rows = kinds[bench.kind].metrics
    .filter(({ when }) => when?.(bench) ?? true)
    .flatMap((metric) => metricRows(metric, entries));
  const head = ['', ...entries.map(({ contender }) => contender.title)];
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  const note = bench.note === undefined ? [] : [bench.note, ''];
  return [
    `### ${bench.title}`,
    '',
    ...note,
    ...[head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`),
    '',
    outcome(bench, entries),
    ''
  ].join('\n');
}

/** The row of a metric and, where that says something, the row of its ratios to the baseline. */
function metricRows({ name, title, digits, ratio }, entries) {
  const values = entries.map(({ samples }) => spread(samples.map((sample) => sample[name])));
  const rows = [[title, ...values.map((value) => cell(value, digits))]];
  if (ratio) {
    const ratios = entries.map(({ samples }) => ratioTo(BASELINE, name, samples, entries));
    const cells = ratios.map((value) => (value === undefined ? '' : cell(value, 2)));
    if (cells.some(Boolean)) rows.push([`x ${titleOf(BASELINE)}`, ...cells]);
  }
  return rows;
}

function cell({ median, min, max }, digits) {
  if (median === undefined) return '-';
  return `**${number(median, digits)}** (${number(min, digits)}..${number(max, digits)})`;
}

/** A paragraph for each target. */
function outcome(bench, entries) {
  const { targets = [] } = bench;
  if (targets.length === 0) return 'No target.';
  return targets.map((target) => judgement(bench, target, entries)).join('\n\n');
}

function judgement(bench, wanted, entries) {
  const target = `Target: ${describe(bench, wanted)}.`;
  const judged = verdicts(wanted, entries);
  const words = judged.map(
    ({ contender, value, pass }) =>
      `${contender}: ${apart(value, wanted, pass)}, ${pass ? 'pass' : 'MISS'}.`
  );
  if (judged.length === 0) words.push('Not judged: a side of it was not measured.');
  return [target, ...words, ...aboutFloor(wanted, entries)].join(' ');
}

/** What a target leaves for a program: the floor is not judged, and where it misses, so does everybody. */
function aboutFloor(wanted, entries) {
  const judged = floorVerdict(wanted, entries);
  if (judged === undefined) return [];
  const value = apart(judged.value, wanted, judged.pass);
  return [judged.pass ? `The floor: ${value}.` : `The floor itself misses it: ${value}.`];
}

/** A miss by less than what two digits show has a third. */
function apart(value, { atLeast, atMost }, pass) {
  const short = number(value, 2);
  return !pass && short === number(atLeast ?? atMost, 2) ? number(value, 3) : short;
}

function number(value, digits) {
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString('en-US', fraction);
}

/** What a reader needs to repeat the numbers. */
function conditions(run) {
  return [
    `\`${run.command}\``,
    '',
    `${run.date}, ${machine.description()}. Between benchmarks other processes used up to`,
    `${Math.round(run.busyPercent)} % of it.`,
    `Medians of ${run.rounds} rounds (lowest..highest); in each the contenders take turns, slice by slice,`,
    'and ratios are taken within it. Servers run on one core, the generator on another.',
    ''
  ].join('\n');
}

module.exports = { conditions, section };
