'use strict';

// Plays a scenario with one implementation at one side, or both, and Node's net at the other, and tells
// what each side saw.

const { createHash } = require('node:crypto');
const host = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { Readable, Writable, finished, pipeline } = require('node:stream');

const { Trace } = require('../fuzz/trace');

const HEARD = ['connect', 'ready', 'end', 'prefinish', 'finish', 'timeout'];

/** The trace of the scenario that runs, for exceptions. */
let current = null;
process.on('uncaughtException', (error) => {
  if (current === null || process.env.FUZZ_STACKS) console.error(error);
  current?.add('process', 'uncaught', error);
});
process.on('unhandledRejection', (error) => current?.add('process', 'rejected', error));

/** What scenarios have for a time of idleness, and a margin. */
const TIMEOUT = 20;

let paths = 0;

async function play(net, scenario) {
  const trace = (current = new NetTrace());
  // How often a stream is paused by one who takes much slowly depends on how it is cut.
  const text = JSON.stringify(scenario);
  trace.bulk = /writeMuch|0000}/.test(text);
  trace.cut = trace.bulk && /pipeSelf|destroy|reset|dispose|pipeline|signal|Error|close/.test(text);
  const serves = scenario.subject === 'client' ? host : net;
  const connects = scenario.subject === 'server' ? host : net;
  const server = serves.createServer(scenario.server);
  const target = await listen(server, scenario.kind, trace);
  /** Every socket by its name. */
  const sockets = {};

  let accepted = 0;
  server.on('connection', (socket) => {
    const who = `accepted${accepted++}`;
    sockets[who] = socket;
    trace.add('server', 'connection');
    attend(trace, who, socket, scenario.listener);
    react(trace, who, socket, scenario.listener.reactions.connection);
  });
  server.on('close', () => trace.add('server', 'close'));
  server.on('error', (error) => trace.add('server', 'error', error));

  for (const [index, client] of scenario.clients.entries()) {
    const who = `client${index}`;
    sockets[who] = connect(connects, trace, who, client, target);
    await trace.quiet();
  }
  for (const [who, value] of scenario.steps) {
    if (who === 'sleep') await new Promise((resolve) => setTimeout(resolve, value));
    else if (who === 'server') serverWays[value[0]](server, trace);
    else if (sockets[who] !== undefined) react(trace, who, sockets[who], value);
    await trace.quiet();
    if (Object.values(sockets).some((it) => it.timeout > 0 && !it.destroyed)) {
      await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT));
      await trace.quiet();
    }
    for (const [name, socket] of Object.entries(sockets)) trace.state(name, socket);
  }
  for (const report of trace.reports) report();
  trace.stopped = true;
  for (const socket of Object.values(sockets)) socket.destroy();
  await new Promise((resolve) => (server.listening ? server.close(resolve) : resolve(undefined)));
  await new Promise((resolve) => setImmediate(resolve));
  current = null;
  return { lines: trace.lines, apart: trace.apart() };
}

class NetTrace extends Trace {
  constructor() {
    super();
    /** The last line of each that is of bytes read. */
    this.reading = new Map();
    this.read = new Map();
    this.states = new Map();
    this.total = 0;
    this.bulk = false;
    /** How much of what is cut off came is a matter of time, and of what the kernel keeps. */
    this.cut = false;
  }

  quiet() {
    const trace = this;
    return super.quiet({
      get length() {
        return trace.total;
      }
    });
  }

  add(who, what, ...details) {
    this.reading.delete(who);
    super.add(who, what, ...details.map((it) => plain(it)));
  }

  /** Bytes that were read in whatever pieces: who listens and also iterates gets each of them twice. */
  bytes(who, how, chunk) {
    if (this.stopped) return;
    const reader = `${who} ${how === 'iterated' ? 'read' : how}`;
    if (!this.read.has(reader)) {
      const hash = createHash('sha1');
      this.read.set(reader, hash);
      if (!this.cut)
        this.reports.push(() => this.add(who, 'bytes', hash.digest('hex').slice(0, 8)));
    }
    this.total += chunk.length;
    this.read.get(reader).update(chunk);
    if (this.bulk) return;
    const last = this.reading.get(who);
    const length = chunk.length + (last?.how === how ? last.length : 0);
    const at = last?.how === how ? last.at : this.lines.length;
    this.lines[at] = `${who} ${how} ${typeof chunk === 'string' ? 'text' : 'bytes'} ${length}`;
    this.reading.set(who, { at, how, length });
  }

