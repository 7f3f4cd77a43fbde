'use strict';

// When callbacks run: nextTick and microtasks between events, and write callbacks within a turn.

const { once } = require('node:events');
const { sameLog, sameChildLog } = require('../support/parity');

const EVENTS = ['connect', 'ready', 'data', 'end', 'finish', 'close', 'drain'];

/** Notes every event, and behind it the ticks and microtasks queued by its listener. */
function traceTicks(order, name, emitter, events = EVENTS) {
  for (const event of events) {
    emitter.on(event, () => {
      order.push(`${name} ${event}`);
      process.nextTick(() => order.push(`${name} ${event} tick`));
      Promise.resolve().then(() => order.push(`${name} ${event} microtask`));
      queueMicrotask(() =>
        process.nextTick(() => order.push(`${name} ${event} tick of microtask`))
      );
    });
  }
}

describe('ticks and microtasks', () => {
  sameLog('run between the events of a client', async (context) => {
    const server = await context.listen((socket) => socket.end('data'));
    const client = context.connect(server.address().port, '127.0.0.1');
    const order = [];
    traceTicks(order, 'client', client);
    await context.closed(client);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return order;
  });

  sameLog('run between the events of an accepted socket', async (context) => {
    const order = [];
    let accepted;
    const server = await context.listen((socket) => {
      accepted = socket;
      traceTicks(order, 'accepted', socket);
    });
    traceTicks(order, 'server', server, ['connection']);
    const client = context.connect(server.address().port, '127.0.0.1');
    await once(client, 'ready');
    client.end('data');
    await context.closed(client.resume(), accepted);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return order;
  });

  sameLog('run between two connections accepted in one turn', async (context) => {
    const order = [];
    const server = await context.listen();
    traceTicks(order, 'server', server, ['connection']);
    const { port } = server.address();
    const clients = [1, 2, 3].map(() => context.connect(port, '127.0.0.1'));
    await Promise.all(clients.map((client) => once(client, 'ready')));
    while (server._connections < 3) await once(server, 'connection');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return order;
  });

  sameLog('run before the callback of a write, and it before any immediate', async (context) => {
    const [client] = await context.pair();
    const order = [];
    await new Promise((resolve) => {
      setImmediate(() => {
        client.write('x', () => {
          order.push('write callback');
          process.nextTick(() => order.push('tick of the callback'));
        });
        order.push('write returned');
        process.nextTick(() => order.push('tick'));
        queueMicrotask(() => order.push('microtask'));
        setImmediate(() => {
          order.push('immediate');
          resolve();
        });
      });
    });
    return order;
  });

  sameLog('see the callbacks of several writes of one tick in one go', async (context) => {
    const [client] = await context.pair();
    const order = [];
    await new Promise((resolve) => {
      setImmediate(() => {
        for (const name of ['a', 'b', 'c']) client.write(name, () => order.push(name));
        process.nextTick(() => order.push('tick'));
        setImmediate(() => {
          order.push('immediate');
          resolve();
        });
      });
    });
    return order;
  });

  sameLog('see finish and the callback of end() before any immediate', async (context) => {
    const [client] = await context.pair();
    const order = [];
    client.on('prefinish', () => order.push('prefinish'));
    client.on('finish', () => order.push('finish'));
    const ended = new Promise((resolve) => {
      setImmediate(() => {
        client.end('x', () => {
          order.push('end callback');
          resolve();
        });
        order.push('end returned');
        process.nextTick(() => order.push('tick'));
      });
    });
    await ended;
    return order;
  });

  sameLog('see close after destroy() only later, never within', async (context) => {
    const [client] = await context.pair();
    const order = [];
    client.on('close', () => order.push('close'));
    client.destroy();
    order.push('destroy returned');
    process.nextTick(() => order.push('tick'));
    queueMicrotask(() => order.push('microtask'));
    await context.closed(client);
    return order;
  });

  sameLog('see error and close of destroy(error) in order', async (context) => {
    const [client] = await context.pair();
    const order = [];
    client.on('error', () => order.push('error'));
    client.on('close', () => order.push('close'));
    client.destroy(new Error('x'), () => order.push('destroy callback'));
    order.push('destroy returned');
    process.nextTick(() => order.push('tick'));
    setImmediate(() => order.push('immediate'));
    await context.closed(client);
    return order.filter((step) => step !== 'immediate');
  });

  sameLog('see a refused connection only after the call returned', async (context) => {
    const gone = await context.listen();
    const { port } = gone.address();
    await new Promise((resolve) => {
      gone.close(resolve);
    });
    const order = [];
    const client = context.connect(port, '127.0.0.1');
    for (const event of ['connectionAttempt', 'connectionAttemptFailed', 'error', 'close']) {
      client.on(event, () => {
        order.push(event);
        process.nextTick(() => order.push(`${event} tick`));
        queueMicrotask(() => order.push(`${event} microtask`));
      });
    }
    order.push('returned');
    await context.closed(client);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return order;
  });

  sameLog('see close callbacks of a server after its close event', async (context) => {
    const server = await context.listen();
    const order = [];
    server.on('close', () => order.push('close event'));
    server.close(() => order.push('close callback'));
    order.push('close returned');
    process.nextTick(() => order.push('tick'));
    queueMicrotask(() => order.push('microtask'));
    await context.closed(server);
    return order;
  });

  sameLog('see getConnections answer later, never within the call', async (context) => {
    const [, , server] = await context.pair();
    const order = [];
    await new Promise((resolve) => {
      server.getConnections((error, count) => {
        order.push(['answer', error, count]);
        resolve();
      });
      order.push('returned');
    });
    return order;
  });
});

describe('in a process of its own', () => {
  sameChildLog('events, ticks and immediates of each side interleave the same way', (net, log) => {
    // Which side comes first in a turn is the system's affair, so each has a log of its own.
    const sides = { server: [], client: [] };
    const note = (side, label) => {
      sides[side].push(label);
      process.nextTick(() => sides[side].push(`${label} tick`));
      Promise.resolve().then(() => sides[side].push(`${label} microtask`));
    };
    const server = net.createServer((socket) => {
      note('server', 'connection');
      socket.on('data', () => {
        note('server', 'data');
        socket.end('pong', () => note('server', 'end callback'));
      });
      socket.on('end', () => note('server', 'end'));
      socket.on('close', () => note('server', 'close'));
    });
    server.listen(0, '127.0.0.1', () => {
      note('server', 'listening');
      const client = net.connect(server.address().port, '127.0.0.1', () => {
        note('client', 'connect');
        client.write('ping', () => note('client', 'write callback'));
      });
      client.on('data', () => note('client', 'data'));
      client.on('end', () => note('client', 'end'));
      client.on('finish', () => note('client', 'finish'));
      client.on('close', () => {
        note('client', 'close');
        server.close();
      });
    });
    process.on('exit', () => log(sides));
  });
});
