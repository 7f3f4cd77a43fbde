'use strict';

// Makes dist/, what the package's `exports` name, from lib/. Node takes 0.3 to 0.4 ms to find and load a
// file, so the parts of a module are one file there (a chunk); what is asked for by its name stays a
// file of its own, with the same text, for Node's lexer to find its names for `import`.

const fs = require('node:fs');
const path = require('node:path');

const { root } = require('../lib/internal/addon-file');

/** What is asked for from outside, or by a path made while running. */
const ENTRIES = /^(?:(?:index|register|[\w-]+\/index|jest\/\w+)\.js|.*\.mjs)$/;
/** The chunk that every other one asks for most of what it needs. */
const INTERNAL = 'chunks/internal.js';
const OWN_REQUIRE = /\brequire\('(\.{1,2}\/[^']+)'\)/g;
/**
 * What would mean something else in a part.
 * @type {[RegExp, string][]}
 */
const REFUSED = [
  [/^(?!'use strict';\n)/, "does not begin with 'use strict'"],
  [/\b__filename\b/, 'asks for its own name, which a part of a chunk has not'],
  [/(?<![.\w])exports[.[]/, 'exports otherwise than by module.exports'],
  [/\brequire(\.resolve)?\(\s*["'`]\.{1,2}\//, 'requires in a form that is not known here'],
  [/^[^*\n]*\bimport\(\s*["'`]\.{1,2}\//m, 'imports, which a part of a chunk cannot']
];
const NOTICE = '// Made from lib/ by scripts/bundle.js, which says why: not to be edited.\n';

/**
 * Brings dist/ up to date; what is up to date is not written.
 * @param {string} [folder] the one with lib/ and dist/
 */
function bundle(folder = root) {
  const dist = path.join(folder, 'dist');
  const wanted = generate(path.join(folder, 'lib'));
  for (const name of listFiles(dist)) {
    const [, writer] = /\.m?js\.(\d+)$/.exec(name) ?? [];
    const isGone = writer === undefined ? !wanted.has(name) : !isAlive(Number(writer));
    if (isGone) fs.rmSync(path.join(dist, name), { force: true });
  }
  for (const [name, text] of wanted) writeIfChanged(path.join(dist, name), text);
}

/** @returns {Map<string, string>} The text of each file of dist/, by its path there. */
function generate(lib) {
  const names = listFiles(lib)
    .filter((name) => /\.m?js$/.test(name))
    .sort();
  const files = new Map();
  const chunks = new Map();
  for (const name of names) {
    const text = fs.readFileSync(path.join(lib, name), 'utf8');
    const chunk = chunkOf(name);
    if (chunk === null) files.set(name, redirect(name, text, names));
    else chunks.set(chunk, (chunks.get(chunk) ?? '') + makePart(name, text, names));
  }
  for (const [chunk, parts] of chunks) files.set(chunk, makeChunk(parts));
  return files;
}

/** @returns {string | null} the chunk that a file of lib/ is part of: each folder is one */
function chunkOf(name) {
  return ENTRIES.test(name) ? null : `chunks/${path.dirname(name)}.js`;
}

/** In parentheses V8 compiles a function at once, not a second time when it is called. */
function makePart(name, text, names) {
  if (name.split('/').length !== 2) throw new Error(`lib/${name} is not in a folder of lib/`);
  const rest = text.replace(OWN_REQUIRE, '');
  const refused = REFUSED.find(([form]) => form.test(rest));
  if (refused !== undefined) throw new Error(`lib/${name} ${refused[1]}`);
  return `
'${name}': (function (module, __dirname) {
${redirect(name, text, names)}
}),
`;
}

/** A chunk is a function that gives a part's exports by its name: `require('./chunks/net.js')('net/socket.js')`. */
function makeChunk(parts) {
  return `${NOTICE}'use strict';

const $dist = require('node:path').dirname(__dirname);
${parts.includes('$internal(') ? "const $internal = require('./internal.js');\n" : ''}
const $parts = {${parts}};

const $loaded = {};

module.exports = $load;

function $load(name) {
  if ($loaded[name] !== undefined) return $loaded[name].exports;
  const module = ($loaded[name] = { exports: {} });
  let failed = true;
  try {
    $parts[name](module, \`\${$dist}/\${name.slice(0, name.lastIndexOf('/'))}\`);
    failed = false;
  } finally {
    // As with require(), what has thrown is run again when it is asked for again.
    if (failed) delete $loaded[name];
  }
  return module.exports;
}
`;
}

/** The text of a file with its requires of other files of lib/ as they are to be asked for in dist/. */
function redirect(name, text, names) {
  const chunk = chunkOf(name);
  const from = path.posix.dirname(chunk ?? name);
  return text.replace(OWN_REQUIRE, (_, specifier) => {
    const target = resolve(name, specifier, names);
    const targetChunk = chunkOf(target);
    if (targetChunk !== null && targetChunk === chunk) return `$load('${target}')`;
    // Once per chunk: Node takes 20 us to find what is loaded.
    if (targetChunk === INTERNAL && chunk !== null) return `$internal('${target}')`;
    const file = path.posix.relative(from, targetChunk ?? target);
    const loaded = `require('${file.startsWith('.') ? file : `./${file}`}')`;
    return targetChunk === null ? loaded : `${loaded}('${target}')`;
  });
}

function resolve(name, specifier, names) {
  const plain = path.posix.join(path.posix.dirname(name), specifier);
  const found = [plain, `${plain}.js`, `${plain}/index.js`].find((file) => names.includes(file));
  if (found === undefined) throw new Error(`lib/${name} requires ${specifier}, which is not there`);
  return found;
}

/** @returns {string[]} The files in a folder, by their paths there. */
function listFiles(folder, prefix = '') {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const { name } = entry;
    const below = path.join(folder, name);
    return entry.isDirectory() ? listFiles(below, `${prefix}${name}/`) : [`${prefix}${name}`];
  });
}

/** Whether the process that writes a file is still there. */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Renamed into place: somebody may be loading it. */
function writeIfChanged(file, text) {
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  fs.writeFileSync(fresh, text);
  fs.renameSync(fresh, file);
}

module.exports = { bundle, generate };

if (require.main === module) bundle();
