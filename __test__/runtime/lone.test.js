// A connection that alone has something to read, turn after turn, is read without asking the kernel first,
// and without sleeping where its peer answers at once.
'use strict';

const { NODE, report, start, subject } = require('../support/child');

describe.each([
  ['node', NODE],
  ['ours', subject]
])('%s: a chatty connection', (_, net) => {
  let seen;
  beforeAll(async () => (seen = await report('runtime/lone-and-others.js', { net })));

  test('has all its bytes echoed, whatever the size of its messages', () => {
    expect(seen).toMatchObject({ rounds: 3050, wrong: 0 });
  });

  test('does not keep others from being answered', () => {
    expect(seen.answered).toBe(20);
    // The kernel is asked every eighth turn at the latest; connecting and answering take a few of them.
    expect(Math.max(...seen.roundsWaited)).toBeLessThan(64);
  });

  test('is told of its end, and of its reset', () => {
    expect(seen.ends).toBe(21);
    expect(seen.errors).toEqual(['ECONNRESET']);
  });
});

describe.each([
  ['node', NODE],
  ['ours', subject]
])('%s: a peer that answers at once', (_, net) => {
  let seen;
  beforeAll(async () => {
    const peer = start('peers/peer.js', { args: ['drip', 1 << 30] });
    const port = await peer.line();
    seen = await report('runtime/chatty-peer.js', { net, args: [port] });
    await peer.stop();
  });

  test('gets all its answers, each behind the immediates of the one before', () => {
    expect(seen).toMatchObject({ messages: 20_000, immediatesLate: 0 });
  });

  test('does not keep timers waiting', () => {
    expect(seen.timers).toBeGreaterThan(0);
    expect(seen.waited).toBeLessThan(2_000);
  });

  test('takes no CPU time when it has nothing more to say', () => {
    expect(seen.idleMillis).toBeLessThan(300);
  });
});
