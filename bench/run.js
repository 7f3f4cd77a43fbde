'use strict';

// `npm run bench`: lets the contenders take turns at every benchmark and prints what came out.

const os = require('node:os');

const { BASELINE, contender, takesPart } = require('./lib/contenders');
const kinds = require('./lib/kinds');
const loadgen = require('./lib/loadgen');
const { QUIET, busyPercent } = require('./lib/machine');
const { USAGE, parse } = require('./lib/options');
const { conditions, section } = require('./lib/report');
const results = require('./lib/results');
const { takeRound } = require('./lib/rounds');
const { verdicts } = require('./lib/targets');
const { bundle } = require('../scripts/bundle');

async function main() {
  const options = parse(process.argv.slice(2));
  if (options === null) return console.log(USAGE);
  if (process.platform !== 'linux') throw new Error('benchmarks need Linux: /proc, taskset');
  if (os.cpus().length < 2) throw new Error('benchmarks need two cores');

  const run = {
    command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replace(/ --$/, ''),
    date: new Date().toISOString().slice(0, 10),
    rounds: options.rounds,
    busyPercent: 0
  };
  const contenders = options.contenders.map(contender);
  bundle();
  loadgen.build();
  for (const { bench } of options.benches) kinds[bench.kind].check?.();

  const measured = [];
  for (const { area, bench } of options.benches) {
    run.busyPercent = Math.max(run.busyPercent, await checkQuiet(options));
    const entries = await measure(`${area}/${bench.name}`, bench, contenders, options);
    measured.push({ area, bench, entries });
    if (!options.json) console.log(section(bench, entries));
  }
  console.log(options.json ? JSON.stringify(raw(run, measured), null, 2) : conditions(run));
  if (options.save) console.log(`Saved in ${results.save(byArea(run, measured))}.`);
}

/** Samples what others do to the machine before a benchmark begins. */
async function checkQuiet({ save }) {
  const percent = await busyPercent();
  if (percent <= QUIET) return percent;
  const problem = `other processes use ${Math.round(percent)} % of this machine`;
  if (save) throw new Error(`${problem}: nothing to keep comes out`);
  console.error(`bench: ${problem}`);
  return percent;
}

async function measure(name, bench, contenders, options) {
  const entries = contenders.map((contender) => ({ contender, samples: [] }));
  const taking = entries.filter(({ contender }) => takesPart(contender, bench));
  for (let round = 0; round < options.rounds; round++) {
    const say = (text) => progress(`${name}: round ${round + 1} of ${options.rounds}, ${text}`);
    // Each round starts with another contender, so that none always follows the same neighbour.
    const first = round % taking.length;
    await takeRound(bench, [...taking.slice(first), ...taking.slice(0, first)], options, say);
  }
  progress('');
  return entries;
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function raw(run, measured) {
  return {
    ...run,
    baseline: BASELINE,
    benches: measured.map(({ area, bench, entries }) => ({
      area,
      ...bench,
      contenders: entries.map(({ contender: { name, title }, samples }) => ({
        name,
        title,
        samples
      })),
      verdicts: (bench.targets ?? []).map((target) => verdicts(target, entries))
    }))
  };
}

function byArea(run, measured) {
  const sections = new Map();
  for (const { area, bench, entries } of measured) {
    sections.set(
      area,
      `${sections.get(area) ?? `${conditions(run)}\n`}${section(bench, entries)}\n`
    );
  }
  return sections;
}

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
