'use strict';

// What is an IP address as text: the checks that every listen and connect makes, kept apart from
// Node's own `net`, whose loading takes longer than that of this whole package.

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const ZONE = /%[\da-z.:-]+$/i;
const GROUP = /^[\da-f]{1,4}$/i;

/** @returns {boolean} */
function isIPv4(input) {
  return IPV4.test(input);
}

/** With its zone, if it has one (RFC 4007 section 11). */
function isIPv6(input) {
  const text = `${input}`;
  if (!text.includes(':')) return false;
  const halves = text.replace(ZONE, '').split('::');
  if (halves.length > 2) return false;
  let count = 0;
  for (const [index, half] of halves.entries()) {
    // Only the end of the whole may be written as IPv4.
    const groups = countGroups(half, index === halves.length - 1);
    if (groups < 0 || (groups === 0 && halves.length === 1)) return false;
    count += groups;
  }
  // `::` stands for one group at least.
  return halves.length === 2 ? count < 8 : count === 8;
}

/** @returns {0 | 4 | 6} */
function isIP(input) {
  if (isIPv4(input)) return 4;
  return isIPv6(input) ? 6 : 0;
}

/** The 16-bit groups of a part; -1 if it is none. */
function countGroups(part, last) {
  if (part === '') return 0;
  const groups = part.split(':');
  let count = groups.length;
  if (last && isIPv4(groups.at(-1))) {
    groups.pop();
    count += 1;
  }
  return groups.every((group) => GROUP.test(group)) ? count : -1;
}

module.exports = { isIP, isIPv4, isIPv6 };
