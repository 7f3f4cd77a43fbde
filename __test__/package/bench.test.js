'use strict';

// How the benchmarks make samples of slices, and what they say of the floor: a column of its own, that
// no target is held to.

const { DEFAULT, FLOOR, contender, takesPart } = require('../../bench/lib/contenders');
const kinds = require('../../bench/lib/kinds');
const { section } = require('../../bench/lib/report');
const { perOperation } = require('../../bench/lib/rounds');
const { verdicts } = require('../../bench/lib/targets');

const areas = ['dgram', 'http', 'net'].map((name) => require(`../../bench/areas/${name}`));
const benches = areas.flat();

const zeros = Object.fromEntries(kinds.load.metrics.map(({ name }) => [name, 0]));
const took = (cpuMicros) => [{ ...zeros, operationsPerSecond: 1, p50Micros: 1, cpuMicros }];
const runtime = (name, title, host = null) => ({ name, title, host });
const others = [
  { contender: runtime('node26', 'Node 26.1.2'), samples: took(10) },
  { contender: runtime('ferronet26', 'ferronet on Node 26.1.2', 'node26'), samples: took(8) }
];
const floor = (samples) => ({ contender: contender(FLOOR), samples });
const target = { metric: 'cpuMicros', atMost: 0.75, times: 'node26' };
const echo = { title: 'Echo', kind: 'load', load: ['tcp', '--size', '64'], targets: [target] };

/** The lines of what is written that begin so. */
function lines(entries, start, bench = echo) {
  return section(bench, entries)
    .split('\n')
    .filter((line) => line.startsWith(start));
}

test('the floor is measured with the usual contenders, last', () => {
  expect(DEFAULT.at(-1)).toBe(FLOOR);
});

test('it takes part where a benchmark names a server for it', () => {
  const one = contender(FLOOR);
  const named = benches.filter((bench) => takesPart(one, bench));
  expect(named.length).toBeGreaterThan(5);
  for (const { kind, floor } of named) {
    expect(['load', 'http']).toContain(kind);
    expect(floor[0]).toMatch(/^serve-/);
  }
  expect(takesPart(one, { kind: 'startup' })).toBe(false);
  expect(takesPart(runtime('bun', 'Bun 1.4.0'), { kind: 'startup' })).toBe(true);
});

test('no target is held to it, and none with the same runtime asks it', () => {
  const entries = [...others, floor(took(7))];
  expect(verdicts(target, entries).map(({ contender }) => contender)).toEqual([
    'ferronet on Node 26.1.2'
  ]);
  const host = { ...echo, targets: [{ metric: 'cpuMicros', atMost: 1, times: 'host' }] };
  expect(lines(entries, 'Target', host)[0]).not.toContain('floor');
});

test('the line of a target says what the floor leaves of it', () => {
  expect(lines([...others, floor(took(7))], 'Target')[0]).toMatch(/MISS\. The floor: 0\.70\.$/);
});

test('the line of a target says that the floor itself misses it', () => {
  expect(lines([...others, floor(took(7.6))], 'Target')[0]).toMatch(
    /MISS\. The floor itself misses it: 0\.76\.$/
  );
  expect(lines([...others, floor(took(7.51))], 'Target')[0]).toMatch(/misses it: 0\.751\.$/);
});

test('without one of ours the floor is told all the same', () => {
  expect(lines([others[0], floor(took(7))], 'Target')[0]).toMatch(
    /Not judged: .*\. The floor: 0\.70\.$/
  );
});

test('where it was not measured it has dashes, and no word', () => {
  const entries = [...others, floor([])];
  const rows = lines(entries, '| ').slice(2);
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) expect(row).toMatch(/ - \|$/);
  expect(lines(entries, 'Target')[0]).toMatch(/MISS\.$/);
});

test('a sample is the sum of its slices; percentiles are the median slice', () => {
  const slice = {
    operations: 1000,
    seconds: 1,
    bytesPerSecond: 5e6,
    serverUserSeconds: 0.002,
    serverSystemSeconds: 0.004,
    ownCpuSeconds: 0.5,
    lost: 0,
    p50Micros: 10,
    p99Micros: 20
  };
  const longer = { ...slice, operations: 3000, seconds: 3, serverUserSeconds: 0.01, lost: 1000 };
  const third = { ...slice, p50Micros: 99, p99Micros: 1 };
  expect(perOperation([slice, longer, third])).toEqual({
    operationsPerSecond: 1000,
    megabytesPerSecond: 5,
    cpuMicros: expect.closeTo(5.2),
    userMicros: expect.closeTo(2.8),
    systemMicros: expect.closeTo(2.4),
    p50Micros: 10,
    p99Micros: 20,
    lostPercent: expect.closeTo(100 / 6),
    serverBusy: expect.closeTo(0.52),
    generatorBusy: 30
  });
});

test('every benchmark is of a kind that is measured at once or in slices', () => {
  for (const { kind } of benches) {
    const { sample, slice, shortest } = kinds[kind];
    expect([typeof sample, typeof slice, typeof shortest]).toEqual(
      slice === undefined
        ? ['function', 'undefined', 'undefined']
        : ['undefined', 'function', 'number']
    );
  }
});