  attempt(who, call) {
    try {
      return call();
    } catch (error) {
      this.add(who, 'threw', error);
    }
  }

  /** What became of it since it was last asked. */
  state(who, socket) {
    const state = stateOf(socket);
    if (this.cut) for (const name of COUNTS) delete state[name];
    const before = this.states.get(who) ?? FIRST;
    const news = Object.entries(state).filter(([name, value]) => before[name] !== value);
    this.states.set(who, state);
    if (news.length > 0) this.add(who, 'is', Object.fromEntries(news));
  }
}

function stateOf(socket) {
  const state = {};
  for (const name of NAMES) {
    const value = socket[name];
    state[name] = value instanceof Error ? value.message.split(' ')[0] : value;
  }
  return state;
}

const NAMES = [
  ...['readyState', 'connecting', 'pending', 'destroyed', 'closed', 'errored', 'allowHalfOpen'],
  ...['readable', 'readableEnded', 'readableFlowing', 'readableAborted', 'readableDidRead'],
  ...['writable', 'writableEnded', 'writableFinished', 'writableLength', 'writableNeedDrain'],
  ...['writableCorked', 'writableAborted', 'writableHighWaterMark', 'bytesWritten', 'timeout'],
  'bytesRead'
];

const COUNTS = ['bytesRead', 'bytesWritten', 'writableLength'];

/** What most begin as. */
const FIRST = {
  ...{ readyState: 'open', connecting: false, pending: false, destroyed: false, closed: false },
  ...{ errored: null, allowHalfOpen: false, readable: true, readableEnded: false },
  ...{ readableAborted: false, readableDidRead: false, writable: true, writableEnded: false },
  ...{ writableFinished: false, writableLength: 0, writableNeedDrain: false, writableCorked: 0 },
  ...{ writableAborted: undefined, timeout: undefined, bytesRead: 0, bytesWritten: 0 }
};

/** A value that is the same in every run. */
function plain(value) {
  if (value instanceof Error) {
    const { code, syscall, errno, message } = /** @type {any} */ (value);
    const text = plain(message.replace(/:\d{4,5}\b/g, ':port'));
    return { error: code ?? value.name, message: text, syscall, errno };
  }
  return typeof value === 'string' ? value.replace(/\/\S*\.sock/, 'path') : value;
}

function listen(server, kind, trace) {
  const target = kind === 'unix' ? { path: newPath() } : { port: 0, host: '127.0.0.1' };
  server.on('listening', () => trace.add('server', 'listening'));
  return new Promise((resolve) => {
    server.listen(target, () => {
      const address = server.address();
      resolve(typeof address === 'string' ? { path: address } : { port: address.port });
    });
  });
}

/** What the names of hosts are looked up as. */
const NAMED = { one: ['127.0.0.1'], two: ['::1', '127.0.0.1'], twice: ['127.0.0.1', '127.0.0.1'] };

function newPath() {
  return path.join(os.tmpdir(), `fuzz-net-${process.pid}-${paths++}.sock`);
}

function connect(net, trace, who, plan, target) {
  const options = { ...plan.options };
  let controller = null;
  if (options.signal !== undefined) {
    controller = new AbortController();
    if (options.signal === 'before') controller.abort();
    options.signal = controller.signal;
  }
  if (options.onread !== undefined) options.onread = makeOnRead(trace, who, options.onread);
  const to = target.path === undefined ? { port: target.port, host: plan.host } : { ...target };
  if (plan.target === 'nobody') {
    if (to.path === undefined) to.port = 1;
    else to.path += '.none';
  }
  if (to.host in NAMED) {
    const found = NAMED[to.host].map((address) => ({ address, family: net.isIP(address) }));
    to.lookup = (name, { all }, done) => {
      const [{ address, family }] = found;
      setImmediate(() => (all ? done(null, found) : done(null, address, family)));
    };
  }
  const onConnect = () => trace.add(who, 'called');
  let socket;
  if (plan.way === 'new') {
    socket = new net.Socket(options);
    attend(trace, who, socket, plan);
    trace.attempt(who, () => socket.connect(to, onConnect));
  } else {
    socket = net[plan.way]({ ...options, ...to }, onConnect);
    attend(trace, who, socket, plan);
  }
  if (plan.options.signal === 'now') controller.abort();
  else if (plan.options.signal === 'later') setImmediate(() => controller.abort());
  react(trace, who, socket, plan.before);
  return socket;
}

