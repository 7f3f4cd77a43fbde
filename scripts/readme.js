'use strict';

// Writes the parts of the READMEs that are quoted and not written: which modules are Rust, how many
// of Node's tests pass, what the benchmarks measured. `--check` only compares.

const fs = require('node:fs');
const path = require('node:path');

const { root } = require('../lib/internal/addon-file');
const modules = require('../lib/internal/modules');

/** By file: the words around the quotes. What the generated files say is quoted as it is there. */
const languages = {
  'README.md': {
    status: ['Module', 'Served by', "Node's own tests, applicable"],
    owners: { rust: '**Rust**', node: 'Node, not built yet', npm: 'npm, not built yet' },
    passed: ({ pass, applicable, rate }) => `${pass} of ${applicable} pass, ${rate}`,
    tests: ({ tree, node }) =>
      `Tests of Node ${tree}, run by Node ${node} under the preload. ` +
      'Those that do not pass, with reasons: [conformance/failures.md](conformance/failures.md).',
    benchmark: 'Benchmark',
    legend: (baseline) =>
      `Medians; in parentheses times ${baseline}, taken within each round. The best of a row is bold. ` +
      'Spreads and the other measurements: [bench/results.md](bench/results.md).',
    missed: 'Targets missed:',
    unmeasured: 'No results are committed yet; `npm run bench` measures and prints them.'
  },
  'README.zh-CN.md': {
    status: ['模块', '由谁实现', 'Node 自带的测试（适用部分）'],
    owners: { rust: '**Rust**', node: 'Node，尚未实现', npm: 'npm，尚未实现' },
    passed: ({ pass, applicable, rate }) => `${applicable} 个中通过 ${pass} 个，${rate}`,
    tests: ({ tree, node }) =>
      `测试取自 Node ${tree}，由 Node ${node} 在预加载下运行。` +
      '没有通过的测试及原因：[conformance/failures.md](conformance/failures.md)。',
    benchmark: '基准测试',
    legend: (baseline) =>
      `数值为中位数；括号内是同一轮中与 ${baseline} 之比；每行最好的一项加粗。` +
      '波动范围和其他数据：[bench/results.md](bench/results.md)。',
    missed: '未达到的目标：',
    unmeasured: '尚未提交测量结果；`npm run bench` 会测量并打印。'
  }
};

/** @returns {string} a table of every module name, and where the numbers in it come from */
function status(words, owners, conformance) {
  const rows = Object.entries(owners).map(([name, owner]) => {
    const tests = owner === 'rust' ? conformance.modules[name] : undefined;
    return [`\`${name}\``, words.owners[owner], tests === undefined ? '' : words.passed(tests)];
  });
  return `${table(words.status, rows)}\n\n${words.tests(conformance)}`;
}

/**
 * @param {string | null} results what bench/results.md says, null where it is not there
 * @param {(area: string, title: string) => { title: string, higher: boolean }} choose the metric to
 *   quote of a benchmark
 * @returns {string} a table with one row for each benchmark and a column for each contender that
 *   runs a program, and which targets were missed
 */
function evidence(words, results, choose) {
  if (results === null) return words.unmeasured;
  const { conditions, benches } = parseResults(results);
  const { contenders } = benches[0];
  const rows = benches.map((bench) => {
    const metric = choose(bench.area, bench.title);
    return [`${bench.title}: ${metric.title}`, ...cells(bench, metric)];
  });
  const [ratios] = benches.map(({ ratioTitle }) => ratioTitle).filter(Boolean);
  const parts = [table([words.benchmark, ...contenders], rows), words.legend(ratios)];
  const misses = benches.flatMap(({ title, missed }) =>
    missed.map((line) => `- ${title}, ${line}`)
  );
  if (misses.length > 0) parts.push(words.missed, misses.join('\n'));
  return [...parts, ...inShort(conditions)].join('\n\n');
}

/** Which commands measured on which machine, on which day: areas that were measured alike are told together. */
function inShort(conditions) {
  const commands = new Map();
  for (const text of conditions) {
    const [command, rest] = text.split('\n\n');
    const [machine] = rest.split(/\.\s/);
    commands.set(machine, [...(commands.get(machine) ?? []), command]);
  }
  return [...commands].map(([machine, run]) => `${run.join(', ')}: ${machine}.`);
}

