'use strict';

// What differs between the outcomes of a scenario of http, but for what is known and no fault.

const { isDeepStrictEqual } = require('node:util');

const { brief } = require('../fuzz/trace');
const { firstFault } = require('./wire');

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
    // Node tells twice that a request is closed whose answer was followed by what is none.
    const theirs = a.apart[who]?.filter(
      (line, i, all) => !/ close$/.test(line) || line !== all[i - 1]
    );
    if (isDeepStrictEqual(theirs, b.apart[who])) continue;
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

module.exports = { differences };