function makeOnRead(trace, who, how) {
  let calls = 0;
  const buffer =
    how === 'function' ? () => Buffer.alloc(100 + calls) : Buffer.alloc(how === 'small' ? 7 : 5000);
  const callback = (length, bytes) => {
    trace.bytes(who, 'onread', bytes.subarray(0, length));
    calls++;
    return how !== 'stops';
  };
  return { buffer, callback };
}

/** Hears a socket, reads it, and does what it does when it hears something. */
function attend(trace, who, socket, { hears, reads, reactions }) {
  socket.on('error', (error) => trace.add(who, 'error', error));
  socket.on('close', (...values) => trace.add(who, 'close', ...values));
  if (hears) {
    trace.hear(who, socket, trace.bulk ? HEARD : [...HEARD, 'drain', 'pause', 'resume']);
    socket.on('lookup', (error, address, family) => trace.add(who, 'lookup', address, family));
    for (const event of ['connectionAttempt', 'connectionAttemptFailed']) {
      socket.on(event, (address, port, family, error) => trace.add(who, event, address, error));
    }
    for (const event of ['pipe', 'unpipe']) socket.on(event, () => trace.add(who, event));
  }
  for (const [event, acts] of Object.entries(reactions)) {
    if (event === 'connection' || event === 'data' || event === 'readable') continue;
    socket.once(event, () => react(trace, who, socket, acts));
  }
  const reads_ = reads === null ? null : (ways[reads] ?? ((it) => ways.listen(it, reads)));
  reads_?.({ socket, trace, who, reactions });
  for (const event of ['data', 'readable']) {
    if (reads !== event || reactions[event] === undefined) continue;
    socket.once(event, () => react(trace, who, socket, reactions[event]));
  }
}

/** Carries out what a program does, up to where it waits, then the rest. */
function react(trace, who, socket, acts = []) {
  for (let at = 0; at < acts.length; at++) {
    const [name, value] = acts[at];
    if (name === 'wait') {
      trace.pending++;
      later[value](() => {
        trace.pending--;
        react(trace, who, socket, acts.slice(at + 1));
      });
      return;
    }
    try {
      const result = ways[name]({ socket, trace, who }, value);
      trace.add(who, `${name}()`, typeof result === 'boolean' ? result : '');
    } catch (error) {
      trace.add(who, `${name}()`, 'threw', error);
    }
  }
}

const later = {
  tick: (call) => process.nextTick(call),
  micro: (call) => queueMicrotask(call),
  timer: (call) => setTimeout(call, 3)
};

/** Bytes that tell if some are lost or in another order. */
function bytesOf(value) {
  if (value?.text !== undefined) return count(value.text).toString('latin1');
  if (value?.buffer !== undefined) return count(value.buffer);
  if (value?.bytes !== undefined) return new Uint8Array(count(value.bytes));
  return value;
}

function count(length) {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = 97 + ((i + length) % 26);
  return bytes;
}

const called = ({ trace, who }, what) => {
  return (error) => trace.add(who, what, error ?? null);
};

