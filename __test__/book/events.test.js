'use strict';

// What the book's notes say of `net` without showing it: each event of a server and of a connection,
// over TCP and over a Unix socket. Where the notes are loose ('drain'), what Node does is what holds.

const { EventEmitter, once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Duplex } = require('node:stream');
const { performance } = require('node:perf_hooks');

const { parity } = require('../support/parity');

let directory;
let open = [];
let places = 0;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'book-'));
});

afterEach(async () => {
  const closed = open.map((each) => (each.destroy ? destroyed(each) : stopped(each)));
  open = [];
  await Promise.all(closed);
  fs.rmSync(directory, { recursive: true, force: true });
});

describe.each(['tcp', 'unix'])('over %s', (family) => {
  /** Where a server listens: a port of the system's choice, or a path. */
  function place() {
    return family === 'tcp'
      ? { port: 0, host: '127.0.0.1' }
      : { path: path.join(directory, `${++places}`) };
  }

  /** How a client gets to a server that listens. */
  function towards(server) {
    const address = server.address();
    return family === 'tcp' ? { port: address.port, host: '127.0.0.1' } : { path: address };
  }

  async function serve({ net }, ...args) {
    const server = net.createServer(...args);
    open.push(server);
    server.listen(place());
    await once(server, 'listening');
    return server;
  }

  function connect({ net }, server) {
    const client = net.connect(towards(server));
    open.push(client);
    return client;
  }

  /** Both ends of one connection. */
  async function connection(implementation, options = {}) {
    const server = await serve(implementation, options);
    const accepted = once(server, 'connection');
    const client = connect(implementation, server);
    const [[socket]] = await Promise.all([accepted, once(client, 'connect')]);
    open.push(socket);
    return { server, socket, client };
  }

  describe('a server', () => {
    parity("is an EventEmitter, and createServer()'s function hears 'connection'", async (impl) => {
      const heard = [];
      const server = await serve(impl, (socket) => heard.push(socket));
      expect(server).toBeInstanceOf(EventEmitter);
      const accepted = once(server, 'connection');
      connect(impl, server);
      const [socket] = await accepted;
      open.push(socket);
      expect(heard).toEqual([socket]);
      expect(socket).toBeInstanceOf(impl.net.Socket);
    });

    parity("emits 'listening' once it is bound, after listen() has returned", async ({ net }) => {
      const server = net.createServer();
      open.push(server);
      const heard = [];
      server.on('listening', () => heard.push('event'));
      server.listen(place(), () => heard.push('callback'));
      expect(heard).toEqual([]);
      await once(server, 'listening');
      await new Promise(setImmediate);
      expect(heard).toEqual(['event', 'callback']);
      expect(server.listening).toBe(true);
      if (family === 'unix') expect(fs.statSync(server.address()).isSocket()).toBe(true);
      else expect(server.address().port).toBeGreaterThan(0);
    });

    parity("emits 'connection' for every client, and serves all at the same time", async (impl) => {
      const server = await serve(impl, (socket) => {
        open.push(socket);
        socket.on('data', (data) => socket.write(data));
      });
      const clients = Array.from({ length: 10 }, () => connect(impl, server));
      const answers = clients.map((client) => once(client, 'data'));
      // All are connected before the first is answered.
      await Promise.all(clients.map((client) => once(client, 'connect')));
      clients.forEach((client, number) => client.write(`client ${number}`));
      const texts = (await Promise.all(answers)).map(([data]) => data.toString());
      expect(texts).toEqual(clients.map((client, number) => `client ${number}`));
    });

    parity("takes no more after close(), keeps whom it has, then emits 'close'", async (impl) => {
      const { server, socket, client } = await connection(impl);
      const to = towards(server);
      let closed = false;
      server.on('close', () => {
        closed = true;
      });
      server.close();
      const [error] = await once(impl.net.connect(to), 'error');
      expect(error.code).toBe(family === 'unix' ? 'ENOENT' : 'ECONNREFUSED');
      // The one that was there before still talks.
      socket.write('still here');
      expect(String(await once(client, 'data'))).toBe('still here');
      expect(closed).toBe(false);
      client.end();
      socket.resume();
      await once(server, 'close');
      expect(server.listening).toBe(false);
    });

    parity("emits 'error' when its place is taken, and does not listen", async (impl) => {
      const first = await serve(impl);
      const second = impl.net.createServer();
      open.push(second);
      second.on('listening', () => {
        throw new Error('it listens on a place that is taken');
      });
      second.listen(towards(first));
      const [error] = await once(second, 'error');
      expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen' });
      expect(second.listening).toBe(false);
    });
  });

  describe('a connection', () => {
    parity('is a readable and writable stream at both ends', async (impl) => {
      const { socket, client } = await connection(impl);
      for (const end of [socket, client]) {
        expect(end).toBeInstanceOf(Duplex);
        expect(end).toMatchObject({ readable: true, writable: true });
      }
    });

    parity("emits 'data' at one end with what the other end writes", async (impl) => {
      const { socket, client } = await connection(impl);
      client.write('to the server');
      expect((await once(socket, 'data'))[0]).toEqual(Buffer.from('to the server'));
      socket.write('给客户端');
      expect((await once(client, 'data'))[0]).toEqual(Buffer.from('给客户端'));
    });

    parity("emits 'end' at one end when the other sends its FIN, either way", async (impl) => {
      for (const ends of [
        ['socket', 'client'],
        ['client', 'socket']
      ]) {
        const both = await connection(impl, { allowHalfOpen: false });
        const [first, second] = ends.map((name) => both[name]);
        const ended = once(second.resume(), 'end');
        const answered = once(first.resume(), 'end');
        first.end('last');
        await ended;
        // The second answers with its own FIN by itself.
        await answered;
      }
    });

    parity("emits 'connect' at the client alone, and only once", async (impl) => {
      const server = await serve(impl);
      const heard = [];
      const accepted = once(server, 'connection').then(([socket]) => {
        socket.on('connect', () => heard.push('accepted'));
        return socket;
      });
      const client = connect(impl, server);
      client.on('connect', () => heard.push('client'));
      expect(client.connecting).toBe(true);
      await once(client, 'ready');
      const socket = await accepted;
      open.push(socket);
      socket.write('x');
      await once(client, 'data');
      expect(heard).toEqual(['client']);
      expect(client.connecting).toBe(false);
    });

    parity("emits 'drain' when a buffer that was full is empty, else never", async (impl) => {
      const { socket, client } = await connection(impl, { pauseOnConnect: true });
      let drained = 0;
      client.on('drain', () => drained++);
      expect(client.write('small')).toBe(true);
      await new Promise((resolve) => client.write('', resolve));
      expect(drained).toBe(0);
      const chunk = Buffer.alloc(64 * 1024);
      let written = 1;
      while (client.write(chunk)) written++;
      expect(client.writableNeedDrain).toBe(true);
      expect(drained).toBe(0);
      socket.resume();
      await once(client, 'drain');
      expect(client.writableLength).toBe(0);
      expect(client.bytesWritten).toBe(5 + written * chunk.length);
      await new Promise(setImmediate);
      expect(drained).toBe(1);
    });

    parity("emits 'error' when something goes wrong, and 'close' after it", async (impl) => {
      const server = await serve(impl);
      const to = towards(server);
      server.close();
      await once(server, 'close');
      const client = impl.net.connect(to);
      const heard = [];
      client.on('error', (error) => heard.push(error.code));
      client.on('close', (hadError) => heard.push(hadError));
      // once() would reject at the 'error'.
      await new Promise((resolve) => client.on('close', resolve));
      expect(heard).toEqual([family === 'unix' ? 'ENOENT' : 'ECONNREFUSED', true]);
    });

    parity("emits 'close' once, when both directions are done", async (impl) => {
      const { socket, client } = await connection(impl, { allowHalfOpen: true });
      const heard = [];
      for (const [name, end] of [
        ['client', client],
        ['socket', socket]
      ]) {
        for (const event of ['end', 'finish', 'close']) {
          end.on(event, () => heard.push(`${name} ${event}`));
        }
      }
      const closed = [once(client, 'close'), once(socket, 'close')];
      client.resume().end();
      await once(socket.resume(), 'end');
      // Half of it is over, so nothing is closed.
      expect(heard.filter((line) => line.endsWith('close'))).toEqual([]);
      socket.end();
      await Promise.all(closed);
      for (const name of ['client', 'socket']) {
        const own = heard.filter((line) => line.startsWith(name)).map((line) => line.split(' ')[1]);
        expect(own.slice().sort()).toEqual(['close', 'end', 'finish']);
        expect(own.at(-1)).toBe('close');
      }
    });

    parity("emits 'timeout' when it is idle, and is not closed by that", async (impl) => {
      const { socket, client } = await connection(impl);
      client.setTimeout(30);
      await once(client, 'timeout');
      expect(client.destroyed).toBe(false);
      socket.write('after the timeout');
      expect(String(await once(client, 'data'))).toBe('after the timeout');
      client.setTimeout(0);
    });

    parity('can be piped: a server that pipes a connection to itself is an echo', async (impl) => {
      const server = await serve(impl, (socket) => {
        open.push(socket);
        socket.write('Echo server\r\n');
        socket.pipe(socket);
      });
      const client = connect(impl, server);
      const sent = Buffer.alloc(300_000, 'echo ');
      const received = [];
      client.on('data', (data) => received.push(data));
      client.end(sent);
      await once(client, 'end');
      const expected = Buffer.concat([Buffer.from('Echo server\r\n'), sent]);
      expect(Buffer.concat(received).equals(expected)).toBe(true);
    });
  });
});

describe("Nagle's algorithm", () => {
  const ROUNDS = 10;

  // A second small write waits for the first one's acknowledgement, which the other end delays.
  parity('holds small writes back until setNoDelay(true) turns it off', async ({ net }) => {
    const server = net.createServer({ noDelay: true }, (socket) => {
      open.push(socket);
      let bytes = 0;
      socket.on('data', (data) => {
        bytes += data.length;
        for (; bytes >= 2; bytes -= 2) socket.write('r');
      });
    });
    open.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const times = [];
    for (const noDelay of [false, true]) {
      const client = net.connect(server.address().port, '127.0.0.1');
      open.push(client);
      await once(client, 'connect');
      if (noDelay) expect(client.setNoDelay(true)).toBe(client);
      const begin = performance.now();
      for (let round = 0; round < ROUNDS; round++) {
        const answer = once(client, 'data');
        client.write('a');
        await new Promise(setImmediate);
        client.write('b');
        await answer;
      }
      times.push(performance.now() - begin);
    }
    const [held, free] = times;
    expect(free).toBeLessThan(held / 2);
  });
});

function destroyed(socket) {
  if (socket.closed) return undefined;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.destroy();
  return closed;
}

function stopped(server) {
  return new Promise((resolve) => server.close(resolve));
}
