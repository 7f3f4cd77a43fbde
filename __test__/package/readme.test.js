'use strict';

// What the READMEs quote is what the generated files say, losses included; what the pages name is there.

const fs = require('node:fs');
const path = require('node:path');
const { evidence, fill, languages, status } = require('../../scripts/readme');
const { FLOOR, FLOOR_TITLE } = require('../../bench/lib/contenders');
const kinds = require('../../bench/lib/kinds');
const { section } = require('../../bench/lib/report');

const root = path.join(__dirname, '..', '..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const words = languages['README.md'];
const titles = Object.keys(languages);

const contender = (name, title, host = null) => ({ name, title, host });
const bench = {
  title: 'Echo',
  kind: 'load',
  load: ['tcp', '--size', '64'],
  targets: [
    { metric: 'operationsPerSecond', atLeast: 1, times: 'node26' },
    { metric: 'cpuMicros', atMost: 0.85, times: 'node26' }
  ]
};
const cpu = () => ({ title: 'server CPU, us/operation', higher: false });

/** What bench/lib writes of a run in which one contender of ours met its target and one did not. */
function results({ floor = 1 } = {}) {
  const zeros = Object.fromEntries(kinds.load.metrics.map(({ name }) => [name, 0]));
  const took = (cpuMicros) => [{ ...zeros, operationsPerSecond: 1, p50Micros: 1, cpuMicros }];
  const text = section(bench, [
    { contender: contender('node26', 'Node 26.1.2'), samples: took(10) },
    { contender: contender('bun', 'Bun 1.4.0'), samples: took(4) },
    { contender: contender('ferronet20', 'ferronet on Node 20.1.2', 'node20'), samples: took(9) },
    { contender: contender('ferronet26', 'ferronet on Node 26.1.2', 'node26'), samples: took(5) },
    { contender: contender(FLOOR, FLOOR_TITLE), samples: took(floor) }
  ]);
  const area = (name, day) =>
    `## ${name}\n\n\`bench ${name}\`\n\n2026-${day}, a machine,\n2.5 GHz. Medians.\n\n${text}\n`;
  return `# Benchmark results\n\n${area('dgram', '11')}\n${area('http', '11')}\n${area('net', '12')}`;
}

test('benchmarks are quoted with their ratios, the best in bold, whoever that is', () => {
  const lines = evidence(words, results(), cpu).split('\n');
  const cells = (line) => line.split('|').map((cell) => cell.trim());
  expect(cells(lines[0]).slice(2, -1)).toEqual([
    'Node 26.1.2',
    'Bun 1.4.0',
    'ferronet on Node 20.1.2',
    'ferronet on Node 26.1.2'
  ]);
  expect(cells(lines[2]).slice(1, -1)).toEqual([
    'Echo: server CPU, us/operation',
    '10.00 (1.00)',
    '**4.00** (0.40)',
    '9.00 (0.90)',
    '5.00 (0.50)'
  ]);
});

test('a missed target is named, a met one is not, and the conditions are quoted', () => {
  const text = evidence(words, results(), cpu);
  const target = 'server CPU in us/operation: at most 0.85 x Node 26';
  const miss = `- Echo, ${target}. ferronet on Node 20.1.2: 0.90`;
  expect(text).toContain(`${words.missed}\n\n${[miss, miss, miss].join('\n')}\n\n`);
  const [first, second, ...more] = text.split('\n\n').filter((part) => part.startsWith('`bench'));
  expect(first).toBe('`bench dgram`, `bench http`: 2026-11, a machine,\n2.5 GHz.');
  expect(second).toBe('`bench net`: 2026-12, a machine,\n2.5 GHz.');
  expect(more).toEqual([]);
});

test('the floor has no column, but is named where it misses a target too', () => {
  const text = evidence(words, results({ floor: 9.5 }), cpu);
  expect(text).not.toContain(FLOOR_TITLE);
  expect(text).toContain('ferronet on Node 20.1.2: 0.90. The floor itself misses it: 0.95\n');
  expect(evidence(words, results(), cpu)).not.toContain('floor');
});

test('a metric that was not measured is an error, not a hole', () => {
  const other = () => ({ title: 'MB/s echoed', higher: true });
  expect(() => evidence(words, results(), other)).toThrow('no "MB/s echoed" of "Echo"');
});

test.each(titles)('%s: without results it says so', (title) => {
  expect(evidence(languages[title], null, cpu)).toBe(languages[title].unmeasured);
});

test('only what is built has a count of tests', () => {
  const conformance = {
    tree: '20.1.0',
    node: '20.2.0',
    modules: { net: { applicable: 4, pass: 3, rate: '75.0 %' } }
  };
  const text = status(words, { net: 'rust', dgram: 'node', ws: 'npm' }, conformance);
  expect(text).toContain('| `net` | **Rust** | 3 of 4 pass, 75.0 % |');
  expect(text).toContain('| `dgram` | Node, not built yet |  |');
  expect(text).toContain('| `ws` | npm, not built yet |  |');
});

test('a block replaces what its markers held, and without them it is an error', () => {
  const text = 'a\n<!-- x, written by b -->\n\nold\n\n<!-- end of x -->\nc\n';
  expect(fill(text, { x: 'new' })).toBe(text.replace('old', 'new'));
  expect(() => fill('a\n', { x: 'new' })).toThrow('no markers for x');
});

test.each(titles)('%s: the first runnable example is there by line 25', (title) => {
  const lines = read(title).split('\n').slice(0, 25);
  const shell = lines.indexOf('```sh');
  expect(lines.slice(shell + 1, lines.indexOf('```', shell))).toEqual(
    expect.arrayContaining([expect.stringMatching(/^node -r ferronet\/register /)])
  );
  const said = lines.join('\n');
  expect(said).toContain("+ const net = require('ferronet/net');");
});

test.each(titles)('%s: every file it links to is there', (title) => {
  const text = read(title);
  const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => link);
  expect(links).toContain('doc/architecture.md');
  expect(links.filter((link) => !fs.existsSync(path.join(root, link)))).toEqual([]);
});

describe('doc/architecture.md', () => {
  const text = read('doc/architecture.md');
  const quoted = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);

  test('every file it names is there', () => {
    const files = quoted(text).filter((name) => /^(src|lib|scripts)\/[\w./-]+$/.test(name));
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !fs.existsSync(path.join(root, file)))).toEqual([]);
  });

  test('every function on the way of one byte is in a file named beside it', () => {
    const steps = text.split('\n').filter((line) => /^\| \d+ /.test(line));
    const lost = steps.flatMap((line) => {
      const [, , functions, files] = line.split('|');
      const sources = quoted(files).map(read).join('\n');
      const names = quoted(functions).map((name) => /(\w+)\W*$/.exec(name.replace(/\(.*/, ''))[1]);
      return names.filter(
        (name) => files.includes('`') && !new RegExp(`\\b${name}\\b`).test(sources)
      );
    });
    expect(steps.length).toBeGreaterThan(12);
    expect(lost).toEqual([]);
  });
});
