// A connection that alone has something to read, turn after turn, is read without asking the kernel first.
'use strict';

const { NODE, report, subject } = require('../support/child');

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
