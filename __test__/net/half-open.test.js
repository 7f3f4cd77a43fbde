'use strict';

// allowHalfOpen on either side: who ends what, what still flows, and when the connection is over.

const { once } = require('node:events');
const { sameLogAcross, sameLog } = require('../support/parity');

const combinations = [
  [false, false],
  [false, true],
  [true, false],
  [true, true]
];

describe('the end of one direction', () => {
  for (const [serverHalf, clientHalf] of combinations) {
    const sides = { server: { allowHalfOpen: serverHalf }, client: { allowHalfOpen: clientHalf } };
    const label = `(server ${serverHalf}, client ${clientHalf})`;

    sameLogAcross(`sent by the client leads to the same end ${label}`, async (context) => {
      const [client, accepted] = await context.pair(sides);
      context.watch('client', client).resume();
      context.watch('accepted', accepted).resume();
      client.end('last words');
      await once(accepted, 'end');
      context.note('accepted', accepted.writable, accepted.readyState, accepted.writableEnded);
      if (serverHalf) accepted.end('after your end');
      await context.closed(client, accepted);
      context.note('client', client.bytesRead);
    });

    sameLogAcross(`sent by the server leads to the same end ${label}`, async (context) => {
      const [client, accepted] = await context.pair(sides);
      context.watch('client', client).resume();
      context.watch('accepted', accepted).resume();
      accepted.end('last words');
      await once(client, 'end');
      context.note('client', client.writable, client.readyState, client.writableEnded);
      if (clientHalf) client.end('after your end');
      await context.closed(client, accepted);
      context.note('accepted', accepted.bytesRead);
    });

    sameLogAcross(`with data still to be sent delivers it all ${label}`, async (context) => {
      const [client, accepted] = await context.pair(sides);
      const payload = Buffer.alloc(2_000_000, 'half');
      accepted.resume();
      // Queued before the peer's end arrives, so it must be written out in either mode.
      accepted.write(payload);
      accepted.once('end', () => accepted.end());
      client.end();
      client.resume();
      await context.closed(client, accepted);
      context.note('client', client.bytesRead, client.errored);
      context.note('accepted', accepted.bytesWritten, accepted.errored);
    });
  }
});

describe('a half-open connection', () => {
  const bothHalf = { server: { allowHalfOpen: true }, client: { allowHalfOpen: true } };

  sameLogAcross('carries bytes one way as long as it is wanted', async (context) => {
    const [client, accepted] = await context.pair(bothHalf);
    context.watch('client', client, { only: ['data', 'end', 'close'] }).resume();
    accepted.resume();
    client.end();
    await once(accepted, 'end');
    for (const word of ['one ', 'two ', 'three']) {
      await new Promise((resolve) => {
        accepted.write(word, resolve);
      });
      context.note('accepted', accepted.readyState, accepted.bytesWritten);
    }
    accepted.end();
    await context.closed(client, accepted);
  });

  sameLog(
    'stays open while neither side ends the other direction',
    async (context) => {
      const [client, accepted] = await context.pair(bothHalf);
      accepted.resume();
      client.end();
      await once(accepted, 'end');
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return [client.destroyed, accepted.destroyed, client.readyState, accepted.readyState];
    },
    [false, false, 'readOnly', 'writeOnly']
  );

  sameLog('follows a change of allowHalfOpen on the socket itself', async (context) => {
    const [client, accepted] = await context.pair();
    accepted.allowHalfOpen = true;
    accepted.resume();
    client.end();
    await once(accepted, 'end');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return [accepted.allowHalfOpen, accepted.writableEnded, accepted.readyState];
  });

  sameLog(
    'does not take the server for the client',
    async (context) => {
      const [client, accepted] = await context.pair({ server: { allowHalfOpen: true } });
      return [client.allowHalfOpen, accepted.allowHalfOpen];
    },
    [false, true]
  );
});

describe('an end of our own', () => {
  sameLog('is over before bytes are read that wait already', async (context) => {
    const server = await context.listen({ allowHalfOpen: true }, (socket) => {
      socket.write('first word');
    });
    const { port } = server.address();
    const client = context.watch('client', context.connect({ port, host: '127.0.0.1' }));
    client.pause();
    await once(client, 'connect');
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.resume();
    client.end();
    await once(client, 'data');
    context.note('client', client.writableFinished);
  });
});

describe('an end that nobody reads up to', () => {
  sameLog('is not seen while the socket is paused', async (context) => {
    const [client, accepted] = await context.pair({ server: { pauseOnConnect: true } });
    context.watch('accepted', accepted);
    client.end('unread');
    await once(client, 'finish');
    context.note('state', accepted.readableFlowing, accepted.destroyed, accepted.readyState);
    accepted.resume();
    client.resume();
    await context.closed(client, accepted);
  });

  sameLog('is seen without data by a socket that only reads on demand', async (context) => {
    const [client, accepted] = await context.pair();
    const order = [];
    accepted.on('readable', () => order.push(`readable ${accepted.read()}`));
    accepted.on('end', () => order.push('end'));
    client.resume().end();
    await context.closed(client, accepted);
    return order;
  });

  sameLog('never comes to a socket with no reader at all', async (context) => {
    const [client, accepted] = await context.pair();
    let ended = false;
    accepted.on('end', () => {
      ended = true;
    });
    client.end('x');
    await once(client, 'finish');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return { ended, readyState: accepted.readyState, flowing: accepted.readableFlowing };
  });
});
