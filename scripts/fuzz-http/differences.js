'use strict';

// What differs between the outcomes of a scenario of http, but for what is known and no fault.

const { isDeepStrictEqual } = require('node:util');

const { brief } = require('../fuzz/trace');
const known = require('./known');
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
  if (known.isKept(a, b) || known.isReadFurther(a, b, scenario)) return found;
  const ahead = known.isAhead(a, b);
  if (a.text !== b.text && !ahead && !known.isInOrder(a, b)) {
    found.push(`text: ${brief(a.text)}`, `ours: ${brief(b.text)}`);
  }
  if (a.end !== b.end && !ahead && !known.isReadToEnd(a, b, scenario)) {
    found.push(`end: ${brief(a.end)}`, `ours: ${brief(b.end)}`);
  }
  if (a.connections < b.connections)
    found.push(`connections: ${b.connections} instead of ${a.connections}`);
  if (ahead || a.loose || b.loose) return found;
  for (const who of new Set([...Object.keys(a.apart), ...Object.keys(b.apart)])) {
    // Node tells twice that a request is closed whose answer was followed by what is none.
    const [all, ours] = [a.apart[who] ?? [], b.apart[who] ?? []];
    const theirs = all.filter((line, i) => !/^request\d+ close$/.test(line) || line !== all[i - 1]);
    if (isDeepStrictEqual(theirs, ours)) continue;
    if (known.isToldToEnd(who, theirs, ours, a, scenario)) continue;
    if (known.isClosedLater(theirs, ours, scenario)) continue;
    found.push(`host: ${all.join(' | ')}`, `ours: ${ours.join(' | ')}`);
  }
  if (found.length === 0 && process.env.FUZZ_ORDER && !isDeepStrictEqual(a.lines, b.lines)) {
    found.push(`host: ${a.lines.join(' | ')}`, `ours: ${b.lines.join(' | ')}`);
  }
  return found;
}

module.exports = { differences };
