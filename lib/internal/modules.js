'use strict';

// The one list of the module names ferronet stands for: which are built, where they are, and who
// answers for the others today. The entry, the preload, the jest preset and the CLI read it here.

const path = require('node:path');

/**
 * In the order of the data flow. `file` is relative to lib/ and there only when the module is built;
 * `otherwise` names who answers until then.
 * @type {{ name: string, file?: string, otherwise?: 'node' | 'npm' }[]}
 */
const table = [
  { name: 'net', file: 'net/index.js' },
  { name: 'dgram', file: 'dgram/index.js' },
  { name: 'tls', otherwise: 'node' },
  { name: 'http', file: 'http/index.js' },
  { name: 'https', otherwise: 'node' },
  { name: 'http2', otherwise: 'node' },
  { name: 'fetch', otherwise: 'node' },
  { name: 'ws', otherwise: 'npm' }
];

const lib = path.dirname(__dirname);

/** The built modules by name, each loaded when first touched. */
const built = {};
/** Every specifier that means a built module, with the absolute path of its file. */
const replaced = new Map();

for (const { name, file } of table) {
  if (file === undefined) continue;
  const absolute = path.join(lib, file);
  Object.defineProperty(built, name, { enumerable: true, get: () => require(absolute) });
  replaced.set(name, absolute).set(`node:${name}`, absolute);
}

/** @returns {Record<string, 'rust' | 'node' | 'npm'>} Whose code each module name means today. */
function status() {
  return Object.fromEntries(
    table.map(({ name, file, otherwise }) => [name, file === undefined ? otherwise : 'rust'])
  );
}

module.exports = { built, replaced, status };
