'use strict';

// What a write's callback says is sent arrives, also when the socket is destroyed there and the kernel
// has no more room.

const { once } = require('node:events');
const { parity, node } = require('../support/parity');
const { runProgram } = require('../support/parity-recorder');

const SIZE = 1400;
/** A tick's writes; the kernel gets the first of them at once. */
const WRITES = 8;

/**
 * Writes to a peer that does not read, a tick for each byte of another connection's, until the kernel
 * takes no more, or up to a callback in the tick of that number, which destroys the socket.
 */
async function write(context, target, last) {
  const peer = context.track(node.net.createServer({ pauseOnConnect: true }));
  const accepting = once(peer, 'connection');
  peer.listen(target === 'path' ? context.path(`s${context.open.size}`) : { port: 0 });
  await once(peer, 'listening');
  const address = peer.address();
  const socket = context.connect(typeof address === 'string' ? address : { port: address.port });
  await once(socket, 'connect');
  const [accepted] = await accepting;
  context.track(accepted);
  const [ticks, ticking] = await context.pair();

  let told = 0;
  let tick = 0;
  await new Promise((resolve) => {
    ticks.on('data', () => {
      if (tick++ === last || socket.writableLength > 0) return resolve();
      for (let i = 0; i < WRITES; i++) {
        socket.write(Buffer.alloc(SIZE, i), (error) => {
          if (!error) told += SIZE;
          if (tick === last && i === WRITES - 1) socket.destroy();
        });
      }
      ticking.write('.');
    });
    ticking.write('.');
  });
  let received = 0;
  accepted.on('data', (chunk) => (received += chunk.length));
  if (!socket.destroyed) return tick;
  const end = once(accepted, 'close');
  accepted.resume();
  await end;
  peer.close();
  return received - told;
}

describe('a socket that a callback of its last write destroys', () => {
  for (const target of ['path', 'port']) {
    parity(`sends what it said it had sent to a ${target}`, ({ net }) =>
      runProgram(
        async (context) => {
          const full = await write(context, target, -1);
          for (let last = full - 4; last <= full + 2; last++) {
            const missing = await write(context, target, last);
            expect([last - full, Math.min(missing, 0)]).toEqual([last - full, 0]);
          }
        },
        { server: net, client: net }
      )
    );
  }
});
