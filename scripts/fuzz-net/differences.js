'use strict';

// What differs between the outcomes of a scenario.

const { isDeepStrictEqual } = require('node:util');

const [major] = process.versions.node.split('.').map(Number);

/**
 * Each endpoint apart: which of two hears first of what happened to both is a matter of whose socket
 * the kernel names first.
 */
function differences(a, b, { subject }) {
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
    // Who sees no reset may stay half open, and the server with it.
    const [behind, oursBehind] = [theirs.slice(at), ours.slice(at)];
    if (looksLikeEnd(behind, oursBehind)) return [];
    // Ours at the other side may answer what it read an iteration sooner.
    if (isHosts(who, subject) && looksLikeEnd(oursBehind, behind)) return [];
    if (leavesTogether(theirs, ours, at)) continue;
    const start = Math.max(0, at - 3);
    found.push(`host: ${theirs.slice(start, start + 9).join(' | ')}`);
    found.push(`ours: ${ours.slice(start, start + 9).join(' | ')}`);
  }
  return found;
}

/** Whether Node plays an endpoint against Node's and ours alike. */
function isHosts(who, subject) {
  if (who.startsWith('client')) return subject === 'server';
  return who.startsWith('accepted') && subject === 'client';
}

/** Until Node 24 a reset right behind bytes looks like an end to Node's sockets. */
function looksLikeEnd(end, reset) {
  const isReset = (line) => line.includes('read ECONNRESET');
  return major < 24 && reset.some(isReset) && !end.some(isReset);
}

/**
 * Small writes of one tick leave together: the reset that the first provoked fails them all, later, and
 * not the second at once.
 */
function leavesTogether(theirs, ours, at) {
  if (!/ (write|cork|end)\w*\(\) false$/.test(theirs[at])) return false;
  if (ours[at] !== theirs[at].replace(/false$/, 'true')) return false;
  const before = theirs.slice(0, at).findLast((line) => !/ \w+\(\) "?"?$/.test(line));
  const fails = (line) => / error .*"write EPIPE"/.test(line);
  return / write\w*\(\) true$/.test(before) && theirs.some(fails) && ours.some(fails);
}

module.exports = { differences };
