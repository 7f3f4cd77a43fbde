'use strict';

// Bodies in pieces: what write() says, what callbacks and 'drain' come when, and the bytes, on a
// connection whose socket nobody has asked for, is asked for in between, or was there before.

const { AsyncLocalStorage } = require('node:async_hooks');
const net = require('node:net');
const { once } = require('node:events');
const { setImmediate: turn, setTimeout: delay } = require('node:timers/promises');

const { exchange, same, serve } = require('../support/http-wire');

const GET = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const big = Buffer.alloc(20_000, 'a');
const major = Number(process.versions.node.split('.')[0]);

/** Declares that a handler, which logs, sees and sends the same. */
function traced(sentence, handler, { request = GET, options = {} } = {}) {
  same(sentence, async (http) => {
    const log = [];
    let open = 0;
    const serving = (req, res) => {
      open++;
      res.on('close', () => open--);
      for (const name of ['drain', 'finish', 'close']) res.on(name, () => log.push(name));
      handler(res, log, req);
    };
    const bytes = await serve(http, options, serving, (server, port) => exchange(port, request));
    while (open > 0) await delay(5);
    for (let turns = 0; turns < 20; turns++) await turn();
    return [log, bytes];
  });
}

/** Writes of every kind in one tick, and what is told of them. */
function writeAll(res, log) {
  const told = (name) => (error) => log.push([name, `${error?.code ?? error}`]);
  log.push(res.write('h\xe9llo', 'latin1', told('latin1')), res.writableLength, res.writableCorked);
  log.push(res.write('wörld', told('utf8')), res.writableLength, res.write(''));
  log.push(res.write('6162', 'hex', told('hex')), res.write(new Uint8Array([120])));
  log.push(res.write(big, told('bytes')), res.write(big), res.write(big), res.write(big));
  log.push(res.writableNeedDrain, res.writableLength, res.writableFinished);
  process.nextTick(() => log.push('tick', res.writableLength, res.writableNeedDrain));
  setImmediate(() => log.push('immediate', res.writableLength, res.writableNeedDrain));
}

traced(
  'a callback of text that waits for its turn',
  (res, log, req) => {
    res.setHeader('Content-Length', 1);
    if (req.url === '/') res.write('x', (error) => log.push(error));
    setImmediate(() => res.end(req.url === '/' ? undefined : 'x'));
  },
  { request: `GET /before HTTP/1.1\r\nHost: x\r\n\r\n${GET}` }
);

