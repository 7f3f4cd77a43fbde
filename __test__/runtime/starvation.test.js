// A busy socket must leave the loop's other guests their turn: timers, immediates, other sockets.
'use strict';

const { NODE, report, start, stopAll, subject } = require('../support/child');

jest.setTimeout(120_000);

const ROUNDS = 4;
// "A few ms": what one turn's budget may add to a timer beyond what Node's own loop shows here and now.
const SLACK = 5;

describe.each([
  ['one socket that is flooded', 'flood', 1, 'in'],
  ['sixteen sockets that are flooded', 'flood', 16, 'in'],
  ['one socket that writes without end', 'drain', 1, 'out']
])('%s', (_, role, connections, direction) => {
  let peer;
  let port;

  beforeAll(async () => {
    peer = start('peers/peer.js', { args: [role], limit: 110_000 });
    port = await peer.line();
  });
  afterAll(stopAll);

  test('delays a 10 ms timer by no more than a few ms beyond what node does', async () => {
    const measured = [];
    for (let round = 0; round < ROUNDS; round++) {
      const node = await lateness(NODE);
      const ours = await lateness(subject);
      measured.push({ node, ours });
      // One quiet round is proof enough: a starving loop has none, a busy machine spoils some.
      if (ours.p90 <= node.p90 + SLACK && ours.max <= node.max + 4 * SLACK) break;
    }
    const { node, ours } = measured.at(-1);
    expect({ measured, late: ours.p90 > node.p90 + SLACK }).toMatchObject({ late: false });
    expect({ measured, late: ours.max > node.max + 4 * SLACK }).toMatchObject({ late: false });
    expect(ours.bytes).toBeGreaterThan(1024 * 1024);
  });

  function lateness(net) {
    const args = [port, connections, direction];
    return report('runtime/timer-under-flood.js', { net, args, limit: 20_000 });
  }
});

test('what an event schedules runs as tick, promise, immediate, timeout, also under load', async () => {
  const seen = await report('runtime/phases-under-load.js');
  expect(seen.disordered).toEqual([]);
  // Four clients, 250 answers each, none of which is lost to the immediates that spin beside them.
  expect(seen.checked).toBeGreaterThanOrEqual(1000);
  expect(seen.immediates).toBeGreaterThan(10);
  expect(seen.intervals).toBeGreaterThan(0);
});
