'use strict';

// Keeps bench/results.md, a section for each area; a run replaces the areas it measured.

const fs = require('node:fs');
const path = require('node:path');

const file = path.join(__dirname, '..', 'results.md');
const HEADER = `# Benchmark results

Written by \`npm run bench -- --save\`; what is measured, and how, is in [README.md](README.md).
`;

/** @param {Map<string, string>} sections area name to markdown */
function save(sections) {
  const kept = new Map([...read(), ...sections]);
  const names = [...kept.keys()].sort();
  const parts = names.map((name) => `## ${name}\n\n${kept.get(name).trim()}\n`);
  fs.writeFileSync(file, [HEADER, ...parts].join('\n'));
  return path.relative(process.cwd(), file);
}

function read() {
  if (!fs.existsSync(file)) return [];
  const [, ...parts] = fs.readFileSync(file, 'utf8').split(/^## /m);
  return parts.map((part) => {
    const end = part.indexOf('\n');
    return [part.slice(0, end), part.slice(end + 1)];
  });
}

module.exports = { save };
