'use strict';

// Name resolution: the lookup option and its arguments, the 'lookup' event, families, failures.

const { once } = require('node:events');
const dns = require('node:dns');
const { sameLog } = require('../support/parity');
const { attempt } = require('../support/parity-outcome');

const host = 'some.name.example';

/** A lookup that answers by itself; what it was asked becomes part of the log. */
function answering(context, answer, when = setImmediate) {
  return (hostname, options, callback) => {
    context.note('lookup', hostname, { ...options }, typeof callback);
    when(() => {
      if (answer instanceof Error) callback(answer);
      else if (options.all) callback(null, [answer].flat());
      else callback(null, [answer].flat()[0].address, [answer].flat()[0].family);
    });
  };
}

const loopback = { address: '127.0.0.1', family: 4 };

describe('the lookup option', () => {
  for (const autoSelectFamily of [true, false]) {
    const mode = `with autoSelectFamily ${autoSelectFamily}`;

    sameLog(`is asked for the host ${mode}`, async (context) => {
      const server = await context.listen();
      const { port } = server.address();
      const lookup = answering(context, loopback);
      const client = context.connect({ port, host, lookup, autoSelectFamily });
      context.watch('client', client);
      await once(client, 'ready');
      context.note('client', client.remoteAddress, client._host);
    });

    sameLog(`is passed family and hints ${mode}`, async (context) => {
      const server = await context.listen();
      const { port } = server.address();
      const lookup = answering(context, loopback);
      const hints = dns.ADDRCONFIG;
      for (const family of [0, 4]) {
        const client = context.connect({ port, host, lookup, family, hints, autoSelectFamily });
        await once(client, 'ready');
      }
    });

    const passes = (what, families) =>
      sameLog(`is passed ${what} ${mode}`, async (context) => {
        const server = await context.listen();
        const { port } = server.address();
        const lookup = answering(context, loopback);
        for (const family of families) {
          const client = context.connect({ port, host, lookup, family, autoSelectFamily });
          client.on('error', (error) => context.note('client', error));
          await Promise.race([once(client, 'ready'), once(client, 'close')]);
        }
      });

    passes('the hints that a family implies', [undefined, 0, 4, 6]);
    passes('the number of a family that is named', ['IPv4', 'IPv6']);

    sameLog(`that fails ends the socket with its error ${mode}`, async (context) => {
      const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND', hostname: host });
      const lookup = answering(context, error);
      const client = context.connect({ port: 1, host, lookup, autoSelectFamily });
      context.watch('client', client);
      await context.closed(client);
      context.note('client', Object.keys(client.errored));
    });

    sameLog(`may answer at once, within the call ${mode}`, async (context) => {
      const server = await context.listen();
      const { port } = server.address();
      const lookup = answering(context, loopback, (callback) => callback());
      const client = context.connect({ port, host, lookup, autoSelectFamily });
      context.watch('client', client);
      await once(client, 'ready');
    });

    sameLog(`that answers nonsense is reported alike ${mode}`, async (context) => {
      const answers = [
        { address: 'not an address', family: 4 },
        { address: undefined, family: 4 },
        { address: '127.0.0.1', family: 5 },
        { address: '127.0.0.1', family: undefined },
        { address: '', family: 4 }
      ];
      for (const answer of answers) {
        const lookup = answering({ note() {} }, answer);
        const client = context.connect({ port: 1, host, lookup, autoSelectFamily });
        const [error] = await once(client, 'error');
        context.note('error', error);
      }
    });

    sameLog(`that answers after destroy() changes nothing ${mode}`, async (context) => {
      let answer;
      const lookup = (hostname, options, callback) => {
        answer = () => callback(null, options.all ? [loopback] : '127.0.0.1', 4);
      };
      const client = context.connect({ port: 1, host, lookup, autoSelectFamily });
      context.watch('client', client);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      client.destroy();
      await context.closed(client);
      answer();
      context.note('client', client.connecting, client.destroyed);
    });

    sameLog(`that throws is thrown from connect or emitted alike ${mode}`, async (context) => {
      const lookup = () => {
        throw new Error('thrown by lookup');
      };
      const client = context.watch('client', new context.net.Socket());
      context.note(
        'call',
        attempt(context, client, () => client.connect({ port: 1, host, lookup, autoSelectFamily }))
      );
    });
  }

  sameLog('that answers with all by a string is reported alike', async (context) => {
    const lookup = (hostname, options, callback) => setImmediate(callback, null, '127.0.0.1', 4);
    const client = context.connect({ port: 1, host, lookup });
    context.watch('client', client);
    await context.closed(client);
  });

  sameLog('is not asked about an address', async (context) => {
    const server = await context.listen();
    const lookup = answering(context, loopback);
    const client = context.connect({ port: server.address().port, host: '127.0.0.1', lookup });
    context.watch('client', client);
    await once(client, 'ready');
  });

  sameLog('is asked for localhost when there is no host', async (context) => {
    const server = await context.listen();
    const lookup = answering(context, loopback);
    const client = context.connect({ port: server.address().port, lookup });
    await once(client, 'ready');
  });
});

describe("the 'lookup' event", () => {
  sameLog('comes once per name, before connect', async (context) => {
    const server = await context.listen();
    const { port } = server.address();
    const lookup = answering(context, loopback);
    const client = context.connect({ port, host, lookup, autoSelectFamily: false });
    client.on('lookup', (...args) => context.note('lookup event', args, client.connecting));
    await once(client, 'ready');
  });

  sameLog('carries the error of a lookup that failed', async (context) => {
    const lookup = answering(context, Object.assign(new Error('nope'), { code: 'ENOTFOUND' }));
    const client = context.connect({ port: 1, host, lookup, autoSelectFamily: false });
    client.on('lookup', (...args) => context.note('lookup event', args));
    client.on('error', () => context.note('lookup event', 'error comes after'));
    await context.closed(client);
  });

  sameLog('of the real dns.lookup reports a name that cannot exist', async (context) => {
    const client = context.watch('client', context.connect({ port: 1, host: 'a..b' }));
    await context.closed(client);
  });

  sameLog(
    'does not come for an address or a path',
    async (context) => {
      const server = await context.listen();
      const client = context.connect(server.address().port, '127.0.0.1');
      let lookups = 0;
      client.on('lookup', () => {
        lookups += 1;
      });
      await once(client, 'ready');
      return [lookups];
    },
    [0]
  );
});