const ways = {
  write: ({ socket }, value) => socket.write(bytesOf(value)),
  writeBad: ({ socket }, value) => socket.write(value),
  writeCalled: (it, value) => it.socket.write(bytesOf(value), called(it, 'written')),
  writeAs: ({ socket }, encoding) => socket.write('abcdef01', encoding),
  writeMuch: (it, length) => it.socket.write(Buffer.alloc(length, 'm'), called(it, 'written')),
  cork: ({ socket }) => socket.cork(),
  uncork: ({ socket }) => socket.uncork(),
  corked: (it, values) => {
    it.socket.cork();
    for (const value of values) it.socket.write(bytesOf(value), called(it, 'corked'));
    it.socket.uncork();
  },
  setDefaultEncoding: ({ socket }, encoding) => void socket.setDefaultEncoding(encoding),

  end: ({ socket }, value) => void socket.end(bytesOf(value)),
  endCalled: (it, value) => void it.socket.end(bytesOf(value), called(it, 'ended')),
  destroy: ({ socket }) => void socket.destroy(),
  destroyWith: ({ socket }) => void socket.destroy(new Error('by the program')),
  destroySoon: ({ socket }) => void socket.destroySoon(),
  reset: ({ socket }) => void socket.resetAndDestroy(),
  dispose: (it) => {
    const dispose = it.socket[Symbol.asyncDispose ?? ''];
    if (dispose) dispose.call(it.socket).then(called(it, 'disposed'), called(it, 'disposed'));
  },

  pause: ({ socket }) => void socket.pause(),
  resume: ({ socket }) => void socket.resume(),
  listen: ({ socket, trace, who }, event) => {
    if (event === 'data') {
      socket.on('data', (chunk) => trace.bytes(who, 'data', chunk));
      return;
    }
    socket.on('readable', () => {
      for (let chunk; (chunk = socket.read()) !== null;) trace.bytes(who, 'read', chunk);
    });
  },
  unlisten: ({ socket }, event) => void socket.removeAllListeners(event),
  read: ({ socket, trace, who }, size) => {
    trace.add(who, 'got', socket.read(size)?.length ?? null);
  },
  setEncoding: ({ socket }, encoding) => void socket.setEncoding(encoding),
  unshift: ({ socket }, value) => void socket.unshift(bytesOf(value)),
  iterate: async ({ socket, trace, who }) => {
    try {
      for await (const chunk of socket) trace.bytes(who, 'iterated', chunk);
      trace.add(who, 'iterated', 'all');
    } catch (error) {
      trace.add(who, 'iterated', error);
    }
  },
  pipeOut: (it) => void it.socket.pipe(sink(it, (done) => done())),
  // Bytes and the end behind them come in one iteration of the loop with ours, in two with Node's.
  pipeSlow: (it) => {
    it.socket.pipe(
      sink(it, (done) => {
        it.trace.pending++;
        setTimeout(() => {
          it.trace.pending--;
          done();
        }, 2);
      })
    );
  },
  pipeSelf: ({ socket }) => void socket.pipe(socket),
  unpipe: ({ socket }) => void socket.unpipe(),
  pipeIn: ({ socket }) => void source().pipe(socket, { end: false }),
  pipelineIn: (it) => void pipeline(source(), it.socket, called(it, 'piped in')),
  pipelineOut: (it) => {
    pipeline(
      it.socket,
      sink(it, (done) => done()),
      called(it, 'piped out')
    );
  },

  finished: (it) => void finished(it.socket, called(it, 'finished')),
  setTimeout: ({ socket }, time) => void socket.setTimeout(time),
  setTimeoutCalled: (it, time) => void it.socket.setTimeout(time, called(it, 'timed out')),
  setNoDelay: ({ socket }, value) => void socket.setNoDelay(value),
  setKeepAlive: ({ socket }, value) => void socket.setKeepAlive(value, 1000),
  unref: ({ socket }) => void socket.unref(),
  ref: ({ socket }) => void socket.ref(),
  address: ({ socket, trace, who }) => {
    const { localAddress, localFamily, remoteAddress, remoteFamily } = socket;
    trace.add(who, 'address', { localAddress, localFamily, remoteAddress, remoteFamily });
  },
  set: ({ socket }, [name, value]) => void (socket[name] = value),
  state: ({ socket, trace, who }) => void trace.state(who, socket)
};

function sink({ trace, who }, next) {
  const target = new Writable({
    write(chunk, encoding, done) {
      trace.bytes(who, 'piped', chunk);
      next(done);
    }
  });
  target.on('finish', () => trace.add(who, 'target finish'));
  return target;
}

function source() {
  return Readable.from(['one', 'two', 'three'].map((text) => Buffer.from(text)));
}

const serverWays = {
  close: (server) => void server.close(),
  closeCalled: (server, trace) => {
    server.close((error) => trace.add('server', 'closed', error ?? null));
  },
  getConnections: (server, trace) => {
    server.getConnections((error, count) => trace.add('server', 'connections', error, count));
  },
  unref: (server) => void server.unref(),
  state: (server, trace) => trace.add('server', 'listening', server.listening)
};

module.exports = { play };
