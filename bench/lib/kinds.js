'use strict';

// What the kinds of benchmark measure: one sample of one contender, and the metrics in it. A kind has
// either `sample`, which takes a sample at once, or `slice`, which loads a server for a short time: of
// such slices `rounds.js` makes a sample.

const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const cpu = require('./cpu');
const loadgen = require('./loadgen');
const { SERVER_CORE, runPinned, startClient } = require('./processes');
const { serve } = require('./serve');
const { median } = require('./stats');
const wrk = require('./wrk');

const servers = path.join(__dirname, '..', 'servers');
const clients = path.join(__dirname, '..', 'clients');

/** Throughput, latency and the server's own CPU time under load. */
const load = {
  metrics: [
    { name: 'operationsPerSecond', title: 'operations/s', digits: 0, ratio: true },
    { name: 'megabytesPerSecond', title: 'MB/s echoed', digits: 0, ratio: true, when: isBulk },
    { name: 'cpuMicros', title: 'server CPU, us/operation', digits: 2, ratio: true },
    { name: 'userMicros', title: 'of it user', digits: 2 },
    { name: 'systemMicros', title: 'of it system', digits: 2 },
    { name: 'p50Micros', title: 'p50, us', digits: 1, ratio: true },
    { name: 'p99Micros', title: 'p99, us', digits: 1 },
    { name: 'serverBusy', title: 'server core in use, %', digits: 0 },
    { name: 'generatorBusy', title: 'generator core in use, %', digits: 0 }
  ],

  /** In seconds. */
  shortest: 0.25,

  slice: ({ load: [mode, ...flags] }, { server, address }, seconds) =>
    loadgen.load(address, server.pid, mode, { flags, warmup: 0.05, seconds })
};

/** Datagrams in one direction: what arrived, and what that cost the server. */
const flow = {
  metrics: [
    { name: 'operationsPerSecond', title: 'datagrams/s', digits: 0, ratio: true },
    { name: 'cpuMicros', title: 'server CPU, us/datagram', digits: 2, ratio: true },
    { name: 'userMicros', title: 'of it user', digits: 2 },
    { name: 'systemMicros', title: 'of it system', digits: 2 },
    { name: 'lostPercent', title: 'lost, %', digits: 1 },
    { name: 'serverBusy', title: 'server core in use, %', digits: 0 },
    { name: 'generatorBusy', title: 'generator core in use, %', digits: 0 }
  ],

  shortest: load.shortest,
  slice: load.slice
};

function isBulk(bench) {
  return Number(bench.load[bench.load.indexOf('--size') + 1]) >= 65_536;
}

/** As `load`, with requests for operations; wrk is the generator. */
const http = {
  metrics: [
    { name: 'operationsPerSecond', title: 'requests/s', digits: 0, ratio: true },
    { name: 'megabytesPerSecond', title: 'MB/s', digits: 0, when: ({ bulk }) => Boolean(bulk) },
    { name: 'cpuMicros', title: 'server CPU, us/request', digits: 2, ratio: true },
    { name: 'userMicros', title: 'of it user', digits: 2 },
    { name: 'systemMicros', title: 'of it system', digits: 2 },
    { name: 'p50Micros', title: 'p50, us', digits: 0, ratio: true, when: isTimed },
    { name: 'p99Micros', title: 'p99, us', digits: 0, ratio: true, when: isTimed },
    { name: 'serverBusy', title: 'server core in use, %', digits: 0 },
    { name: 'generatorBusy', title: 'generator core in use, %', digits: 0 }
  ],

  check: wrk.check,

  /** wrk has whole seconds only. */
  shortest: 1,

  slice: ({ send = [] }, { server, address }, seconds) =>
    wrk.load(address, server.pid, send, {
      connections: 50,
      seconds: Math.max(1, Math.round(seconds))
    })
};

/** What wrk makes of latencies takes as many answers for as many waits. */
function isTimed({ send = [] }) {
  return send[0] !== 'pipeline';
}