for (const [where, touch] of [
  ['without a socket', () => {}],
  ['with a socket', (res) => res.socket]
]) {
  describe(where, () => {
    traced('pieces of one tick', (res, log) => {
      touch(res);
      writeAll(res, log);
      setImmediate(() => res.end());
    });
    traced('pieces and the end in one tick', (res, log) => {
      touch(res);
      writeAll(res, log);
      res.end('last', () => log.push('ended'));
      log.push(res.writableLength, res.writableEnded, res.writableFinished);
    });
    traced('pieces of text that would be another if it were joined', (res, log) => {
      touch(res);
      res.flushHeaders();
      const groups = [
        ['base64', 'YQ==', 'YmM=', 'ZGVm'],
        // Node 20 aborts at such text.
        ...(major > 20 ? [['hex', 'abc', 'def']] : []),
        ['utf8', 'half of \ud83d', '\ude00 and the other'],
        ['utf16le', 'ä', 'ö'],
        ['utf8', 'no ', 'half', '']
      ];
      for (const [encoding, ...texts] of groups) {
        res.cork();
        for (const text of texts) log.push(res.write(text, encoding));
        log.push(res.writableLength);
        res.uncork();
      }
      setImmediate(() => {
        for (const text of ['YQ==', 'YmM=']) res.write(text, 'base64');
        res.end('ZA==', 'base64');
      });
    });
    traced('pieces with a length', (res, log) => {
      touch(res);
      res.setHeader('Content-Length', 6);
      log.push(
        res.write('ab', () => log.push('ab')),
        res.write(Buffer.from('cd'))
      );
      setImmediate(() => res.end('ef'));
    });
    traced('text of many lengths between bytes', (res, log) => {
      touch(res);
      res.setHeader('Content-Length', 2 * big.length + 11 * 505);
      res.write(big);
      for (let length = 500; length <= 510; length++) {
        log.push(res.write('t'.repeat(length)), res.write(''), res.write(new Uint8Array(0)));
      }
      res.end(big);
    });
    traced('a long head before bytes', (res, log) => {
      touch(res);
      res.setHeader('X-Long', 'l'.repeat(9_000));
      log.push(res.write(big), res.write(big));
      res.end(big);
    });
    traced('a head that is not ASCII before text', (res, log) => {
      touch(res);
      res.setHeader('X-Name', 'caf\xe9');
      res.setHeader('Content-Length', 4);
      log.push(res.write('é'), res.write('é'));
      res.end();
    });
    traced('a head that is not ASCII before chunks', (res, log) => {
      touch(res);
      res.setHeader('X-Name', 'caf\xe9');
      log.push(res.write('é'), res.write('plain'));
      res.end();
    });
    traced(
      'pieces to a client of HTTP/1.0',
      (res, log) => (touch(res), writeAll(res, log), res.end()),
      {
        request: 'GET / HTTP/1.0\r\n\r\n'
      }
    );
    traced('pieces for HEAD', (res, log) => (touch(res), writeAll(res, log), res.end()), {
      request: GET.replace('GET', 'HEAD')
    });
    traced('trailers behind pieces', (res, log) => {
      touch(res);
      res.setHeader('Trailer', 'X-Sum');
      log.push(res.write('a'));
      res.addTrailers({ 'X-Sum': '1' });
      setImmediate(() => res.end('b'));
    });
    traced('a listener of drain that writes on', (res, log) => {
      touch(res);
      let left = 5;
      const send = () => {
        while (left-- > 0) if (!res.write(big, () => log.push(left))) return;
        if (left < 0 && !res.writableEnded) res.end();
      };
      res.on('drain', send);
      send();
    });
    traced('a small mark', (res, log) => (touch(res), writeAll(res, log), res.end()), {
      options: { highWaterMark: 10 }
    });
    traced('a message destroyed with pieces that have not left', (res, log) => {
      touch(res);
      res.flushHeaders();
      setImmediate(() => {
        res.write('lost', (error) => log.push(['told', `${error?.code ?? error}`]));
        res.destroy();
        log.push(res.writableLength, res.destroyed);
      });
    });
  });
}

traced('a socket asked for behind the first piece', (res, log) => {
  res.write('one', () => log.push('one'));
  log.push(res.socket.writableLength, res.writableLength, res.writableCorked);
  log.push(
    res.write('two', () => log.push('two')),
    res.socket.writableLength
  );
  setImmediate(() => res.end('three'));
});

traced('bytes of the program between pieces', (res, log) => {
  res.setHeader('Content-Length', 3);
  res.write('a', () => log.push('a'));
  res.socket.write('b', () => log.push('b'));
  res.write('c', () => log.push('c'));
  res.end();
});

traced('corks between pieces', (res, log) => {
  log.push(res.write('a'));
  res.cork();
  log.push(
    res.writableCorked,
    res.write('b'),
    res.write('c', () => log.push('c'))
  );
  process.nextTick(() => {
    res.uncork();
    log.push(res.writableCorked);
    res.end('d');
  });
});

traced('heads and interim answers before pieces', (res, log) => {
  res.writeProcessing();
  res.flushHeaders();
  log.push(res.write('a', () => log.push('a')));
  setImmediate(() => res.end('b'));
});

