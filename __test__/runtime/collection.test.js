// What is closed is given back: objects to the collector, descriptors and memory to the system.
'use strict';

const { report } = require('../support/child');

jest.setTimeout(90_000);

const MIB = 1024 * 1024;

describe.each(['ended', 'destroyed', 'reset', 'unused'])('sockets and servers %s', (how) => {
  test('are collected, their descriptors closed, and memory does not grow', async () => {
    const nodeArgs = ['--expose-gc'];
    const seen = await report('runtime/collected.js', {
      args: [how, 200],
      nodeArgs,
      limit: 60_000
    });
    // 200 rounds of connections: both ends of each and the servers.
    expect(seen.made).toBeGreaterThan(5000);
    // The collector may keep what a register still points to, not one socket in a hundred.
    expect(seen.left).toBeLessThan(seen.made / 100);
    expect(seen.finalised).toBeGreaterThan(seen.made * 0.98);
    expect(seen.after.files).toBe(seen.before.files);
    expect(seen.after.heapUsed - seen.before.heapUsed).toBeLessThan(2 * MIB);
    expect(seen.after.arrayBuffers - seen.before.arrayBuffers).toBeLessThan(4 * MIB);
    expect(seen.after.external - seen.before.external).toBeLessThan(4 * MIB);
    // 12,000 sockets, at the 4 KB that one takes at least, would be 48 MB if they stayed. V8 keeps
    // pages of its own: on Node 24 between 13 and 26 MB, as with node:net.
    expect(seen.after.rss - seen.before.rss).toBeLessThan(36 * MIB);
  });
});

test('a thousand sockets destroyed in one tick are all closed, once, and deliver nothing more', async () => {
  const seen = await report('runtime/destroy-thousand.js');
  expect(seen).toMatchObject({
    client: { close: 1000 },
    accepted: { close: 1000 },
    connections: 1000,
    stray: 0,
    leaked: 0
  });
});