/** The medians of one metric, and their ratios where results.md has them right below. */
function cells({ title, rows }, metric) {
  const at = rows.findIndex(([name]) => name === metric.title);
  if (at < 0) throw new Error(`bench/results.md has no "${metric.title}" of "${title}"`);
  const medians = rows[at].slice(1).map(median);
  const below = rows[at + 1]?.[0].startsWith('x ') ? rows[at + 1].slice(1) : [];
  const values = medians.map((text) => Number(text.replaceAll(',', '')));
  const best = metric.higher ? Math.max(...values) : Math.min(...values);
  return medians.map((text, index) => {
    const shown = values[index] === best ? `**${text}**` : text;
    return below[index] ? `${shown} (${median(below[index])})` : shown;
  });
}

/** `**3.94** (3.90..4.02)` as `3.94`. */
function median(cell) {
  return /^\*\*(.+?)\*\*/.exec(cell)?.[1] ?? cell;
}

/** Reads back what bench/lib/report.js and bench/lib/results.js write. */
function parseResults(text) {
  const conditions = [];
  const benches = [];
  for (const section of text.split(/^## /m).slice(1)) {
    const [head, ...parts] = section.split(/^### /m);
    const [area, ...said] = head.split('\n');
    conditions.push(said.join('\n').trim());
    benches.push(...parts.map((part) => parseBench(area, part)));
  }
  if (benches.length === 0) throw new Error('bench/results.md has no benchmark in it');
  return { conditions, benches };
}

function parseBench(area, text) {
  const lines = text.split('\n');
  const [head, , ...all] = lines.filter((line) => line.startsWith('|')).map(split);
  const floor = head.indexOf(bench('lib', 'contenders').FLOOR_TITLE);
  const [contenders, ...rows] = [head, ...all].map((row) => row.filter((_, at) => at !== floor));
  return {
    area,
    title: lines[0],
    contenders: contenders.slice(1),
    rows,
    ratioTitle: rows
      .map(([name]) => name)
      .find((name) => name.startsWith('x '))
      ?.slice(2),
    missed: lines.flatMap(missed)
  };
}

/** The target that a line is about, if it is about one that was missed, and by whom: the floor too. */
function missed(line) {
  const target = /^Target: (.+?)\. /.exec(line);
  if (target === null) return [];
  const verdicts = line.slice(target[0].length);
  const misses = [...verdicts.matchAll(/(?<=^|\. )([^:]+: [\d.,]+), MISS\./g)];
  if (misses.length === 0) return [];
  const [floor] = /(?<=\. )The floor itself misses it: [\d.,]*\d/.exec(verdicts) ?? [];
  const said = [target[1], misses.map(([, miss]) => miss).join('; '), floor];
  return [said.filter(Boolean).join('. ')];
}

function split(line) {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The metric that a benchmark is held to, else the plainest one it has. */
function quoted(area, title) {
  const one = bench('areas', area).find((one) => one.title === title);
  if (one === undefined) throw new Error(`bench/areas/${area}.js has no "${title}"`);
  const metrics = bench('lib', 'kinds')[one.kind].metrics;
  const { name, title: words } =
    metrics.find((metric) => metric.name === one.targets?.[0].metric) ??
    metrics.find((metric) => metric.when?.(one)) ??
    metrics[0];
  return { title: words, higher: name.endsWith('PerSecond') };
}

function bench(...names) {
  return require(path.join(root, 'bench', ...names));
}

function table(head, rows) {
  const rule = head.map((_, column) => (column === 0 ? '---' : ':--'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Puts each block between its markers: `<!-- NAME, written by ... -->`, `<!-- end of NAME -->`. */
function fill(text, blocks) {
  return Object.entries(blocks).reduce((filled, [name, block]) => {
    const between = new RegExp(`(<!-- ${name}, .*-->\n)[^]*?(<!-- end of ${name} -->)`);
    if (!between.test(filled)) throw new Error(`there are no markers for ${name}`);
    return filled.replace(between, (_, start, end) => `${start}\n${block}\n\n${end}`);
  }, text);
}

function read(...names) {
  const file = path.join(root, ...names);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
}

async function main() {
  const prettier = await import('prettier');
  const conformance = JSON.parse(read('conformance', 'results.json'));
  for (const [file, words] of Object.entries(languages)) {
    const text = read(file);
    const filled = fill(text, {
      status: status(words, modules.status(), conformance),
      benchmarks: evidence(words, read('bench', 'results.md'), quoted)
    });
    const options = await prettier.resolveConfig(path.join(root, file));
    const wanted = await prettier.format(filled, { ...options, filepath: file });
    if (text === wanted) continue;
    if (!process.argv.includes('--check')) fs.writeFileSync(path.join(root, file), wanted);
    else throw new Error(`${file} does not quote what is measured: run \`npm run readme\``);
  }
}

module.exports = { evidence, fill, languages, status };

if (require.main === module) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
