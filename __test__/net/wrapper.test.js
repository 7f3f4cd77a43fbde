'use strict';

// Sockets under Node's own tls, https and http2: what is above them is what it is on Node's sockets.

const fs = require('node:fs');
const http2 = require('node:http2');
const https = require('node:https');
const path = require('node:path');
const tls = require('node:tls');
const { once } = require('node:events');
const { text } = require('node:stream/consumers');

const { fine, sameChildLog, sameLogAcross } = require('../support/parity');

const pem = (name) => fs.readFileSync(path.join(__dirname, '..', 'fixtures', 'tls', name));
const identity = { key: pem('key.pem'), cert: pem('cert.pem') };
const trust = { ca: identity.cert, servername: 'localhost' };
const addresses = ({ remoteAddress, remoteFamily, remotePort, localAddress, localPort }) => [
  ...[remoteAddress, remoteFamily, remotePort > 0],
  ...[localAddress, localPort > 0]
];
const secureServer = (socket, options) =>
  new tls.TLSSocket(socket, { isServer: true, ...identity, ...options });

describe.each(['TLSv1.2', 'TLSv1.3'])('a TLSSocket (%s)', (version) => {
  const versions = { minVersion: version, maxVersion: version };

  sameLogAcross(
    `carries all bytes, and those sent after the peer's end (${version})`,
    async (context) => {
      const [client, accepted] = await context.pair();
      const payload = Buffer.alloc(3_000_000, 'secure');
      const above = context.watch('server', secureServer(accepted, versions), {
        only: ['end', 'finish', 'close']
      });
      const secure = context.watch('client', tls.connect({ socket: client, ...trust }), {
        only: ['end', 'finish', 'close']
      });
      above.pipe(above);
      let received = 0;
      secure.on('data', (chunk) => {
        received += chunk.length;
      });
      await once(secure, 'secureConnect');
      secure.end(payload);
      await context.closed(client, accepted, secure, above);
      context.note('bytes', received, secure.authorized, secure.getProtocol());
    }
  );

  sameLogAcross(`holds back a peer that sends more than is read (${version})`, async (context) => {
    const [client, accepted] = await context.pair();
    const above = context.track(secureServer(accepted, versions));
    const secure = context.track(tls.connect({ socket: client, ...trust }));
    await once(secure, 'secureConnect');
    const total = 30_000_000;
    secure.write(Buffer.alloc(total));
    await once(above, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 100));
    context.note('while held back', accepted.bytesRead < total / 2, secure.writableNeedDrain);
    let received = 0;
    above.on('data', (chunk) => {
      received += chunk.length;
    });
    secure.resume().end();
    await context.closed(client, accepted, secure, above);
    context.note('in the end', received);
  });
});

