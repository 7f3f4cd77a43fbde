'use strict';

// Reads the command line: which benchmarks, how long, against whom.

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { DEFAULT } = require('./contenders');

const areas = path.join(__dirname, '..', 'areas');

const USAGE = `usage: npm run bench -- [AREA | AREA/BENCH]... [options]

  --rounds N          rounds, each with every contender once (5)
  --seconds S         measured time of one load (2)
  --contenders A,B    of node20 node22 node24 node26 bun ferronet20 ferronet22 ferronet24 ferronet26
                      floor
                      (${DEFAULT.join(',')})
  --json              print every sample instead of tables
  --save              write bench/results.md; for whole areas and all the usual contenders`;

/** @returns {object | null} null when only help was asked for */
function parse(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      contenders: { type: 'string', default: DEFAULT.join(',') },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  if (values.help) return null;
  const options = {
    benches: select(positionals),
    rounds: positive('--rounds', values.rounds),
    seconds: positive('--seconds', values.seconds),
    contenders: values.contenders.split(','),
    json: values.json,
    save: values.save
  };
  if (!Number.isInteger(options.rounds)) throw new Error('--rounds is a whole number');
  if (options.save) assertComplete(options, positionals);
  return options;
}

/** @returns {{ area: string, bench: object }[]} everything, or what the words name */
function select(words) {
  const all = fs
    .readdirSync(areas)
    .map((name) => path.basename(name, '.js'))
    .flatMap((area) => require(path.join(areas, area)).map((bench) => ({ area, bench })));
  if (words.length === 0) return all;
  for (const word of words) {
    if (!all.some((one) => matches(one, word))) throw new Error(`no benchmark is called ${word}`);
  }
  return all.filter((one) => words.some((word) => matches(one, word)));
}

function matches({ area, bench }, word) {
  return word === area || word === `${area}/${bench.name}`;
}

/** A committed table with holes would hide losses. */
function assertComplete({ contenders }, words) {
  if (words.some((word) => word.includes('/'))) throw new Error('--save wants whole areas');
  const missing = DEFAULT.filter((name) => !contenders.includes(name));
  if (missing.length > 0) throw new Error(`--save wants ${missing.join(', ')} too`);
}

function positive(name, word) {
  const value = Number(word);
  if (!(value > 0)) throw new Error(`${name} is a positive number`);
  return value;
}

module.exports = { USAGE, parse };
