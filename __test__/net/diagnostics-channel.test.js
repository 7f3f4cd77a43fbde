'use strict';

// What diagnostics_channel subscribers see of sockets and servers.

const diagnosticsChannel = require('node:diagnostics_channel');
const { once } = require('node:events');
const { sameLog, feature, node } = require('../support/parity');

const LISTEN_EVENTS = ['asyncStart', 'asyncEnd', 'error', 'start', 'end'];

/** Subscribes for the length of a program; the kind of what is published is what is compared. */
async function subscribed(context, names, program) {
  const subscriptions = names.map((name) => {
    const subscriber = (message, channel) => {
      context.note('published', [String(channel), contentsOf(context, message)]);
    };
    diagnosticsChannel.subscribe(name, subscriber);
    return () => diagnosticsChannel.unsubscribe(name, subscriber);
  });
  try {
    await program();
  } finally {
    for (const unsubscribe of subscriptions) unsubscribe();
  }
}

function contentsOf(context, message) {
  const described = {};
  for (const [key, value] of Object.entries(message)) {
    if (value instanceof context.net.Socket) described[key] = `Socket ${value.readyState}`;
    else if (value instanceof context.net.Server) described[key] = `Server ${value.listening}`;
    else described[key] = value;
  }
  return described;
}

function published(events) {
  return events.map((event) => `tracing:net.server.listen:${event}`);
}

describe('diagnostics_channel', () => {
  sameLog('net.client.socket publishes every client socket', async (context) => {
    const server = await context.listen();
    const { port } = server.address();
    await subscribed(context, ['net.client.socket'], async () => {
      await once(context.connect(port, '127.0.0.1'), 'ready');
      await once(context.track(context.client.createConnection({ port })), 'ready');
      context.note('published', 'a plain Socket');
      await once(context.track(new context.net.Socket()).connect(port, '127.0.0.1'), 'ready');
    });
  });

  sameLog('net.server.socket publishes accepted sockets before connection', async (context) => {
    const server = await context.listen();
    server.on('connection', () => context.note('published', 'connection event'));
    await subscribed(context, ['net.server.socket'], async () => {
      const accepting = once(server, 'connection');
      context.connect(server.address().port, '127.0.0.1');
      await accepting;
    });
  });

  sameLog('net.client.socket is published before the socket connects', async (context) => {
    const order = [];
    const subscriber = ({ socket }) => order.push(['published', socket.connecting]);
    diagnosticsChannel.subscribe('net.client.socket', subscriber);
    try {
      const client = context.connect({ port: 1, host: '127.0.0.1' });
      order.push(['returned', client.connecting]);
      await once(client, 'error');
    } catch (error) {
      order.push(error.code);
    } finally {
      diagnosticsChannel.unsubscribe('net.client.socket', subscriber);
    }
    return order;
  });

  feature('channel tracing:net.server.listen', hasListenChannel(), () => {
    sameLog('tracing:net.server.listen follows a successful listen()', async (context) => {
      await subscribed(context, published(LISTEN_EVENTS), async () => {
        const server = context.createServer();
        server.listen({ port: 0, host: '127.0.0.1', customOption: true });
        context.note('published', 'returned');
        await once(server, 'listening');
        context.label(server.address().port, 'server');
      });
    });

    sameLog('tracing:net.server.listen follows listen() on a path', async (context) => {
      await subscribed(context, published(LISTEN_EVENTS), async () => {
        const server = context.createServer();
        server.listen(context.path());
        await once(server, 'listening');
      });
    });

    sameLog(
      "tracing:net.server.listen follows listen() on another server's handle",
      async (context) => {
        const first = await context.listen();
        const names = published(['asyncEnd', 'error']);
        await subscribed(context, names, async () => {
          const server = context.createServer();
          server.listen(first);
          context.note('published', 'returned');
          await once(server, 'listening');
        });
      }
    );

    sameLog('tracing:net.server.listen reports a failure', async (context) => {
      const first = await context.listen();
      await subscribed(context, published(LISTEN_EVENTS), async () => {
        const server = context.createServer();
        server.on('error', (error) => context.note('published', ['error event', error.code]));
        server.listen(first.address().port, '127.0.0.1');
        await once(server, 'error').catch(() => {});
      });
    });
  });
});

/** Node creates the channel with the module, so that it is known to be used if it is there. */
function hasListenChannel() {
  const probe = diagnosticsChannel.tracingChannel?.('net.server.listen');
  if (!probe) return false;
  let seen = false;
  const subscriber = () => {
    seen = true;
  };
  probe.asyncStart.subscribe(subscriber);
  const server = node.net.createServer();
  server.listen(0).close();
  probe.asyncStart.unsubscribe(subscriber);
  return seen;
}
