'use strict';

// Where our parser knowingly tells something else than the host's, and why. Whatever differs and is
// not of this table is a failure of the fuzzer.

/** llhttp 9.4 came with Node 22.23, 24.21 and 26. */
const [major, minor] = process.versions.llhttp.split('.').map(Number);
const is94 = major > 9 || (major === 9 && minor >= 4);

/**
 * `applies` sees the case, its input as one string, and both traces.
 * @type {{ name: string, because: string, applies: (test: import('./observe').Case, input: string, host: string[], ours: string[]) => boolean }[]}
 */
const differences = [
  {
    name: 'a tab behind a token of Connection',
    because:
      'Node 20 does not see `close`, a tab, as `close`, and takes another request on a ' +
      'connection whose end the peer has announced; we do as llhttp 9.4 does',
    applies: (test, input) => !is94 && /(close|keep-alive|upgrade) *\t/i.test(input)
  },
  {
    name: 'CR CR behind a status line',
    because:
      'Node 20 takes any second CR for the LF of a status line, which lets a header begin where ' +
      'another parser sees none; we do as llhttp 9.4 does',
    applies: (test, input) => !is94 && test.type === 2 && /\/\d\.\d \d{3}[^\n\r]*\r\r/.test(input)
  },
  {
    name: 'an empty Transfer-Encoding',
    because: 'llhttp 9.4 refuses it, and we do; to Node 20 it is as if it were not there',
    applies: (test, input, host, ours) =>
      !is94 && ours.at(-1).includes(':Empty Transfer-Encoding at ')
  },
  {
    name: 'a tab behind the digits of Content-Length',
    because: 'llhttp 9.4 takes it for white space; we refuse it as Node 20 does',
    applies: (test, input) => is94 && /content-length *:\s*\d+ *\t/i.test(input)
  },
  {
    name: 'a length that outlives its message',
    because:
      'where leniency lets messages follow one that closes, llhttp puts the digits of a ' +
      'Content-Length behind those of the message before, if that had no body after all',
    applies: ({ lenient }, input) =>
      (lenient & 4) !== 0 && /content-length *:[^]*content-length *:/i.test(input)
  },
  {
    name: 'trouble in the body of a request that upgrades',
    because:
      "Node's binding drops the parser's error once a head asked for an upgrade, and takes the " +
      'bad bytes for those of the next protocol; we say that the body is broken',
    applies: (test, input, host, ours) =>
      host.some((line) => /^head .*,true,(true|false)\]$/.test(line)) &&
      /^(consumed|end$)/.test(host.at(-1)) &&
      /^(error|end HPE)/.test(ours.at(-1))
  }
];

/** Input on which the host's own parser never comes back: llhttp 9.4, relaxed values, a NUL. */
function hangsHost({ lenient, chunks }) {
  return is94 && (lenient & 1024) !== 0 && chunks.some((chunk) => chunk.includes('\0'));
}

/** @returns {string | undefined} the name of the difference that explains the two traces */
function explain(test, host, ours) {
  const input = test.chunks.join('');
  return differences.find(({ applies }) => applies(test, input, host, ours))?.name;
}

module.exports = { differences, explain, hangsHost };
