'use strict';

// Every sample of the book's notes that uses `dgram`, unchanged: under the preload it ends as it does
// under plain node, a peer of Node's own on the other side.

const { spawn } = require('node:child_process');
const dgram = require('node:dgram');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { folder, samples } = require('../support/book');

const PORT = 41234;
const register = path.join(__dirname, '..', '..', 'dist', 'register.js');
const notes = samples(/require\(['"](?:node:)?dgram['"]\)/);

/** What each sample is, by the name its text has. */
const TABLE = {
  '8e5536863147': {
    what: 'a server on 41234 whose listener lacks its comma',
    error: 'SyntaxError'
  },
  '36564c5715e8': { what: 'a client of 41234 that says hello', hears: ['hello'] }
};

/** Runs a sample while `peer` hears on its port; resolves with what became of both. */
async function play(code, preload) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'sample-'));
  const file = path.join(directory, 'sample.js');
  fs.writeFileSync(file, code);
  const heard = [];
  const peer = dgram.createSocket('udp4', (message) => heard.push(String(message)));
  await new Promise((resolve, reject) => peer.once('error', reject).bind(PORT, resolve));
  try {
    const child = spawn(process.execPath, [...(preload ? ['-r', register] : []), file], {
      env: { ...process.env, NODE_OPTIONS: '' },
      timeout: 10_000
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
    }
    const [exit, signal] = await new Promise((resolve) =>
      child.on('close', (...ended) => resolve(ended))
    );
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    const error = /^(\w*Error)\b/m.exec(output.stderr)?.[1] ?? null;
    return { exit, signal, error, heard, stdout: output.stdout };
  } finally {
    await new Promise((resolve) => peer.close(resolve));
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

if (notes === null) {
  const reason = `the book's notes are not part of this repository, and not at ${folder()}`;
  test.skip(`the book's samples of dgram (${reason})`, () => {});
} else {
  test('the notes have the samples that this file knows, and no other', () => {
    expect(notes.map(({ id }) => id).sort()).toEqual(Object.keys(TABLE).sort());
  });

  describe.each(notes)('sample $id', ({ id, code }) => {
    test(TABLE[id]?.what ?? 'a sample that is not in the table', async () => {
      const node = await play(code, false);
      const { error = null, hears = [] } = TABLE[id];
      expect(node).toMatchObject({ error, heard: hears, exit: error === null ? 0 : 1 });
      expect(await play(code, true)).toEqual(node);
    });
  });
}
