'use strict';

// Makes test cases out of seeds: the same ones for the same number.

const { pieces, requests, responses } = require('./seeds');

const LENIENT_ALL = 1023;

/**
 * @param {InstanceType<typeof import('../fuzz/random').Random>} random
 * @param {{ requests: string[], responses: string[] }} more seeds beside our own
 * @returns {import('./observe').Case}
 */
function makeCase(random, more) {
  const type = random.below(3) === 0 ? 2 : 1;
  const own = type === 1 ? requests : responses;
  const others = type === 1 ? more.requests : more.responses;
  const seeds = others.length > 0 && random.below(2) === 0 ? others : own;
  let text = random.pick(seeds);
  if (random.below(8) === 0) text += random.pick(seeds);
  for (let rounds = random.below(4); rounds > 0; rounds--) text = mutate(text, random, seeds);
  return {
    type,
    chunks: split(text, random),
    lenient: leniency(random),
    maxHeaderSize: random.below(6) === 0 ? 1 + random.below(120) : 0,
    decide: /** @type {0 | 1 | 2} */ (random.below(4) === 0 ? random.below(3) : 0)
  };
}

function mutate(text, random, seeds) {
  const at = random.below(text.length + 1);
  const to = Math.min(text.length, at + random.below(12));
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(to);
    case 3:
      return text.slice(0, at) + random.pick(pieces) + text.slice(at);
    case 4:
      return text.slice(0, at) + random.pick(pieces) + text.slice(to);
    case 5:
      return text.slice(0, to) + text.slice(at);
    default: {
      const other = random.pick(seeds);
      return text.slice(0, at) + other.slice(random.below(other.length));
    }
  }
}

function split(text, random) {
  if (random.below(40) === 0) return [...text];
  const points = [0, text.length];
  for (let count = random.below(4); count > 0; count--) points.push(random.below(text.length + 1));
  points.sort((a, b) => a - b);
  return points.slice(1).map((end, index) => text.slice(points[index], end));
}

function leniency(random) {
  switch (random.below(6)) {
    case 0:
      return LENIENT_ALL;
    case 1:
      return 1 << random.below(10);
    case 2:
      return random.below(LENIENT_ALL + 1);
    default:
      return 0;
  }
}

module.exports = { makeCase };
