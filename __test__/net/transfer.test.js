'use strict';

// Sockets and servers moved to another thread by postMessage(), where Node can do that.

const { sameChildLog, fine, feature, node } = require('../support/parity');

const canTransfer = Object.getOwnPropertySymbols(node.net.Socket.prototype).some((symbol) =>
  /messaging_transfer_symbol/.test(String(symbol))
);

// What can be moved is not copied either, but says so in other words.
feature('no transfer of sockets to threads', !canTransfer, () => {
  describe('postMessage()', () => {
    sameChildLog('refuses a socket to copy, sockets and servers to move', (net, log, require) => {
      const { port1 } = new (require('node:worker_threads').MessageChannel)();
      const [socket, server] = [new net.Socket(), net.createServer()];
      for (const [subject, ...moved] of [[socket], [socket, socket], [server, server]]) {
        try {
          port1.postMessage(subject, moved);
          log('sent');
        } catch (error) {
          log(error.code);
        }
      }
      port1.close();
    });
  });
});

feature('transfer of sockets to threads', canTransfer, () => {
  describe('postMessage()', () => {
    sameChildLog(
      'moves an accepted socket to a worker thread',
      (net, log, require) => {
        const { Worker } = require('node:worker_threads');
        const worker = new Worker(
          `require(process.env.PARITY_SPECIFIER);
         require('node:worker_threads').parentPort.on('message', ({ socket }) => {
           socket.on('data', (data) => socket.end('worker got ' + data));
           socket.on('close', () => process.exit());
         });`,
          { eval: true }
        );
        const server = net.createServer({ pauseOnConnect: true }, (socket) => {
          try {
            worker.postMessage({ socket }, [socket]);
            log('sent', socket.destroyed);
          } catch (error) {
            log(error.code);
            socket.destroy();
            worker.terminate();
          }
          server.close();
        });
        server.listen(0, '127.0.0.1', () => {
          const client = net.connect(server.address().port, '127.0.0.1', () => client.write('hi'));
          client.on('data', (data) => log(String(data)));
        });
      },
      fine('sent', true, 'worker got hi')
    );

    sameChildLog(
      'moves a listening server to a worker thread',
      (net, log, require) => {
        const { Worker } = require('node:worker_threads');
        const worker = new Worker(
          `require(process.env.PARITY_SPECIFIER);
         require('node:worker_threads').parentPort.once('message', ({ server }) => {
           server.on('connection', (socket) => {
             socket.end('from the worker');
             socket.on('close', () => process.exit());
           });
         });`,
          { eval: true }
        );
        const server = net.createServer();
        server.listen(0, '127.0.0.1', () => {
          const { port } = server.address();
          try {
            worker.postMessage({ server }, [server]);
            log('sent', server.listening);
          } catch (error) {
            log(error.code);
            server.close();
            worker.terminate();
            return;
          }
          net
            .connect(port, '127.0.0.1')
            .on('data', (data) => log(String(data)))
            .on('error', (error) => log(error.code));
        });
      },
      fine('sent', false, 'from the worker')
    );

    sameChildLog(
      'refuses sockets that are not fresh connections',
      (net, log, require) => {
        const { MessageChannel } = require('node:worker_threads');
        const { port1, port2 } = new MessageChannel();
        const send = (label, value) => {
          try {
            port1.postMessage({ value }, [value]);
            log(label, 'sent');
          } catch (error) {
            log(label, error.name, error.code);
          }
        };
        const server = net.createServer((socket) => {
          socket.write('x');
          socket.resume();
        });
        send('idle server', server);
        send('new socket', new net.Socket());
        server.listen(0, '127.0.0.1', () => {
          const client = net.connect(server.address().port, '127.0.0.1');
          send('connecting', client);
          client.once('data', () => {
            send('reading', client);
            client.destroy();
            send('destroyed', client);
            server.close();
            port1.close();
            port2.close();
          });
        });
      },
      fine(
        'idle server',
        'Error',
        'ERR_WORKER_HANDLE_NOT_TRANSFERABLE',
        'new socket',
        'Error',
        'ERR_WORKER_HANDLE_NOT_TRANSFERABLE',
        'connecting',
        'Error',
        'ERR_WORKER_HANDLE_NOT_TRANSFERABLE',
        'reading',
        'Error',
        'ERR_WORKER_HANDLE_NOT_TRANSFERABLE',
        'destroyed',
        'Error',
        'ERR_WORKER_HANDLE_NOT_TRANSFERABLE'
      )
    );
  });
});
