'use strict';

// AsyncLocalStorage: which store every kind of callback sees.

const { sameChildLog, fine } = require('../support/parity');

describe('AsyncLocalStorage', () => {
  sameChildLog(
    'keeps the store of whoever connected, listened or wrote',
    (net, log, require) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      const entries = [];
      const see = (label) => entries.push(`${label}: ${storage.getStore()}`);
      let server;
      storage.run('server', () => {
        server = net.createServer((socket) => {
          see('connection');
          storage.run('per connection', () => {
            socket.on('data', () => {
              see('server data');
              socket.write('answer', () => see('server write callback'));
            });
            socket.on('end', () => see('server end'));
            socket.on('close', () => see('server socket close'));
          });
        });
        server.on('close', () => see('server close'));
        server.listen(0, '127.0.0.1', () => see('listening'));
      });
      server.on('listening', () => {
        storage.run('client', () => {
          const client = net.connect(server.address().port, '127.0.0.1', () => see('connect'));
          client.on('ready', () => {
            see('ready');
            storage.run('write', () => client.write('x', () => see('client write callback')));
          });
          client.on('data', () => {
            see('client data');
            storage.run('end', () => client.end(() => see('client end callback')));
          });
          client.on('finish', () => see('client finish'));
          client.on('end', () => see('client end'));
          client.on('close', () => {
            see('client close');
            storage.run('closing', () => server.close(() => see('close callback')));
          });
        });
      });
      process.on('exit', () => log(...entries.sort()));
    },
    fine(
      'client close: client',
      'client data: client',
      'client end callback: end',
      'client end: client',
      'client finish: end',
      'client write callback: write',
      'close callback: closing',
      'connect: client',
      'connection: server',
      'listening: server',
      'ready: client',
      'server close: closing',
      'server data: undefined',
      'server end: undefined',
      'server socket close: undefined',
      'server write callback: undefined'
    )
  );

  sameChildLog(
    'keeps the store of whoever connected or ended when garbage is collected meanwhile',
    (net, log, require) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      const server = net.createServer((socket) => socket.resume());
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        const client = storage.run('connect', () => net.connect(port, '127.0.0.1'));
        globalThis.gc();
        client.on('connect', () => {
          log(storage.getStore());
          storage.run('end', () => client.end(() => log(storage.getStore())));
          process.nextTick(globalThis.gc);
        });
        client.on('close', () => server.close());
        client.resume();
      });
    },
    fine('connect', 'end'),
    { execArgv: ['--expose-gc'] }
  );

  sameChildLog(
    'keeps stores apart in many concurrent connections',
    (net, log, require) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      const seen = [];
      let open = 20;
      const server = net.createServer((socket) => socket.pipe(socket));
      server.listen(0, '127.0.0.1', () => {
        for (let index = 0; index < 20; index += 1) {
          storage.run(index, () => {
            const client = net.connect(server.address().port, '127.0.0.1', async () => {
              await null;
              client.write(`${index}\n`);
            });
            client.on('data', async (data) => {
              await null;
              seen.push(storage.getStore() === index && Number(data) === index);
              client.end();
            });
            client.on('close', () => {
              seen.push(storage.getStore() === index);
              open -= 1;
              if (open === 0) server.close();
            });
          });
        }
      });
      process.on('exit', () => log(seen.length, seen.every(Boolean)));
    },
    fine(40, true)
  );

  sameChildLog(
    'survives errors and lookups',
    (net, log, require) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      storage.run('failing', () => {
        const client = net.connect({
          port: 1,
          host: 'name.example',
          lookup(hostname, options, callback) {
            log(`lookup: ${storage.getStore()}`);
            setImmediate(() => {
              storage.run('resolver', () =>
                options.all
                  ? callback(null, [{ address: '127.0.0.1', family: 4 }])
                  : callback(null, '127.0.0.1', 4)
              );
            });
          }
        });
        client.on('lookup', () => log(`lookup event: ${storage.getStore()}`));
        client.on('error', (error) => log(`${error.code}: ${storage.getStore()}`));
        client.on('close', () => log(`close: ${storage.getStore()}`));
      });
    },
    fine('lookup: failing', 'lookup event: resolver', 'ECONNREFUSED: resolver', 'close: failing')
  );

  sameChildLog(
    'is seen by timeouts and by async iteration',
    (net, log, require) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      const server = net.createServer((socket) => {
        storage.run('iteration', async () => {
          for await (const chunk of socket) log(`${chunk}: ${storage.getStore()}`);
          log(`after: ${storage.getStore()}`);
          server.close();
        });
      });
      server.listen(0, '127.0.0.1', () => {
        storage.run('client', () => {
          const client = net.connect(server.address().port, '127.0.0.1');
          client.setTimeout(10, () => {
            log(`timeout: ${storage.getStore()}`);
            client.end('chunk');
          });
        });
      });
    },
    fine('timeout: client', 'chunk: iteration', 'after: iteration')
  );

  sameChildLog(
    'keeps the store of a write that has to wait',
    (net, log, require) => {
      const { AsyncLocalStorage, createHook } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      const requests = new Map();
      let destroyed = 0;
      const hook = createHook({
        init: (id, type) => type === 'WRITEWRAP' && requests.set(id, type),
        destroy: (id) => (destroyed += requests.has(id))
      }).enable();
      const server = net.createServer((socket) => socket.pause());
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1', () => {
          client.on('drain', () => log(`drain: ${storage.getStore()}`));
          const bytes = Buffer.alloc(16 * 1024 * 1024);
          storage.run('first', () => client.write(bytes, () => log(`one: ${storage.getStore()}`)));
          storage.run('second', () => {
            client.write('more', () => {
              log(`two: ${storage.getStore()}`);
              client.destroy();
              server.close();
            });
          });
        });
      });
      server.on('connection', (socket) => setImmediate(() => socket.resume()));
      process.on('exit', () => {
        hook.disable();
        log(`waited: ${requests.size > 0} ${destroyed > 0}`);
      });
    },
    fine('drain: first', 'one: first', 'two: first', 'waited: true true')
  );
});
