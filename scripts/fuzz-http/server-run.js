'use strict';

// Plays a scenario against one implementation of http, with a plain client of Node's, and tells what
// the client received, how its connection ended and what the program saw.

const host = require('node:http');
const net = require('node:net');
const { Duplex, Readable } = require('node:stream');

const { show } = require('../fuzz/trace');
const { HttpTrace } = require('./trace');

const REQUEST_EVENTS = ['end', 'close', 'aborted', 'error', 'timeout'];
const RESPONSE_EVENTS = ['finish', 'close', 'error', 'timeout', 'drain', 'socket'];

/** The trace of the scenario that runs, for exceptions. */
let current = null;
process.on('uncaughtException', (error) => {
  if (current === null || process.env.FUZZ_STACKS) console.error(error);
  current?.add('process', 'uncaught', error);
});

async function play(http, scenario) {
  const trace = (current = new HttpTrace());
  const server = makeServer(http, scenario, trace);
  await listening(server);
  const front = scenario.bridged ? bridgeTo(server) : null;
  if (front !== null) await listening(front);
  const client = await makeClient((front ?? server).address().port);
  if (!scenario.reads) client.socket.pause();
  await trace.quiet();
  for (const [step, value] of scenario.steps) {
    trace.add('wire', step);
    if (step === 'send') client.socket.write(value, 'latin1');
    else if (step === 'end') client.socket.end();
    else if (step === 'destroy') client.socket.destroy();
    else if (step === 'reset') client.socket.resetAndDestroy();
    else await new Promise((resolve) => setTimeout(resolve, value));
    await trace.quiet(client);
  }
  if (!scenario.reads) {
    client.socket.resume();
    await trace.quiet(client);
  }
  const wire = client.result();
  if (wire.end === 'open') for (const report of trace.reports) report();
  // How it is torn down is a matter of time.
  trace.stopped = true;
  client.socket.destroy();
  for (const socket of trace.tunnels) socket.destroy();
  await trace.quiet();
  const connections = await new Promise((resolve) => {
    server.getConnections((error, count) => resolve(error ?? count));
  });
  server.closeAllConnections();
  front?.close();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
  await trace.quiet();
  current = null;
  // How far what is cut off came depends on when ticks run amid a read.
  const told = JSON.stringify(scenario.programs);
  const loose =
    /destroy|closeAll|socketEnd|throw/i.test(told) ||
    /CONNECT/.test(scenario.steps.map(([, text]) => text).join('')) ||
    trace.broken ||
    trace.lines.some((line) => /uncaught|clientError|HPE_/.test(line));
  return { ...wire, loose, connections, lines: trace.lines, apart: trace.apart() };
}

function listening(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

/** A server of Node's that gives its connections to another one, as streams that are no sockets. */
function bridgeTo(server) {
  return net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const bridge = new Duplex({
      read: () => void socket.resume(),
      write: (chunk, encoding, done) => void socket.write(chunk, encoding, () => done()),
      final: (done) => void socket.end(() => done()),
      destroy(error, done) {
        socket.destroy();
        done(error);
      }
    });
    socket.on('data', (chunk) => bridge.push(chunk) || socket.pause());
    socket.on('end', () => bridge.push(null));
    socket.on('error', (error) => bridge.destroy(error));
    socket.on('close', () => bridge.destroy());
    server.emit('connection', bridge);
  });
}

function makeClient(port) {
  return new Promise((resolve) => {
    const client = { length: 0, end: 'open', result: null };
    const chunks = [];
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.socket = socket;
    socket.setNoDelay();
    socket.on('data', (chunk) => {
      client.length += chunk.length;
      chunks.push(chunk);
    });
    socket.on('end', () => {
      client.length++;
      client.end = client.end === 'open' ? 'ended' : client.end;
    });
    socket.on('error', (/** @type {any} */ error) => {
      client.length++;
      client.end = error.code === 'EPIPE' ? 'ECONNRESET' : error.code;
    });
    socket.on('connect', () => resolve(client));
    client.result = () => {
      const text = Buffer.concat(chunks).toString('latin1');
      return { text: text.replace(/Date: [^\r]*/g, 'Date: now'), end: client.end };
    };
  });
}

