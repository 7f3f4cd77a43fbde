'use strict';

// dist/, which is what the package gives: made of every file of lib/, few files to load, the same names.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { bundle } = require('../../scripts/bundle');
const { report, root } = require('../support/child');

let folder;

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-bundle-')));
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

function write(files) {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, 'lib', name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
}

const program = (script) => report({ script }, { cwd: folder });
const inDist = (name) => path.join(folder, 'dist', name);

describe('a module of few files', () => {
  test.each([
    ['net', ['chunks/internal.js', 'chunks/net.js', 'net/index.js']],
    ['dgram', ['chunks/dgram.js', 'chunks/internal.js', 'dgram/index.js']],
    [
      'http',
      [
        ...['chunks/http.js', 'chunks/internal.js', 'chunks/net.js'],
        ...['http/index.js', 'net/index.js']
      ]
    ]
  ])('%s', async (name, expected) => {
    const script = `
      require('ferronet/${name}');
      console.log(JSON.stringify(Object.keys(require.cache)));`;
    const loaded = await report({ script }, { cwd: root });
    const files = loaded.filter((file) => file.endsWith('.js'));
    expect(files.map((file) => path.relative(path.join(root, 'dist'), file)).sort()).toEqual(
      expected
    );
  });
});

test('parts find each other and other chunks, late ones when they are asked for', async () => {
  write({
    'one/index.js': "const { a } = require('./a');\nmodule.exports = { a };\n",
    'one/a.js':
      "const b = require('../internal/b');\nexports_of_b = () => b;\n" +
      "const late = () => require('../two/c').c;\nmodule.exports = { a: { b, late } };\n",
    'internal/b.js': 'module.exports = __dirname;\n',
    'two/c.js': "globalThis.seen = true;\nmodule.exports = { c: require('./d') };\n",
    'two/d.js': "module.exports = 'd';\n"
  });
  bundle(folder);
  const result = await program(`
    globalThis.exports_of_b = null;
    const { a } = require('./dist/one');
    const before = globalThis.seen === true;
    console.log(JSON.stringify([before, a.late(), globalThis.seen, a.b]));`);
  expect(result).toEqual([false, 'd', true, inDist('internal')]);
});

test('parts that need each other see what the other has by then, as with require()', async () => {
  write({
    'one/index.js': "module.exports = require('./a');\n",
    'one/a.js':
      "module.exports = { early: true, get: () => b };\nconst b = require('./b');\nmodule.exports.late = true;\n",
    'one/b.js': "const a = require('./a');\nmodule.exports = { had: Object.keys(a) };\n"
  });
  bundle(folder);
  const script = "console.log(JSON.stringify(require('./dist/one').get()));";
  expect(await program(script)).toEqual({ had: ['early', 'get'] });
});

test('what has thrown while it was loaded is run again, and throws again', async () => {
  write({
    'one/index.js': "module.exports = require('./a');\n",
    'one/a.js': "globalThis.runs = (globalThis.runs ?? 0) + 1;\nthrow new Error('not today');\n"
  });
  bundle(folder);
  const messages = await program(`
    const messages = [];
    for (let i = 0; i < 2; i++) {
      try { require('./dist/one'); } catch (error) { messages.push(error.message); }
    }
    console.log(JSON.stringify([...messages, runs]));`);
  expect(messages).toEqual(['not today', 'not today', 2]);
});

test('what is gone from lib/ goes from dist/, and what is unchanged is not written', () => {
  write({ 'one/index.js': "require('./a');\n", 'one/a.js': '', 'index.js': '' });
  bundle(folder);
  const kept = fs.statSync(inDist('index.js')).ino;
  expect(fs.existsSync(inDist('chunks/one.js'))).toBe(true);
  fs.rmSync(path.join(folder, 'lib', 'one'), { recursive: true });
  bundle(folder);
  expect(fs.existsSync(inDist('chunks/one.js'))).toBe(false);
  expect(fs.existsSync(inDist('one/index.js'))).toBe(false);
  expect(fs.statSync(inDist('index.js')).ino).toBe(kept);
});

test('a require that leads nowhere, or a part that asks for its own name, is refused', () => {
  write({ 'one/a.js': "require('./none');\n" });
  expect(() => bundle(folder)).toThrow('lib/one/a.js requires ./none, which is not there');
  write({ 'one/a.js': 'module.exports = __filename;\n' });
  expect(() => bundle(folder)).toThrow('lib/one/a.js asks for its own name');
});
