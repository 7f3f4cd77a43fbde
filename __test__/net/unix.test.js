'use strict';

// Unix domain sockets: by path and in the abstract namespace, their modes, addresses and errors.

const fs = require('node:fs');
const { once } = require('node:events');
const { sameLog, sameLogAcross } = require('../support/parity');
const { attempt } = require('../support/parity-outcome');

async function listenOn(context, where, ...options) {
  const server = context.createServer(...options);
  server.listen(where);
  await once(server, 'listening');
  return server;
}

let abstractNames = 0;

/** An abstract name no other test and no other process uses. */
function abstractName(context) {
  abstractNames += 1;
  const name = `ferronet-${process.pid}-${abstractNames}`;
  context.label(name, 'abstract');
  return `\0${name}`;
}

describe('a server on a path', () => {
  /** @type {[string, (server: import('node:net').Server, path: string, callback: () => void) => unknown][]} */
  const signatures = [
    ['listen(path)', (server, path) => server.listen(path)],
    ['listen(path, callback)', (server, path, callback) => server.listen(path, callback)],
    ['listen(path, backlog)', (server, path) => server.listen(path, 5)],
    ['listen(path, backlog, callback)', (server, path, call) => server.listen(path, 5, call)],
    ['listen({ path })', (server, path) => server.listen({ path })],
    ['listen({ path }, callback)', (server, path, callback) => server.listen({ path }, callback)],
    ['listen({ path, backlog })', (server, path) => server.listen({ path, backlog: 1 })],
    ['listen({ path, exclusive })', (server, path) => server.listen({ path, exclusive: true })]
  ];
  sameLogAcross('takes a path that fills the address to its last byte', async (context) => {
    const path = context.path().padEnd(108, 'p');
    context.label(path, 'path');
    const server = await listenOn(context, path, (socket) => socket.end('here'));
    context.note('server', server.address().length, fs.statSync(path).isSocket());
    const client = context
      .connect({ path })
      .on('data', (data) => context.note('client', `${data}`));
    await context.closed(client);
    server.close();
    await context.closed(server);
    context.note('closed', fs.existsSync(path));
  });

  for (const [label, listen] of signatures) {
    sameLog(`${label} reports the path as its address`, async (context) => {
      const server = context.watch('server', context.createServer());
      listen(server, context.path(), () => context.note('server', 'callback'));
      context.note('before', server.listening);
      await once(server, 'listening');
      context.note('after', server.address(), fs.statSync(context.path()).isSocket());
      server.close();
      await context.closed(server);
      context.note('closed', fs.existsSync(context.path()), server.address());
    });
  }

  for (const mode of [{}, { readableAll: true }, { writableAll: true }]) {
    sameLog(`gives its socket file the mode for ${JSON.stringify(mode)}`, async (context) => {
      await listenOn(context, { path: context.path(), ...mode });
      return (fs.statSync(context.path()).mode & 0o777).toString(8);
    });
  }

  sameLog('gives its socket file every right for both options', async (context) => {
    const all = { readableAll: true, writableAll: true };
    await listenOn(context, { path: context.path(), ...all });
    return (fs.statSync(context.path()).mode & 0o777).toString(8);
  });

  sameLog('reports EADDRINUSE for a path in use, and leaves it alone', async (context) => {
    await listenOn(context, context.path());
    const second = context.watch('second', context.createServer());
    second.listen(context.path());
    await once(second, 'error');
    context.note('file', fs.existsSync(context.path()));
  });

  sameLog('reports EADDRINUSE for a plain file', async (context) => {
    fs.writeFileSync(context.path(), '');
    const server = context.watch('server', context.createServer());
    server.listen(context.path());
    await once(server, 'error');
  });

  sameLog('drops with undefined when maxConnections is reached', async (context) => {
    const server = context.watch('server', await listenOn(context, context.path()));
    server.maxConnections = 1;
    const first = context.connect(context.path());
    await once(server, 'connection');
    const second = context.watch('second', context.connect(context.path()));
    second.resume();
    await context.closed(second);
    first.destroy();
  });
});