describe('a TLSSocket', () => {
  sameLogAcross('has the addresses of the socket beneath', async (context) => {
    const [client, accepted] = await context.pair();
    const above = context.track(secureServer(accepted));
    const secure = context.track(tls.connect({ socket: client, ...trust }));
    for (const [name, socket] of Object.entries({ above, secure })) {
      context.note(name, socket.remoteAddress, socket.remoteFamily, socket.remotePort);
      context.note(name, socket.localAddress, socket.localPort, socket.address());
    }
    above.resume();
    secure.resume().end();
    await context.closed(client, accepted, secure, above);
  });

  sameLogAcross('connects when the socket beneath does, and says so', async (context) => {
    const server = await context.listen();
    server.on('connection', (socket) => {
      const above = context.track(secureServer(socket));
      above.pipe(above);
    });
    const client = context.connect(server.address().port, '127.0.0.1');
    const told = { only: ['connect', 'ready', 'secureConnect'] };
    context.watch('client', client, told);
    const secure = context.watch('secure', tls.connect({ socket: client, ...trust }), told);
    const state = () => [secure.connecting, secure.pending, secure.readyState];
    context.note('made', ...state());
    client.on('connect', () => context.note('connected', ...state()));
    secure.on('secureConnect', () => context.note('secure', ...state()));
    secure.end('written before');
    context.note('read', await text(secure));
    await context.closed(client, secure);
  });

  sameLogAcross('is not connected where the socket beneath cannot be', async (context) => {
    const server = await context.listen();
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    const client = context.connect(port, '127.0.0.1');
    const secure = tls.connect({ socket: client, ...trust });
    context.watch('secure', secure, { only: ['connect', 'error', 'close'] });
    await context.closed(client, secure);
    context.note('in the end', secure.connecting);
  });

  sameLogAcross(
    'reads what comes after STARTTLS past its listeners and encoding',
    async (context) => {
      const [client, accepted] = await context.pair();
      for (const [name, socket] of Object.entries({ client, accepted })) {
        socket.setEncoding('utf8');
        socket.on('data', (data) => context.note(name, data));
      }
      accepted.once('data', () => {
        accepted.write('go ahead');
        const above = context.track(secureServer(accepted));
        above.on('data', (data) => {
          accepted.emit('data', `plain ${data}`); // as some servers do
          above.end('the answer');
        });
      });
      client.write('STARTTLS');
      await once(client, 'data');
      const secure = context.track(tls.connect({ socket: client, ...trust }));
      secure.write('a question');
      context.note('secure', await text(secure));
      await context.closed(client, accepted);
      context.note('beneath', client.readableEnded, accepted.readableEnded);
    }
  );

  sameLogAcross('takes the bytes that came before it', async (context) => {
    const [client, accepted] = await context.pair({ server: { pauseOnConnect: true } });
    const secure = context.track(tls.connect({ socket: client, ...trust }));
    accepted.resume().pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
    accepted.read(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    context.note('buffered', accepted.readableLength > 0);
    const above = context.track(secureServer(accepted));
    above.resume().end('read in time');
    context.note('secure', await text(secure));
    await context.closed(client, accepted, secure, above);
  });

  sameLogAcross('hears of a reset, which is not uncaught', async (context) => {
    const [client, accepted] = await context.pair();
    const above = secureServer(accepted);
    above.on('error', () => {});
    above.on('data', () => accepted.resetAndDestroy());
    const secure = tls.connect({ socket: client, ...trust });
    secure.on('error', (error) => context.note('secure', error.code));
    await once(secure, 'secureConnect');
    secure.write('x');
    await context.closed(client, accepted, secure, above);
    context.note('beneath', client.destroyed, accepted.destroyed);
  });

  describe.each(['client', 'server'])('of a %s whose peer resets', (role) => {
    sameLogAcross('fails with the error, once, and closes behind the socket', async (context) => {
      const [client, accepted] = await context.pair();
      const above = secureServer(accepted);
      const secure = tls.connect({ socket: client, ...trust });
      // Nothing of the handshake is under way any more.
      above.once('data', (data) => above.write(data));
      secure.write('echo');
      await once(secure, 'data');
      const sides = { client: [client, secure], server: [accepted, above] };
      const [beneath, failing] = sides[role];
      const [other, quiet] = sides[role === 'client' ? 'server' : 'client'];
      quiet.on('error', () => {});
      context.watch('secure', failing.resume(), { only: ['error', 'end', 'close'] });
      beneath.on('error', (error) => context.note('beneath', error.code));
      beneath.on('close', (failed) => context.note('beneath', 'close', failed));
      other.resetAndDestroy();
      await context.closed(failing, quiet);
    });
  });

  sameLogAcross('closes behind the socket beneath', async (context) => {
    const [client, accepted] = await context.pair();
    const above = secureServer(accepted);
    const secure = tls.connect({ socket: client, ...trust });
    await once(secure, 'secureConnect');
    for (const [name, socket] of Object.entries({ accepted, above })) {
      socket.on('close', (failed) => context.note('server', name, failed));
    }
    above.resume();
    secure.resume().end();
    await context.closed(client, accepted, secure, above);
  });

  // 'pause' and 'resume' aside, which the wrapper causes before anybody can know that it is one.
  describe('leaves it to the socket beneath', () => {
    const events = ['drain', 'prefinish', 'finish', 'end', 'error', 'close'];
    const both = async (context) => {
      const [client, accepted] = await context.pair();
      const above = secureServer(accepted);
      const secure = tls.connect({ socket: client, ...trust });
      for (const socket of [above, secure]) socket.on('error', () => {});
      for (const [name, socket] of Object.entries({ client, accepted })) {
        for (const event of events) {
          socket.on(event, (error) => context.note(name, event, error?.code ?? error));
        }
      }
      // Nothing of the handshake is under way any more.
      above.once('data', (data) => above.write(data));
      secure.write('echo');
      await once(secure, 'data');
      return { accepted, above, client, secure };
    };
    const closed = (context, sockets) => context.closed(...Object.values(sockets));

    sameLogAcross('to say that it is closed, after an exchange', async (context) => {
      const sockets = await both(context);
      sockets.above.on('data', () => {}).on('end', () => sockets.above.end('the end'));
      sockets.secure.resume().end(Buffer.alloc(2_000_000));
      await closed(context, sockets);
    });

    sameLogAcross('to say that it is closed, when writing fails', async (context) => {
      const sockets = await both(context);
      sockets.above.write(Buffer.alloc(20_000_000));
      sockets.client.destroy();
      await closed(context, sockets);
    });

    sameLogAcross('to end before it', async (context) => {
      const sockets = await both(context);
      sockets.above.resume();
      sockets.secure.resume();
      sockets.client.end();
      await closed(context, sockets);
    });

    sameLogAcross('to write between what it writes', async (context) => {
      const sockets = await both(context);
      let received = 0;
      sockets.above.on('data', (chunk) => {
        received += chunk.length;
      });
      const failed = new Promise((resolve) => sockets.secure.once('error', resolve));
      sockets.secure.write(Buffer.alloc(5_000_000));
      sockets.client.write('what is no record');
      const { code } = await failed;
      context.note('code', code, received);
      sockets.secure.destroy();
      sockets.above.destroy();
      await closed(context, sockets);
    });
  });

  sameChildLog(
    'keeps the process alive as long as it is told to',
    (net, log, require) => {
      const tls = require('node:tls');
      const server = net.createServer((socket) => socket.unref()).unref();
      server.listen(0, '127.0.0.1', () => {
        const socket = net.connect(server.address().port, '127.0.0.1', () => {
          const secure = tls.connect({ socket });
          secure.on('close', () => log('close'));
          secure.unref();
          log('unref');
        });
      });
    },
    fine('unref')
  );
});

describe("Node's own servers and clients", () => {
  sameLogAcross('https: serves a connection that it is given', async (context) => {
    const web = https.createServer(identity, (request, response) => {
      context.note('request', request.url, request.socket.remoteAddress);
      request.pipe(response);
    });
    const server = await context.listen((socket) => web.emit('connection', socket));
    const { port } = server.address();
    const agent = new https.Agent({ keepAlive: true });
    for (const url of ['/first', '/second']) {
      const request = https.request({ ...trust, port, agent, path: url, method: 'POST' });
      request.end('x'.repeat(200_000));
      const [response] = await once(request, 'response');
      context.note('response', (await text(response)).length, request.reusedSocket);
    }
    agent.destroy();
  });

  sameLogAcross('http2: has a session over either end', async (context) => {
    const h2 = http2.createServer();
    h2.on('request', ({ socket, stream }) => {
      context.note('of the request', ...addresses(socket));
      context.note('of the stream', ...addresses(stream.session.socket));
      stream.respond();
      stream.pipe(stream);
    });
    const server = await context.listen((socket) => h2.emit('connection', socket));
    const { port } = server.address();
    const session = http2.connect('http://localhost', {
      createConnection: () => context.connect(port, '127.0.0.1')
    });
    await once(session, 'connect');
    const request = session.request({ ':method': 'POST' });
    request.end('y'.repeat(500_000));
    context.note('client', (await text(request)).length);
    context.note('of the session', ...addresses(session.socket));
    session.close();
    await once(session, 'close');
  });

  sameChildLog(
    'http2: a session keeps the process alive as long as it is told to',
    (net, log, require) => {
      const http2 = require('node:http2');
      const h2 = http2.createServer();
      h2.on('session', (session) => session.unref());
      const server = net.createServer((socket) => h2.emit('connection', socket)).unref();
      server.listen(0, '127.0.0.1', () => {
        const socket = net.connect(server.address().port, '127.0.0.1', () => {
          const session = http2.connect('http://localhost', { createConnection: () => socket });
          session.on('close', () => log('close'));
          const request = session.request({ ':path': '/' });
          h2.on('stream', (stream) => stream.respond({ ':status': 204 }, { endStream: true }));
          request.resume().on('close', () => {
            log('unref');
            session.unref();
          });
        });
      });
    },
    fine('unref')
  );
});
