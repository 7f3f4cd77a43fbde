'use strict';

// Async context: resource types and ids, triggers, AsyncLocalStorage through every kind of callback.

const { sameChildLog, fine } = require('../support/parity');

describe('async_hooks', () => {
  sameChildLog(
    'see the same resources over TCP, and what triggered them',
    (net, log, require) => {
      const hooks = require('node:async_hooks');
      const wanted = /^(TCP|SHUTDOWNWRAP|GETADDRINFO)/;
      const types = new Map([[1, 'root']]);
      const found = [];
      hooks
        .createHook({
          init(id, type, trigger) {
            types.set(id, type);
            if (wanted.test(type)) found.push(`${type} triggered by ${types.get(trigger)}`);
          }
        })
        .enable();
      const server = net.createServer((socket) => socket.end('bye'));
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1');
        client.resume();
        client.on('close', () => server.close());
      });
      process.on('exit', () => log(...found.sort()));
    },
    fine(
      'SHUTDOWNWRAP triggered by TCPWRAP',
      'SHUTDOWNWRAP triggered by TCPWRAP',
      'TCPCONNECTWRAP triggered by TCPWRAP',
      'TCPSERVERWRAP triggered by TickObject',
      'TCPWRAP triggered by TCPSERVERWRAP',
      'TCPWRAP triggered by TickObject'
    )
  );

  sameChildLog(
    'see the same resources over a Unix socket',
    (net, log, require) => {
      const hooks = require('node:async_hooks');
      const wanted = /^(TCP|PIPE|SHUTDOWNWRAP)/;
      const found = [];
      hooks
        .createHook({
          init(id, type) {
            if (wanted.test(type)) found.push(type);
          }
        })
        .enable();
      const path = `\0ferronet-hooks-${process.pid}`;
      const server = net.createServer((socket) => socket.end('bye'));
      server.listen(path, () => {
        const client = net.connect(path);
        client.resume();
        client.on('close', () => server.close());
      });
      process.on('exit', () => log(...found.sort()));
    },
    fine(
      'PIPECONNECTWRAP',
      'PIPESERVERWRAP',
      'PIPEWRAP',
      'PIPEWRAP',
      'PIPEWRAP',
      'SHUTDOWNWRAP',
      'SHUTDOWNWRAP'
    )
  );

  sameChildLog(
    'run every callback in the resource it belongs to',
    (net, log, require) => {
      const hooks = require('node:async_hooks');
      const types = new Map([[1, 'root']]);
      const triggers = new Map();
      hooks
        .createHook({
          init(id, type, trigger) {
            types.set(id, type);
            triggers.set(id, trigger);
          }
        })
        .enable();
      const entries = [];
      const here = (label) => {
        entries.push(
          `${label}: ${types.get(hooks.executionAsyncId())} < ${types.get(hooks.triggerAsyncId())}`
        );
      };
      const server = net.createServer((socket) => {
        here('connection');
        socket.on('data', () => {
          here('server data');
          socket.end('bye', () => here('server end callback'));
        });
        socket.on('end', () => here('server end'));
        socket.on('close', () => here('server socket close'));
      });
      server.listen(0, '127.0.0.1', () => {
        here('listening');
        const client = net.connect(server.address().port, '127.0.0.1', () => {
          here('connect');
          client.write('hi', () => here('write callback'));
        });
        client.on('ready', () => here('ready'));
        client.on('data', () => here('client data'));
        client.on('end', () => here('client end'));
        client.on('finish', () => here('client finish'));
        client.on('close', () => {
          here('client close');
          server.close(() => here('server close'));
        });
      });
      process.on('exit', () => log(...entries.sort()));
    },
    fine(
      'client close: TCPWRAP < TickObject',
      'client data: TCPWRAP < TickObject',
      'client end: TickObject < TCPWRAP',
      'client finish: TickObject < SHUTDOWNWRAP',
      'connect: TCPCONNECTWRAP < TCPWRAP',
      'connection: TCPSERVERWRAP < TickObject',
      'listening: TickObject < TCPSERVERWRAP',
      'ready: TCPCONNECTWRAP < TCPWRAP',
      'server close: TickObject < TCPSERVERWRAP',
      'server data: TCPWRAP < TCPSERVERWRAP',
      'server end callback: TickObject < SHUTDOWNWRAP',
      'server end: TickObject < TCPWRAP',
      'server socket close: TCPWRAP < TCPSERVERWRAP',
      'write callback: TickObject < TCPCONNECTWRAP'
    )
  );

  sameChildLog(
    'announce before and after around every callback, and destroy',
    (net, log, require) => {
      const hooks = require('node:async_hooks');
      const wanted = new Map();
      const balance = new Map();
      const destroyed = new Set();
      hooks
        .createHook({
          init(id, type) {
            if (/^TCP/.test(type)) wanted.set(id, type);
          },
          before(id) {
            balance.set(id, (balance.get(id) ?? 0) + 1);
          },
          after(id) {
            balance.set(id, balance.get(id) - 1);
          },
          destroy(id) {
            destroyed.add(id);
          }
        })
        .enable();
      const server = net.createServer((socket) => socket.end('x'));
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1');
        client.resume().on('close', () => server.close());
      });
      process.on('exit', () => {
        const lines = [...wanted].map(
          ([id, type]) =>
            `${type} ${balance.get(id)} ${type === 'TCPCONNECTWRAP' || destroyed.has(id)}`
        );
        log(...lines.sort());
      });
    },
    fine('TCPCONNECTWRAP 0 true', 'TCPSERVERWRAP 0 true', 'TCPWRAP 0 true', 'TCPWRAP 0 true')
  );

  sameChildLog(
    'know the ids of sockets and servers as _handle.getAsyncId()',
    (net, log, require) => {
      const hooks = require('node:async_hooks');
      const server = net.createServer((socket) => {
        log('accepted', socket._handle.getAsyncId() > 0);
        log(
          'connection runs in the server',
          hooks.executionAsyncId() === server._handle.getAsyncId()
        );
        log('triggered by the socket', hooks.triggerAsyncId() === socket._handle.getAsyncId());
        socket.end();
      });
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1');
        const id = client._handle.getAsyncId();
        client.on('end', () => log('end runs in the client', hooks.executionAsyncId() === id));
        client.resume().on('close', () => server.close());
      });
    },
    fine(
      'accepted',
      true,
      'connection runs in the server',
      true,
      'triggered by the socket',
      false,
      'end runs in the client',
      false
    )
  );
});

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
});
