'use strict';

// Plays scenarios one after the other against Node's module and ours, and prints where they differ.

const { Random } = require('./random');
const { brief } = require('./trace');

/** For parseArgs(). */
const options = /** @type {const} */ ({
  cases: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string' },
  self: { type: 'boolean', default: false },
  stop: { type: 'string', default: '20' }
});

async function main({ host, ours, makeScenario, play, differences, ...values }) {
  const { cases, seed, only, self, stop } = values;
  const compare = async (scenario) => {
    const a = await within(play(host, scenario));
    return differences(a, await within(play(other, scenario)), scenario);
  };
  const other = self ? host : ours;
  if (only !== undefined) {
    const scenario = makeScenario(randomOf(Number(only)));
    console.dir(scenario, { depth: null, maxStringLength: 1000 });
    const [a, b] = [await within(play(host, scenario)), await within(play(other, scenario))];
    for (const [name, outcome] of Object.entries({ host: a, ours: b })) {
      const text = outcome.text && brief(outcome.text);
      console.log(`${name}:`, JSON.stringify({ ...outcome, text, apart: 0 }, null, 1));
    }
    for (const line of differences(a, b, scenario)) console.log(line);
    process.exit(0);
  }
  let failures = 0;
  const first = Number(seed) * 1e6;
  const start = Date.now();
  for (let i = 0; i < Number(cases) && failures < Number(stop); i++) {
    const scenario = makeScenario(randomOf(first + i));
    let found = await compare(scenario);
    // What depends on time is not the same twice.
    for (let again = 0; again < 2 && found.length > 0; again++) {
      found = await compare(scenario);
    }
    if (found.length === 0) continue;
    failures++;
    console.log(`--only ${first + i} differs:`);
    for (const line of found) console.log(`  ${line}`);
  }
  console.log(`${cases} scenarios, ${failures} differ, ${(Date.now() - start) / 1000} s`);
  process.exit(failures > 0 ? 1 : 0);
}

/** A scenario that never ends is an outcome, too. */
function within(playing) {
  const late = { text: 'never ended', end: '', apart: {}, lines: [] };
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 10_000, late);
    playing.then((result) => {
      clearTimeout(timer);
      resolve(result);
    });
  });
}

function randomOf(number) {
  const random = new Random(number);
  for (let i = 0; i < 8; i++) random.below(2);
  return random;
}

module.exports = { main, options };
