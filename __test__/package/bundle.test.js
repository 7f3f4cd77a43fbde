'use strict';

// dist/, which is what the package gives: made of every file of lib/, few files to load, the same names.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { buildTarget } = require('../../lib/internal/addon-file');
const { bundle } = require('../../scripts/bundle');
const { report, root } = require('../support/child');

const STRICT = "'use strict';\n";
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

const writeStrict = (files) =>
  write(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, STRICT + text])));
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
  writeStrict({
    'one/index.js': "const { a } = require('./a');\nmodule.exports = { a };\n",
    'one/a.js':
      "const b = require('../internal/b');\n" +
      "const late = () => require('../two/c').c;\nmodule.exports = { a: { b, late } };\n",
    'internal/b.js': 'module.exports = __dirname;\n',
    'two/c.js': "globalThis.seen = true;\nmodule.exports = { c: require('./d') };\n",
    'two/d.js': "module.exports = 'd';\n"
  });
  bundle(folder);
  const result = await program(`
    const { a } = require('./dist/one');
    const before = globalThis.seen === true;
    console.log(JSON.stringify([before, a.late(), globalThis.seen, a.b]));`);
  expect(result).toEqual([false, 'd', true, inDist('internal')]);
});

test('parts that need each other see what the other has by then, as with require()', async () => {
  writeStrict({
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
  writeStrict({
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
  writeStrict({ 'one/index.js': "require('./a');\n", 'one/a.js': '', 'index.js': '' });
  bundle(folder);
  const kept = fs.statSync(inDist('index.js')).ino;
  expect(fs.existsSync(inDist('chunks/one.js'))).toBe(true);
  fs.rmSync(path.join(folder, 'lib', 'one'), { recursive: true });
  bundle(folder);
  expect(fs.existsSync(inDist('chunks/one.js'))).toBe(false);
  expect(fs.existsSync(inDist('one/index.js'))).toBe(false);
  expect(fs.statSync(inDist('index.js')).ino).toBe(kept);
});

describe('what would mean something else in a chunk is refused', () => {
  test.each([
    ["require('./none');", 'lib/one/a.js requires ./none, which is not there'],
    ['module.exports = __filename;', 'asks for its own name'],
    ['exports.a = 1;', 'exports otherwise'],
    ['require("./b");', 'requires in a form'],
    ["require(\n  './b'\n);", 'requires in a form'],
    ["require.resolve('./b');", 'requires in a form'],
    ["const b = await import('./b.js');", 'imports']
  ])('%s', (code, message) => {
    write({ 'one/a.js': `'use strict';\n${code}\n`, 'one/b.js': STRICT });
    expect(() => bundle(folder)).toThrow(message);
  });

  test('sloppy mode, a folder in a folder', () => {
    write({ 'one/a.js': 'x = 1;\n' });
    expect(() => bundle(folder)).toThrow("does not begin with 'use strict'");
    write({ 'one/a.js': STRICT, 'one/two/b.js': STRICT });
    expect(() => bundle(folder)).toThrow('lib/one/two/b.js is not in a folder of lib/');
  });

  test('but not the types of a comment', () => {
    write({ 'one/a.js': `${STRICT}/** @type {import('./none').B} */\nmodule.exports = 1; //` });
    expect(() => bundle(folder)).not.toThrow();
  });
});

test('what a process left behind that was killed while it wrote goes, another’s stays', () => {
  write({ 'index.js': STRICT });
  bundle(folder);
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  fs.writeFileSync(inDist(`index.js.${pid}`), '');
  fs.writeFileSync(inDist(`index.js.${process.pid}`), '');
  bundle(folder);
  expect(fs.readdirSync(inDist('')).sort()).toEqual(['index.js', `index.js.${process.pid}`]);
});

test('what few programs use is loaded when it is used', async () => {
  fs.cpSync(path.join(root, 'lib'), path.join(folder, 'lib'), { recursive: true });
  for (const name of ['package.json', path.basename(buildTarget())]) {
    fs.copyFileSync(path.join(root, name), path.join(folder, name));
  }
  const late = ['net/cluster.js', 'http/proxy.js', 'internal/performance-entry.js'];
  for (const name of [...late, 'http/server.js']) {
    const file = path.join(folder, 'lib', name);
    fs.appendFileSync(file, `(globalThis.seen ??= []).push('${name}');\n`);
  }
  bundle(folder);
  const seen = await program(`
    require('./dist/net');
    require('./dist/http').createServer();
    const before = [...globalThis.seen];
    new (require('./dist').PerformanceObserver)(() => {});
    console.log(JSON.stringify([before, globalThis.seen.slice(before.length)]));`);
  expect(seen).toEqual([['http/server.js'], ['internal/performance-entry.js']]);
});
