'use strict';

// `npm run fuzz`: feeds mutated requests and responses to our HTTP/1.1 parser and to the host's, and
// reports every difference in events, codes, reasons and offsets that is not a known one.
//
//   npm run fuzz                         2,000,000 cases
//   npm run fuzz -- --cases 100000 --seed 7
//   npm run fuzz -- --node 24            with the parser of that Node as the host's
//   npm run fuzz -- --fetch              gets llhttp's own test cases first, as more seeds

const { spawnSync } = require('node:child_process');
const { parseArgs } = require('node:util');

const { fetchCases, readCases } = require('./fuzz-http1/llhttp-cases');
const { run } = require('./fuzz-http1/run');
const runtimes = require('./runtimes');

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000000' },
    seed: { type: 'string', default: String(process.pid) },
    node: { type: 'string' },
    fetch: { type: 'boolean', default: false }
  }
});

if (values.fetch) fetchCases();
if (values.node !== undefined) {
  const args = [__filename, '--cases', values.cases, '--seed', values.seed];
  const { status } = spawnSync(runtimes.node(Number(values.node)), args, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  fuzz(Number(values.cases), Number(values.seed));
}

function fuzz(cases, seed) {
  const more = readCases();
  const count = more.requests.length + more.responses.length;
  console.log(
    `Node ${process.versions.node}, llhttp ${process.versions.llhttp}; seed ${seed}, ` +
      `${count} seeds of llhttp's`
  );
  const start = process.hrtime.bigint();
  const { failures, known, accepted } = run({ cases, seed, more });
  for (const { test, host, ours } of failures) {
    console.log(`differs: ${JSON.stringify(test)}`);
    console.log(`  host: ${host.join(' | ')}`);
    console.log(`  ours: ${ours.join(' | ')}`);
  }
  for (const [name, times] of known) console.log(`known, ${times} times: ${name}`);
  const seconds = Number((process.hrtime.bigint() - start) / 1000000n) / 1000;
  console.log(
    `${cases} cases, ${accepted} without an error, ${failures.length} failures, ${seconds} s`
  );
  if (failures.length > 0) process.exitCode = 1;
}
