'use strict';

// Differences between node:http and ours that are known and no faults, each with its reason.

const { isDeepStrictEqual } = require('node:util');

const HEAD = String.raw`(?:[^\r\n]+\r\n)*\r\n`;
const FINAL = String.raw`HTTP/1\.1 [2-5]\d\d ${HEAD}`;
const INTERIM = String.raw`HTTP/1\.1 1(?!01)\d\d ${HEAD}`;

/** Behind their heads, where Node puts them when an answer has to wait for another. */
const MISPLACED = new RegExp(`(${FINAL})((?:${INTERIM})+)`, 'g');

/** What a server's listeners write to a socket, or it does itself to one that it cannot read. */
const RAW =
  /HTTP\/1\.1 (?:101 Yes|499 Mine)\r\n\r\n|HTTP\/1\.1 4\d\d [^\r]*\r\nConnection: close\r\n\r\n/;

/** More than a read of Node's. */
const LONG = 64 * 1024;

/**
 * Ours does not wait for the answers before: some are out, and told of, that are lost in Node, or stand
 * behind what is written past them.
 */
function isAhead(a, b) {
  if (a.text === b.text) return false;
  if (a.end !== 'open' && b.text.startsWith(a.text)) return true;
  const raw = RAW.exec(a.text)?.[0];
  return (
    raw !== undefined &&
    b.text.includes(raw) &&
    b.text.replace(raw, '').startsWith(a.text.replace(raw, ''))
  );
}

/** Node sends interim answers in the midst of answers that waited. */
function isInOrder(a, b) {
  return a.text.replace(MISPLACED, '$2$1') === b.text;
}

/** An encoding that nobody knows has Node keep what was written before, until it is ended well. */
function isKept(a, b) {
  return a.end === 'open' && b.text.startsWith(a.text) && /endAs "threw"/.test(a.lines.join());
}

/** Node reads one piece more of a body that nobody reads, when there is room to write again. */
function isReadFurther(a, b, scenario) {
  if (!scenario.options?.options?.highWaterMark || !hasLongBody(scenario)) return false;
  const [theirs, ours] = [a, b].map(({ lines }) => lines.join('\n'));
  return (
    /"complete":true.*"readableLength":70000,/.test(theirs) &&
    /"complete":false.*"readableLength":6[45]\d{3},/.test(ours)
  );
}

/** Behind the last answer ours reads what has come of a body; Node leaves it, and it becomes a reset. */
function isReadToEnd(a, b, scenario) {
  return a.end === 'ECONNRESET' && b.end === 'ended' && hasLongBody(scenario);
}

/** So its request is told to the end. */
function isToldToEnd(who, theirs, ours, a, scenario) {
  if (a.end === 'open' || !hasLongBody(scenario)) return false;
  return isDeepStrictEqual([...theirs, `${who} end`, `${who} close`], ours);
}

/** Ours closes what has a body behind the immediates that the program has asked for before. */
function isClosedLater(theirs, ours, scenario) {
  if (!/"wait","(immediate|timer)"/.test(JSON.stringify(scenario.programs))) return false;
  if (theirs.length === 0) return ours.length === 1 && /^request\d+\.socket close\b/.test(ours[0]);
  return ours.every(
    (line, i) =>
      line === theirs[i] ||
      (/ socket \{"destroyed":false,.*"writable":false,/.test(line) &&
        / socket \{"destroyed":true,/.test(theirs[i]))
  );
}

function hasLongBody({ steps = [] }) {
  return steps.reduce((sum, [, value]) => sum + (value?.length ?? 0), 0) > LONG;
}

module.exports = {
  isAhead,
  isClosedLater,
  isInOrder,
  isKept,
  isReadFurther,
  isReadToEnd,
  isToldToEnd
};
