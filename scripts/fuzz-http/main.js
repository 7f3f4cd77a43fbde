'use strict';

// Plays scenarios one after the other against Node's http and ours, and prints where they differ.

const { isDeepStrictEqual } = require('node:util');

const { Random } = require('../fuzz-http1/cases');
const { firstFault } = require('./wire');

const host = require('node:http');
const ours = require('../../lib/http');

async function main({ makeScenario, play, cases, seed, only, self, stop }) {
  const other = self ? host : ours;
  if (only !== undefined) {
    const scenario = makeScenario(randomOf(Number(only)));
    console.dir(scenario, { depth: null, maxStringLength: 1000 });
    const [a, b] = [await within(play(host, scenario)), await within(play(other, scenario))];
    console.log('host:', JSON.stringify({ ...a, text: brief(a.text), apart: 0 }, null, 1));
    console.log('ours:', JSON.stringify({ ...b, text: brief(b.text), apart: 0 }, null, 1));
    for (const line of differences(a, b, scenario)) console.log(line);
    process.exit(0);
  }
  let failures = 0;
  const first = Number(seed) * 1e6;
  const start = Date.now();
  for (let i = 0; i < Number(cases) && failures < Number(stop); i++) {
    const scenario = makeScenario(randomOf(first + i));
    let found = await compare(play, other, scenario);
    // What depends on time is not the same twice.
    for (let again = 0; again < 2 && found.length > 0; again++) {
      found = await compare(play, other, scenario);
    }
    if (found.length === 0) continue;
    failures++;
    console.log(`--only ${first + i} differs:`);
    for (const line of found) console.log(`  ${line}`);
  }
  console.log(`${cases} scenarios, ${failures} differ, ${(Date.now() - start) / 1000} s`);
  process.exit(failures > 0 ? 1 : 0);
}

async function compare(play, other, scenario) {
  const a = await within(play(host, scenario));
  return differences(a, await within(play(other, scenario)), scenario);
}

/** A scenario that never ends is an outcome, too. */
function within(playing) {
  const late = { text: 'never ended', end: '', apart: {}, lines: [] };
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 10_000, late);
    playing.then((result) => {
      clearTimeout(timer);
      resolve(result);
    });
  });
}

function differences(a, b, scenario) {
  const found = [];
  // Node reads nothing any more where a socket is listened to amid a read that ends amid a message.
  const listens = /listenToSocket/.test(JSON.stringify(scenario.programs ?? ''));
  if (listens && a.end === 'open' && b.text.startsWith(a.text)) return found;
  // An exception amid a body's ticks makes Node take what follows for an error.
  if (/process uncaught/.test(a.lines.join())) return found;
  // What is not HTTP is no model where ours is: Node sends interim answers amid bodies that waited,
  // and the end of a chunked body before pieces that were corked.
  if (a.text !== b.text && firstFault(a.text, scenario) < firstFault(b.text, scenario))
    return found;
  // Ours does not wait for the answers before: some are out, and told of, that are lost in Node.
  const more = a.text !== b.text && a.end !== 'open' && b.text.startsWith(a.text);
  for (const name of ['text', 'end']) {
    if (a[name] === b[name] || (name === 'text' && more)) continue;
    found.push(`${name}: ${brief(a[name])}`, `ours: ${brief(b[name])}`);
  }
  if (a.connections < b.connections)
    found.push(`connections: ${b.connections} instead of ${a.connections}`);
  if (more || a.loose || b.loose) return found;
  for (const who of new Set([...Object.keys(a.apart), ...Object.keys(b.apart)])) {
    if (isDeepStrictEqual(a.apart[who], b.apart[who])) continue;
    found.push(
      `host: ${(a.apart[who] ?? []).join(' | ')}`,
      `ours: ${(b.apart[who] ?? []).join(' | ')}`
    );
  }
  if (found.length === 0 && process.env.FUZZ_ORDER && !isDeepStrictEqual(a.lines, b.lines)) {
    found.push(`host: ${a.lines.join(' | ')}`, `ours: ${b.lines.join(' | ')}`);
  }
  return found;
}

/** Text of which what is the same over and over is left out. */
function brief(text) {
  const short = text.replace(/(.)\1{60,}/g, (run, byte) => `${byte}{${run.length}}`);
  return JSON.stringify(short);
}

function randomOf(number) {
  const random = new Random(number);
  for (let i = 0; i < 8; i++) random.below(2);
  return random;
}

module.exports = { main };
