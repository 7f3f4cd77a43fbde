'use strict';

// Bad arguments to connect(): the same code, name and message, thrown or emitted alike.

const { sameLog } = require('../support/parity');
const features = require('../support/parity-features');
const { outcomeOf, show } = require('../support/parity-outcome');

const host = '127.0.0.1';

/** @type {[string, (net: typeof import('node:net')) => unknown][]} */
const signatures = [
  ['no argument at all', (net) => net.connect()],
  ['undefined', (net) => net.connect(undefined)],
  ['null', (net) => net.connect(null)],
  ['true', (net) => net.connect(true)],
  ['only a callback', (net) => net.connect(() => {})],
  ['a Symbol', (net) => net.connect(Symbol('port'))],
  ['a BigInt', (net) => net.connect(80n)],
  ['an empty object', (net) => net.connect({})],
  ['an empty string', (net) => net.connect('')],
  ['an array', (net) => net.connect([])],
  ['NaN as port', (net) => net.connect(NaN)],
  ['-1 as port', (net) => net.connect(-1)],
  ['65536 as port', (net) => net.connect(65536)],
  ['a fraction as port', (net) => net.connect(1.5)],
  ['"65536" as port', (net) => net.connect('65536')],
  ['a host without a port', (net) => net.connect({ host })],
  ['a path that is a number', (net) => net.connect({ path: 1 })],
  ['a path that is an object', (net) => net.connect({ path: {} })],
  ['a path that is true', (net) => net.connect({ path: true })],
  ['a path that is a Buffer', (net) => net.connect({ path: Buffer.from('/tmp/x') })],
  ['an empty path and no port', (net) => net.connect({ path: '' })],
  ['a path longer than a socket address holds', (net) => net.connect(`/tmp/${'x'.repeat(200)}`)],
  ['a callback that is no function', (net) => net.connect({ port: 1, host }, 'callback')],
  ['connect() of a socket without arguments', (net) => new net.Socket().connect()],
  ['connect({}) of a socket', (net) => new net.Socket().connect({})]
];

/** @type {Record<string, unknown[]>} */
const optionValues = {
  port: ['', ' ', 'http', '-1', '65536', -1, 65536, 1.5, NaN, Infinity, true, {}, [], () => {}, 1n],
  localAddress: ['nope', '256.0.0.1', '127.0.0.1:80', 1, true, {}, ['127.0.0.1']],
  localPort: ['x', '1', true, {}, [], () => {}],
  autoSelectFamily: ['yes', 1, {}, 0],
  autoSelectFamilyAttemptTimeout: [null, 0, -1, 1.5, '100', NaN, Infinity, true, {}],
  timeout: [-1, NaN, Infinity, '100', true, {}],
  lookup: [5, 'x', null],
  path: [0, false, NaN],
  signal: ['signal', {}, 1, true, null, 0, ''],
  onread: [
    {},
    { buffer: Buffer.alloc(1) },
    { callback() {} },
    { buffer: 'x', callback() {} },
    { buffer: Buffer.alloc(1), callback: 1 },
    true,
    1
  ],
  noDelay: ['yes', 1, {}],
  keepAlive: ['yes', 1, {}],
  keepAliveInitialDelay: ['1000', -1, NaN, {}],
  objectMode: [true, false, 1],
  readableObjectMode: [true],
  writableObjectMode: [true],
  highWaterMark: [-1, 1.5, NaN, 'x', {}],
  fd: [-1, 1.5, 'x', {}, 1000000]
};
// An option this Node does not know is ignored by it, which is nothing to compare with.
if (features.blockList) optionValues.blockList = [{}, 'list', 1, null];
if (features.typeOfService) optionValues.typeOfService = [-1, 256, 1.5, '1', {}];

/** These reach dns.lookup, which judges them. @type {Record<string, unknown[]>} */
const lookupValues = {
  host: [1, {}, true, [], Symbol('host')],
  family: [5, -1, '4', 'IPv4', true, {}],
  lookup: ['dns', 1, {}, true],
  hints: [-1, 1.5, 'ADDRCONFIG', 0xffff, NaN, {}, '', false]
};

describe('connect() called with', () => {
  for (const [label, attempt] of signatures) {
    sameLog(`${label} has the same outcome`, (context) => outcomeOf(context, attempt));
  }
});

for (const [option, values] of Object.entries(optionValues)) {
  describe(`connect({ ${option} })`, () => {
    for (const value of values) {
      sameLog(`judges ${show(value)} alike`, async (context) => {
        const port = await unusedPort(context);
        return outcomeOf(context, (net) => net.connect({ port, host, [option]: value }));
      });
    }
  });
}

for (const [option, values] of Object.entries(lookupValues)) {
  describe(`connect({ ${option} }) by host name`, () => {
    for (const value of values) {
      sameLog(`judges ${show(value)} alike`, async (context) => {
        const port = await unusedPort(context);
        const options = { port, host: 'localhost', autoSelectFamily: false, [option]: value };
        return outcomeOf(context, (net) => net.connect(options));
      });
    }
  });
}

/** A port on which nothing listens, so that an accepted option ends in ECONNREFUSED. */
async function unusedPort(context) {
  const server = await context.listen();
  const { port } = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
