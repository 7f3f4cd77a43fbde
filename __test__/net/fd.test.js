'use strict';

// Descriptors: sockets and servers made of one, what they refuse, and who owns it afterwards.

const fs = require('node:fs');
const { sameLog, sameChildLog, fine } = require('../support/parity');
const { attempt } = require('../support/parity-outcome');

describe('listen({ fd })', () => {
  sameChildLog(
    'serves what was inherited as a descriptor',
    (net, log, require) => {
      // The parent listens with node:net and passes its socket; only the child's side is compared.
      const { spawn } = require('node:child_process');
      const server = require('node:net')
        .createServer()
        .listen(0, '127.0.0.1', () => {
          const { port } = server.address();
          const script = `
        const net = require(${JSON.stringify(process.env.PARITY_SPECIFIER)});
        const server = net.createServer((socket) => {
          socket.end('from the child');
          server.close();
        });
        server.listen({ fd: 3 }, () => console.log(typeof server.address().port));`;
          const child = spawn(process.execPath, ['-e', script], {
            stdio: ['ignore', 'pipe', 'inherit', server._handle.fd]
          });
          child.stdout.once('data', (line) => {
            log(String(line).trim());
            server.close();
            require('node:net')
              .connect(port, '127.0.0.1')
              .on('data', (data) => log(String(data)));
          });
          child.on('close', (code) => log(code));
        });
    },
    fine('number', 'from the child', 0)
  );

  sameLog('refuses a plain file and leaves it to its owner', async (context) => {
    const fd = fs.openSync(__filename, 'r');
    const server = context.watch('server', context.createServer());
    const failed = new Promise((resolve) => {
      server.once('error', resolve);
    });
    context.note(
      'call',
      attempt(context, server, () => server.listen({ fd }))
    );
    await failed;
    context.note('still open', fs.readSync(fd, Buffer.alloc(3)));
    fs.closeSync(fd);
  });
});

describe('new Socket({ fd })', () => {
  sameChildLog(
    'reads and writes an inherited pair of descriptors',
    (net, log, require) => {
      const { spawn } = require('node:child_process');
      const script = `
      const net = require(${JSON.stringify(process.env.PARITY_SPECIFIER)});
      const socket = new net.Socket({ fd: 3 });
      console.log(JSON.stringify([socket.readyState, socket.pending, socket.connecting]));
      socket.on('data', (data) => socket.end('answer to ' + data));`;
      const child = spawn(process.execPath, ['-e', script], {
        stdio: ['ignore', 'pipe', 'inherit', 'pipe']
      });
      child.stdout.on('data', (line) => log(String(line).trim()));
      child.stdio[3].on('data', (data) => log(String(data)));
      child.stdio[3].write('question');
      child.on('close', (code) => log(code));
    },
    fine('["open",false,false]', 'answer to question', 0)
  );

  sameChildLog(
    'is readable and writable as told',
    (net, log, require) => {
      const { spawn } = require('node:child_process');
      const script = `
        const net = require(${JSON.stringify(process.env.PARITY_SPECIFIER)});
        const cases = [[true, false], [false, true], [true, true], [false, false]];
        for (const [index, [readable, writable]] of cases.entries()) {
          const socket = new net.Socket({ fd: 3 + index, readable, writable });
          console.log(socket.readable, socket.writable, socket.readyState, socket.allowHalfOpen);
          socket.destroy();
        }`;
      const child = spawn(process.execPath, ['-e', script], {
        stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'pipe', 'pipe', 'pipe']
      });
      let output = '';
      child.stdout.on('data', (text) => {
        output += text;
      });
      for (const stream of child.stdio.slice(3)) stream.on('error', () => {});
      child.on('close', (code) => log(...output.trim().split('\n'), code));
    },
    fine(
      'true false readOnly false',
      'false true writeOnly false',
      'true true open false',
      'false false closed false',
      0
    )
  );

  sameChildLog(
    'takes a plain number as descriptor',
    (net, log, require) => {
      const { spawn } = require('node:child_process');
      const script = `
      const net = require(${JSON.stringify(process.env.PARITY_SPECIFIER)});
      new net.Socket(3).end('by number');`;
      const child = spawn(process.execPath, ['-e', script], {
        stdio: ['ignore', 'inherit', 'inherit', 'pipe']
      });
      child.stdio[3].on('data', (data) => log(String(data)));
      child.on('close', (code) => log(code));
    },
    fine('by number', 0)
  );

  sameChildLog(
    'wraps an inherited TCP connection with its addresses',
    (net, log, require) => {
      const { spawn } = require('node:child_process');
      const plain = require('node:net');
      const server = plain.createServer({ pauseOnConnect: true }, (socket) => {
        const script = `
        const net = require(${JSON.stringify(process.env.PARITY_SPECIFIER)});
        const socket = new net.Socket({ fd: 3, readable: true, writable: true });
        socket.end([socket.remoteFamily, socket.remotePort, socket.localAddress].join());`;
        const child = spawn(process.execPath, ['-e', script], {
          stdio: ['ignore', 'inherit', 'inherit', socket._handle.fd]
        });
        child.on('close', (code) => log(code));
        socket.destroy();
        server.close();
      });
      server.listen(0, '127.0.0.1', () => {
        const client = plain.connect(server.address().port, '127.0.0.1');
        client.on('data', (data) => {
          log(String(data).replace(String(client.localPort), '<client>'));
        });
      });
    },
    fine('IPv4,<client>,127.0.0.1', 0)
  );
});
