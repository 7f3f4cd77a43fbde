'use strict';

// Random conversations, drawn from a seed: the same calls on both sides for every implementation.

const { once } = require('node:events');
const { sameLogAcross } = require('../support/parity');

const SEEDS = Number(process.env.PARITY_SEEDS ?? 60);
const STEPS = 14;

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const ENCODINGS = ['utf8', 'latin1', 'hex', 'utf16le', 'base64'];

/** One step of a side; its number is drawn beforehand, so that every run does the very same. */
const STEP_KINDS = {
  writeText: (socket, draw) =>
    socket.write('0123456789abcdef'.repeat(1 + (draw % 20)), ENCODINGS[draw % ENCODINGS.length]),
  writeBytes: (socket, draw) => socket.write(Buffer.alloc(1 + (draw % 3000), draw)),
  writeLarge: (socket, draw) => socket.write(Buffer.alloc(70000 + (draw % 100000), draw)),
  writeNothing: (socket) => socket.write(''),
  cork: (socket) => socket.cork(),
  uncork: (socket) => socket.uncork(),
  pause: (socket) => socket.pause(),
  resume: (socket) => socket.resume(),
  noDelay: (socket, draw) => socket.setNoDelay(draw % 2 === 0),
  keepAlive: (socket, draw) => socket.setKeepAlive(draw % 2 === 0, 1000),
  timeout: (socket, draw) => socket.setTimeout(draw % 2 === 0 ? 0 : 60000),
  unref: (socket) => socket.unref(),
  ref: (socket) => socket.ref(),
  turn: () => turn(),
  tick: () => new Promise((resolve) => process.nextTick(resolve)),
  microtask: () => Promise.resolve()
};

/** How one side, or both, bring the conversation to its end once every byte has arrived. */
const ENDINGS = {
  end: (socket) => socket.end(),
  endWithData: (socket) => socket.end('the end'),
  corkedEnd(socket) {
    socket.cork();
    socket.write('corked ');
    socket.end('end');
  },
  destroySoon(socket) {
    socket.write('soon ');
    socket.destroySoon();
  },
  destroy: (socket) => socket.destroy(),
  destroyWithError: (socket) => socket.destroy(Object.assign(new Error('x'), { code: 'EMINE' })),
  reset: (socket) => socket.resetAndDestroy()
};

function scriptFrom(seed) {
  const random = randomFrom(seed);
  const pick = (table) => Object.keys(table)[random(Object.keys(table).length)];
  const steps = () => Array.from({ length: STEPS }, () => [pick(STEP_KINDS), random(1 << 20)]);
  return {
    server: { allowHalfOpen: random(2) === 0, noDelay: random(2) === 0 },
    client: { allowHalfOpen: random(2) === 0, highWaterMark: [16, 1000, 65536][random(3)] },
    encoding: [undefined, 'latin1', 'hex'][random(3)],
    writeBeforeConnect: random(3) === 0,
    steps: { client: steps(), accepted: steps() },
    ender: ['client', 'accepted'][random(2)],
    ending: pick(ENDINGS)
  };
}

function turn() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function play(socket, steps) {
  for (const [kind, draw] of steps) {
    const result = STEP_KINDS[kind](socket, draw);
    if (result instanceof Promise) await result;
  }
  while (socket.writableCorked) socket.uncork();
  // Whatever the script left paused has to flow, or nobody would ever see the end.
  socket.resume();
}

/** Ends are drawn only between sides that have nothing more to say: then their order is certain. */
async function quiet(client, accepted) {
  while (client.bytesRead < accepted.bytesWritten || accepted.bytesRead < client.bytesWritten) {
    await turn();
  }
}

describe('a random conversation', () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const script = scriptFrom(seed);
    const label = `${script.ending} by the ${script.ender}`;

    sameLogAcross(`with seed ${seed}, ended with ${label}`, async (context) => {
      const server = await context.listen(script.server);
      const accepting = once(server, 'connection');
      const { port } = server.address();
      const client = context.connect({ port, host: '127.0.0.1', ...script.client });
      if (script.writeBeforeConnect) client.write('before the connection ');
      const [accepted] = await accepting;
      const sides = { client, accepted };
      const seen = { client: observe(client), accepted: observe(accepted) };
      if (script.encoding) accepted.setEncoding(script.encoding);
      if (client.connecting) await once(client, 'connect');

      await Promise.all([play(client, script.steps.client), play(accepted, script.steps.accepted)]);
      await quiet(client, accepted);
      ENDINGS[script.ending](sides[script.ender]);
      await context.closed(client, accepted);

      for (const [name, socket] of Object.entries(sides)) {
        context.note(name, seen[name].events, seen[name].bytes());
        context.note(name, socket.bytesWritten, socket.bytesRead, socket.writableLength);
        context.note(name, socket.readyState, socket.readableEnded, socket.writableFinished);
      }
    });
  }
});

/** The order of a side's events, and its bytes however they were cut. */
function observe(socket) {
  const events = [];
  const chunks = [];
  for (const event of ['end', 'finish', 'timeout']) socket.on(event, () => events.push(event));
  socket.on('close', (hadError) => events.push(`close ${hadError}`));
  socket.on('error', (error) => events.push(`error ${error.code}`));
  socket.on('data', (chunk) => chunks.push(chunk));
  // A half-open side answers the end with its own, as any program has to.
  socket.on('end', () => socket.end());
  return {
    events,
    bytes() {
      const encoding = socket.readableEncoding ?? undefined;
      return Buffer.concat(chunks.map((chunk) => Buffer.from(chunk, encoding)));
    }
  };
}
