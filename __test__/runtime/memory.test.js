// A slow side slows the other: memory stays bounded whatever the peer sends or leaves unread.
'use strict';

const { NODE, report, start, stopAll, subject } = require('../support/child');

afterAll(stopAll);

const MIB = 1024 * 1024;
const TOTAL = 48 * MIB;

describe('a reader that holds still while its peer floods it', () => {
  let port;

  beforeAll(async () => {
    port = await start('peers/peer.js', { args: ['count', TOTAL], limit: 110_000 }).line();
  });

  test.each([
    'never reading',
    'paused by pause()',
    'not read any more',
    'held back by a slow pipe'
  ])('%s: takes in no more than a read or two, and all of it later', async (how) => {
    const seen = await report('runtime/paused-reader.js', { args: [port, how] });
    expect(seen.grown).toBeLessThan(1.5 * MIB);
    expect(seen.rss).toBeLessThan(16 * MIB);
    expect(seen.arrayBuffers).toBeLessThan(8 * MIB);
    expect(seen).toMatchObject({ received: TOTAL, wrong: 0 });
  });
});

describe('a writer whose peer does not read', () => {
  test.each(['one tick', 'one write a turn'])(
    '%s: is told so by write(), and by drain when it may go on',
    async (pace) => {
      const node = await stalled(NODE, pace);
      const ours = await stalled(subject, pace);
      for (const { stuck, done, peer } of [node, ours]) {
        expect(stuck).toMatchObject({ more: false, drained: 0, writableNeedDrain: true });
        expect(stuck.writableLength).toBeGreaterThan(0);
        expect(stuck.bufferSize).toBe(stuck.writableLength);
        expect(stuck.called).toBeLessThan(stuck.written);
        expect(done).toMatchObject({ called: done.written, ordered: true, drained: 1 });
        expect(done.bytes).toBe(done.written * 16 * 1024);
        expect(peer).toMatchObject({ bytes: done.bytes, ended: 'end' });
      }
      // What the kernel buffers is not ours to say; a buffer of our own on top of it would be.
      expect(ours.stuck.written).toBeLessThan(2 * node.stuck.written + 64);
      expect(ours.stuck.writableLength).toBeLessThanOrEqual(2 * node.stuck.writableLength);
    }
  );

  async function stalled(net, pace) {
    const peer = start('peers/peer.js', { args: ['stalled'] });
    const child = start('runtime/stalled-writer.js', { net, args: [await peer.line(), pace] });
    await peer.line();
    const stuck = JSON.parse(await child.line());
    peer.send('read');
    child.send('go on');
    const done = JSON.parse(await child.line());
    return { stuck, done, peer: JSON.parse(await peer.line()) };
  }
});

test('a pipe from a peer that floods to one that does not read comes to a standstill', async () => {
  const from = await start('peers/peer.js', { args: ['flood'] }).line();
  const to = await start('peers/peer.js', { args: ['stalled'] }).line();
  const node = await report('runtime/relay.js', { net: NODE, args: [from, to] });
  const ours = await report('runtime/relay.js', { net: subject, args: [from, to] });
  expect(node.windows).toBeLessThan(20);
  expect(ours.windows).toBeLessThan(20);
  expect(ours.read).toBeLessThan(2 * node.read + 4 * MIB);
  expect(ours.waiting).toBeLessThan(4 * MIB);
  expect(ours.rss).toBeLessThan(node.rss + 32 * MIB);
});