describe('a client of a path', () => {
  sameLogAcross('tells of its attempt before it makes it', async (context) => {
    const server = await listenOn(context, context.path(), (socket) => socket.end());
    for (const path of [context.path(), context.path('none')]) {
      const client = context.watch('client', new context.client.Socket());
      client.connect(path);
      context.note('client', 'called');
      await context.closed(client.resume());
    }
    server.close();
  });

  sameLog('makes no attempt when it is destroyed as it is told of', async (context) => {
    const client = context.watch('client', new context.client.Socket());
    client.on('connectionAttempt', () => setImmediate(() => client.destroy()));
    client.connect(context.path('none'));
    await context.closed(client);
  });

  const properties = [
    'remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort', 'localFamily',
    'connecting', 'pending', 'readyState', 'bytesRead', 'bytesWritten'
  ]; // prettier-ignore
  const snapshot = (socket) => Object.fromEntries(properties.map((key) => [key, socket[key]]));

  /** @type {[string, (net: typeof import('node:net'), path: string, callback: () => void) => import('node:net').Socket][]} */
  const signatures = [
    ['connect(path)', (net, path) => net.connect(path)],
    ['connect(path, callback)', (net, path, callback) => net.connect(path, callback)],
    ['connect({ path })', (net, path) => net.connect({ path })],
    ['connect({ path }, callback)', (net, path, callback) => net.connect({ path }, callback)],
    ['connect({ path, port })', (net, path) => net.connect({ path, port: 1 })],
    ['new Socket().connect(path)', (net, path) => new net.Socket().connect(path)]
  ];
  for (const [label, connect] of signatures) {
    sameLogAcross(`${label} exchanges bytes and events`, async (context) => {
      await listenOn(context, context.path(), (socket) => {
        context.watch('accepted', socket);
        context.note('accepted', snapshot(socket), socket.address());
        socket.pipe(socket);
      });
      const note = () => context.note('client', 'callback');
      const client = connect(context.client, context.path(), note);
      context.watch('client', client);
      context.note('client', snapshot(client));
      client.on('connect', () => {
        context.note('client', snapshot(client), client.address());
        client.end('over a path');
      });
      client.resume();
      await context.closed(client);
      await context.allClosed();
      context.note('client', snapshot(client), client.address());
    });
  }

  sameLog('reports ENOENT when there is no such path', async (context) => {
    const client = context.watch('client', context.connect(context.path()));
    await context.closed(client);
  });

  sameLog('reports ECONNREFUSED when nobody listens at the path', async (context) => {
    const { execPath } = process;
    // Killed, so that it cannot unlink its socket file.
    const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    require('node:child_process').spawnSync(execPath, ['-e', script, context.path()]);
    const client = context.watch('client', context.connect(context.path()));
    await context.closed(client);
  });

  sameLog('reports ENOTSOCK or ECONNREFUSED for a plain file alike', async (context) => {
    fs.writeFileSync(context.path(), '');
    const client = context.watch('client', context.connect(context.path()));
    await context.closed(client);
  });

  sameLog('throws ERR_INVALID_HANDLE_TYPE from resetAndDestroy and stays open', async (context) => {
    await listenOn(context, context.path());
    const client = context.connect(context.path());
    await once(client, 'connect');
    const outcome = attempt(context, client, () => client.resetAndDestroy());
    return [outcome, client.destroyed, client.readyState];
  });

  sameLog('ignores the options of TCP', async (context) => {
    await listenOn(context, context.path());
    const client = context.connect({ path: context.path(), noDelay: true, keepAlive: true });
    await once(client, 'connect');
    const { setNoDelay, setKeepAlive } = client;
    return [setNoDelay.call(client) === client, setKeepAlive.call(client, true, 1000) === client];
  });
});

describe('the abstract namespace', () => {
  sameLogAcross('carries a connection and leaves no file', async (context) => {
    const name = abstractName(context);
    const server = await listenOn(context, name, (socket) => socket.pipe(socket));
    context.note('server', server.address());
    const client = context.watch('client', context.connect({ path: name }));
    client.resume();
    client.end('abstract');
    await context.closed(client);
    server.close();
    await once(server, 'close');
  });

  sameLog('reports EADDRINUSE for a name in use', async (context) => {
    const name = abstractName(context);
    await listenOn(context, name);
    const second = context.createServer();
    second.listen(name);
    const [error] = await once(second, 'error');
    return [error.code, error.errno, error.syscall, error.port, error.message];
  });

  sameLog('reports ECONNREFUSED for a name nobody uses', async (context) => {
    const client = context.connect(abstractName(context));
    const [error] = await once(client, 'error');
    return [error.code, error.errno, error.syscall, error.message];
  });

  sameLog('frees the name when the server closes', async (context) => {
    const name = abstractName(context);
    const first = await listenOn(context, name);
    first.close();
    await once(first, 'close');
    const second = await listenOn(context, name);
    return [second.listening, first.listening];
  });
});
