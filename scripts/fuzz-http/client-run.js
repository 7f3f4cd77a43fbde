'use strict';

// Plays a scenario against one implementation of a client, with a plain server of Node's, and tells
// what the server received and what the program saw.

const net = require('node:net');
const { Writable } = require('node:stream');

const { HttpTrace } = require('./trace');

let current = null;
process.on('uncaughtException', (error) => current?.add('process', 'uncaught', error));

async function play(http, scenario) {
  const trace = (current = new HttpTrace());
  const peer = await makePeer(scenario.answers, trace);
  const agent = scenario.agent === null ? false : new http.Agent(scenario.agent);
  let last = Promise.resolve();
  for (const [index, request] of scenario.requests.entries()) {
    if (request.waits) {
      await Promise.race([last, new Promise((resolve) => setTimeout(resolve, 12))]);
      await trace.quiet();
    }
    last = ask(http, { agent, port: peer.port, index, request, trace });
  }
  await trace.quiet();
  await new Promise((resolve) =>
    setTimeout(resolve, scenario.requests.some((it) => it.timeout) ? 70 : 3)
  );
  await trace.quiet();
  for (const report of trace.reports) report();
  if (agent) {
    const count = (pool) => Object.values(pool).reduce((sum, list) => sum + list.length, 0);
    trace.add(
      'agent',
      'has',
      count(agent.sockets),
      count(agent.freeSockets),
      count(agent.requests)
    );
    trace.add('agent', 'total', agent.totalSocketCount);
  }
  trace.stopped = true;
  const text = peer.received.join(' || ');
  peer.close();
  if (agent) agent.destroy();
  for (const socket of trace.tunnels) socket.destroy();
  await trace.quiet();
  current = null;
  // How much of what is cut off was told is a matter of time.
  const loose = /destroy|abort|"signal":"(before|later)"/i.test(JSON.stringify(scenario.requests));
  return {
    text: loose ? '' : text,
    end: '',
    loose,
    connections: 0,
    lines: trace.lines,
    apart: trace.apart()
  };
}

/** A server that answers what looks like the end of a request, one answer each. */
function makePeer(answers, trace) {
  const received = [];
  const sockets = new Set();
  let next = 0;
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    const at = received.push('') - 1;
    let told = 0;
    socket.on('error', () => (received[at] += '<error>'));
    socket.on('end', () => {
      received[at] += '<end>';
      socket.end();
    });
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1').replace(/127\.0\.0\.1:\d+/g, 'host');
      received[at] += text.length > 5000 ? `<${text.length}>` : text;
      // Each head is answered; bodies may still come.
      const heads = received[at].split(/ HTTP\/1\.1\r\n/).length - 1;
      while (told < heads) {
        told++;
        const answer = answers[next++ % answers.length];
        trace.pending++;
        say(socket, answer).finally(() => trace.pending--);
      }
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const close = () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      };
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      resolve({ received, close, port });
    });
  });
}

async function say(socket, { pieces, end }) {
  for (const piece of pieces) {
    const ends = piece.endsWith('|');
    if (!socket.writable) return;
    const text = ends ? piece.slice(0, -1) : piece;
    if (text !== '') socket.write(text, 'latin1');
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (!ends) continue;
    if (end === 'end') socket.end();
    else if (end === 'destroy') socket.destroy();
    else socket.resetAndDestroy();
  }
}

