'use strict';

// What intercepts connections, such as nock, puts verbs of its own in the place of those below a
// socket: requests over such a socket are told as by node:http.

const { once } = require('node:events');

const { answering, node, ours, same, serve } = require('../support/http-wire');

const nets = new Map([
  [node, require('node:net')],
  [ours, require('../../dist/net')]
]);

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Port 1 is not asked: whoever is answers in its place. */
function connectTo({ net, port = 1, onAttempt }) {
  const socket = new net.Socket();
  socket.once('connectionAttempt', () => onAttempt(socket, socket._handle));
  return socket.connect({ host: '127.0.0.1', port });
}

function textOf(several, data, encoding) {
  const entries = several ? data : [{ chunk: data, encoding }];
  return entries.map(({ chunk, encoding: as }) => Buffer.from(chunk, as).toString()).join('');
}

async function ask(http, agent, body) {
  const req = http.request({ agent, method: 'POST', path: '/asked' });
  req.end(body);
  const [res] = await once(req, 'response');
  const { bytesWritten, remoteAddress, remotePort } = res.socket;
  let text = '';
  for await (const chunk of res) text += chunk;
  return [res.statusCode, text, req.reusedSocket, bytesWritten, remoteAddress, remotePort];
}

function agentOf(http, options, createConnection) {
  const agent = new http.Agent(options);
  agent.createConnection = createConnection;
  return agent;
}

same('a connection that is never made carries requests', async (http) => {
  const seen = [];
  let closed;
  const agent = agentOf(http, {}, () => {
    const socket = connectTo({
      net: nets.get(http),
      onAttempt(intercepted, handle) {
        handle.connect = (request) => {
          setImmediate(() => request.oncomplete(0, handle, request, true, true));
        };
        handle.getpeername = (name) => {
          Object.assign(name, { address: '192.0.2.1', family: 'IPv4', port: 80 });
          return 0;
        };
      }
    });
    socket._read = () => {};
    socket._writeGeneric = (several, data, encoding, done) => {
      const text = textOf(several, data, encoding);
      seen.push(text);
      done();
      if (/\r\n\r\n/.test(text)) setImmediate(() => socket.push(OK));
    };
    // Its shutdown finds no connection, which is no error.
    socket.on('close', (hadError) => seen.push(['close', hadError]));
    closed = once(socket, 'close');
    return socket;
  });
  for (const body of ['first', Buffer.from('second'), undefined]) {
    seen.push(await ask(http, agent, body));
  }
  await closed;
  return seen;
});

same('a connection whose handle is another one’s carries requests', (http) => {
  const net = nets.get(http);
  const play = async (port, received) => {
    const seen = [];
    const agent = agentOf(http, { keepAlive: true, maxSockets: 1 }, () => {
      const socket = connectTo({
        net,
        port,
        onAttempt(intercepted, handle) {
          handle.connect = () => {};
          const real = net.connect(port, '127.0.0.1', () => {
            intercepted._handle = real._handle;
            handle.close();
            intercepted.connecting = false;
            for (const name of ['connect', 'ready']) intercepted.emit(name);
          });
          intercepted._read = () => real.resume();
          real.on('data', (chunk) => intercepted.push(chunk));
          intercepted.on('close', () => real.destroy());
        }
      });
      const writeGeneric = socket._writeGeneric;
      socket._writeGeneric = (...args) => {
        seen.push(textOf(...args).replaceAll(port, 'port'));
        writeGeneric.apply(socket, args);
      };
      return socket;
    });
    for (const body of ['first', Buffer.from('second'), undefined]) {
      const answer = await ask(http, agent, body);
      seen.push(answer.map((value) => (value === port ? 'port' : value)));
    }
    agent.destroy();
    seen.push(received.length);
    return seen;
  };
  return answering(OK, play, { keep: true });
});

describe('an emit() in the place of the prototype’s hears of messages without listeners', () => {
  const play = async (http, Class, names) => {
    const log = [];
    const { emit } = Class.prototype;
    Class.prototype.emit = function (name, ...args) {
      if (names.includes(name)) log.push(name);
      return emit.call(this, name, ...args);
    };
    try {
      await serve(
        http,
        {},
        (req, res) => {
          if (req.url === '/pieces') res.write('piece');
          res.end('answer');
        },
        async (server, port) => {
          const agent = new http.Agent();
          for (const path of ['/', '/pieces']) {
            const req = http.get({ agent, host: '127.0.0.1', path, port });
            const [res] = await once(req, 'response');
            for await (const chunk of res) log.push(chunk.length > 0);
            await once(res.socket, 'close');
          }
        }
      );
    } finally {
      delete Class.prototype.emit;
      if (Class.prototype.emit !== emit) Class.prototype.emit = emit;
    }
    return log;
  };

  same('of responses', (http) =>
    play(http, http.ServerResponse, ['socket', 'prefinish', 'finish', 'close'])
  );

  same('of requests', (http) => play(http, http.IncomingMessage, ['end', 'close']));
});
