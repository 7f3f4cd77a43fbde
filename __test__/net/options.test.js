'use strict';

// What the options do to the kernel's socket, asked of the kernel itself.

const { once } = require('node:events');
const { sameLog, sameChildLog, sameLogAcross, feature, fine } = require('../support/parity');
const features = require('../support/parity-features');
const { optionsOf } = require('../support/socket-options');

const KEEP = ['keepAlive', 'keepIdle', 'keepInterval', 'keepCount'];

/** Whatever was asked for has reached the kernel one turn of the loop later. */
function settled() {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

/** One pair per case, so that a single question answers for all of them. */
async function pairs(context, cases, toOptions = () => ({})) {
  const made = [];
  for (const item of cases) made.push(await context.pair(toOptions(item)));
  return made;
}

async function noteAll(context, cases, made, names) {
  await settled();
  const answers = optionsOf(
    made.flatMap(([client, accepted]) => [client, accepted]),
    names
  );
  for (const [index, item] of cases.entries()) {
    context.note('client', item, answers[2 * index]);
    context.note('accepted', item, answers[2 * index + 1]);
  }
}

/** Calls one method several times on both sockets of each pair. */
async function callOnPairs(context, method, cases, names) {
  const made = await pairs(context, cases);
  for (const [index, calls] of cases.entries()) {
    const [client, accepted] = made[index];
    for (const args of calls) {
      context.note('returned', client[method](...args) === client);
      accepted[method](...args);
    }
  }
  await noteAll(context, cases, made, names);
}

async function listenWith(context, allOptions) {
  const servers = [];
  for (const options of allOptions) {
    const server = context.createServer();
    await once(server.listen(...[options].flat()), 'listening');
    servers.push(server);
  }
  return servers;
}

describe('in the kernel', () => {
  describe('noDelay', () => {
    sameLogAcross('as an option of either side reaches the kernel', async (context) => {
      const cases = [undefined, false, true].map((noDelay) => ({ noDelay }));
      const made = await pairs(context, cases, (item) => ({ server: item, client: item }));
      await noteAll(context, cases, made, ['noDelay']);
    });

    sameLogAcross('is switched by setNoDelay() with and without argument', async (context) => {
      const cases = [
        [[]],
        [[true], [false]],
        [[true]],
        [[true], [0]],
        [['yes']],
        [[undefined]],
        [[false], [true]]
      ];
      await callOnPairs(context, 'setNoDelay', cases, ['noDelay']);
    });

    sameLog('and keepAlive set before or while connecting hold once it stands', async (context) => {
      const server = await context.listen();
      const { port } = server.address();
      const before = context.track(new context.net.Socket());
      before.setNoDelay(true).setKeepAlive(true, 3000);
      before.connect(port, '127.0.0.1');
      const during = context.connect(port, '127.0.0.1');
      during.setNoDelay(true).setNoDelay(false).setNoDelay(true).setKeepAlive(true, 4000);
      await Promise.all([once(before, 'ready'), once(during, 'ready')]);
      await settled();
      return optionsOf([before, during], ['noDelay', ...KEEP]);
    });
  });

  describe('keepAlive', () => {
    sameLogAcross('as an option of either side reaches the kernel', async (context) => {
      const cases = [
        {},
        { keepAlive: true },
        { keepAlive: true, keepAliveInitialDelay: 2000 },
        { keepAlive: true, keepAliveInitialDelay: 2999 },
        { keepAlive: true, keepAliveInitialDelay: 999 },
        { keepAlive: false, keepAliveInitialDelay: 2000 }
      ];
      const made = await pairs(context, cases, (item) => ({ server: item, client: item }));
      await noteAll(context, cases, made, KEEP);
    });

    sameLogAcross('is switched by setKeepAlive()', async (context) => {
      const cases = [
        [[]],
        [[true]],
        [[true, 5000]],
        [
          [true, 5000],
          [true, 0]
        ],
        [[true, 5000], [false]],
        [[true, 1500]],
        [[true], [false, 9000]],
        [['yes', 2000]]
      ];
      await callOnPairs(context, 'setKeepAlive', cases, KEEP);
    });

    feature('options object of setKeepAlive', features.keepAliveOptions, () => {
      sameLogAcross('takes interval and count, by position or by name', async (context) => {
        const cases = [
          [[true, 4000, 2000, 5]],
          [[{ enable: true, initialDelay: 7000, interval: 3000, count: 4 }]],
          [[{ enable: true }]],
          [[true, 4000], [{ enable: false }]],
          [[{ enable: true, initialDelay: 5000 }]],
          [[true, 5000, 0, 0]],
          [[true, 5000], [{}]],
          [[null]]
        ];
        await callOnPairs(context, 'setKeepAlive', cases, KEEP);
      });

      sameLogAcross('judges interval and count alike', async (context) => {
        const cases = [
          [[true, 1000, 'x']],
          [[true, 1000, -1]],
          [[true, 1000, 1000, 'x']],
          [[{ enable: 'yes' }]],
          [[{ enable: true, interval: NaN }]],
          [[{ enable: true, count: 1.5 }]],
          [[{ enable: true, initialDelay: 'x' }]]
        ];
        await callOnPairs(context, 'setKeepAlive', cases, KEEP);
      });
    });
  });

  describe('the options of listen()', () => {
    sameLog(
      'give the accept queue its length',
      async (context) => {
        const byName = [undefined, 1, 5, 511, 1000, 0].map((backlog) => ({ port: 0, backlog }));
        const byPosition = [[0, '127.0.0.1', 7], [0, 9], [0]];
        const servers = await listenWith(context, [...byName, ...byPosition]);
        return optionsOf(servers, ['backlog']).map(({ backlog }) => backlog);
      },
      [511, 1, 5, 511, 1000, 511, 7, 9, 511]
    );

    sameLog('name its length, or else have it behind them', async (context) => {
      const named = [6, '9', 3.5, -1, 0, 'x', {}, null].map((backlog) => ({ port: 0, backlog }));
      const host = { port: 0, host: '127.0.0.1', backlog: 6 };
      const all = [...named, ...[...named, host].map((options) => [options, 8])];
      const servers = await listenWith(context, all);
      return optionsOf(servers, ['backlog']).map(({ backlog }) => backlog);
    });

    sameChildLog(
      'have the length of an inherited accept queue behind them only',
      (net, log, require) => {
        const { spawn } = require('node:child_process');
        const { optionsOf } = require(process.env.SOCKET_OPTIONS);
        // The parent listens with node:net and passes its socket, of which the child sets the length.
        const listen = (args, done) => {
          const server = require('node:net').createServer();
          server.listen(0, '127.0.0.1', 9, () => {
            const script = `
              const net = require(${JSON.stringify(process.env.PARITY_SPECIFIER)});
              net.createServer().listen(...${JSON.stringify(args)}, () => process.exit());`;
            const child = spawn(process.execPath, ['-e', script], {
              stdio: ['ignore', 'inherit', 'inherit', server._handle.fd]
            });
            child.on('close', (code) => {
              log(args, code, optionsOf([server], ['backlog'])[0].backlog);
              server.close(done);
            });
          });
        };
        const named = { fd: 3, backlog: 6 };
        listen([named], () => listen([named, 7], () => listen([{ fd: 3 }, 5])));
      },
      fine(
        ...[[{ fd: 3, backlog: 6 }], 0, 511],
        ...[[{ fd: 3, backlog: 6 }, 7], 0, 7],
        ...[[{ fd: 3 }, 5], 0, 5]
      ),
      { env: { SOCKET_OPTIONS: require.resolve('../support/socket-options') } }
    );

    feature('BoundSocket', features.boundSocket, () => {
      sameLog(
        'have the length of the accept queue of what is bound behind them only',
        async (context) => {
          const forms = [(it) => it, (it) => [it, 5], (handle) => ({ handle, backlog: 6 })];
          forms.push((handle) => [{ handle, backlog: 6 }, 7]);
          const all = forms.map((form) => form(new context.net.BoundSocket({ port: 0 })));
          return optionsOf(await listenWith(context, all), ['backlog']).map(
            ({ backlog }) => backlog
          );
        }
      );
    });

    sameLog('give the accept queue of a handle another length', async (context) => {
      const first = await context.listen();
      const answers = [];
      for (const args of [[first, 3], [{ handle: first._handle }, 4], [first]]) {
        const server = context.createServer();
        server.listen(...args);
        await once(server, 'listening');
        answers.push(optionsOf([server], ['backlog'])[0].backlog);
      }
      return answers;
    });

    sameLog(
      'let a port be taken over from TIME_WAIT but not shared',
      async (context) => {
        const server = await context.listen();
        return optionsOf([server], ['reuseAddress', 'reusePort']);
      },
      [{ reuseAddress: 1, reusePort: 0 }]
    );

    sameLog(
      'bind IPv6 only when told to',
      async (context) => {
        const options = [undefined, false, true].map((ipv6Only) => ({
          port: 0,
          host: '::',
          ipv6Only
        }));
        return optionsOf(await listenWith(context, options), ['ipv6Only']);
      },
      [{ ipv6Only: 0 }, { ipv6Only: 0 }, { ipv6Only: 1 }]
    );

    feature('reusePort', features.reusePort, () => {
      sameLog(
        'share the port when told to',
        async (context) => {
          const options = [{ port: 0, host: '127.0.0.1', reusePort: true }];
          return optionsOf(await listenWith(context, options), ['reusePort']);
        },
        [{ reusePort: 1 }]
      );
    });
  });

  feature('setTypeOfService', features.typeOfService, () => {
    describe('typeOfService', () => {
      const option = ['typeOfService'];

      sameLogAcross('as an option of the client reaches the kernel', async (context) => {
        const cases = [{}, { typeOfService: 0x10 }, { typeOfService: 255 }];
        const made = await pairs(context, cases, (item) => ({ client: item }));
        await noteAll(context, cases, made, option);
        context.note(
          'read',
          made.flat().map((socket) => socket.getTypeOfService?.())
        );
      });

      sameLogAcross('is set and read on either side', async (context) => {
        const cases = [0, 8, 0x20, 0xb8, 255].map((value) => [[value]]);
        await callOnPairs(context, 'setTypeOfService', cases, option);
      });

      sameLog('set before the connection is kept and applied', async (context) => {
        const server = await context.listen();
        const client = context.track(new context.net.Socket());
        client.setTypeOfService(0x08);
        context.note('before', client.getTypeOfService());
        client.connect(server.address().port, '127.0.0.1');
        await once(client, 'ready');
        await settled();
        context.note('after', client.getTypeOfService(), optionsOf([client], option));
      });
    });
  });
});
