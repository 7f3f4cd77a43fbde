'use strict';

// Bad arguments to a Socket's constructor and methods: the same code, name and message.

const fs = require('node:fs');
const { sameLog, feature } = require('../support/parity');
const features = require('../support/parity-features');
const { attempt, show } = require('../support/parity-outcome');

const odd = [undefined, null, -1, 1.5, NaN, Infinity, '1000', 'x', true, {}, [], () => {}, 1n];

/** @type {[string, (net: typeof import('node:net'), argument: unknown) => unknown][]} */
const methods = [
  ['setTimeout(ms)', (socket, value) => socket.setTimeout(value)],
  ['setTimeout(1000, callback)', (socket, value) => socket.setTimeout(1000, value)],
  ['setTimeout(0, callback)', (socket, value) => socket.setTimeout(0, value)],
  ['setNoDelay(flag)', (socket, value) => socket.setNoDelay(value)],
  ['setKeepAlive(flag)', (socket, value) => socket.setKeepAlive(value)],
  ['setKeepAlive(true, delay)', (socket, value) => socket.setKeepAlive(true, value)]
];

/** @type {[string, (net: typeof import('node:net')) => unknown][]} */
const constructions = [
  ['nothing', (net) => new net.Socket()],
  ['null', (net) => new net.Socket(null)],
  ['a string', (net) => new net.Socket('x')],
  ['a negative number as fd', (net) => new net.Socket(-1)],
  ['a number that is no open fd', (net) => new net.Socket(1000000)],
  ['{ fd: -1 }', (net) => new net.Socket({ fd: -1 })],
  ['{ fd: "0" }', (net) => new net.Socket({ fd: '0' })],
  ['{ fd: 1.5 }', (net) => new net.Socket({ fd: 1.5 })],
  ['{ fd: 2 ** 31 }', (net) => new net.Socket({ fd: 2 ** 31 })],
  ['{ objectMode: true }', (net) => new net.Socket({ objectMode: true })],
  ['{ readableObjectMode: true }', (net) => new net.Socket({ readableObjectMode: true })],
  ['{ writableObjectMode: true }', (net) => new net.Socket({ writableObjectMode: true })],
  ['{ signal: {} }', (net) => new net.Socket({ signal: {} })],
  ['{ signal: null }', (net) => new net.Socket({ signal: null })],
  ['{ highWaterMark: "x" }', (net) => new net.Socket({ highWaterMark: 'x' })],
  ['{ readableHighWaterMark: -1 }', (net) => new net.Socket({ readableHighWaterMark: -1 })],
  ['{ keepAliveInitialDelay: "x" }', (net) => new net.Socket({ keepAliveInitialDelay: 'x' })],
  ['{ onread: null }', (net) => new net.Socket({ onread: null })]
];

describe('new Socket() of', () => {
  for (const [label, construct] of constructions) {
    sameLog(`${label} has the same outcome`, (context) => {
      const result = attempt(context, null, () => construct(context.net));
      return result.threw ? result : `a ${context.track(result.returned).constructor.name}`;
    });
  }

  sameLog('the fd of a plain file throws ERR_INVALID_FD_TYPE', (context) => {
    const fd = fs.openSync(__filename, 'r');
    try {
      return attempt(context, null, () => new context.net.Socket({ fd }));
    } finally {
      fs.closeSync(fd);
    }
  });
});

for (const [label, call] of methods) {
  describe(label, () => {
    for (const value of odd) {
      sameLog(`judges ${show(value)} alike before connecting`, (context) => {
        const socket = context.track(new context.net.Socket());
        const outcome = attempt(context, socket, () => call(socket, value));
        return [outcome, socket.timeout, socket.listenerCount('timeout')];
      });
    }

    sameLog('judges every odd value alike when connected', async (context) => {
      const [client] = await context.pair();
      return odd.map((value) => {
        const outcome = attempt(context, client, () => call(client, value));
        return [show(value), outcome, client.timeout];
      });
    });
  });
}

