'use strict';

// Finds, loads and checks the native addon; the only way from JavaScript to Rust.

const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');

const { candidates, root } = require('./addon-file');

/** @type {typeof import('./addon')} */
module.exports = load();

function load() {
  // Read, not required: that takes as long as to load the addon.
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const files = candidates().filter((file) => fs.existsSync(file));
  if (files.length === 0) {
    throw failure(`there is no native addon for ${process.platform}-${process.arch}`);
  }

  const causes = [];
  for (const file of files) {
    let addon;
    try {
      addon = require(file);
    } catch (cause) {
      causes.push(cause);
      continue;
    }
    if (addon.version() === version) return addon;
    causes.push(new Error(`${file} is version ${addon.version()}, the package ${version}`));
  }
  throw failure(causes.map((cause) => cause.message).join('; '), causes[0]);
}

function failure(what, cause) {
  const error = new Error(
    `ferronet cannot load its native addon: ${what}. ` +
      'Run `npm rebuild ferronet` (in a checkout: `npm run build`) to build it; ' +
      'this needs Rust (https://rustup.rs).',
    { cause }
  );
  return Object.assign(error, { code: 'ERR_FERRONET_ADDON' });
}
