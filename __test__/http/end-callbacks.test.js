'use strict';

// What callbacks of a message's end() are told, and when, as with node:http.

const net = require('node:net');
const { Writable } = require('node:stream');

const { same, serve } = require('../support/http-wire');

const told = (log, name) => (error) => log.push([name, error?.code ?? error?.message ?? 'fine']);

/** Some turns of the loop, however long one takes. */
async function settled() {
  await new Promise((resolve) => setTimeout(resolve, 10));
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
}

function watch(log, message) {
  message.on('finish', () => log.push('finish'));
  message.on('close', () => log.push('close'));
  message.on('error', (error) => log.push(['error', error.code ?? error.message]));
}

describe('of a response to any Writable', () => {
  /** Runs `use(response, callback, socket)`, and asks for another callback when all is over. */
  const responding = (sentence, use, write = (chunk, encoding, done) => setImmediate(done)) =>
    same(sentence, async (http) => {
      const log = [];
      const response = new http.ServerResponse({ httpVersionMajor: 1, httpVersionMinor: 1 });
      const socket = new Writable({ write });
      socket.on('error', (error) => log.push(['socket', error.message]));
      response.assignSocket(socket);
      watch(log, response);
      use(response, (name) => told(log, name), socket);
      await settled();
      log.push(response.writableFinished);
      response.end(told(log, 'late'));
      log.push('after');
      await settled();
      return log;
    });

  responding('come before finish, or behind it', (res, callback) => res.end('x', callback('one')));
  responding('come all', (res, callback) => {
    res.end(callback('one'));
    res.end(callback('two'));
    res.end('x', callback('three'));
  });
  responding('learn that it was destroyed', (res, callback) => {
    res.end('x', callback('one'));
    res.destroy(new Error('mine'));
  });
  responding('do not learn that it was destroyed without an error', (res, callback) => {
    res.end('x', callback('one'));
    res.destroy();
  });
  responding('learn that a socket has failed before', (res, callback, socket) => {
    socket._hadError = true;
    res.end('x', callback('one'));
  });
  responding(
    'learn that the write has failed',
    (res, callback) => {
      res.end('x', callback('one'));
      res.end(callback('two'));
    },
    (chunk, encoding, done) => setImmediate(done, new Error('write'))
  );

  for (const [what, send] of Object.entries({
    'a string': (res) => res.end('x'),
    'a Buffer': (res) => res.end(Buffer.from('x')),
    nothing: (res) => res.end(),
    'an encoded string': (res) => res.end('eHg=', 'base64'),
    'a string behind the head': (res) => {
      res.flushHeaders();
      res.end('x');
    },
    'the last of a known length': (res) => {
      res.setHeader('Content-Length', 2);
      res.write('a');
      res.end('b');
    }
  })) {
    same(`stand behind these writes, to end with ${what}`, async (http) => {
      const response = new http.ServerResponse({ httpVersionMajor: 1, httpVersionMinor: 1 });
      const writes = [];
      response.sendDate = false;
      response.assignSocket(
        new Writable({
          decodeStrings: false,
          write: (chunk, encoding, done) => done(void writes.push([String(chunk), encoding]))
        })
      );
      send(response);
      await settled();
      return writes;
    });
  }
});

describe('of an answer to a client', () => {
  const answering = (sentence, answer) => {
    const tell = async (http, watched) => {
      const log = [];
      const listener = (req, res) => {
        if (watched) watch(log, res);
        answer(res, (name) => told(log, name), log);
      };
      await serve(http, {}, listener, async (server, port) => {
        const socket = net.connect(port, '127.0.0.1').resume();
        const closed = new Promise((resolve) => socket.on('close', resolve));
        socket.on('error', () => {});
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
        await settled();
        await settled();
        socket.destroy();
        await closed;
        await settled();
      });
      return log;
    };
    same(sentence, async (http) => [await tell(http, false), await tell(http, true)]);
  };

  answering('come when it has left', (res, callback) => res.end('x', callback('one')));
  answering('come each in its tick', (res, callback, log) => {
    res.end('x', callback('one'));
    res.end(callback('two'));
    process.nextTick(() => log.push('tick'));
    setImmediate(() => log.push('immediate'));
  });
  answering('come while it has its socket still, or not', (res, callback, log) => {
    res.end('x', () => log.push(Boolean(res.socket), res.writableFinished));
  });
  answering('come behind those of its writes', (res, callback) => {
    res.write('a', callback('write'));
    res.end('b', callback('end'));
  });
  answering('learn that it was destroyed', (res, callback) => {
    res.end('x', callback('one'));
    res.destroy(new Error('mine'));
  });
  answering('learn that its socket was destroyed', (res, callback) => {
    res.socket.on('error', () => {});
    res.end('x', callback('one'));
    res.socket.destroy(new Error('mine'));
  });
  answering('learn that it could not leave', (res, callback) => {
    res.end(Buffer.alloc(3e7), callback('one'));
    res.destroy();
  });
});

describe('of a request', () => {
  const asking = (sentence, port, use, options = {}) =>
    same(sentence, (http) =>
      serve(
        http,
        {},
        (req, res) => req.resume().on('end', () => res.end()),
        async (server, listening) => {
          const log = [];
          const target = { host: '127.0.0.1', port: port ?? listening, agent: false, ...options };
          const req = http.request({ method: 'POST', ...target });
          watch(log, req);
          req.on('response', (res) => res.resume());
          use(req, (name) => told(log, name));
          await new Promise((resolve) => req.on('close', resolve));
          await settled();
          req.end(told(log, 'late'));
          log.push('after');
          await settled();
          return log;
        }
      )
    );

  asking('come when it has left', undefined, (req, callback) => req.end('x', callback('one')));
  asking('learn that nobody listens', 1, (req, callback) => req.end('x', callback('one')));
  asking('learn so without a body', 1, (req, callback) => req.end(callback('one')), {
    method: 'GET'
  });
  asking('are lost with a request that is destroyed at once', undefined, (req, callback) => {
    req.end('x', callback('one'));
    req.destroy();
  });
});
