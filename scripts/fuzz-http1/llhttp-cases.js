'use strict';

// llhttp's own test cases as seeds: fetched into the cache, never part of this repository.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const VERSION = 'v9.3.1';
const REPOSITORY = 'https://github.com/nodejs/llhttp.git';
const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
const folder = path.join(cache, 'ferronet', 'llhttp', VERSION);

/** Clones the repository's tag; `FERRONET_LLHTTP` may name a copy of it to clone from. */
function fetchCases() {
  if (fs.existsSync(folder)) return;
  const from = process.env.FERRONET_LLHTTP ?? REPOSITORY;
  const args = ['clone', '--quiet', '--depth', '1', '--branch', VERSION, from, folder];
  execFileSync('git', args, { stdio: 'inherit' });
}

/** @returns {{ requests: string[], responses: string[] }} empty where nothing was fetched */
function readCases() {
  const read = (kind) => {
    const where = path.join(folder, 'test', kind);
    if (!fs.existsSync(where)) return [];
    return fs
      .readdirSync(where)
      .filter((name) => name.endsWith('.md'))
      .flatMap((name) => messages(fs.readFileSync(path.join(where, name), 'latin1')));
  };
  return { requests: read('request'), responses: read('response') };
}

/** The blocks marked `http`: a line's end is CRLF, a backslash at it means that the line goes on. */
function messages(markdown) {
  return [...markdown.matchAll(/^```http\n([^]*?)\n```$/gm)].map(([, text]) =>
    text
      .replace(/\n/g, '\r\n')
      .replace(/\\(\r\n)?/g, (whole, end) => (end === undefined ? whole : ''))
      .replace(/\\r/g, '\r')
      .replace(/\\n/g, '\n')
      .replace(/\\t/g, '\t')
      .replace(/\\f/g, '\f')
      .replace(/\\x([0-9a-f]{2})/gi, (whole, code) => String.fromCharCode(parseInt(code, 16)))
      .replace(/\\([0-7]{1,3})/g, (whole, code) => String.fromCharCode(parseInt(code, 8) & 255))
  );
}

module.exports = { fetchCases, readCases };
