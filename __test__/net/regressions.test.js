'use strict';

// Faults that a review or a load found, each as the smallest program that showed it.

const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const { feature, fine, parity, sameChildLog } = require('../support/parity');

const host = '127.0.0.1';
const open = new Set();

afterEach(() => {
  for (const it of open) {
    if (typeof it.destroy === 'function') it.destroy();
    else it.close();
  }
  open.clear();
});

describe('a turn that is cut short', () => {
  parity('gives each of 50 echoed connections its own bytes back', async (implementation) => {
    const rounds = 60;
    const size = 16 * 1024;
    // A busy callback uses the turn up while reads of the other connections are undelivered.
    const server = await listen(implementation.net, (socket) => {
      socket.on('data', (chunk) => {
        occupy(0.2);
        socket.write(chunk);
      });
    });
    const clients = await Promise.all(
      Array.from({ length: 50 }, () => connect(implementation.net, server))
    );
    const wrong = [];
    await Promise.all(clients.map((client, index) => talk(client, index)));
    expect(wrong).toEqual([]);

    async function talk(client, index) {
      for (let round = 0; round < rounds; round += 1) {
        const message = Buffer.alloc(size, `connection ${index}, message ${round};`);
        client.write(message);
        const back = await take(client, size);
        if (!back.equals(message)) wrong.push([index, round, String(back.subarray(0, 30))]);
      }
    }
  });

  parity('keeps what it did not deliver from the handles made next', async ({ net: subject }) => {
    const accepted = [];
    const heard = [];
    const successors = [];
    const silent = await listen(subject, () => {});
    const server = await listen(subject, (socket) => {
      accepted.push(socket);
      socket.once('data', () => {
        // Longer than a turn may take.
        occupy(5);
        if (socket === accepted[0]) accepted.forEach((other) => replace(other, socket));
      });
    });
    const clients = [];
    // Node's own, so that only the accepted ends take part in the turn.
    for (let i = 0; i < 60; i += 1) clients.push(await connect(net, server));
    while (accepted.length < clients.length) await turn();
    clients.forEach((client, index) => client.write(`of connection ${index}`));
    while (successors.length < clients.length - 1) await turn();
    await Promise.all(successors.map((socket) => socket.connecting && once(socket, 'connect')));
    // Whatever was left over has been delivered when bytes sent after it have come.
    const last = await connect(subject, await listen(subject, (socket) => socket.end('last')));
    await once(last.resume(), 'end');
    expect(heard).toEqual([]);

    function replace(other, destroyer) {
      if (other === destroyer) return;
      other.destroy();
      other.once('close', () => {
        const successor = track(subject.connect(silent.address().port, host));
        for (const event of ['data', 'end', 'error']) {
          successor.on(event, (what) => heard.push([event, String(what)]));
        }
        successors.push(successor);
      });
    }
  });

  parity('serves bulk readers in turn', async ({ net: subject }) => {
    const received = [];
    const server = await listen(subject, (socket) => {
      const index = received.push(0) - 1;
      socket.on('data', (chunk) => {
        received[index] += chunk.length;
        occupy(1);
      });
    });
    const endless = Buffer.alloc(4 * 1024 * 1024, 'bulk');
    for (let i = 0; i < 4; i += 1) {
      const sender = await connect(net, server);
      const send = (error) => error || sender.write(endless, send);
      send();
    }
    while (received.reduce((sum, bytes) => sum + bytes, 0) < 40e6) await turn();
    expect(received).toHaveLength(4);
    expect(Math.min(...received)).toBeGreaterThan(Math.max(...received) / 4);
  });
});