function makeServer(http, scenario, trace) {
  const { options, properties, subclasses } = scenario.options;
  const classes = {};
  if (subclasses === 'request' || subclasses === 'both') {
    classes.IncomingMessage = class Request extends http.IncomingMessage {};
  }
  if (subclasses === 'response' || subclasses === 'both') {
    classes.ServerResponse = class Response extends http.ServerResponse {};
  }
  const server = http.createServer({ ...options, ...classes });
  if (http === host) watchErrors(server, trace);
  Object.assign(server, properties);
  let count = 0;
  server.on('request', (request, response) => {
    const index = count++;
    answer(
      server,
      scenario.programs[index % scenario.programs.length],
      index,
      request,
      response,
      trace
    );
  });
  listen(server, scenario.listeners, trace);
  server.on('close', () => trace.add('server', 'close'));
  return server;
}

/** Notes broken requests also where nobody listens; of ours this would make another server. */
function watchErrors(server, trace) {
  server.emit = function (name, ...values) {
    if (name === 'clientError') trace.broken = true;
    return host.Server.prototype.emit.call(this, name, ...values);
  };
}

/** What the listeners of a server do that were asked for. */
function listen(server, listeners, trace) {
  const ways = {
    connection(way, socket) {
      trace.hear('socket', socket, ['end', 'close', 'error', 'timeout']);
      if (way === 'data') hearBytes(trace, 'socket', socket);
    },
    clientError(way, error, socket) {
      trace.add('server', 'packet', error.bytesParsed, error.rawPacket?.toString('latin1').length);
      if (way === 'answer' && socket.writable) socket.end('HTTP/1.1 499 Mine\r\n\r\n');
      if (way === 'destroy') socket.destroy();
    },
    upgrade: takeOver,
    connect: takeOver,
    checkContinue(way, request, response) {
      if (way === 'refuse') {
        response.statusCode = 417;
        response.end();
      } else {
        response.writeContinue();
        server.emit('request', request, response);
      }
    },
    checkExpectation(way, request, response) {
      response.end('expected');
    },
    timeout(way, socket) {
      if (way === 'destroy') socket.destroy();
    },
    dropRequest() {}
  };
  function takeOver(way, request, socket, head) {
    trace.add('server', 'head', head.toString('latin1'));
    trace.tunnels.push(socket);
    trace.hear('tunnel', socket, ['end', 'close', 'error']);
    if (way !== 'later') hearBytes(trace, 'tunnel', socket);
    if (way === 'read') hearBytes(trace, 'upgraded', request);
    if (way === 'later') {
      trace.pending++;
      setTimeout(() => {
        trace.pending--;
        hearBytes(trace, 'tunnel', socket);
        socket.write('HTTP/1.1 101 Yes\r\n\r\n');
      }, 3);
    }
    if (way === 'answer' || way === 'read') socket.write('HTTP/1.1 101 Yes\r\n\r\n');
    if (way === 'end') socket.end('HTTP/1.1 101 Yes\r\n\r\n');
    if (way === 'destroy') socket.destroy();
  }
  for (const [name, way] of Object.entries(listeners)) {
    server.on(name, (...values) => {
      trace.add('server', name, ...values.filter((it) => it instanceof Error));
      ways[name](way, ...values);
    });
  }
}

/** What is read, whatever pieces it comes in. */
function hearBytes(trace, who, stream) {
  let total = 0;
  const tell = () => trace.add(who, 'bytes', total);
  stream.on('data', (chunk) => {
    if (total === 0) trace.reports.push(tell);
    total += chunk.length;
  });
}

/** Carries a program out. */
async function answer(
  server,
  { acts, hearsRequest, hearsResponse },
  index,
  request,
  response,
  trace
) {
  const who = { request: `request${index}`, response: `response${index}` };
  const { method, url, httpVersion, rawHeaders, headers } = request;
  trace.add(who.request, 'told', method, url, httpVersion, rawHeaders, headers);
  if (hearsRequest) trace.hear(who.request, request, REQUEST_EVENTS);
  if (hearsResponse) trace.hear(who.response, response, RESPONSE_EVENTS);
  trace.reports.push(() => {
    trace.add(who.request, 'finally', stateOfRequest(request));
    trace.add(who.response, 'finally', stateOfResponse(response));
  });
  const context = { server, request, response, trace, who };
  for (let at = 0; at < acts.length; at++) {
    const [name, value] = acts[at];
    if (name === 'wait') {
      later(context, value, acts.slice(at + 1));
      return;
    }
    act(context, name, value);
  }
}

