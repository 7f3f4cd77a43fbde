'use strict';

// What a PerformanceObserver sees of requests and connections, as with node:http and node:net.

const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const perfHooks = require('node:perf_hooks');
const { Writable } = require('node:stream');
const { inspect } = require('node:util');

const ferronet = require('../../dist/jest'); // outside of jest's sandbox, as dist/http
const { exchange, node, same, serve, thrown } = require('../support/http-wire');
const parity = require('../support/parity');

const { PerformanceEntry, PerformanceObserverEntryList, performance } = perfHooks;
const OK = { host: '127.0.0.1', agent: false };

/** The class that sees the entries of this http, or this net. */
const observerFor = (module) =>
  module === node || module === parity.node.net
    ? perfHooks.PerformanceObserver
    : ferronet.PerformanceObserver;

/** Observes while `use(observer, calls)` runs; `calls` are the names in each call. */
async function observing(module, types, use) {
  const calls = [];
  const observer = new (observerFor(module))((list) => calls.push(list.getEntries().map(brief)));
  observer.observe({ entryTypes: types });
  try {
    await use(observer, calls);
  } finally {
    observer.disconnect();
  }
  return calls;
}

const brief = ({ entryType, name }) => `${entryType} ${name}`;

/** Entries with what differs from run to run taken out. */
function plain(entries) {
  const text = inspect(entries.map(brief).concat(entries.map(({ detail }) => detail)), {
    depth: null
  });
  return text.replace(/\b\d{4,5}\b/g, 'port').replace(/date: '[^']+'/g, 'date');
}

/** A response that needs no connection. */
function respond(http) {
  const fields = { method: 'GET', url: '/', headers: {}, httpVersionMajor: 1, httpVersionMinor: 1 };
  const response = new http.ServerResponse(fields);
  response.assignSocket(new Writable({ write: (chunk, encoding, done) => done() }));
  return response;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('entries of http', () => {
  const answer = (req, res) => {
    if (req.url === '/list') res.writeHead(201, 'Mine', ['A', '1', 'A', '2']).end('x');
    else if (req.url === '/destroyed') res.destroy();
    else if (req.url === '/pieces') setImmediate(() => res.write('x') && res.end('y'));
    else res.setHeader('X-A', ['1', '2']).end('x');
  };

  /** All that is told on both sides, and what of it when the answer is there. */
  const asking = (http, options) =>
    serve(http, {}, answer, async (server, port) => {
      const entries = [];
      let early;
      const observer = new (observerFor(http))((list) => entries.push(...list.getEntries()));
      observer.observe({ type: 'http' });
      server.on('upgrade', (request, socket) => socket.end('HTTP/1.1 101 Yes\r\n\r\n'));
      const req = http.request({ ...OK, port, ...options });
      req.on('error', () => {});
      req.on('upgrade', (res, socket) => socket.destroy());
      req.on('response', (res) => {
        entries.push(...observer.takeRecords());
        early = entries.some(({ name }) => name === 'HttpClient');
        res.resume();
      });
      req.end(options.method === 'POST' ? 'body' : undefined);
      await new Promise((resolve) => req.on('close', resolve));
      entries.push(...observer.takeRecords());
      observer.disconnect();
      return [early, plain(entries.sort((a, b) => (a.name < b.name ? -1 : 1)))];
    });

  same('tell of a request and its answer, when the head is there', (http) =>
    asking(http, { path: '/a?b#c', headers: { 'X-B': ['c', 'd'] } })
  );
  same('tell of a list of fields', (http) =>
    asking(http, { path: '/list', headers: ['Host', 'x', 'A', 'b'] })
  );
  same('tell of a body in pieces', (http) => asking(http, { path: '/pieces', method: 'POST' }));
  same('tell of an answer without a body', (http) => asking(http, { method: 'HEAD' }));
  same('tell of a port that needs no saying', (http) =>
    serve(http, {}, answer, (server, port) => asking(http, { defaultPort: port, port }))
  );
  same('tell nothing of what is not answered', async (http) => [
    await asking(http, { path: '/destroyed' }),
    await asking(http, { headers: { Connection: 'upgrade', Upgrade: 'x' } })
  ]);
  same('tell of requests of one read, and of one that no listener sees', (http) =>
    serve(http, {}, answer, async (server, port) => {
      const entries = [];
      const observer = new (observerFor(http))((list) => entries.push(...list.getEntries()));
      observer.observe({ type: 'http' });
      const get = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      await exchange(port, `${get('/pieces')}${get('/list')}GET /none HTTP/1.1\r\n\r\n`);
      entries.push(...observer.takeRecords());
      observer.disconnect();
      return plain(entries);
    })
  );
  same('are of nobody who began before, or ended after', async (http) => {
    const calls = [];
    const observer = new (observerFor(http))((list) => calls.push(list.getEntries().map(brief)));
    const [before, after] = [respond(http), respond(http)];
    observer.observe({ type: 'http' });
    before.end();
    const within = respond(http);
    observer.disconnect();
    after.end();
    within.end();
    observer.observe({ type: 'http' });
    respond(http).end();
    await settled();
    observer.disconnect();
    return calls;
  });
});

describe('entries of net', () => {
  const connecting = (net, options, listen = ['127.0.0.1']) =>
    (async () => {
      const server = net.createServer((socket) => socket.end()).listen(0, ...listen);
      await once(server, 'listening');
      const { port } = server.address();
      const log = [];
      await observing(net, ['net'], async (observer) => {
        const socket = net.connect({ port, host: '127.0.0.1', ...options(port) }).resume();
        for (const event of ['connect', 'ready', 'error']) {
          socket.on(event, () => log.push(event, plain(observer.takeRecords())));
        }
        await new Promise((resolve) => socket.on('close', resolve));
        log.push(plain(observer.takeRecords()));
      });
      server.close();
      return log;
    })();
  const sameNet = (sentence, ...rest) =>
    parity.sameLog(sentence, ({ net }) => connecting(net, ...rest));

  sameNet('follow a connection', () => ({}));
  sameNet('follow one by name', () => ({ host: 'localhost', family: 4 }));
  sameNet('are none of a connection that fails', () => ({ port: 1 }));
  sameNet('name the address that answered', () => ({
    autoSelectFamily: true,
    host: 'several',
    lookup: (name, options, done) =>
      done(null, [
        { address: '127.0.0.2', family: 4 },
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 }
      ])
  }));
  sameNet('are none of a path', () => ({ path: '/nowhere' }));
});