describe('write() and end()', () => {
  const chunks = [undefined, null, 1, true, {}, [], () => {}, 1n, Symbol('chunk')];
  for (const chunk of chunks) {
    sameLog(`judge ${show(chunk)} alike`, async (context) => {
      const [client] = await context.pair();
      context.watch('client', client);
      const outcomes = [attempt(context, client, () => client.write(chunk))];
      outcomes.push(attempt(context, client, () => client.end(chunk)));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return [outcomes, client.destroyed];
    });
  }

  for (const encoding of ['nope', '', 1, {}, null, 'UTF-8', 'ucs2']) {
    sameLog(`judge the encoding ${show(encoding)} alike`, async (context) => {
      const [client, accepted] = await context.pair();
      context.watch('accepted', accepted).resume();
      const outcome = attempt(context, client, () => client.write('abcd', encoding));
      client.destroySoon();
      await context.closed(client, accepted);
      return [outcome, context.log().accepted];
    });
  }

  sameLog('accept every kind of bytes', async (context) => {
    const [client, accepted] = await context.pair();
    context.watch('accepted', accepted).resume();
    client.write(Buffer.from('Buffer '));
    client.write(new Uint8Array([85, 56, 32]));
    client.write('latin\xe9 ', 'latin1');
    client.write('68657820', 'hex');
    client.write('YjY0IA==', 'base64');
    client.write('\u20ac ', 'utf16le');
    client.end('\u20ac');
    await context.closed(client, accepted);
  });
});

describe('a socket asked for what it cannot do', () => {
  sameLog('judges encodings given to setEncoding alike', (context) =>
    [undefined, null, '', 'utf8', 'UTF-16LE', 'nope', 1, {}].map((encoding) => {
      const socket = context.track(new context.net.Socket());
      const outcome = attempt(context, socket, () => socket.setEncoding(encoding));
      return [outcome, socket.readableEncoding];
    })
  );

  sameLog('destroys with ERR_SOCKET_CLOSED when reset before any connect', async (context) => {
    const socket = context.watch('socket', new context.net.Socket());
    context.note('returned', socket.resetAndDestroy() === socket);
    await context.closed(socket);
  });

  sameLog('throws ERR_INVALID_HANDLE_TYPE when a Unix socket is reset', async (context) => {
    const server = context.createServer();
    await new Promise((resolve) => {
      server.listen(context.path(), resolve);
    });
    const client = context.connect(context.path());
    await new Promise((resolve) => {
      client.once('connect', resolve);
    });
    return attempt(context, client, () => client.resetAndDestroy());
  });

  sameLog('judges values given to setDefaultAutoSelectFamily alike', (context) =>
    odd.map((value) => {
      const outcome = attempt(context, null, () => context.net.setDefaultAutoSelectFamily(value));
      context.net.setDefaultAutoSelectFamily(true);
      return [show(value), outcome];
    })
  );

  sameLog('judges values given to setDefaultAutoSelectFamilyAttemptTimeout alike', (context) => {
    const { net } = context;
    const before = net.getDefaultAutoSelectFamilyAttemptTimeout();
    return [...odd, 0, 1, 9, 10, 2 ** 31 - 1, 2 ** 31].map((value) => {
      const outcome = attempt(context, null, () =>
        net.setDefaultAutoSelectFamilyAttemptTimeout(value)
      );
      const after = net.getDefaultAutoSelectFamilyAttemptTimeout();
      net.setDefaultAutoSelectFamilyAttemptTimeout(before);
      return [show(value), outcome, after];
    });
  });
});

feature('setTypeOfService', features.typeOfService, () => {
  describe('setTypeOfService()', () => {
    sameLog('judges every odd value alike', (context) =>
      [...odd, 0, 1, 255, 256, '16'].map((value) => {
        const socket = context.track(new context.net.Socket());
        const outcome = attempt(context, socket, () => socket.setTypeOfService(value));
        return [show(value), outcome, socket.getTypeOfService()];
      })
    );

    sameLog('is judged alike as an option of the constructor', (context) =>
      [...odd, 0, 255, 256].map((typeOfService) => {
        const make = () => new context.net.Socket({ typeOfService }).getTypeOfService();
        return [show(typeOfService), attempt(context, null, make)];
      })
    );
  });
});