function later(context, how, acts) {
  const { trace } = context;
  trace.pending++;
  const go = () => {
    trace.pending--;
    for (let at = 0; at < acts.length; at++) {
      const [name, value] = acts[at];
      if (name === 'wait') {
        later(context, value, acts.slice(at + 1));
        return;
      }
      act(context, name, value);
    }
  };
  if (how === 'tick') process.nextTick(go);
  else if (how === 'micro') queueMicrotask(go);
  else if (how === 'immediate') setImmediate(go);
  else setTimeout(go, 2);
}

function act(context, name, value) {
  const { trace, who } = context;
  // Node adds to lists that it was given.
  value = structuredClone(value);
  if (name === 'throw') {
    // What comes after it in the program is left out by the exception.
    trace.add(who.response, 'throws');
    throw new Error('thrown by the program');
  }
  try {
    const result = ways[name](context, value);
    if (typeof result === 'boolean') trace.add(who.response, name, result);
  } catch (error) {
    trace.add(who.response, name, 'threw', error);
  }
}

function bytes(value) {
  if (value?.buffer !== undefined) return Buffer.alloc(value.buffer, 'b');
  if (value?.bytes !== undefined) return new Uint8Array(value.bytes).fill(98);
  return value?.text === undefined ? value : 't'.repeat(value.text);
}

