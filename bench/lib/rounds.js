'use strict';

// Takes one sample of every contender under conditions as equal as they can be.

const kinds = require('./kinds');
const { serve } = require('./serve');
const { median } = require('./stats');

/** Load that comes before everything that counts, in seconds: the compilers of a runtime take longest. */
const WARMUP = 1;

/** @typedef {import('./targets').Entry} Entry */

/**
 * @param {object} bench
 * @param {Entry[]} entries who takes part, in the order of their turns; each gets a sample
 * @param {{ seconds: number }} options
 * @param {(text: string) => void} say
 */
async function takeRound(bench, entries, options, say) {
  const kind = kinds[bench.kind];
  if (kind.slice !== undefined) return takeSlices(kind, bench, entries, options, say);
  for (const { contender, samples } of entries) {
    say(contender.title);
    samples.push(await blaming(contender, () => kind.sample(bench, contender, options)));
  }
}

/**
 * Starts all servers, and loads them in turn, a slice of the time each, until everybody has had the
 * whole of it: a machine that slows down for some seconds slows them all. Who has no turn is halted.
 */
async function takeSlices({ slice, shortest }, bench, entries, { seconds }, say) {
  const count = Math.max(1, Math.round(seconds / shortest));
  const contestants = [];
  try {
    for (const { contender, samples } of entries) {
      say(`${contender.title} warms up`);
      const running = await blaming(contender, () => serve(bench, contender));
      contestants.push({ contender, samples, running, reports: [] });
      await blaming(contender, () => slice(bench, running, WARMUP));
      running.server.halt();
    }
    for (let turn = 0; turn < count; turn++) {
      say(`slice ${turn + 1} of ${count}`);
      for (const { contender, running, reports } of contestants) {
        running.server.go();
        reports.push(await blaming(contender, () => slice(bench, running, seconds / count)));
        running.server.halt();
      }
    }
    for (const { samples, reports } of contestants) samples.push(perOperation(reports));
  } finally {
    for (const { running } of contestants) await running.server.kill();
  }
}

async function blaming(contender, work) {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${contender.title}: ${error.message}`, { cause: error });
  }
}

/** What the slices come to together; percentiles are the median slice's. */
function perOperation(reports) {
  const sum = (value) => reports.reduce((total, report) => total + value(report), 0);
  const operations = sum((report) => report.operations);
  const seconds = sum((report) => report.seconds);
  const lost = sum((report) => report.lost);
  const user = sum((report) => report.serverUserSeconds);
  const system = sum((report) => report.serverSystemSeconds);
  const micros = (total) => (total * 1e6) / operations;
  const percent = (part, whole) => (part / whole) * 100;
  return {
    operationsPerSecond: operations / seconds,
    megabytesPerSecond: sum((report) => report.bytesPerSecond * report.seconds) / seconds / 1e6,
    cpuMicros: micros(user + system),
    userMicros: micros(user),
    systemMicros: micros(system),
    p50Micros: median(reports.map((report) => report.p50Micros)),
    p99Micros: median(reports.map((report) => report.p99Micros)),
    lostPercent: percent(lost, lost + operations),
    serverBusy: percent(user + system, seconds),
    generatorBusy: percent(
      sum((report) => report.ownCpuSeconds),
      seconds
    )
  };
}

module.exports = { perOperation, takeRound };
