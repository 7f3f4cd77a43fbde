// Finds the book's JavaScript samples that use `net` or `dgram`: every fenced block of the notes, unchanged, under a name made of its text.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { root } = require('./child');

const LANGUAGES = new Set(['', 'js', 'javascript']);
// Also a fragment that only goes on with the `server` of the sample before it.
const USES_NET = /\bnet\.\w|require\(['"](?:node:)?net['"]\)|\bserver\.listen\(/;

/** Where the notes are: beside the repository, or where FERRONET_BOOK says. */
function folder() {
  return path.resolve(process.env.FERRONET_BOOK || path.join(root, '..', 'shared', 'book'));
}

/** All samples that use net, or what `uses` says, in reading order; null where there are no notes. */
function samples(uses = USES_NET) {
  let files;
  try {
    files = fs.readdirSync(folder()).filter((name) => name.endsWith('.txt'));
  } catch {
    return null;
  }
  return files
    .sort()
    .flatMap((name) => fences(fs.readFileSync(path.join(folder(), name), 'utf8')))
    .filter(({ language, code }) => LANGUAGES.has(language) && uses.test(code))
    .map(({ code }) => ({ id: identity(code), code }));
}

/** A short name that changes with the text and with nothing else. */
function identity(code) {
  return crypto.createHash('sha256').update(code).digest('hex').slice(0, 12);
}

module.exports = { folder, samples };

function fences(text) {
  const found = [];
  let open = null;
  for (const line of text.split(/\r?\n/)) {
    if (open === null) {
      // The notes open some of their blocks with two backticks, and close all of them with three.
      const [, language] = /^\s*`{2,}(\w*)\s*$/.exec(line) ?? [];
      if (language !== undefined) open = { language: language.toLowerCase(), lines: [] };
    } else if (/^\s*`{3,}\s*$/.test(line)) {
      found.push({ language: open.language, code: `${open.lines.join('\n')}\n` });
      open = null;
    } else {
      open.lines.push(line);
    }
  }
  return found;
}
