'use strict';

// Async resources: their types, ids and triggers, and the one each callback runs in.

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