describe('small writes that wait for the end of their tick', () => {
  for (const [name, last] of [
    ['another small one', 'c'],
    ['one that takes them along', 'c'.repeat(100_000)]
  ]) {
    const program = `(net, log) => {
      const host = '127.0.0.1';
      const server = net.createServer((accepted) => {
        accepted.write('go');
        accepted.unref();
        server.unref();
      });
      server.listen(0, host, () => {
        const client = net.connect(server.address().port, host);
        // In the callback of an event: there writes are joined.
        client.once('data', () => {
          client.unref();
          client.write('a');
          client.write('b');
          client.write(${JSON.stringify(last)}, () => log('written'));
        });
      });
    }`;
    sameChildLog(`let the process end after ${name}`, program, fine('written'));
  }

  parity('leave together with more chunks than one call takes', async ({ net: subject }) => {
    const chunks = Array.from({ length: 2500 }, (_, index) => Buffer.alloc(100, index));
    const server = await listen(subject, (socket) => {
      socket.on('data', () => {
        if (socket.writableEnded) return;
        socket.write('a');
        socket.write('b');
        socket.cork();
        chunks.forEach((chunk) => socket.write(chunk));
        socket.end();
        socket.uncork();
      });
    });
    const client = await connect(subject, server);
    client.write('go');
    const back = await take(client, 2 + 2500 * 100);
    expect(back.equals(Buffer.concat([Buffer.from('ab'), ...chunks]))).toBe(true);
    await once(client.resume(), 'end');
  });

  sameChildLog(
    'cost the connection no memory afterwards',
    (subject, log, require) => {
      const { once } = require('node:events');
      const host = '127.0.0.1';
      const count = 300;
      const block = Buffer.alloc(30_000);
      const accepted = [];
      // Joined only in the callback of an event.
      const server = subject.createServer((socket) => {
        accepted.push(socket);
        socket.on('data', () => {
          socket.write('x');
          socket.write(block);
          socket.write(block);
        });
      });
      server.listen(0, host, async () => {
        const clients = [];
        for (let i = 0; i < count; i += 1) {
          const client = require('node:net').connect(server.address().port, host);
          await once(client, 'connect');
          clients.push(client);
        }
        // What garbage takes comes and goes: the least of five times is what stays.
        const growths = [];
        for (let from = 0; from < count; from += count / 5) {
          const before = process.memoryUsage().rss;
          await visitAll(clients.slice(from, from + count / 5));
          growths.push((process.memoryUsage().rss - before) / (count / 5));
        }
        const each = Math.min(...growths);
        log(each < 20_000 ? 'little' : `${each} bytes each`);
        [...clients, ...accepted].forEach((socket) => socket.destroy());
        server.close();
      });
      async function visitAll(clients) {
        for (const [index, client] of clients.entries()) {
          client.write('go');
          let got = 0;
          while (got < 2 * block.length + 1) {
            const [chunk] = await once(client, 'data');
            got += chunk.length;
          }
          if (index % 10 === 9) global.gc();
        }
      }
    },
    fine('little'),
    { execArgv: ['--expose-gc'] }
  );
});

describe('a descriptor', () => {
  sameChildLog(
    'that is given to a second socket stays the first one’s',
    (subject, log, require) => {
      const fs = require('node:fs');
      const server = subject.createServer((accepted) => {
        accepted.once('data', (chunk) => {
          log(String(chunk));
          process.exit();
        });
      });
      server.listen(0, '127.0.0.1', () => {
        const first = subject.connect(server.address().port, '127.0.0.1', () => {
          const { fd } = first._handle;
          try {
            new subject.Socket({ fd }).on('error', () => {});
          } catch (error) {
            if (error.code !== 'EEXIST') log(error.code);
          }
          // Would take the number, were it free.
          const stranger = fs.openSync('/dev/null', 'r');
          log(stranger === fd);
          first.write('still open');
        });
      });
    },
    fine(false, 'still open')
  );

  sameChildLog(
    'of a listening TCP socket makes TCP connections',
    (subject, log, require) => {
      const base = require('node:net')
        .createServer()
        .listen(0, '127.0.0.1', () => {
          const program = `
          const server = require(process.env.PARITY_SPECIFIER).createServer((accepted) => {
            accepted.resetAndDestroy();
            server.close();
          });
          server.listen({ fd: 3 }, () => console.log('listening'));`;
          const child = require('node:child_process').spawn(process.execPath, ['-e', program], {
            stdio: ['ignore', 'pipe', 'inherit', base._handle.fd]
          });
          const { port } = base.address();
          base.close(); // the child alone accepts
          child.stdout.once('data', () => {
            const client = require('node:net').connect(port, '127.0.0.1');
            client.on('error', (error) => log(error.code));
          });
          child.on('exit', (code) => log(code));
        });
    },
    undefined
  );
});

