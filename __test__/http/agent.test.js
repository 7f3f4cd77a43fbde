'use strict';

// What an agent does for its sockets, and for whoever hears of them, as node:http's does.

const { createHook } = require('node:async_hooks');
const { once } = require('node:events');

const { answering, same } = require('../support/http-wire');

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** Asks once, and gives the socket that is free then. */
async function ask(http, port, agent) {
  const req = http.get({ host: '127.0.0.1', port, agent });
  const [res] = await once(req, 'response');
  res.resume();
  const [socket] = await once(agent, 'free');
  await new Promise(setImmediate);
  return socket;
}

/** What a new agent tells that has asked once and has the socket free. */
const withFree = (http, use) =>
  answering(
    ANSWER,
    async (port) => {
      const agent = new http.Agent({ keepAlive: true });
      try {
        return await use(agent, await ask(http, port, agent), port);
      } finally {
        agent.destroy();
      }
    },
    { keep: true }
  );

const counts = (...lists) => lists.map((list) => Object.values(list).flat().length);

describe('an agent', () => {
  same('gives up a free socket that has an error, and lets nobody hear of it', (http) =>
    withFree(http, async (agent, socket) => {
      const before = counts(agent.freeSockets, agent.sockets);
      const told = [];
      socket.on('agentRemove', () => told.push('agentRemove'));
      socket.emit('error', new Error('of nobody'));
      told.push(socket.destroyed, counts(agent.freeSockets, agent.sockets));
      await once(socket, 'close');
      return [before, told, agent.totalSocketCount];
    })
  );

  same('passes on the key log of its sockets', (http) =>
    answering(
      ANSWER,
      async (port) => {
        const agent = new http.Agent({ keepAlive: true });
        const told = [];
        agent.on('keylog', (line, socket) => told.push([line, socket.destroyed]));
        const socket = await ask(http, port, agent);
        socket.emit('keylog', 'a line');
        agent.destroy();
        socket.emit('keylog', 'one more');
        return told;
      },
      { keep: true }
    )
  );

  same('makes a resource of a socket anew for each request, and destroys the one before', (http) =>
    withFree(http, async (agent, free, port) => {
      const seen = [];
      const ids = new Map();
      const hook = createHook({
        init(id, type) {
          if (type === 'TCPWRAP') ids.set(id, seen.push('made'));
        },
        destroy(id) {
          if (id === before || ids.has(id)) seen.push(id === before ? 'the first ended' : 'ended');
        }
      });
      const before = free._handle.getAsyncId();
      hook.enable();
      await ask(http, port, agent);
      await ask(http, port, agent);
      for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
      hook.disable();
      return seen;
    })
  );

  same('keeps no more free sockets than it may', (http) =>
    answering(
      ANSWER,
      async (port) => {
        const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 1 });
        const requests = [1, 2, 3].map(() => http.get({ host: '127.0.0.1', port, agent }));
        const closed = [];
        for (const req of requests) {
          req.on('socket', (socket) => socket.on('close', () => closed.push('closed')));
        }
        const responses = await Promise.all(requests.map((req) => once(req, 'response')));
        for (const [res] of responses) res.resume();
        while (closed.length < 2) await new Promise(setImmediate);
        const kept = counts(agent.freeSockets, agent.sockets);
        agent.destroy();
        return [kept, closed.length];
      },
      { keep: true }
    )
  );

  same('asks its own methods whether to keep a socket, and to use it again', (http) =>
    answering(
      ANSWER,
      async (port) => {
        const told = [];
        class Agent extends http.Agent {
          keepSocketAlive(socket) {
            const keeps = super.keepSocketAlive(socket);
            told.push(['keep', keeps, socket._httpMessage === null]);
            return told.length < 4 && keeps;
          }

          reuseSocket(socket, req) {
            super.reuseSocket(socket, req);
            told.push(['reuse', req.reusedSocket, socket.destroyed]);
          }
        }
        const agent = new Agent({ keepAlive: true });
        await ask(http, port, agent);
        const socket = await ask(http, port, agent);
        const req = http.get({ host: '127.0.0.1', port, agent });
        const [res] = await once(req, 'response');
        res.resume();
        await once(socket, 'close');
        return [told, counts(agent.freeSockets, agent.sockets)];
      },
      { keep: true }
    )
  );

  same(
    'keeps a free socket alive by keepAliveMsecs, and with a margin to what a server says',
    (http) => {
      const hint = 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n';
      const agents = [{}, { keepAliveMsecs: 2500 }, { agentKeepAliveTimeoutBuffer: 2000 }];
      const kept = (options) =>
        answering(
          hint,
          async (port) => {
            const agent = new http.Agent({ keepAlive: true, ...options });
            const calls = [];
            const req = http.get({ host: '127.0.0.1', port, agent });
            req.on('socket', (socket) => {
              const { setKeepAlive } = socket;
              socket.setKeepAlive = function (...args) {
                calls.push(args);
                return setKeepAlive.apply(this, args);
              };
            });
            const [res] = await once(req, 'response');
            res.resume();
            const [socket] = await once(agent, 'free');
            await new Promise(setImmediate);
            const { timeout } = socket;
            agent.destroy();
            return [calls, timeout];
          },
          { keep: true }
        );
      return Promise.all(agents.map((options) => kept(options)));
    }
  );

  same('leaves the options of a request as they are', (http) =>
    withFree(http, async (agent, free, port) => {
      const options = Object.freeze({ host: '127.0.0.1', port, agent, headers: Object.freeze({}) });
      const req = http.request(options);
      req.end();
      const [res] = await once(req, 'response');
      res.resume();
      return [res.statusCode, Object.keys(options)];
    })
  );
});
