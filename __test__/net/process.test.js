'use strict';

// How long a process lives for its sockets and servers, and what it shows of them.

const { sameChildLog, fine, failed } = require('../support/parity');

describe('a process', () => {
  sameChildLog(
    'exits although an unref()ed server listens',
    (net, log) => {
      net.createServer().listen(0, '127.0.0.1', function listening() {
        log('listening');
        this.unref();
      });
    },
    fine('listening')
  );

  sameChildLog(
    'exits when a server is unref()ed before it listens',
    (net, log) => {
      const server = net.createServer().unref();
      server.listen(0, () => log('listening'));
      log(server.listening);
    },
    fine(true, 'listening')
  );

  sameChildLog(
    'stays for a server that was ref()ed again',
    (net, log) => {
      const server = net.createServer().listen(0);
      server.unref();
      server.ref();
      setTimeout(() => {
        log('still here');
        server.close();
      }, 20).unref();
    },
    fine('still here')
  );

  sameChildLog(
    'exits although an unref()ed pair is connected',
    (net, log) => {
      const server = net.createServer((socket) => {
        socket.unref();
        log('connection');
      });
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1', () => log('connect'));
        client.on('ready', () => client.unref());
        server.on('connection', () => server.unref());
      });
    },
    fine('connection', 'connect')
  );

  sameChildLog(
    'stays for a connected socket that reads nothing',
    (net, log) => {
      const server = net.createServer((socket) => {
        setTimeout(() => {
          log('still here');
          socket.end();
        }, 20).unref();
      });
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1');
        client.resume();
        client.on('close', () => server.close(() => log('closed')));
      });
    },
    fine('still here', 'closed')
  );

  sameChildLog(
    'exits when a connecting socket was unref()ed',
    (net, log) => {
      const server = net.createServer((socket) => socket.unref());
      server.listen(0, '127.0.0.1', () => {
        server.unref();
        const client = net.connect(server.address().port, '127.0.0.1');
        client.unref();
        log('connecting');
      });
    },
    fine('connecting')
  );

  sameChildLog(
    'exits although a socket is open that nobody has begun to read',
    (net, log) => {
      const server = net.createServer({ pauseOnConnect: true }, (socket) => {
        log('accepted', socket.destroyed);
        server.close();
      });
      server.listen(0, '127.0.0.1', () => {
        net.connect(server.address().port, '127.0.0.1').unref();
      });
    },
    fine('accepted', false)
  );

  sameChildLog(
    'exits by itself once everything is closed',
    (net, log) => {
      const server = net.createServer((socket) => socket.end('x'));
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1');
        client.resume();
        client.on('close', () => server.close());
      });
      process.on('beforeExit', () => log('beforeExit'));
    },
    fine('beforeExit')
  );

  sameChildLog(
    'does not exit from a socket that was never used',
    (net, log) => {
      log(new net.Socket().pending, net.createServer().listening);
    },
    fine(true, false)
  );

  sameChildLog(
    'exits with the code given to process.exit() in a callback',
    (net, log) => {
      const server = net.createServer(() => {
        log('leaving');
        process.exit(7);
      });
      server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1'));
    },
    failed(7, '', 'leaving')
  );

  sameChildLog(
    'sees its handles through process.getActiveResourcesInfo()',
    (net, log) => {
      const names = () =>
        process
          .getActiveResourcesInfo()
          .filter((name) => /TCP/.test(name))
          .sort();
      const server = net.createServer((socket) => socket.resume());
      server.listen(0, '127.0.0.1', () => {
        log(names());
        const client = net.connect(server.address().port, '127.0.0.1');
        server.on('connection', () => {
          setImmediate(() => {
            log(names());
            client.end();
          });
        });
        client.resume().on('close', () => server.close(() => log(names())));
      });
    },
    fine(['TCPServerWrap'], ['TCPServerWrap', 'TCPSocketWrap', 'TCPSocketWrap'], ['TCPServerWrap'])
  );
});