const ways = {
  end: ({ response }, value) => void response.end(bytes(value)),
  endCalled: ({ response, trace, who }, value) =>
    void response.end(value, (error) => trace.add(who.response, 'ended', error)),
  endAs: ({ response }, encoding) => void response.end('abcd', encoding),
  endText: ({ response }, [text, times, encoding]) =>
    void response.end(text.repeat(times), encoding),
  write: ({ response }, value) => response.write(bytes(value)),
  writeAs: ({ response }, encoding) => response.write('abcd', encoding),
  writeText: ({ response }, [text, times, encoding]) =>
    response.write(text.repeat(times), encoding),
  writeMuch: ({ response }) => {
    let left = 6;
    const go = () => {
      while (left > 0 && !response.finished) {
        left--;
        if (!response.write(Buffer.alloc(40_000, 'm'))) break;
      }
    };
    response.on('drain', go);
    go();
  },
  pipeInto: ({ response }) => {
    Readable.from(['a', 'b', 'c'].map((it) => Buffer.from(it))).pipe(response, { end: false });
  },
  corked: ({ response }, list) => {
    response.cork();
    for (const value of list) response.write(bytes(value));
    response.uncork();
  },
  corkedAs: ({ response }, [encoding, ...texts]) => {
    response.cork();
    for (const text of texts) response.write(text, encoding);
    response.uncork();
  },
  strict: ({ response }) => {
    response.strictContentLength = true;
  },
  writeCalled: ({ response, trace, who }, value) =>
    response.write(value, (error) => trace.add(who.response, 'written', error)),
  writeHead: ({ response }, list) => void response.writeHead(...list),
  appendHeader: ({ response }, pair) => void response.appendHeader(...pair),
  setHeaders: ({ response }, fields) => void response.setHeaders(new Map(Object.entries(fields))),
  headers: ({ response, trace, who }) => {
    trace.add(who.response, 'headers', response.getHeaders(), response.getRawHeaderNames?.());
    trace.add(who.response, 'has', response.getHeaderNames(), response.hasHeader('x-test'));
  },
  set: ({ response }, [name, value]) => {
    response[name] = value;
  },
  setHeader: ({ response }, pair) => void response.setHeader(...pair),
  removeHeader: ({ response }, name) => void response.removeHeader(name),
  addTrailers: ({ response }, fields) => void response.addTrailers(fields),
  flushHeaders: ({ response }) => void response.flushHeaders(),
  // Node never draws that of an answer which waits, and has ended.
  cork: ({ response }) => {
    if (!response.finished) response.cork();
  },
  // One too many has Node hold back all that follows, from Node 22 on.
  uncork: ({ response }) => {
    if (response.writableCorked > 0) response.uncork();
  },
  writeContinue: ({ response }) => void response.writeContinue(),
  writeProcessing: ({ response }) => void response.writeProcessing(),
  writeEarlyHints: ({ response }, hints) => void response.writeEarlyHints(hints),
  writeInformation: ({ response }, list) => response.writeInformation?.(...list),
  touchSocket: ({ request, trace, who }) => {
    trace.add(who.request, 'socket', stateOfSocket(request.socket));
  },
  touchResSocket: ({ response, trace, who }) => {
    trace.add(who.response, 'socket', stateOfSocket(response.socket));
  },
  listenToSocket: ({ request, trace, who }, event) => {
    if (event === 'data') hearBytes(trace, `${who.request}.socket`, request.socket);
    else if (event === 'close') trace.hear(`${who.request}.socket`, request.socket, ['close']);
    else request.socket.on('readable', () => {});
  },
  socketWrite: ({ request }, text) => void request.socket.write(text),
  socketPause: ({ request, trace }) => {
    request.socket.pause();
    trace.pending++;
    setTimeout(() => {
      trace.pending--;
      request.socket.resume();
    }, 3);
  },
  socketEnd: ({ response }) => void response.socket?.end(),
  socketDestroy: ({ request }) => void request.socket.destroy(),
  socketDestroySoon: ({ request }) => void request.socket.destroySoon(),
  readBody: ({ request, trace, who }) => hearBytes(trace, who.request, request),
  readBodyText: ({ request, trace, who }) => {
    request.setEncoding('utf8');
    hearBytes(trace, who.request, request);
  },
  readReadable: ({ request, trace, who }) => {
    let total = 0;
    trace.reports.push(() => trace.add(who.request, 'read', total));
    request.on('readable', () => {
      for (let chunk; (chunk = request.read()) !== null;) total += chunk.length;
    });
  },
  readSome: ({ request, trace, who }, size) => {
    trace.add(who.request, 'some', request.read(size)?.length ?? null);
  },
  iterate: async ({ request, trace, who }) => {
    let total = 0;
    try {
      for await (const chunk of request) total += chunk.length;
      trace.add(who.request, 'iterated', total);
    } catch (error) {
      trace.add(who.request, 'iterated', error);
    }
  },
  signal: ({ request, trace, who }) => {
    const { signal } = request;
    signal?.addEventListener('abort', () => trace.add(who.request, 'signal aborted'));
    trace.add(who.request, 'signal', signal?.aborted);
  },
  resume: ({ request }) => void request.resume(),
  pause: ({ request }) => void request.pause(),
  unlisten: ({ request }) => void request.removeAllListeners('data'),
  destroyRequest: ({ request }) => void request.destroy(),
  destroyRequestWith: ({ request }) => void request.destroy(new Error('by the program')),
  destroyResponse: ({ response }) => void response.destroy(),
  destroyResponseWith: ({ response }) => void response.destroy(new Error('by the program')),
  closeServer: ({ server }) => void server.close(),
  closeIdle: ({ server }) => void server.closeIdleConnections(),
  closeAll: ({ server }) => void server.closeAllConnections(),
  requestTimeout: ({ request, trace, who }, time) =>
    void request.setTimeout(time, () => trace.add(who.request, 'timed out')),
  responseTimeout: ({ response, trace, who }, time) =>
    void response.setTimeout(time, () => trace.add(who.response, 'timed out')),
  getConnections: ({ server, trace, who }) => {
    server.getConnections((error, count) => trace.add(who.response, 'connections', count));
  },
  state: ({ request, response, trace, who }) => {
    trace.add(who.request, 'state', stateOfRequest(request));
    trace.add(who.response, 'state', stateOfResponse(response));
  },
  pipeBody: ({ request, response }) => void request.pipe(response)
};

function stateOfRequest(request) {
  const names = ['complete', 'aborted', 'destroyed', 'readableEnded', 'errored'];
  return pick(request, [...names, 'readableLength', 'rawTrailers', 'upgrade']);
}

function stateOfResponse(response) {
  const names = ['headersSent', 'finished', 'destroyed', 'writableEnded'];
  const more = ['writableNeedDrain', 'closed', 'errored', 'statusCode'];
  return { ...pick(response, [...names, ...more]), socket: response.socket === null };
}

function stateOfSocket(socket) {
  return socket && pick(socket, ['destroyed', 'readable', 'writable', 'connecting']);
}

function pick(object, names) {
  return Object.fromEntries(names.map((name) => [name, error(object[name])]));
}

function error(value) {
  return value instanceof Error ? show(value) : value;
}

module.exports = { play };
