'use strict';

// Where exceptions and rejections of callbacks end, and that nothing else is lost by them.

const { sameChildLog, fine, failed } = require('../support/parity');

describe('an exception thrown in', () => {
  /** By the line the process leaves behind, which names the place. */
  const programs = {
    'Error: thrown in connection': (net) => {
      const server = net.createServer(() => {
        throw new Error('thrown in connection');
      });
      server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1'));
    },
    'TypeError: thrown in connect': (net) => {
      const server = net.createServer();
      server.listen(0, '127.0.0.1', () => {
        net.connect(server.address().port, '127.0.0.1', () => {
          throw new TypeError('thrown in connect');
        });
      });
    },
    'RangeError: thrown in data': (net) => {
      const server = net.createServer((socket) => socket.write('x'));
      server.listen(0, '127.0.0.1', () => {
        net.connect(server.address().port, '127.0.0.1').on('data', () => {
          throw new RangeError('thrown in data');
        });
      });
    },
    'Error: thrown in listening': (net) => {
      net.createServer().listen(0, '127.0.0.1', () => {
        throw new Error('thrown in listening');
      });
    },
    'Error: thrown in write callback': (net) => {
      const server = net.createServer();
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1', () => {
          client.write('x', () => {
            throw new Error('thrown in write callback');
          });
        });
      });
    },
    'Error: connect ECONNREFUSED 127.0.0.1:1': (net) => {
      net.connect(1, '127.0.0.1');
    }
  };
  for (const [line, program] of Object.entries(programs)) {
    sameChildLog(`a callback ends the process with "${line}"`, program, failed(1, line));
  }

  sameChildLog(
    'no callback, but by an error event of a server without listeners, ends the process',
    (net, log) => {
      process.on('uncaughtException', (error) => {
        log(error.message.replace(/\d+$/, '<port>'), Object.keys(error));
        process.exit(3);
      });
      const first = net.createServer().listen(0, '127.0.0.1', () => {
        net.createServer().listen(first.address().port, '127.0.0.1');
      });
    },
    failed(3, '', 'listen EADDRINUSE: address already in use 127.0.0.1:<port>', [
      'code',
      'errno',
      'syscall',
      'address',
      'port'
    ])
  );

  sameChildLog(
    'a listener reaches uncaughtException, and later events still come',
    (net, log) => {
      process.on('uncaughtException', (error, origin) => log(`${origin}: ${error.message}`));
      const server = net.createServer((socket) => {
        socket.on('data', (data) => socket.end(`answer to ${data}`));
        throw new Error('connection');
      });
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1');
        client.on('ready', () => client.write('question'));
        client.on('data', (data) => log(String(data)));
        client.on('close', () => {
          server.close(() => log('closed'));
          throw new Error('client close');
        });
      });
    },
    fine(
      'uncaughtException: connection',
      'answer to question',
      'uncaughtException: client close',
      'closed'
    )
  );

  sameChildLog(
    'one of many connections leaves the others alone',
    (net, log) => {
      let caught = 0;
      let answered = 0;
      process.on('uncaughtException', () => {
        caught += 1;
      });
      const server = net.createServer((socket) => {
        socket.on('data', (data) => {
          socket.end(data);
          if (Number(data) % 2) throw new Error('odd');
        });
      });
      server.listen(0, '127.0.0.1', () => {
        for (let index = 0; index < 10; index += 1) {
          const client = net.connect(server.address().port, '127.0.0.1');
          client.write(String(index));
          client.on('data', () => {
            answered += 1;
            if (answered === 10) server.close();
          });
        }
      });
      process.on('exit', () => log(caught, answered));
    },
    fine(5, 10)
  );

  sameChildLog(
    'an async listener is an unhandled rejection',
    (net, log) => {
      process.on('unhandledRejection', (error) => {
        log(error.message);
        server.close();
        client.destroy();
      });
      let client;
      const server = net.createServer(async (socket) => {
        socket.destroy();
        throw new Error('rejected in connection');
      });
      server.listen(0, '127.0.0.1', () => {
        client = net.connect(server.address().port, '127.0.0.1').resume();
      });
    },
    fine('rejected in connection')
  );

  sameChildLog(
    'an async listener under captureRejections destroys the socket',
    (net, log, require) => {
      require('node:events').captureRejections = true;
      const server = net.createServer(async (socket) => {
        socket.on('error', (error) => log(`socket error: ${error.message}`));
        socket.on('close', (hadError) => log(`socket close: ${hadError}`));
        throw new Error('captured');
      });
      server.on('error', (error) => log(`server error: ${error.message}`));
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1').resume();
        client.on('error', () => {});
        client.on('close', () => server.close());
      });
    },
    fine('socket error: captured', 'socket close: true')
  );
});
