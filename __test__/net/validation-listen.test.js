'use strict';

// Bad arguments to Server, createServer and listen(): the same error, thrown or emitted alike.

const { once } = require('node:events');
const { sameLog } = require('../support/parity');
const features = require('../support/parity-features');
const { outcomeOf, attempt, show } = require('../support/parity-outcome');

/** @type {[string, (net: typeof import('node:net')) => unknown][]} */
const constructions = [
  ['createServer of a string', (net) => net.createServer('path')],
  ['createServer of a number', (net) => net.createServer(80)],
  ['createServer of true', (net) => net.createServer(true)],
  ['createServer of a Symbol', (net) => net.createServer(Symbol('options'))],
  ['createServer with a listener that is no function', (net) => net.createServer({}, 'listener')],
  ['createServer with null as listener', (net) => net.createServer({}, null)],
  ['new Server of a string', (net) => new net.Server('path')],
  ['new Server of an array', (net) => new net.Server([])],
  ['getConnections without a callback', (net) => net.createServer().getConnections()],
  ['close with a string', (net) => net.createServer().close('now')],
  ['close with null', (net) => net.createServer().close(null)]
];

/** @type {Record<string, unknown[]>} */
const serverOptions = {
  allowHalfOpen: ['yes', 0, null],
  pauseOnConnect: ['yes', 0],
  noDelay: ['yes', 0],
  keepAlive: ['yes', 0],
  keepAliveInitialDelay: ['1000', -1, NaN, {}, true, 1500, null],
  highWaterMark: ['x', -1, 1.5, NaN, {}, 0, null]
};
// An option this Node does not know is ignored by it, which is nothing to compare with.
if (features.blockList) serverOptions.blockList = [{}, 'list', 1, null];

/** @type {[string, (server: import('node:net').Server) => unknown][]} */
const listens = [
  ['true', (server) => server.listen(true)],
  ['false', (server) => server.listen(false)],
  ['a Symbol', (server) => server.listen(Symbol('port'))],
  ['a BigInt', (server) => server.listen(80n)],
  ['an empty object', (server) => server.listen({})],
  ['an array', (server) => server.listen([])],
  ['NaN', (server) => server.listen(NaN)],
  ['-1', (server) => server.listen(-1)],
  ['65536', (server) => server.listen(65536)],
  ['1.5', (server) => server.listen(1.5)],
  ['"65536"', (server) => server.listen('65536')],
  ['Infinity', (server) => server.listen(Infinity)],
  ['only a host', (server) => server.listen({ host: '127.0.0.1' })],
  ['only a backlog', (server) => server.listen({ backlog: 5 })],
  ['a path that is a number', (server) => server.listen({ path: 1 })],
  ['a path that is true', (server) => server.listen({ path: true })],
  ['a path in a folder that is not there', (server) => server.listen('/nowhere/at/all.sock')],
  ['a path that is a folder', (server) => server.listen('/tmp')],
  [
    'a path longer than a socket address',
    (server, net, context) => server.listen(context.path('x'.repeat(200)))
  ],
  ['a host that is a number', (server) => server.listen({ port: 0, host: 1 })],
  ['a host that is an object', (server) => server.listen({ port: 0, host: {} })],
  ['a host that is true', (server) => server.listen({ port: 0, host: true })],
  ['an address of another machine', (server) => server.listen(0, '192.0.2.254')],
  ['an IPv6 address that is none', (server) => server.listen(0, '::ffff:999.0.0.1')],
  ['options that are inherited', (server) => server.listen(Object.create({ port: 0 }))],
  ['a URL', (server) => server.listen(new URL('http://127.0.0.1:0/'))],
  ['a handle that is null', (server) => server.listen({ _handle: null })],
  ['a handle that is empty', (server) => server.listen({ handle: {} })],
  ['a handle that is a number', (server) => server.listen({ handle: 5 })],
  ['a handle without a descriptor', (server) => server.listen({ handle: { fd: -1 }, port: 0 })],
  ['a handle within a handle', (server) => server.listen({ handle: { handle: { port: 0 } } })],
  ['a handle that has a bad port', (server) => server.listen({ _handle: { port: 'x' } })]
];

