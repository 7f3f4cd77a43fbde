'use strict';

// The ways in which a server comes by its connections, each of which parses and sends along another
// path: what is refused on one must be on all.

const { once } = require('node:events');
const net = require('node:net');
const { Duplex } = require('node:stream');

/** A stream that is no socket, over a socket that the server does not see. */
class Bridge extends Duplex {
  constructor(socket) {
    super({ allowHalfOpen: true });
    this.wire = socket;
    socket.on('data', (chunk) => this.push(chunk) || socket.pause());
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  _read() {
    this.wire.resume();
  }

  _write(chunk, encoding, done) {
    if (this.wire.destroyed) done();
    else this.wire.write(chunk, encoding, () => done());
  }

  _final(done) {
    this.wire.end(() => done());
  }

  _destroy(error, done) {
    this.wire.destroy();
    done(error);
  }
}

const BRIDGED = 'over another Duplex';

/** `prepare(server)` is called before it listens; `asks(req)` by the listener of each request. */
const forms = {
  'without a socket': {},
  'whose socket is asked for': { asks: (req) => req.socket },
  'whose socket is seen': { prepare: (server) => server.on('connection', () => {}) },
  'whose socket is heard': {
    prepare: (server) => server.on('connection', (socket) => socket.on('data', () => {}))
  },
  [BRIDGED]: { bridged: true }
};

/** As `serve` of http-wire.js, with connections of one of `forms`. */
async function serveAs(form, http, options, listener, use) {
  const { asks, bridged, prepare } = forms[form];
  const server = http.createServer(options, (req, res) => {
    asks?.(req);
    return listener(req, res);
  });
  prepare?.(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let front = null;
  if (bridged) {
    front = net.createServer({ allowHalfOpen: true }, (socket) => {
      server.emit('connection', new Bridge(socket));
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
  }
  try {
    return await use(server, (front ?? server).address().port);
  } finally {
    server.closeAllConnections();
    server.close();
    front?.close();
    if (server.listening) await once(server, 'close');
  }
}

module.exports = { BRIDGED, Bridge, forms: Object.keys(forms), serveAs };
