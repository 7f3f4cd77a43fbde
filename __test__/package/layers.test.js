'use strict';

// scripts/check-layers.js: each rule finds what it is there for.

const { check, checkManifests } = require('../../scripts/check-layers');

const JS = "'use strict';\n\n// Its place.\n\n";
const RUST = '//! Its place.\n\n';

test.each([
  ['napi in the transports', 'src/transport/tcp.rs', `${RUST}use napi::Env;\n`],
  ['unsafe in the transports', 'src/transport/tcp.rs', `${RUST}unsafe { work() }\n`],
  ['a socket call in the binding', 'src/binding/tcp.rs', `${RUST}libc::send(fd, a, b, 0);\n`],
  ['a bind in the binding', 'src/binding/tcp.rs', `${RUST}socket.bind(&address)?;\n`],
  ['a file in the binding', 'src/binding/tcp.rs', `${RUST}std::fs::metadata(path)?;\n`],
  ['the addon loaded elsewhere', 'lib/net/x.js', `${JS}require('../../ferronet.node');\n`],
  ["Node's net required", 'lib/net/x.js', `${JS}const net = require('node:net');\n`],
  ["Node's http required, old name", 'lib/http/x.js', `${JS}const http = require('http');\n`],
  ["Node's tls imported", 'lib/tls/x.mjs', "// Its place.\nimport tls from 'tls';\n"],
  ['the loader called', 'lib/net/x.js', `${JS}process.getBuiltinModule(name);\n`],
  ['no opening sentence', 'lib/net/x.js', "'use strict';\n\nconst a = 1;\n"],
  ['an attribute for an opening', 'src/a.rs', '#![allow(dead_code)]\n'],
  ['801 lines', 'lib/net/x.js', `${JS}${'\n'.repeat(797)}`]
])('%s is a problem', (what, file, text) => {
  expect(check(file, text)).toEqual([expect.stringMatching(`^${file}:\\d+: `)]);
});

test.each([
  ['napi in a comment', 'src/transport/tcp.rs', `${RUST}// napi is not used here\n`],
  ['napi in the binding', 'src/binding/tcp.rs', `${RUST}use napi::Env;\n`],
  [
    'helpers through the host file',
    'lib/internal/host.js',
    `${JS}load('net');\nrequire('node:net');\n`
  ],
  ['a type', 'lib/net/x.js', `${JS}const a = /** @type {import('node:net')} */ (b);\n`],
  ['the own net', 'lib/index.js', `${JS}require('./net');\n`],
  ['800 lines', 'lib/net/x.js', `${JS}${'\n'.repeat(796)}`],
  ['a script with an interpreter', 'bin/x.js', `#!/usr/bin/env node\n${JS}`]
])('%s is none', (what, file, text) => {
  expect(check(file, text)).toEqual([]);
});

describe('the manifests', () => {
  const files = {
    'package.json': JSON.stringify({ version: '1.2.3' }),
    'Cargo.toml': '[package]\nversion = "1.2.3"\n',
    'package-lock.json': '{}'
  };
  const problems = (changed) => checkManifests((name) => ({ ...files, ...changed })[name]);

  test('that agree are none', () => expect(problems()).toEqual([]));

  test.each([
    ['two versions', { 'Cargo.toml': 'version = "1.2.4"\n' }],
    ['a dependency at run time', { 'package.json': '{ "version": "1.2.3", "dependencies": {} }' }],
    ['a registry in the lock file', { 'package-lock.json': '"resolved": "https://a.example/b"' }]
  ])('%s is a problem', (what, changed) => expect(problems(changed)).toHaveLength(1));
});