describe('an observer', () => {
  same('is called once for what came meanwhile, in the order of the beginnings', async (http) => {
    const calls = await observing(http, ['http', 'mark'], async () => {
      performance.mark('first');
      respond(http).end();
      const last = respond(http);
      performance.mark('second');
      last.end();
      await settled();
      respond(http).end();
      await settled();
      performance.mark('third');
      await settled();
    });
    performance.clearMarks();
    return calls;
  });

  same('hands over its records, and is called all the same', async (http) => {
    const taken = [];
    const calls = await observing(http, ['http', 'mark'], async (observer) => {
      for (const make of [
        [() => respond(http).end()],
        [() => performance.mark('a'), () => respond(http).end()],
        [() => respond(http).end(), () => performance.mark('b')]
      ]) {
        for (const call of make) call();
        taken.push(observer.takeRecords().map(brief).sort());
        await settled();
      }
    });
    performance.clearMarks();
    return [taken, calls];
  });

  same('forgets its records when it stops, and keeps them when it changes', async (http) => {
    const taken = [];
    const calls = await observing(http, ['http'], async (observer) => {
      respond(http).end();
      observer.disconnect();
      taken.push(observer.takeRecords().length);
      observer.observe({ entryTypes: ['http', 'net'] });
      respond(http).end();
      observer.observe({ entryTypes: ['mark'] });
      respond(http).end();
      await settled();
    });
    return [taken, calls];
  });

  same('runs in the context of the first entry', async (http) => {
    const storage = new AsyncLocalStorage();
    const stores = [];
    const observer = new (observerFor(http))(() => stores.push(storage.getStore()));
    storage.run('observe', () => observer.observe({ type: 'http', buffered: false }));
    storage.run('first', () => respond(http).end());
    storage.run('second', () => respond(http).end());
    await settled();
    observer.disconnect();
    return stores;
  });

  same('judges its arguments', (http) => {
    const Observer = observerFor(http);
    const observe = (...options) => {
      const observer = new Observer(() => {});
      for (const each of options) observer.observe(each);
      observer.disconnect();
    };
    return [
      [],
      [undefined],
      [null],
      [{}],
      [{ entryTypes: 'http' }],
      [{ entryTypes: ['http'], type: 'net' }],
      [{ type: 'nothing' }],
      [{ entryTypes: [] }],
      [{ type: 'http' }, { type: 'net' }],
      [{ type: 'http' }, { entryTypes: ['net'] }],
      [{ entryTypes: ['http'] }, { type: 'net' }]
    ]
      .map((options) => thrown(() => observe(...options)))
      .concat([undefined, null, {}].map((callback) => thrown(() => new Observer(callback))));
  });

  same('gets what looks like Node’s own', async (http) => {
    const seen = [];
    const observer = new (observerFor(http))(function (...args) {
      const [list] = args;
      const [entry] = list.getEntries();
      seen.push(args.length, this === observer, args[1] === observer);
      seen.push(list instanceof PerformanceObserverEntryList, String(list));
      seen.push(list.getEntriesByType('http').length, list.getEntriesByType('net').length);
      seen.push(list.getEntriesByName('HttpRequest').length);
      seen.push(list.getEntriesByName('HttpRequest', 'net').length);
      seen.push(
        thrown(() => list.getEntriesByName()),
        thrown(() => list.getEntriesByType())
      );
      seen.push(entry instanceof PerformanceEntry, String(entry), entry.constructor.name);
      seen.push(entry.startTime > 0, entry.duration >= 0, Object.keys(entry.toJSON()));
      const names = [];
      for (const name in entry) names.push(name);
      seen.push(names, inspect(list).replace(/\d+\.\d+/g, 'time'), inspect([list], { depth: 0 }));
    });
    observer.observe({ type: 'http' });
    respond(http).end();
    await settled();
    observer.disconnect();
    return seen;
  });
});
