'use strict';

// What a server does with its connections: counting, limits, drops, block lists, socket options.

const { once } = require('node:events');
const { sameLog, sameLogAcross, feature, node } = require('../support/parity');
const features = require('../support/parity-features');
const { show } = require('../support/parity-outcome');

function count(server) {
  return new Promise((resolve, reject) => {
    server.getConnections((error, connections) => (error ? reject(error) : resolve(connections)));
  });
}

/** Connects `number` clients, one after the other, each either accepted or turned away. */
async function connectMany(context, server, number) {
  const clients = [];
  for (let index = 0; index < number; index += 1) {
    const settled = Promise.race([once(server, 'connection'), once(server, 'drop')]);
    const client = context.connect(server.address().port, '127.0.0.1');
    client.on('error', () => {});
    clients.push(client.resume());
    await Promise.all([settled, once(client, 'connect')]);
  }
  return clients;
}

describe('getConnections()', () => {
  sameLogAcross('counts what is open and returns the server', async (context) => {
    const server = await context.listen();
    context.note('count', await count(server), server.getConnections(() => {}) === server);
    const clients = await connectMany(context, server, 3);
    context.note('count', await count(server));
    const leaving = new Promise((resolve) => {
      server.close(resolve);
    });
    for (const client of clients) client.destroy();
    await leaving;
    context.note('count', await count(server));
  });
});

describe('maxConnections', () => {
  sameLogAcross('drops what is beyond it and says who was dropped', async (context) => {
    const server = await context.listen();
    server.maxConnections = 2;
    server.on('drop', (data) => {
      context.label(data.remotePort, 'dropped');
      context.note('drop', data);
    });
    const clients = await connectMany(context, server, 3);
    await context.closed(clients[2]);
    context.note('count', await count(server), server.maxConnections);
  });

  sameLogAcross('accepts again once a connection has gone', async (context) => {
    const server = await context.listen();
    context.watch('server', server, { only: ['connection', 'drop'] });
    server.maxConnections = 1;
    let accepted;
    server.once('connection', (socket) => {
      accepted = socket.resume();
    });
    const [first] = await connectMany(context, server, 2);
    first.destroy();
    await context.closed(accepted);
    await connectMany(context, server, 1);
    const log = context.log().server.map((entry) => entry.event ?? entry);
    context.actors.clear();
    context.note('order', log);
  });

  for (const limit of [0, null, undefined, -1, Infinity, '1']) {
    sameLog(`of ${show(limit)} means the same`, async (context) => {
      const server = await context.listen();
      server.maxConnections = limit;
      let [accepted, dropped] = [0, 0];
      server.on('connection', () => {
        accepted += 1;
      });
      server.on('drop', () => {
        dropped += 1;
      });
      await connectMany(context, server, 2);
      return { accepted, dropped };
    });
  }

  sameLog('with dropMaxConnection set drops the same outside of a cluster', async (context) => {
    const server = await context.listen();
    server.maxConnections = 1;
    server.dropMaxConnection = true;
    let dropped = 0;
    server.on('drop', () => {
      dropped += 1;
    });
    await connectMany(context, server, 3);
    return { dropped, kept: await count(server) };
  });

  sameLog(
    'tells whom it dropped in an object without a prototype',
    async (context) => {
      const server = await context.listen();
      server.maxConnections = 1;
      const prototypes = [];
      server.on('drop', (data) => prototypes.push(Object.getPrototypeOf(data)));
      await connectMany(context, server, 2);
      return prototypes;
    },
    [null]
  );

  sameLog('changed while running applies to the next connection', async (context) => {
    const server = await context.listen();
    const drops = [];
    server.on('drop', () => drops.push(server.maxConnections));
    await connectMany(context, server, 2);
    server.maxConnections = 2;
    await connectMany(context, server, 1);
    server.maxConnections = 3;
    await connectMany(context, server, 1);
    return { drops, open: await count(server) };
  });
});

describe('a block list', () => {
  feature('blockList option', features.blockList, () => {
    sameLogAcross('of the server turns blocked clients away', async (context) => {
      const blockList = new node.net.BlockList();
      blockList.addAddress('127.0.0.1');
      const server = await context.listen({ blockList });
      server.on('connection', () => context.note('server', 'connection'));
      server.on('drop', (data) => {
        context.label(data.remotePort, 'client');
        context.note('server', 'drop', data);
      });
      const client = context.connect(server.address().port, '127.0.0.1');
      context.watch('client', client, { only: ['connect', 'data', 'end', 'close'] }).resume();
      await context.closed(client);
      context.note('server', await count(server));
    });

    sameLog(
      'of the server lets others in',
      async (context) => {
        const blockList = new node.net.BlockList();
        blockList.addAddress('127.0.0.9');
        const server = await context.listen({ blockList });
        const accepting = once(server, 'connection');
        context.connect(server.address().port, '127.0.0.1');
        const [accepted] = await accepting;
        return accepted.remoteAddress;
      },
      '127.0.0.1'
    );

    sameLog('of a client forbids an address', async (context) => {
      const blockList = new node.net.BlockList();
      blockList.addAddress('127.0.0.1');
      const server = await context.listen();
      const client = context.connect({ port: server.address().port, host: '127.0.0.1', blockList });
      context.watch('client', client);
      await context.closed(client);
    });

    sameLog('of a client forbids what a name resolves to', async (context) => {
      const blockList = new node.net.BlockList();
      blockList.addSubnet('127.0.0.0', 8);
      for (const autoSelectFamily of [true, false]) {
        const lookup = (hostname, options, callback) =>
          setImmediate(
            callback,
            null,
            options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1',
            4
          );
        const client = context.connect({ port: 1, host: 'x', lookup, blockList, autoSelectFamily });
        const [error] = await once(client, 'error');
        context.note('error', error);
      }
    });

    sameLog('of a client skips blocked addresses of several', async (context) => {
      const blockList = new node.net.BlockList();
      blockList.addAddress('127.0.0.2');
      const server = await context.listen();
      const lookup = (hostname, options, callback) => {
        const all = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
        setImmediate(callback, null, options.all ? all : all[0].address, 4);
      };
      const { port } = server.address();
      const client = context.connect({ port, host: 'x', lookup, blockList });
      context.watch('client', client);
      await Promise.race([once(client, 'ready'), context.closed(client)]);
      context.note('client', client.autoSelectFamilyAttemptedAddresses);
    });
  });
});

describe('unref() and ref()', () => {
  sameLog('return the emitter, in any state', async (context) => {
    const [client, accepted, server] = await context.pair();
    const idle = [context.createServer(), context.track(new context.net.Socket())];
    return [client, accepted, server, ...idle].map((emitter) => [
      emitter.unref() === emitter,
      emitter.ref() === emitter
    ]);
  });
});
