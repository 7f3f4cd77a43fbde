// Turns results into what people read: tables and lists, the baselines, and the committed pages.

import fs from 'node:fs';

import { moduleOf } from './classify.mjs';

/**
 * Prints a row for each group and one for all: the applicable tests by status, then how many
 * there are of the other classes.
 */
export function table(title, tests, results, groupOf) {
  const groups = [...new Set(tests.map(groupOf))];
  const kinds = [...new Set(tests.map((test) => test.class))];
  const others = kinds.filter((kind) => kind !== 'applicable').sort();
  const row = (label, members) => {
    const applicable = members.filter((test) => test.class === 'applicable');
    const statuses = applicable.map((test) => results[test.name]?.status);
    const count = (status) => statuses.filter((it) => it === status).length;
    return [
      label,
      applicable.length,
      count('pass'),
      applicable.length ? percent(count('pass'), applicable.length) : '-',
      ...['fail', 'timeout', 'skip'].map(count),
      ...others.map((kind) => members.filter((test) => test.class === kind).length)
    ];
  };
  const rows = [
    [title, 'applicable', 'pass', '', 'fail', 'timeout', 'skip', ...others],
    ...groups.map((group) =>
      row(
        group,
        tests.filter((test) => groupOf(test) === group)
      )
    ),
    ...(groups.length > 1 ? [row('all', tests)] : [])
  ].map((cells) => cells.map(String));
  const widths = rows[0].map((_, i) => Math.max(...rows.map((cells) => cells[i].length)));
  for (const cells of rows) {
    const padded = cells.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
    console.log(`| ${padded.join(' | ')} |`);
  }
  console.log();
}

/** Prints a title, how many tests there are, and the name of each. */
export function list(title, tests) {
  console.log(`${title}: ${tests.length}${tests.map(({ name }) => `\n  ${name}`).join('')}`);
}

/** A baseline: {node, tree, tests: {name: status}}; one that is not there yet has no tests. */
export function readBaseline(file) {
  return fs.existsSync(file) ? readJson(file) : { tests: {} };
}

/** One test a line, so that a diff shows what changed. */
export function writeBaseline(file, header, statuses) {
  const tests = Object.fromEntries(Object.entries(statuses).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeJson(file, { ...header, tests });
}

/** Statuses as {module: {applicable, pass, rate, failing: [[name, status]]}}. */
export function byModule(statuses, modules) {
  const counted = {};
  for (const module of modules) {
    const tests = Object.entries(statuses).filter(([name]) => moduleOf(name) === module);
    const failing = tests.filter(([, status]) => status !== 'pass').sort();
    const [applicable, pass] = [tests.length, tests.length - failing.length];
    if (applicable)
      counted[module] = { applicable, pass, rate: percent(pass, applicable), failing };
  }
  return counted;
}

/** The numbers that the README quotes. */
export function writeResults(file, header, counted) {
  const numbers = Object.entries(counted).map(([module, { failing, ...rest }]) => [module, rest]);
  writeJson(file, { ...header, modules: Object.fromEntries(numbers) });
}

/** The page of what does not pass, and why. */
export function writeFailures(file, { tree }, counted, reasons) {
  const sections = Object.entries(counted).map(([module, { applicable, pass, rate, failing }]) => {
    const lines = failing.map(([name, status]) => `- \`${name}\` (${status}): ${reasons[name]}\n`);
    const body = lines.join('') || 'Every applicable test passes.\n';
    return `\n## ${module}: ${pass} of ${applicable} pass, ${rate}\n\n${body}`;
  });
  const intro = `# Applicable tests that do not pass

Of Node ${tree}'s own. Written by \`npm run conformance -- --update\`; the reasons are kept by hand in
\`reasons.json\`.
`;
  fs.writeFileSync(file, intro + sections.join(''));
}

export function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function writeJson(file, value) {
  fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Rounded down: 100.0 % are all of them. */
function percent(part, whole) {
  return `${(Math.floor((1000 * part) / whole) / 10).toFixed(1)} %`;
}
