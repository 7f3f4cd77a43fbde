'use strict';

// The family autoselection of connect(): order of attempts, their events, timeouts and errors.

const { once } = require('node:events');
const { sameLog } = require('../support/parity');

const host = 'some.name.example';
const attempts = [
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'lookup',
  'connect',
  'ready',
  'error',
  'close'
];

/** A lookup that answers with the given addresses, whatever it was asked. */
function answer(...addresses) {
  return (hostname, { all }, callback) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() => {
      if (all) callback(null, found);
      else callback(null, found[0].address, found[0].family);
    });
  };
}

/** A server on one loopback address only; nobody listens at its port on any other. */
async function listenAt(context, address) {
  const server = context.createServer((socket) => socket.resume());
  await once(server.listen(0, address), 'listening');
  return context.label(server.address().port, 'server');
}

function connect(context, options) {
  const client = context.connect({ host, autoSelectFamily: true, ...options });
  return context.watch('client', client, { only: attempts });
}

/**
 * An address that swallows connection attempts: a listener whose accept queue is full, since its
 * process never accepts. Resolves with the address and port, taken down with the context.
 */
async function blackHole(context, address) {
  const { spawn } = require('node:child_process');
  const script = `
    const server = require('node:net').createServer().listen({ port: 0, host: '${address}', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port) + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.track({ on() {}, close: () => child.kill('SIGKILL'), emit() {} });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const port = Number(line);
  const { node } = require('../support/parity');
  for (let filled = 0; filled < 2; filled += 1) {
    const filler = context.track(node.net.connect(port, address));
    await once(filler, 'connect');
  }
  return port;
}

describe('autoSelectFamily', () => {
  sameLog('tries the next address when one refuses, without an error', async (context) => {
    const port = await listenAt(context, '127.0.0.1');
    const client = connect(context, { port, lookup: answer('::1', '127.0.0.1') });
    await once(client, 'ready');
    context.note('client', client.autoSelectFamilyAttemptedAddresses, client.remoteAddress);
  });

  sameLog('stops at the first address that accepts', async (context) => {
    const port = await listenAt(context, '::1');
    const client = connect(context, { port, lookup: answer('::1', '127.0.0.1') });
    await once(client, 'ready');
    context.note('client', client.autoSelectFamilyAttemptedAddresses, client.remoteFamily);
  });

  sameLog('alternates the families in the order of the first answer', async (context) => {
    const port = await listenAt(context, '127.0.0.9');
    const lookup = answer('127.0.0.3', '127.0.0.4', '127.0.0.9', '::1');
    const client = connect(context, { port, lookup });
    await once(client, 'ready');
    context.note('client', client.autoSelectFamilyAttemptedAddresses);
  });

  sameLog('tries an address only once that was answered twice', async (context) => {
    const port = await listenAt(context, '127.0.0.9');
    const lookup = answer('127.0.0.3', '::1', '127.0.0.3', '::1', '127.0.0.9');
    const client = connect(context, { port, lookup });
    await once(client, 'ready');
    context.note('client', client.autoSelectFamilyAttemptedAddresses);
  });

  sameLog('reports an AggregateError when every address fails', async (context) => {
    const port = await listenAt(context, '127.0.0.9');
    const client = connect(context, { port, lookup: answer('::1', '127.0.0.1', '127.0.0.2') });
    await context.closed(client);
    context.note('client', client.autoSelectFamilyAttemptedAddresses);
    context.note('error', client.errored.code, client.errored.message, client.errored.errors);
  });

  sameLog('reports a plain error when there was but one address', async (context) => {
    const port = await listenAt(context, '127.0.0.9');
    const client = connect(context, { port, lookup: answer('127.0.0.1') });
    await context.closed(client);
    context.note('client', client.autoSelectFamilyAttemptedAddresses);
  });

  sameLog('asks for all addresses', async (context) => {
    const port = await listenAt(context, '127.0.0.1');
    for (const options of [{}, { family: 4 }, { family: 0 }, { localAddress: '127.0.0.1' }]) {
      const lookup = (hostname, asked, callback) => {
        context.note('asked', Boolean(asked.all), asked.family);
        answer('127.0.0.1')(hostname, asked, callback);
      };
      const client = context.connect({ host, port, lookup, autoSelectFamily: true, ...options });
      await once(client, 'ready');
      context.note('tried', client.autoSelectFamilyAttemptedAddresses);
    }
  });

  sameLog('follows the default that was set', async (context) => {
    const { net } = context;
    const port = await listenAt(context, '127.0.0.1');
    try {
      for (const value of [false, true]) {
        net.setDefaultAutoSelectFamily(value);
        const client = context.connect({ host, port, lookup: answer('127.0.0.1') });
        await once(client, 'ready');
        context.note('tried', value, client.autoSelectFamilyAttemptedAddresses);
      }
    } finally {
      net.setDefaultAutoSelectFamily(true);
    }
  });

  sameLog('ignores addresses of neither family', async (context) => {
    const port = await listenAt(context, '127.0.0.1');
    const lookup = (hostname, options, callback) =>
      setImmediate(callback, null, [
        { address: 'nonsense', family: 4 },
        { address: '127.0.0.1', family: 4 }
      ]);
    const client = connect(context, { port, lookup });
    await Promise.race([context.closed(client), once(client, 'ready')]);
    context.note('client', client.autoSelectFamilyAttemptedAddresses);
  });

  // Node never calls back for such a write when an attempt failed, so only its arrival is compared.
  sameLog('sends what was written during the attempts once, to the winner', async (context) => {
    const server = context.createServer();
    const accepting = once(server, 'connection');
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const port = context.label(server.address().port, 'server');
    const client = connect(context, { port, lookup: answer('::1', '127.0.0.1') });
    client.write('written ');
    client.write('early');
    const [accepted] = await accepting;
    context.watch('accepted', accepted, { only: ['data', 'end'] });
    let received = '';
    for await (const chunk of accepted.setEncoding('utf8')) {
      received += chunk;
      if (received.endsWith('early')) break;
    }
    context.note('client', client.bytesWritten, client.pending);
  });

  sameLog('keeps options set before the winner is known', async (context) => {
    const port = await listenAt(context, '127.0.0.1');
    const client = connect(context, {
      port,
      lookup: answer('::1', '127.0.0.1'),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 1000
    });
    client.unref();
    client.ref();
    await once(client, 'ready');
    context.note('client', client.readyState);
  });

  sameLog('stops trying when destroyed after the first failed', async (context) => {
    const port = await listenAt(context, '127.0.0.9');
    const client = connect(context, { port, lookup: answer('::1', '127.0.0.1', '127.0.0.9') });
    client.on('connectionAttemptFailed', () => client.destroy());
    await context.closed(client);
    context.note('client', client.autoSelectFamilyAttemptedAddresses);
  });

  sameLog('tells of the attempt that is under way when it is destroyed', async (context) => {
    const port = context.label(await blackHole(context, '127.0.0.1'), 'server');
    for (const addresses of [['127.0.0.1', '::1'], ['127.0.0.2', '127.0.0.1'], ['127.0.0.1']]) {
      const client = connect(context, { port, lookup: answer(...addresses) });
      client.on('connectionAttempt', (address) => {
        if (address === '127.0.0.1') setImmediate(() => client.destroy(new Error('enough')));
      });
      await context.closed(client);
    }
  });

  sameLog('gives up an attempt after its timeout and tries the next', async (context) => {
    const port = context.label(await blackHole(context, '127.0.0.5'), 'server');
    const server = context.createServer();
    await once(server.listen(port, '127.0.0.6'), 'listening');
    const lookup = answer('127.0.0.5', '127.0.0.6');
    const client = connect(context, { port, lookup, autoSelectFamilyAttemptTimeout: 30 });
    await once(client, 'ready');
    context.note('client', client.autoSelectFamilyAttemptedAddresses, client.remoteAddress);
  });

  sameLog('reports ETIMEDOUT for the attempts that timed out', async (context) => {
    const port = context.label(await blackHole(context, '127.0.0.7'), 'server');
    const lookup = answer('127.0.0.7', '127.0.0.8');
    const client = connect(context, { port, lookup, autoSelectFamilyAttemptTimeout: 30 });
    await context.closed(client);
    context.note('error', client.errored.code, client.errored.errors);
  });
});
