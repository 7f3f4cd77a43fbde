'use strict';

// Process warnings: which misuse of net warns, with which name, code and text.

const { sameChildLog, fine, feature, node } = require('../support/parity');

describe('a process warning', () => {
  sameChildLog(
    'comes with a timeout too long for a timer',
    (net, log) => {
      process.on('warning', (warning) =>
        log([warning.name, String(warning.code), warning.message])
      );
      const socket = new net.Socket();
      socket.setTimeout(2 ** 31);
      log(socket.timeout);
      socket.setTimeout(0);
    },
    fine(2147483648, [
      'TimeoutOverflowWarning',
      'undefined',
      '2147483648 does not fit into a 32-bit signed integer.\nTimer duration was truncated to 2147483647.'
    ]),
    { execArgv: ['--no-warnings'] }
  );

  feature('_setSimultaneousAccepts', node.net._setSimultaneousAccepts, () => {
    sameChildLog(
      'comes with the deprecated _setSimultaneousAccepts(), once',
      (net, log) => {
        process.on('warning', (warning) =>
          log([warning.name, String(warning.code), warning.message])
        );
        net._setSimultaneousAccepts();
        if (net._setSimultaneousAccepts() === undefined) log('nothing returned');
      },
      fine('nothing returned', [
        'DeprecationWarning',
        'DEP0121',
        'net._setSimultaneousAccepts() is deprecated and will be removed.'
      ]),
      { execArgv: ['--no-warnings'] }
    );
  });

  sameChildLog(
    'does not come with ordinary use, nor with eleven connections',
    (net, log) => {
      process.on('warning', (warning) => log(warning.message));
      let open = 11;
      const server = net.createServer((socket) => socket.resume().end('x'));
      server.listen(0, '127.0.0.1', () => {
        for (let index = 0; index < 11; index += 1) {
          const client = net.connect(server.address().port, '127.0.0.1').resume();
          for (let count = 0; count < 3; count += 1) client.write('early');
          client.on('error', () => {});
          client.on('close', () => {
            open -= 1;
            if (open === 0) server.close(() => log('closed'));
          });
        }
      });
    },
    fine('closed')
  );
});
