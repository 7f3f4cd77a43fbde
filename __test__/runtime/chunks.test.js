// What 'data' hands out belongs to its listener: nothing that happens to one chunk is seen in another.
'use strict';

const { NODE, report, start, stopAll, subject } = require('../support/child');

afterAll(stopAll);

const MIB = 1024 * 1024;

describe.each([
  ['large', 'count', 6 * MIB],
  ['small', 'drip', 256 * 1024]
])('%s chunks, all of them kept', (_, role, bytes) => {
  let port;

  beforeAll(async () => {
    port = await start('peers/peer.js', { args: [role, bytes], limit: 300_000 }).line();
  });

  test('never change while traffic goes on', async () => {
    expect(await taken(subject, 'none')).toMatchObject({ wrongOnArrival: 0, changed: 0 });
  });

  const TREATMENTS = [
    ['fill', 'filled with junk'],
    ['structured clone', 'transferred by structuredClone()'],
    ['post message', 'transferred by postMessage()'],
    ...(typeof ArrayBuffer.prototype.transfer === 'function'
      ? [['transfer', 'transferred by ArrayBuffer.prototype.transfer()']]
      : [])
  ];
  test.each(TREATMENTS)('%s: are not touched when every third one is %s', async (treatment) => {
    const seen = await taken(subject, treatment);
    expect(seen).toMatchObject({ wrongOnArrival: 0, changed: 0 });
    expect(seen.chunks).toBeGreaterThan(20);
  });

  test.each(TREATMENTS)('%s: can be %s, as with node', async (treatment) => {
    const node = await taken(NODE, treatment);
    expect(Object.keys(node.outcomes)).toEqual(['done']);
    const ours = await taken(subject, treatment);
    expect(Object.keys(ours.outcomes)).toEqual(['done']);
  });

  test('have each a buffer of their own, from its first byte, as with node', async () => {
    for (const net of [NODE, subject]) {
      const seen = await taken(net, 'fill the buffer');
      expect(seen).toMatchObject({ shared: 0, displaced: 0, wrongOnArrival: 0, changed: 0 });
    }
  });

  function taken(net, treatment) {
    return report('runtime/chunks.js', { net, args: [port, 3, treatment], limit: 30_000 });
  }
});

test('a small chunk that is kept does not keep the memory of the reads around it', async () => {
  const port = await start('peers/peer.js', { args: ['drip', MIB] }).line();
  const options = { args: [port], nodeArgs: ['--expose-gc'] };
  const { kept, held } = await report('runtime/chunks-retained.js', options);
  expect(kept).toBeGreaterThan(4000);
  // A megabyte of messages, each with its share of a pool: far below a slab for each.
  expect(held).toBeLessThan(4 * MIB);
});
