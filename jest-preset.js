'use strict';

// `preset: 'ferronet'` for jest: what the preload does outside of it. jest replaces `require` as a
// whole and knows core modules by name, so the names are mapped where jest looks first.

const path = require('node:path');

const { status } = require('ferronet');

/** @type {Record<string, string>} */
const moduleNameMapper = {
  '^ferronet$': path.join(__dirname, 'dist/jest/index.js'),
  '^(node:)?perf_hooks$': path.join(__dirname, 'dist/jest/perf_hooks.js')
};
for (const [name, owner] of Object.entries(status())) {
  if (owner !== 'rust') continue;
  moduleNameMapper[`^(node:|ferronet/)?${name}$`] = path.join(__dirname, `dist/jest/${name}.js`);
}

module.exports = { moduleNameMapper };
