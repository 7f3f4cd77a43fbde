'use strict';

// The shape of the module itself: names, arities, inheritance, the small synchronous functions.

const stream = require('node:stream');
const { EventEmitter } = require('node:events');
const { parity, sameLog, sameChildLog, fine, feature, node } = require('../support/parity');

/**
 * The documented members of an object: their kind, arity and enumerability. Private names (with an
 * underscore, or a symbol of Node's own) are no contract; the names of anonymous functions neither.
 */
function shapeOf(object) {
  const shape = {};
  for (const key of Reflect.ownKeys(object)) {
    if (typeof key === 'symbol' && !/^Symbol\((Symbol\.|nodejs\.)/.test(String(key))) continue;
    if (typeof key === 'string' && key.startsWith('_')) continue;
    const { get, set, value, enumerable } = Object.getOwnPropertyDescriptor(object, key);
    // Node makes some exports on first use; that it takes a getter for this is its own affair.
    const made =
      get && object === Object(object) && /^[A-Z]/.test(String(key)) ? object[key] : value;
    const accessor = get && made === undefined ? `get${set ? '/set' : ''}` : undefined;
    shape[String(key)] = `${accessor ?? describeValue(made)}${enumerable ? '' : ', hidden'}`;
  }
  return shape;
}

function describeValue(value) {
  return typeof value === 'function' ? `function/${value.length}` : typeof value;
}

/** @returns {Record<string, { configurable: boolean, enumerable: boolean }>} of getters, by name */
function accessorsOf(object) {
  const accessors = Object.entries(Object.getOwnPropertyDescriptors(object));
  return Object.fromEntries(
    accessors
      .filter(([, { get }]) => get !== undefined)
      .map(([key, { configurable, enumerable }]) => [key, { configurable, enumerable }])
  );
}

function privateNames(object) {
  return Object.getOwnPropertyNames(object).filter((name) => name.startsWith('_'));
}

/** What the documentation of newer Nodes adds; it may be there already on an older one. */
const NEWER = [
  'BoundSocket',
  'getTypeOfService',
  'setTypeOfService',
  'Symbol(Symbol.asyncDispose)'
];

const PARTS = {
  'the module': (net) => net,
  'Socket.prototype': (net) => net.Socket.prototype,
  'Server.prototype': (net) => net.Server.prototype
};

describe('the module', () => {
  for (const name of ['Socket.prototype', 'Server.prototype']) {
    parity(`has the accessors of ${name} as Node defines them`, ({ net }) => {
      const expected = accessorsOf(PARTS[name](node.net));
      expect(Object.keys(expected)).not.toEqual([]);
      expect(accessorsOf(PARTS[name](net))).toMatchObject(expected);
    });
  }

  for (const [name, part] of Object.entries(PARTS)) {
    const documented = shapeOf(part(node.net));

    parity(`has every member of ${name}, of the same kind and arity`, ({ net }) => {
      const shape = shapeOf(part(net));
      const shared = Object.entries(shape).filter(([key]) => key in documented);
      expect(Object.fromEntries(shared)).toEqual(documented);
    });

    parity(`has no other public member in ${name}`, ({ net }) => {
      const extra = Object.keys(shapeOf(part(net))).filter((key) => !(key in documented));
      expect(extra.filter((key) => !NEWER.includes(key))).toEqual([]);
    });

    parity(`has no underscored member in ${name} but those of Node`, ({ net }) => {
      // What Node keeps on every instance may as well be a default of the prototype.
      const instances = [new node.net.Socket(), new node.net.Server(), part(node.net)];
      const extra = privateNames(part(net)).filter(
        (key) => !instances.some((instance) => key in instance)
      );
      expect(extra).toEqual([]);
    });
  }

  sameLog('leaves the same enumerable properties on a new Socket', ({ net }) =>
    Object.keys(new net.Socket())
      .filter((key) => !key.startsWith('_'))
      .sort()
  );

  sameLog('leaves the same enumerable properties on a new Server', ({ net }) =>
    Object.keys(new net.Server())
      .filter((key) => !key.startsWith('_'))
      .sort()
  );

  parity('makes Socket a Duplex and Server an EventEmitter', ({ net }) => {
    expect(Object.getPrototypeOf(net.Socket.prototype)).toBe(stream.Duplex.prototype);
    expect(Object.getPrototypeOf(net.Socket)).toBe(stream.Duplex);
    expect(Object.getPrototypeOf(net.Server.prototype)).toBe(EventEmitter.prototype);
    expect(Object.getPrototypeOf(net.Server)).toBe(EventEmitter);
    expect(new net.Socket()).toBeInstanceOf(stream.Readable);
    expect(new net.Socket()).toBeInstanceOf(stream.Writable);
  });

  parity('keeps its aliases', ({ net }) => {
    expect(net.createConnection).toBe(net.connect);
    expect(net.Stream).toBe(net.Socket);
    expect(net.Socket.prototype.constructor).toBe(net.Socket);
    expect(net.Server.prototype.constructor).toBe(net.Server);
  });

  parity('constructs Socket and Server without new', ({ net }) => {
    expect(net.Socket()).toBeInstanceOf(net.Socket);
    expect(net.Server()).toBeInstanceOf(net.Server);
    const listener = () => {};
    expect(net.Server(listener).listeners('connection')).toEqual([listener]);
    expect(net.Server({}, listener).listeners('connection')).toEqual([listener]);
  });

  parity('can be subclassed with class syntax and with util.inherits style', ({ net }) => {
    class Named extends net.Socket {
      greet() {
        return this.readyState;
      }
    }
    expect(new Named().greet()).toBe('open');
    expect(new Named()).toBeInstanceOf(net.Socket);

    function Old() {
      net.Server.call(this);
    }
    Object.setPrototypeOf(Old.prototype, net.Server.prototype);
    const server = new Old();
    expect(server.listening).toBe(false);
    expect(server).toBeInstanceOf(net.Server);
  });

  parity('gives every createServer call a Server and every connect call a Socket', ({ net }) => {
    expect(net.createServer()).toBeInstanceOf(net.Server);
    expect(net.createServer(() => {})).toBeInstanceOf(net.Server);
    expect(net.createServer({ allowHalfOpen: true }).allowHalfOpen).toBe(true);
    expect(net.createServer({ pauseOnConnect: true }).pauseOnConnect).toBe(true);
    expect(net.createServer(null)).toBeInstanceOf(net.Server);
    expect(net.createServer(undefined, () => {}).listenerCount('connection')).toBe(1);
  });

  sameLog('normalizes connect and listen arguments as _normalizeArgs always did', ({ net }) => {
    const callback = () => {};
    const cases = [
      [],
      [80],
      [80, 'host'],
      [80, 'host', callback],
      [80, callback],
      ['/path'],
      ['/path', callback],
      ['80'],
      [{ port: 1, host: 'h' }],
      [{ port: 1 }, callback],
      [{}, 'not a callback'],
      [null],
      [undefined, 'host'],
      [-1],
      ['']
    ];
    return cases.map((args) => {
      const [options, found] = net._normalizeArgs(args);
      return { options, callback: found === null ? null : typeof found };
    });
  });
});

describe('isIP, isIPv4, isIPv6', () => {
  const inputs = [
    '127.0.0.1', '0.0.0.0', '255.255.255.255', '256.0.0.1', '1.2.3', '1.2.3.4.5', '01.2.3.4',
    '127.000.000.001', '127.0.0.1/24', ' 127.0.0.1', '127.0.0.1 ', '1.2.3.4\n', '0x7f.0.0.1',
    '::', '::1', '1::', '::ffff:127.0.0.1', '::ffff:7f00:1', '2001:db8::1', 'fe80::1%eth0',
    'fe80::1%', 'fe80::1%25eth0', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::',
    '1::2::3', '12345::', ':::', '::1:', '[::1]', '::127.0.0.1', '::ffff:256.0.0.1', 'g::1',
    'fhqwhgads', '', 'localhost', '4294967295', '::1%0'
  ]; // prettier-ignore

  for (const input of inputs) {
    sameLog(`classify ${JSON.stringify(input)}`, ({ net }) => [
      net.isIP(input),
      net.isIPv4(input),
      net.isIPv6(input)
    ]);
  }

  sameLog('answer for what is no string at all', ({ net }) => {
    const values = [
      undefined,
      null,
      0,
      127,
      true,
      {},
      [],
      ['::1'],
      { toString: () => '127.0.0.1' }
    ];
    return values.map((value) => [net.isIP(value), net.isIPv4(value), net.isIPv6(value)]);
  });
});

describe('the defaults of autoSelectFamily', () => {
  parity('start as documented, can be changed, and are seen by the getters', ({ net }) => {
    const before = [
      net.getDefaultAutoSelectFamily(),
      net.getDefaultAutoSelectFamilyAttemptTimeout()
    ];
    expect(before[0]).toBe(true);
    expect(before[1]).toBeGreaterThanOrEqual(250);
    try {
      net.setDefaultAutoSelectFamily(false);
      net.setDefaultAutoSelectFamilyAttemptTimeout(1234);
      expect(net.getDefaultAutoSelectFamily()).toBe(false);
      expect(net.getDefaultAutoSelectFamilyAttemptTimeout()).toBe(1234);
      net.setDefaultAutoSelectFamilyAttemptTimeout(3);
      expect(net.getDefaultAutoSelectFamilyAttemptTimeout()).toBe(10);
    } finally {
      net.setDefaultAutoSelectFamily(before[0]);
      net.setDefaultAutoSelectFamilyAttemptTimeout(before[1]);
    }
  });

  sameLog('start with the same values', ({ net }) => [
    net.getDefaultAutoSelectFamily(),
    net.getDefaultAutoSelectFamilyAttemptTimeout()
  ]);

  const show = (net, log) => {
    log(net.getDefaultAutoSelectFamily(), net.getDefaultAutoSelectFamilyAttemptTimeout() > 0);
  };

  sameChildLog('follow --no-network-family-autoselection', show, fine(false, true), {
    execArgv: ['--no-network-family-autoselection']
  });

  sameChildLog(
    'follow --network-family-autoselection-attempt-timeout',
    (net, log) => log(net.getDefaultAutoSelectFamilyAttemptTimeout()),
    fine(700),
    { execArgv: ['--network-family-autoselection-attempt-timeout=700'] }
  );
});

describe('BlockList and SocketAddress', () => {
  parity('are the classes the rest of Node knows', ({ net }) => {
    expect(net.BlockList).toBe(node.net.BlockList);
    expect(net.SocketAddress).toBe(node.net.SocketAddress);
    const address = new net.SocketAddress({ address: '::1', family: 'ipv6', port: 8 });
    expect([address.address, address.family, address.port]).toEqual(['::1', 'ipv6', 8]);
    const list = new net.BlockList();
    list.addSubnet('10.0.0.0', 8);
    expect([list.check('10.1.2.3'), list.check('11.1.2.3')]).toEqual([true, false]);
  });

  feature('SocketAddress.parse', node.net.SocketAddress.parse, () => {
    parity('parse an address with a port', ({ net }) => {
      expect(net.SocketAddress.parse('[::1]:8080').port).toBe(8080);
      expect(net.SocketAddress.parse('nonsense')).toBeUndefined();
    });
  });
});
