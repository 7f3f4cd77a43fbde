'use strict';

// Holds the arrows of doc/architecture.md and the house rules that a line of text can show.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { root } = require('../lib/internal/addon-file');

const MAX_LINES = 800;
const HOST = 'lib/internal/host.js';
const BINDING = 'lib/internal/binding.js';
/** Files that speak to Node's module loader itself, beneath the names. */
const LOADERS = [HOST, 'lib/register.js', 'lib/jest/'];
const BYTES = ['src/transport/', 'src/http1/', 'src/http2/', 'src/ws/', 'src/tls/'];

/**
 * A line matching `line` in a file under one of `where`, but not of `except`, breaks the rule.
 * @type {{ where: string[], except?: string[], line: RegExp, because: string }[]}
 */
const rules = [
  {
    where: BYTES,
    line: /\bnapi(_derive|_sys|::)?\b/,
    because: 'the transport side knows no napi; src/binding carries its events and commands'
  },
  {
    where: BYTES,
    line: /\bunsafe\b(?!_)/,
    because: 'unsafe belongs to src/runtime and src/binding'
  },
  {
    where: ['src/binding/'],
    line: /\btokio::net\b|\bstd::(net::\w+::(bind|connect)|fs)\b|\bSocket::new\(|\bsocket\.(?!as_raw_fd|map_or)\w+\(|\bsys::(listen|adopt|duplicate|take)\(|\blibc::(socket|bind|listen|accept4?|connect|send\w*|recv\w*|readv?|writev?)\(/,
    because: 'the binding touches no socket; src/transport does'
  },
  {
    where: ['lib/', 'bin/'],
    except: [BINDING, 'lib/internal/addon-file.js'],
    line: /\.node['"`]\s*\)|\bdlopen\(/,
    because: `the addon is loaded by ${BINDING} alone`
  },
  {
    where: ['lib/'],
    except: [HOST],
    line: /(require|import|getBuiltinModule|_load)\(\s*['"](node:)?(net|dgram|http|https|http2|tls)['"]/,
    because: `Node's own network modules are asked for in ${HOST} alone`
  },
  {
    where: ['lib/'],
    except: [HOST],
    line: /\bfrom\s+['"](node:)?(net|dgram|http|https|http2|tls)['"]/,
    because: `Node's own network modules are asked for in ${HOST} alone`
  },
  {
    where: ['lib/'],
    except: LOADERS,
    line: /\b_load\b|\bgetBuiltinModule\b|\bprocess\.binding\b/,
    because: "Node's module loader is the preload's business"
  }
];

/**
 * @param {string} file relative to the package's root, with slashes
 * @param {string} text
 * @returns {string[]} what is wrong, one line each
 */
function check(file, text) {
  const lines = text.split('\n');
  const problems = [];
  const report = (line, because) => problems.push(`${file}:${line}: ${because}`);
  const length = lines.length - (text.endsWith('\n') ? 1 : 0);

  if (length > MAX_LINES) report(length, `longer than ${MAX_LINES} lines`);
  if (!opensWithComment(lines)) report(1, 'opens without a sentence on its place');
  const under = (paths = []) => paths.some((prefix) => file.startsWith(prefix));
  // Declarations ask for nothing at run time.
  if (file.endsWith('.d.ts')) return problems;
  const applying = rules.filter(({ where, except }) => under(where) && !under(except));
  lines.forEach((line, index) => {
    const code = line.replace(/\/\*.*?\*\//g, '');
    if (isComment(code)) return;
    for (const rule of applying) if (rule.line.test(code)) report(index + 1, rule.because);
  });
  return problems;
}

function opensWithComment(lines) {
  const first = lines.find(
    (line) => line.trim() !== '' && !line.startsWith('#!') && !/^['"]use strict['"];$/.test(line)
  );
  return first !== undefined && /^(\/\/|\/\*|#(?!\[))/.test(first);
}

function isComment(line) {
  return /^\s*(\/\/|\/?\*|#\s)/.test(line);
}

/** What the manifests must agree on and must not contain. */
function checkManifests(read) {
  const manifest = JSON.parse(read('package.json'));
  const crate = /^version = "(.*)"$/m.exec(read('Cargo.toml'))?.[1];
  const problems = [];
  if (manifest.version !== crate) {
    problems.push(`package.json is ${manifest.version}, Cargo.toml ${crate}`);
  }
  for (const kind of ['dependencies', 'optionalDependencies', 'bundleDependencies']) {
    if (manifest[kind] !== undefined) problems.push(`package.json: no ${kind} at run time`);
  }
  if (/"resolved": "\w+:\/\//.test(read('package-lock.json'))) {
    problems.push('package-lock.json names a registry host; delete it and install again');
  }
  return problems;
}

/** Source files that git knows or would know. */
function sources() {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8'
  });
  return listed
    .split('\n')
    .filter((file) => /\.(rs|[cm]?js|[cm]?ts|sh)$|^\.ci\/run$/.test(file))
    .filter((file) => fs.existsSync(path.join(root, file)));
}

module.exports = { check, checkManifests };

if (require.main === module) {
  const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
  const problems = sources().flatMap((file) => check(file, read(file)));
  problems.push(...checkManifests(read));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