describe('an attempt to connect', () => {
  sameChildLog(
    'leaves no timer behind when its socket is destroyed',
    (subject, log) => {
      const server = subject.createServer().listen(0, '127.0.0.1', () => {
        const addresses = [
          { address: '127.0.0.1', family: 4 },
          { address: '::1', family: 6 }
        ];
        const client = subject.connect({
          port: server.address().port,
          host: 'two.example',
          autoSelectFamily: true,
          autoSelectFamilyAttemptTimeout: 600_000,
          lookup: (name, options, callback) => process.nextTick(callback, null, addresses)
        });
        client.on('connectionAttempt', () => process.nextTick(() => client.destroy()));
        client.on('close', () => server.close(() => log('closed')));
      });
    },
    fine('closed')
  );

  sameChildLog(
    'ends its request also when another’s callback closes it first',
    (subject, log, require) => {
      const requests = new Set();
      const { createHook } = require('node:async_hooks');
      createHook({
        init: (id, type) => type === 'TCPCONNECTWRAP' && requests.add(id),
        destroy: (id) => requests.delete(id)
      }).enable();
      const server = subject.createServer(() => {});
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        const clients = Array.from({ length: 20 }, () => subject.connect(port, '127.0.0.1'));
        let closed = 0;
        for (const client of clients) {
          client.on('connect', () => clients.forEach((other) => other.destroy()));
          client.on('close', () => ++closed === clients.length && collect(10));
        }
      });
      function collect(rounds) {
        global.gc();
        if (requests.size > 0 && rounds > 0) return setImmediate(collect, rounds - 1);
        log(requests.size);
        process.exit();
      }
    },
    fine(0),
    { execArgv: ['--expose-gc'] }
  );

  parity('to a port that is no port’s number fails as EADDRINUSE', async ({ net: subject }) => {
    const server = await listen(subject, () => {});
    const { port } = server.address();
    const client = track(subject.connect({ port, host, localPort: 70_000 }));
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind' });
  });
});

describe('read memory', () => {
  parity('is not shown to a buffer with a set() of its own', async ({ net: subject }) => {
    const shown = [];
    class Curious extends Uint8Array {
      set(source) {
        shown.push(source.buffer);
      }
    }
    const server = await listen(subject, (socket) => socket.end('bytes'));
    const buffer = new Curious(1000);
    const text = await new Promise((resolve, reject) => {
      const callback = (count, filled) => resolve(Buffer.from(filled.buffer, 0, count).toString());
      const client = track(
        subject.connect({ port: server.address().port, host, onread: { buffer, callback } })
      );
      client.on('error', reject);
    });
    expect(text).toBe('bytes');
    expect(shown).toEqual([]);
  });

  parity('of no size is an error, told once', async ({ net: subject }) => {
    const server = await listen(subject, (socket) => socket.on('error', () => {}).end('bytes'));
    const onread = { buffer: Buffer.alloc(0), callback: () => true };
    const client = track(subject.connect({ port: server.address().port, host, onread }));
    const errors = [];
    client.on('error', (error) => errors.push(error.code));
    await new Promise((resolve) => {
      client.on('close', resolve);
    });
    expect(errors).toEqual(['ENOBUFS']);
  });
});

// Node 20 cuts a path at its NUL.
feature('refusal of a NUL in a path', majorOfNode() >= 22, () => {
  parity('a path with a NUL in it is neither listened on nor connected to', async (it) => {
    const path = `${fs.mkdtempSync('/tmp/ferronet-')}/nul`;
    const server = it.net.createServer();
    server.listen(`${path}\0more`);
    const [refused] = await once(server, 'error');
    expect(refused).toMatchObject({ code: 'EINVAL', syscall: 'listen' });
    const [error] = await once(it.net.connect(`${path}\0more`), 'error');
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'connect' });
    expect(fs.existsSync(path)).toBe(false);
    fs.rmdirSync(path.slice(0, -'/nul'.length));
  });
});

async function listen(subject, onConnection) {
  const server = track(subject.createServer((socket) => onConnection(track(socket))));
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}

async function connect(subject, server) {
  const client = track(subject.connect(server.address().port, host));
  await once(client, 'connect');
  return client;
}

/** The next so many bytes. */
async function take(socket, size) {
  const chunks = [];
  let missing = size;
  while (missing > 0) {
    const chunk = socket.read(Math.min(missing, socket.readableLength || missing));
    if (chunk === null) {
      await once(socket, 'readable');
      continue;
    }
    chunks.push(chunk);
    missing -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Keeps the thread from everything else, as a program's work does. */
function occupy(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

function turn() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function track(it) {
  open.add(it);
  // Destroyed with the test; what its peers say of that is of no interest.
  if (typeof it.destroy === 'function') it.on('error', () => {});
  return it;
}

function majorOfNode() {
  return Number(process.versions.node.split('.')[0]);
}