/** @type {Record<string, unknown[]>} */
const listenOptions = {
  port: ['', 'http', '-1', -1, 65536, 1.5, NaN, Infinity, true, {}, [], () => {}],
  fd: [-1, 1.5, 'x', {}, NaN, 1000000],
  signal: ['signal', {}, 1, true],
  exclusive: ['yes', 1],
  ipv6Only: ['yes', 1],
  reusePort: ['yes', 1],
  backlog: ['x', {}, NaN, -1, 0, 1.5],
  readableAll: [true],
  writableAll: ['yes']
};

describe('a server made with questionable arguments:', () => {
  for (const [label, construct] of constructions) {
    sameLog(label, (context) => outcomeOf(context, construct));
  }

  for (const [option, values] of Object.entries(serverOptions)) {
    for (const value of values) {
      sameLog(`createServer judges { ${option}: ${show(value)} } alike`, ({ net }) => {
        try {
          return { kept: net.createServer({ [option]: value })[option] };
        } catch (error) {
          return { threw: error };
        }
      });
    }
  }
});

describe('listen() called with', () => {
  for (const [label, listen] of listens) {
    sameLog(`${label} has the same outcome`, (context) =>
      outcomeOf(context, (net) => listen(net.createServer(), net, context), { alwaysSettles: true })
    );
  }

  for (const [option, values] of Object.entries(listenOptions)) {
    for (const value of values) {
      sameLog(`{ ${option}: ${show(value)} } has the same outcome`, (context) => {
        const address = option === 'fd' ? {} : { port: 0, host: '127.0.0.1' };
        const options = { ...address, [option]: value };
        return outcomeOf(context, (net) => net.createServer().listen(options), {
          alwaysSettles: true
        });
      });
    }
  }
});

describe('a server in the wrong state', () => {
  sameLog('throws ERR_SERVER_ALREADY_LISTEN at a second listen()', async (context) => {
    const server = await context.listen();
    return attempt(context, server, () => server.listen(0));
  });

  sameLog('throws ERR_SERVER_ALREADY_LISTEN at listen() before it has said so', (context) => {
    const server = context.createServer();
    server.listen(0);
    return attempt(context, server, () => server.listen(0));
  });

  sameLog(
    'has the same outcome when told to listen twice while names are resolved',
    async (context) => {
      const server = context.watch('server', context.createServer());
      const outcomes = [1, 2].map(() =>
        attempt(context, server, () => server.listen(0, '127.0.0.1'))
      );
      context.note('outcomes', outcomes);
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    }
  );

  sameLog('is no handle another server could listen on', (context) => {
    const server = context.createServer();
    const idle = [context.server.createServer(), context.track(new context.net.Socket())];
    const outcomes = idle.map((handle) => attempt(context, server, () => server.listen(handle)));
    // The message goes on with the handle's private fields, which are nobody's business.
    return outcomes.map(({ threw }) => [threw.name, threw.code, threw.message.split(' {')[0]]);
  });

  sameLog('reports ERR_SERVER_NOT_RUNNING to the callback of close()', async (context) => {
    const server = context.watch('server', context.createServer());
    server.close((error) => context.note('callback', error));
    await once(server, 'close');
  });

  sameLog('reports ERR_SERVER_NOT_RUNNING to the callback of a second close()', async (context) => {
    const server = await context.listen();
    context.watch('server', server);
    server.close((error) => context.note('first', error));
    server.close((error) => context.note('second', error));
    await context.closed(server);
  });

  sameLog('reports no connections when it is not open', async (context) => {
    const server = context.createServer();
    const [error, count] = await new Promise((resolve) => {
      server.getConnections((...results) => resolve(results));
    });
    return [error, count];
  });

  sameLog('has no address unless it is open', async (context) => {
    const server = context.createServer();
    const addresses = [server.address()];
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    addresses.push(Object.keys(server.address()));
    server.close();
    addresses.push(server.address());
    return addresses;
  });
});
