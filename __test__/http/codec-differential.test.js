'use strict';

// Our HTTP/1.1 parser against the host's own, over cases that are the same in every run; `npm run
// fuzz` runs more of them.

const { differences } = require('../../scripts/fuzz-http1/differences');
const { compare } = require('../../scripts/fuzz-http1/observe');
const { run } = require('../../scripts/fuzz-http1/run');

const names = differences.map(({ name }) => name);

test('mutated messages are told as the host tells them', () => {
  const { failures, known, accepted } = run({ cases: 40000, seed: 1 });
  expect(failures).toEqual([]);
  expect(names).toEqual(expect.arrayContaining([...known.keys()]));
  // Neither is everything refused, nor everything taken.
  expect(accepted).toBeGreaterThan(5000);
  expect(accepted).toBeLessThan(35000);
});

test.each([
  ['GET /a?b#c HTTP/1.1\r\nHost: a\r\nConnection: close, x\r\nContent-Length: 3\r\n\r\nabcGET', 1],
  ['POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a="b"\r\nx\r\n0\r\nA: b\r\n\r\n', 1],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n', 2]
])('every byte in every place of %j is judged as the host judges it', (text, type) => {
  const differing = [];
  for (let at = 0; at < text.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const chunk = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1);
      const test = { type, chunks: [chunk], lenient: 0, maxHeaderSize: 0, decide: 0 };
      const { host, ours, same } = compare(test);
      if (!same) differing.push({ chunk, host, ours });
    }
  }
  // The three places of the table that one byte can reach.
  const known = /close\t|\/1\.1 200 OK?\r\r|Content-Length: \d*\t/;
  expect(differing.filter(({ chunk }) => !known.test(chunk))).toEqual([]);
});

test('every split of a message tells the same', () => {
  const text =
    'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\nExpect: 100-continue\r\n\r\n' +
    '5\r\nhello\r\nA;a=b\r\n0123456789\r\n0\r\nT: u\r\n\r\nGET / HTTP/1.0\r\nX:y\r\n\r\n';
  for (let at = 1; at < text.length; at++) {
    const chunks = [text.slice(0, at), text.slice(at)];
    const { host, ours } = compare({ type: 1, chunks, lenient: 0, maxHeaderSize: 0, decide: 0 });
    expect(ours).toEqual(host);
  }
});
