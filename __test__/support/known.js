'use strict';

// Finds a test in the reviewed list of known differences, and sees that no entry of it is stale.

const path = require('node:path');
const knownDifferences = require('../known-differences');

const used = new Set();

module.exports = { declare };

/**
 * Declares a jest test of an implementation or a pairing; a listed one must fail.
 * @param {string} name as in the entries' `pairings`
 * @param {string} sentence
 * @param {string} title what jest prints
 * @param {() => unknown} body
 */
function declare(name, sentence, title, body) {
  const entry = differencesHere().find(
    ({ sentence: listed, pairings = [name] }) => listed === sentence && pairings.includes(name)
  );
  if (!entry) {
    test(title, body);
    return;
  }
  used.add(entry);
  test.failing(`${title} (known difference: ${entry.reason})`, body);
}

/** The entries of the reviewed list that are about this file on this Node. */
function differencesHere() {
  const file = path.basename(expect.getState().testPath, '.test.js');
  const major = Number(process.versions.node.split('.')[0]);
  return knownDifferences.filter(
    ({ file: where, nodes = [major] }) => where === file && nodes.includes(major)
  );
}

afterAll(() => {
  if (process.env.PARITY_ONLY === 'node') return;
  // An entry that names no test any more would be believed for ever.
  expect(differencesHere().filter((entry) => !used.has(entry))).toEqual([]);
});