traced(
  'pieces of an answer behind another',
  (res, log, req) => {
    log.push(req.url, res.write(big), res.writableLength > 0);
    if (req.url === '/') setTimeout(() => res.end(), 5);
    else res.end('second', () => log.push('ended'));
  },
  { request: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' + GET.replace('/', '/second') }
);

describe('a client that does not read at once', () => {
  /** Writes of 1 MB are told of, to the last, and the bytes are whole. */
  async function slow(http, touch) {
    const total = 64;
    const piece = Buffer.alloc(256 * 1024, 'b');
    const counts = { callbacks: 0, drains: 0, waits: 0 };
    const handler = (req, res) => {
      touch(res);
      res.setHeader('Content-Length', total * piece.length);
      let left = total;
      const send = () => {
        while (left > 0) {
          left--;
          if (!res.write(piece, () => counts.callbacks++)) {
            counts.waits++;
            return;
          }
        }
        res.end();
      };
      res.on('drain', () => {
        counts.drains++;
        send();
      });
      send();
    };
    return serve(http, {}, handler, async (server, port) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.write(GET);
      await delay(50);
      let size = 0;
      socket.on('data', (bytes) => (size += bytes.length));
      await once(socket, 'close');
      const head = size - total * piece.length;
      return [counts, head > 0 && head < 300];
    });
  }

  same('gets all of it, without a socket', (http) => slow(http, () => {}));
  same('gets all of it, with a socket', (http) => slow(http, (res) => res.socket));

  /** Who writes learns of it, in the callback of whatever had to wait. */
  const resets = (sentence, send) =>
    same(sentence, async (http) => {
      const told = {};
      const tell = (name) => (error) => (told[name] = error?.code ?? null);
      let response;
      await serve(
        http,
        {},
        (req, res) => send((response = res), tell),
        async (server, port) => {
          const socket = net.connect(port, '127.0.0.1');
          socket.write(GET);
          await once(socket, 'readable');
          socket.resetAndDestroy();
          await once(response, 'close');
          for (let turns = 0; turns < 20; turns++) await turn();
        }
      );
      return [told, response.writableFinished];
    });
  const MUCH = 32 * 1024 * 1024;

  resets('and resets, while a text waits', (res, tell) => {
    res.end('b'.repeat(MUCH), tell('ended'));
  });
  resets('and resets, while bytes wait', (res, tell) => res.end(Buffer.alloc(MUCH), tell('ended')));
  resets('and resets, while a piece waits', (res, tell) => {
    res.write(Buffer.alloc(MUCH), tell('written'));
  });
  resets('and resets, while pieces and the end wait', (res, tell) => {
    res.write(Buffer.alloc(MUCH), tell('first'));
    res.write('second', tell('second'));
    res.end(tell('ended'));
  });

  same('gets a large text whole', (http) => {
    const text = 'é'.repeat(3_000_000);
    return serve(
      http,
      {},
      (req, res) => res.end(text),
      async (server, port) => {
        const bytes = await exchange(port, GET);
        const body = bytes.slice(bytes.indexOf('\r\n\r\n') + 4);
        return [body.length, Buffer.from(body, 'latin1').toString() === text];
      }
    );
  });
});

traced(
  'the context of the write that began a tick, whoever asks for the socket in it',
  (res, log) => {
    const storage = new AsyncLocalStorage();
    const told = (name) => () => log.push([name, storage.getStore() ?? null]);
    storage.run('first', () => res.write('a', told('a')));
    process.nextTick(() => log.push('behind'));
    storage.run('second', () => res.write('b', told('b')));
    log.push(res.socket.writableCorked > 0);
    setImmediate(() => res.end());
  }
);

traced('pieces that are ended when the socket is gone', (res, log) => {
  const told = (name) => (error) => log.push([name, error?.code ?? null]);
  res.socket.on('close', () => log.push('closed'));
  res.write('a');
  setImmediate(() => {
    res.write('b', told('b'));
    res.write('c', told('c'));
    res.socket.destroy();
    res.end('d');
    log.push(res.writableLength);
  });
});

for (const encoding of ['utf8', 'latin1', 'hex', undefined]) {
  traced(`a head that is not ASCII before an empty piece in ${encoding}`, (res) => {
    res.setHeader('X-Name', 'caf\xe9');
    res.write('', encoding);
    setImmediate(() => res.end('end'));
  });
}
