'use strict';

// `npm run lint`: every check that reads the sources without running them.

const path = require('node:path');

const { command, runSteps } = require('./tally');

const script = (title, ...args) => ({ title, run: () => command(process.execPath, args) });
const tool = (name, ...args) => ({
  title: name,
  run: () => command(path.join('node_modules', '.bin', name), args)
});
const cargo = (title, ...args) => ({ title, run: () => command('cargo', args) });
/** Crates beside the addon, of which codec and fuzz compile its parser. */
const others = ['bench/loadgen', 'bench/codec', 'fuzz'];
const manifest = (crate) => ['--manifest-path', `${crate}/Cargo.toml`];
const strict = ['--locked', '--all-targets', '--', '-D', 'warnings'];

runSteps([
  script('layers', 'scripts/check-layers.js'),
  tool('prettier', '--check', '--log-level', 'warn', '.'),
  tool('eslint', '--max-warnings', '0', '.'),
  script('readme', 'scripts/readme.js', '--check'),
  script('addon types', 'scripts/addon-types.js', '--check'),
  tool('tsc', '-p', '.'),
  cargo('rustfmt', 'fmt', '--check'),
  ...others.map((crate) => cargo(`rustfmt, ${crate}`, 'fmt', '--check', ...manifest(crate))),
  cargo('clippy', 'clippy', ...strict),
  ...others.map((crate) => cargo(`clippy, ${crate}`, 'clippy', ...manifest(crate), ...strict))
]);