/** The contender asks, and the generator answers. */
const httpClient = {
  metrics: [
    { name: 'operationsPerSecond', title: 'requests/s', digits: 0, ratio: true },
    { name: 'cpuMicros', title: 'client CPU, us/request', digits: 2, ratio: true },
    { name: 'userMicros', title: 'of it user', digits: 2 },
    { name: 'systemMicros', title: 'of it system', digits: 2 },
    { name: 'clientBusy', title: 'client core in use, %', digits: 0 },
    { name: 'responderBusy', title: 'generator core in use, %', digits: 0 }
  ],

  async sample(bench, contender, { seconds }) {
    const { responder, port } = await loadgen.respond();
    let client;
    try {
      const script = path.join(clients, bench.client);
      const warmup = 1;
      client = await startClient(contender, script, port, [bench.connections, warmup, seconds]);
      const before = cpu.read(responder.pid);
      const report = JSON.parse(await client.line());
      const used = cpu.between(before, cpu.read(responder.pid));
      await client.finish();
      if (report.sockets !== bench.connections) {
        throw new Error(`${report.sockets} sockets were in use, not ${bench.connections}`);
      }
      return {
        operationsPerSecond: report.requests / report.seconds,
        cpuMicros: (report.user + report.system) / report.requests,
        userMicros: report.user / report.requests,
        systemMicros: report.system / report.requests,
        clientBusy: (report.user + report.system) / report.seconds / 1e4,
        responderBusy: ((used.user + used.system) / (warmup + report.seconds)) * 100
      };
    } finally {
      await client?.kill();
      await responder.kill();
    }
  }
};

/** Resident memory before and after many connections came and stayed. */
const memory = {
  metrics: [
    { name: 'kilobytesEach', title: 'KB/connection', digits: 2, ratio: true },
    { name: 'megabytesBefore', title: 'RSS before, MB', digits: 1 },
    { name: 'megabytesAfter', title: 'RSS after, MB', digits: 1 }
  ],

  async sample(bench, contender) {
    const { server, address } = await serve(bench, contender);
    let holder;
    try {
      const before = await settledRss(server.pid);
      holder = await loadgen.hold(address, bench.hold ?? 'hold', bench.connections);
      await accepted(server.pid, bench.connections);
      const after = await settledRss(server.pid);
      // None may have been given up meanwhile.
      await accepted(server.pid, bench.connections);
      return {
        kilobytesEach: (after - before) / bench.connections,
        megabytesBefore: before / 1024,
        megabytesAfter: after / 1024
      };
    } finally {
      await holder?.kill();
      await server.kill();
    }
  }
};

/** Waits until the server has taken every connection out of the kernel's queue. */
async function accepted(pid, connections) {
  for (let waited = 0; waited < 30_000; waited += 100) {
    if (fs.readdirSync(`/proc/${pid}/fd`).length >= connections) return;
    await sleep(100);
  }
  throw new Error(`the server did not accept ${connections} connections`);
}

/** The RSS in KB once it has stayed within 0.2 % for a second: garbage may be collected or not. */
async function settledRss(pid) {
  let calm = 0;
  let last = rss(pid);
  for (let waited = 0; calm < 4 && waited < 10_000; waited += 250) {
    await sleep(250);
    const now = rss(pid);
    calm = Math.abs(now - last) / last < 0.002 ? calm + 1 : 0;
    last = now;
  }
  return last;
}

/** smaps_rollup walks the page tables; the counters of /proc/PID/status lag behind per core. */
function rss(pid) {
  const [, kilobytes] = /^Rss:\s+(\d+) kB$/m.exec(
    fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  );
  return Number(kilobytes);
}

/** The time to load a module, in processes that do nothing else. */
const startup = {
  metrics: [
    { name: 'requireMillis', title: '`require`, ms', digits: 2 },
    { name: 'processMillis', title: 'whole process, ms', digits: 1 },
    { name: 'emptyMillis', title: 'empty process, ms', digits: 1 }
  ],

  async sample(bench, contender) {
    const script = path.join(servers, 'require.js');
    const specifier = contender.host === null ? bench.module : `ferronet/${bench.module}`;
    const runs = [];
    for (let i = 0; i < bench.processes; i++) {
      const empty = await timed(contender, script, 'node:process');
      runs.push({ empty, full: await timed(contender, script, specifier) });
    }
    return {
      requireMillis: median(runs.map(({ full }) => full.printed)),
      processMillis: median(runs.map(({ full }) => full.total)),
      emptyMillis: median(runs.map(({ empty }) => empty.total))
    };
  }
};

async function timed({ executable }, script, specifier) {
  const start = performance.now();
  const printed = Number(await runPinned(SERVER_CORE, executable, [script, specifier]));
  return { printed, total: performance.now() - start };
}

module.exports = { flow, http, httpClient, load, memory, startup };