/** Makes a request; resolves when it is closed. */
function ask(http, { agent, port, index, request: plan, trace }) {
  const who = `request${index}`;
  const of = `response${index}`;
  const { method, headers, timeout } = plan;
  let request;
  try {
    const target = method === 'CONNECT' ? 'a:80' : `/${index}`;
    const options = { agent, port, host: '127.0.0.1', method, headers, path: target };
    if (timeout > 0) options.timeout = timeout;
    Object.assign(options, plan.options);
    if (plan.signal !== null) {
      const controller = new AbortController();
      options.signal = controller.signal;
      if (plan.signal === 'before') controller.abort();
      else if (plan.signal === 'later') setTimeout(() => controller.abort(), 4);
    }
    request = http.request(options);
  } catch (error) {
    trace.add(who, 'threw', error);
    return Promise.resolve();
  }
  const closed = new Promise((resolve) => request.on('close', resolve));
  request.on('error', (error) => trace.add(who, 'error', error));
  if (plan.hears) {
    trace.hear(who, request, ['prefinish', 'finish', 'close', 'abort', 'timeout', 'continue']);
    request.on('information', ({ statusCode }) => trace.add(who, 'information', statusCode));
    request.on('socket', () => trace.add(who, 'socket', request.reusedSocket));
  }
  if (plan.timeout > 0) request.on('timeout', () => request.destroy());
  if (plan.takes) {
    for (const name of ['upgrade', 'connect']) {
      request.on(name, (response, socket, head) => {
        trace.add(who, name, response.statusCode, head.toString('latin1'));
        trace.tunnels.push(socket);
        trace.hear(`tunnel${index}`, socket, ['end', 'close', 'error']);
        hearBytes(trace, `tunnel${index}`, socket);
      });
    }
  }
  trace.reports.push(() => {
    const { aborted, destroyed, finished, reusedSocket, res } = request;
    trace.add(who, 'finally', { aborted, destroyed, finished, reusedSocket, res: res !== null });
  });
  if (plan.acts !== null) {
    request.on('response', (response) => {
      const { statusCode, statusMessage, httpVersion, rawHeaders, headers: fields } = response;
      trace.add(of, 'told', statusCode, statusMessage, httpVersion, rawHeaders, fields);
      trace.hear(of, response, ['end', 'close', 'aborted', 'error']);
      trace.reports.push(() => {
        const { complete, aborted, destroyed, readableEnded, rawTrailers } = response;
        trace.add(of, 'finally', { complete, aborted, destroyed, readableEnded, rawTrailers });
      });
      for (const act of plan.acts) ways[act]({ request, response, trace, who, of });
    });
  }
  try {
    const call = (what) =>
      plan.called ? (error) => trace.add(who, what, error ?? null) : undefined;
    if (plan.flushes) request.flushHeaders();
    if (plan.corks) request.cork();
    for (const part of plan.writes) {
      trace.add(who, 'write', request.write(bytes(part), part.encoding, call('written')));
    }
    if (plan.corks) request.uncork();
    if (plan.trailers) request.addTrailers({ 'X-T': plan.called ? 'end' : 'é' });
    request.end(bytes(plan.end), call('ended'));
  } catch (error) {
    trace.add(who, 'body threw', error);
    request.destroy();
  }
  if (plan.instead !== null) ways[plan.instead]({ request, trace, who, of });
  return closed;
}

function bytes(value) {
  if (value?.text !== undefined) return value.text.repeat(value.times);
  return value?.buffer === undefined ? value : Buffer.alloc(value.buffer, 'b');
}

function hearBytes(trace, who, stream) {
  let total = 0;
  stream.on('data', (chunk) => {
    if (total === 0) trace.reports.push(() => trace.add(who, 'bytes', total));
    total += chunk.length;
  });
}

const ways = {
  resume: ({ response }) => response.resume(),
  readData: ({ response, trace, of }) => hearBytes(trace, of, response),
  readText: ({ response, trace, of }) => hearBytes(trace, of, response.setEncoding('utf8')),
  readReadable: ({ response, trace, of }) => {
    let total = 0;
    trace.reports.push(() => trace.add(of, 'read', total));
    response.on('readable', () => {
      for (let chunk; (chunk = response.read()) !== null;) total += chunk.length;
    });
  },
  pauseAndResume: ({ response, trace, of }) => {
    hearBytes(trace, of, response);
    response.pause();
    trace.pending++;
    setTimeout(() => {
      trace.pending--;
      response.resume();
    }, 15);
  },
  nothing() {},
  signal: ({ response, trace, of }) => {
    const { signal } = response;
    signal?.addEventListener('abort', () => trace.add(of, 'signal aborted'));
    trace.add(of, 'signal', signal?.aborted);
  },
  readSome: ({ response, trace, of }) => {
    response.once('readable', () => trace.add(of, 'some', response.read(2)?.length ?? null));
  },
  pipe: ({ response, trace, of }) => {
    let total = 0;
    const target = new Writable({
      write(chunk, encoding, done) {
        total += chunk.length;
        setImmediate(done);
      }
    });
    target.on('finish', () => trace.add(of, 'piped', total));
    response.pipe(target);
  },
  destroyResponse: ({ response }) => response.destroy(),
  destroyResponseWith: ({ response }) => response.destroy(new Error('by the program')),
  destroyRequest: ({ request }) => request.destroy(),
  destroySocket: ({ request }) => request.socket?.destroy(),
  abort: ({ request }) => request.abort(),
  hearSocket: ({ response }) => response.socket.on('data', () => {}),
  later: ({ response, trace, of }) => {
    trace.pending++;
    setTimeout(() => {
      trace.pending--;
      hearBytes(trace, of, response);
    }, 8);
  },
  iterate: async ({ response, trace, of }) => {
    let total = 0;
    try {
      for await (const chunk of response) total += chunk.length;
      trace.add(of, 'iterated', total);
    } catch (error) {
      trace.add(of, 'iterated', total, error);
    }
  }
};

module.exports = { play };
