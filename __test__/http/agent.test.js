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
