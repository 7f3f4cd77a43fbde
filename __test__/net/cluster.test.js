'use strict';

// listen() in cluster workers: ports and paths shared, or not, and limits that pass work on.

const path = require('node:path');
const { sameChildLog, fine, feature } = require('../support/parity');
const features = require('../support/parity-features');

const worker = path.join(__dirname, '..', 'support', 'cluster-worker.js');
const options = { env: { PARITY_WORKER: worker } };
describe('a cluster', () => {
  sameChildLog(
    'shares a port among its workers and serves every connection',
    (net, log, require) => {
      const cluster = require('node:cluster');
      const plain = require('node:net');
      cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
      const freePort = () =>
        new Promise((resolve) => {
          const probe = plain.createServer().listen(0, '127.0.0.1', () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
          });
        });
      const fork = (port) =>
        new Promise((resolve) => {
          const listen = { port, host: '127.0.0.1' };
          const worker = cluster.fork({ PARITY_LISTEN: JSON.stringify(listen) });
          worker.once('message', ({ address }) => resolve({ worker, got: address?.port }));
        });
      const ended = (worker) =>
        new Promise((resolve) => worker.once('exit', (code) => resolve(code)));
      const answer = (port) =>
        new Promise((resolve) => {
          const client = plain.connect(port, '127.0.0.1');
          client.once('data', (data) => resolve([String(data), client.destroy()][0]));
        });
      (async () => {
        let port = await freePort();
        let first = await fork(port);
        // Somebody else on this machine was faster.
        while (first.got === undefined) {
          first.worker.process.kill();
          port = await freePort();
          first = await fork(port);
        }
        const second = await fork(port);
        log(first.got === port, second.got === port);
        let answers = 0;
        for (let count = 0; count < 6; count += 1) {
          if (/^served by \d+$/.test(await answer(port))) answers += 1;
        }
        log(answers);
        // Not by the callback of disconnect(): after a handle was sent, the channel to a worker does
        // not keep the primary alive, which may then end before it hears of the last disconnect.
        const ends = Promise.all([ended(first.worker), ended(second.worker)]);
        cluster.disconnect();
        log(...(await ends));
      })();
    },
    fine(true, true, 6, 0, 0),
    options
  );

  sameChildLog(
    'gives workers that ask for any port the same one',
    (net, log, require) => {
      const cluster = require('node:cluster');
      cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
      const ports = [];
      for (let count = 0; count < 2; count += 1) {
        const forked = cluster.fork({ PARITY_LISTEN: JSON.stringify({ port: 0 }) });
        forked.on('message', ({ address }) => {
          ports.push(address.port);
          if (ports.length < 2) return;
          log(ports[0] === ports[1]);
          cluster.disconnect();
        });
      }
    },
    fine(true),
    options
  );

  sameChildLog(
    'tells the primary who listens where',
    (net, log, require) => {
      const cluster = require('node:cluster');
      cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
      cluster.on('listening', (forked, address) => {
        log(forked.id, { ...address, port: address.port > 0 });
        cluster.disconnect();
      });
      cluster.fork({ PARITY_LISTEN: JSON.stringify({ port: 0, host: '127.0.0.1' }) });
    },
    fine(1, { addressType: 4, address: '127.0.0.1', port: true }),
    options
  );

  sameChildLog(
    'shares nothing that is exclusive',
    (net, log, require) => {
      const cluster = require('node:cluster');
      cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
      const listen = { port: 0, host: '127.0.0.1', exclusive: true };
      const first = cluster.fork({ PARITY_LISTEN: JSON.stringify(listen) });
      first.once('message', ({ address }) => {
        const again = JSON.stringify({ ...listen, port: address.port });
        cluster.fork({ PARITY_LISTEN: again }).once('message', (message) => {
          log(message);
          cluster.disconnect();
        });
      });
    },
    fine({ error: 'EADDRINUSE', syscall: 'listen' }),
    options
  );

  sameChildLog(
    'shares a path among its workers, and lets one of them close its server',
    (net, log, require) => {
      const cluster = require('node:cluster');
      const plain = require('node:net');
      cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
      const where = `\0ferronet-cluster-${process.pid}`;
      const listen = JSON.stringify({ path: where });
      const first = cluster.fork({ PARITY_LISTEN: listen });
      first.once('message', ({ address }) => {
        log(address === where);
        cluster.fork({ PARITY_LISTEN: listen }).once('message', (message) => {
          log(message.address === where);
          first.once('message', (closed) => {
            log(closed);
            const client = plain.connect(where);
            client.once('data', (data) => {
              log(String(data));
              client.destroy();
              cluster.disconnect();
            });
          });
          first.send('close');
        });
      });
    },
    fine(true, true, { closed: true }, 'served by 2'),
    options
  );

  for (const policy of ['rr', 'none']) {
    sameChildLog(
      `serves what comes to a shared port, scheduled by '${policy}', until nobody listens`,
      (net, log, require) => {
        const cluster = require('node:cluster');
        const plain = require('node:net');
        cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
        const fork = () =>
          new Promise((resolve) => {
            const worker = cluster.fork({
              PARITY_LISTEN: JSON.stringify({ port: 0, host: '127.0.0.1' })
            });
            worker.once('message', ({ address }) => resolve({ worker, port: address.port }));
          });
        const told = (worker) => new Promise((resolve) => worker.once('message', resolve));
        const answer = (port) =>
          new Promise((resolve) => {
            const client = plain.connect(port, '127.0.0.1');
            client.on('error', ({ code }) => resolve(code));
            client.on('data', (data) => {
              client.end('thanks');
              client.on('close', () => resolve(String(data).replace(/\d/, 'a worker')));
            });
          });
        (async () => {
          const workers = [await fork(), await fork()];
          const { port } = workers[0];
          for (let count = 0; count < 4; count += 1) log(await answer(port));
          for (const { worker } of workers) {
            worker.send('close');
            log(await told(worker));
            log(await answer(port));
          }
          cluster.disconnect();
        })();
      },
      fine(
        ...Array(4).fill('served by a worker'),
        { closed: true },
        'served by a worker',
        { closed: true },
        'ECONNREFUSED'
      ),
      { env: { ...options.env, NODE_CLUSTER_SCHED_POLICY: policy } }
    );
  }

  sameChildLog(
    'gives connections to its workers in turn, and not to one that has as many as it may',
    (net, log, require) => {
      const cluster = require('node:cluster');
      const plain = require('node:net');
      cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
      const fork = (maxConnections) =>
        new Promise((resolve) => {
          const listen = { port: 0, host: '127.0.0.1', maxConnections };
          const worker = cluster.fork({ PARITY_LISTEN: JSON.stringify(listen) });
          worker.once('message', ({ address }) => resolve(address.port));
        });
      const connect = (port) =>
        new Promise((resolve) => {
          const client = plain.connect(port, '127.0.0.1');
          client.on('error', () => {});
          client.once('data', (data) => resolve({ client, said: String(data) }));
        });
      (async () => {
        await fork(2);
        const port = await fork(8);
        const answers = [];
        // All stay open.
        for (let count = 0; count < 6; count += 1) answers.push(await connect(port));
        const served = (name) => answers.filter(({ said }) => said === name).length;
        log(served('served by 1'), served('served by 2'));
        for (const { client } of answers) client.destroy();
        cluster.disconnect();
      })();
    },
    fine(2, 4),
    options
  );

  sameChildLog(
    'says so where a port is taken by somebody else',
    (net, log, require) => {
      const cluster = require('node:cluster');
      const plain = require('node:net');
      cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
      const rival = plain.createServer().listen(0, '127.0.0.1', () => {
        const { port } = rival.address();
        const listen = JSON.stringify({ port, host: '127.0.0.1' });
        cluster.fork({ PARITY_LISTEN: listen }).once('message', (message) => {
          log(message);
          rival.close();
          cluster.disconnect();
        });
      });
    },
    fine({ error: 'EADDRINUSE', syscall: 'bind' }),
    options
  );

  // dropMaxConnection came in the same release as reusePort.
  feature('dropMaxConnection', features.reusePort, () => {
    sameChildLog(
      'drops beyond maxConnections when told to',
      (net, log, require) => {
        const cluster = require('node:cluster');
        const plain = require('node:net');
        cluster.setupPrimary({ exec: process.env.PARITY_WORKER, execArgv: [] });
        const listen = { port: 0, host: '127.0.0.1', maxConnections: 1, dropMaxConnection: true };
        const seen = [];
        const see = (what) => {
          seen.push(what);
          if (seen.length === 3) forked.process.kill();
        };
        const forked = cluster.fork({ PARITY_LISTEN: JSON.stringify(listen) });
        forked.on('message', ({ address, dropped }) => {
          if (dropped) {
            see('dropped');
            return;
          }
          const { port } = address;
          plain.connect(port, '127.0.0.1').once('data', (data) => {
            see(String(data));
            const second = plain.connect(port, '127.0.0.1').resume();
            second.on('error', () => {});
            second.on('close', () => see('second closed'));
          });
        });
        forked.on('exit', () => {
          // The worker's message and the end of the connection come by different ways.
          log(...seen.sort());
          process.exit(0);
        });
      },
      fine('dropped', 'second closed', 'served by 1'),
      options
    );
  });
});
