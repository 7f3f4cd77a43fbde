'use strict';

// What differs between the outcomes of a scenario.

const { isDeepStrictEqual } = require('node:util');

const [major] = process.versions.node.split('.').map(Number);

/**
 * Each endpoint apart: which of two hears first of what happened to both is a matter of whose socket
 * the kernel names first.
 */
function differences(a, b) {
  const found = [];
  // What Node's own code trips over is no model; nor that a socket which was ended is never closed
  // when it is reset.
  if (a.lines.some((line) => /Cannot read properties|reset EINVAL/.test(line))) return found;
  // A server that resets at once is told of before or after the client's end of it.
  if (a.lines.some((line) => line.includes('connect ECONNRESET'))) return found;
  for (const who of new Set([...Object.keys(a.apart), ...Object.keys(b.apart)])) {
    const [theirs, ours] = [a.apart[who] ?? [], b.apart[who] ?? []];
    if (isDeepStrictEqual(theirs, ours)) continue;
    let at = 0;
    while (at < theirs.length && theirs[at] === ours[at]) at++;
    if (/\(\) false\n/.test(theirs.slice(at).join('\n')) && /\(\) true\n/.test(ours.slice(at).join('\n')) && /write EPIPE/.test(ours.slice(at).join('\n'))) { console.log('FILTER '+JSON.stringify({who,theirs:theirs.slice(Math.max(0,at-4)),ours:ours.slice(Math.max(0,at-4)),at})); }
    if (isKnown(theirs.slice(at).join('\n'), ours.slice(at).join('\n'))) return [];
    const start = Math.max(0, at - 3);
    found.push(`host: ${theirs.slice(start, start + 9).join(' | ')}`);
    found.push(`ours: ${ours.slice(start, start + 9).join(' | ')}`);
  }
  return found;
}

/** Whether two logs may go on like this. */
function isKnown(theirs, ours) {
  // Until Node 24 a reset right behind bytes looks like an end.
  if (major < 24 && /read ECONNRESET/.test(ours) && !/read ECONNRESET/.test(theirs)) return true;
  // Small writes of one tick leave together: what the first provoked meets the next ones, not the second.
  return /\(\) false\n/.test(theirs) && /\(\) true\n/.test(ours) && /write EPIPE/.test(ours);
}

module.exports = { differences };
