'use strict';

// Servers in trouble: listeners that throw, connections that end amid pipelined answers, upgrades
// that nobody takes; told as by node:http.

const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');

const { reported, root, run, stopAll } = require('../support/child');
const {
  answering,
  exchange,
  node,
  ours,
  same,
  serve,
  withoutDate
} = require('../support/http-wire');

const get = (url, more = '') => `GET ${url} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const LAST = get('/last', 'Connection: close\r\n');
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: h2c\r\n';

afterAll(stopAll);

describe('a request for an upgrade that nobody takes is one like others', () => {
  for (const answersLater of [false, true]) {
    const when = answersLater ? 'later' : 'at once';
    const listener = (req, res) => {
      req.resume();
      if (answersLater) setImmediate(() => res.end(req.url));
      else res.end(req.url);
    };
    same(`answered ${when}`, (http) =>
      serve(http, {}, listener, async (server, port) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.write(get('/upgrade', UPGRADE));
        const [first] = await once(socket, 'data');
        socket.write(LAST);
        let rest = '';
        for await (const chunk of socket) rest += chunk;
        return [withoutDate(first.toString()), withoutDate(rest)];
      })
    );

    // Node loses what stands behind it in the same read.
    test(`answered ${when}, and what follows it is answered as well`, async () => {
      const body = `POST /body HTTP/1.1\r\nHost: x\r\n${UPGRADE}Content-Length: 3\r\n\r\nabc`;
      const text = await serve(ours, {}, listener, (server, port) =>
        exchange(port, get('/upgrade', UPGRADE) + body + LAST)
      );
      expect(text.match(/\/\w+(?=HTTP|$)/g)).toEqual(['/upgrade', '/body', '/last']);
    });
  }
});

describe('answers to pipelined requests', () => {
  // Node has the second wait for the first, and loses it.
  test.each(['destroySoon', 'end', 'destroy'])(
    "are not lost when a later one's listener calls socket.%s()",
    async (method) => {
      const listener = (req, res) => {
        if (req.url === '/third') req.socket[method]();
        else res.end(req.url);
      };
      const three = get('/first') + get('/second') + get('/third');
      const play = (http) => serve(http, {}, listener, (server, port) => exchange(port, three));
      const text = await play(ours);
      expect(text.startsWith(await play(node))).toBe(true);
      expect(text).toContain('/second');
    }
  );

  same('are told of in the order in which Node tells', (http) => {
    const seen = [];
    return serve(
      http,
      {},
      (req, res) => {
        for (const name of ['socket', 'prefinish', 'finish', 'close', 'error']) {
          res.on(name, (value) => seen.push(`${req.url} ${name} ${value?.code}`));
        }
        res.end(req.url);
        if (req.url === '/first') res.end('once more');
      },
      async (server, port) => {
        await exchange(port, get('/first') + get('/second') + LAST);
        return seen;
      }
    );
  });
});

same("the end of the input amid a request has Node's message", (http) =>
  serve(
    http,
    {},
    () => {},
    async (server, port) => {
      const failed = once(server, 'clientError');
      const socket = net.connect(port, '127.0.0.1');
      socket.end('GET / HT');
      const [{ message, code, bytesParsed, rawPacket }, peer] = await failed;
      peer.destroy();
      return [message, code, bytesParsed, rawPacket];
    }
  )
);

same('end() after the connection renders no head', (http) => {
  const seen = [];
  return serve(
    http,
    {},
    (req, res) => {
      res.on('close', () => {
        res.end('late', () => seen.push('ended'));
        const { headersSent, finished } = res;
        seen.push(headersSent, finished);
      });
      req.socket.destroy();
    },
    async (server, port) => {
      await exchange(port, get('/'));
      return seen;
    }
  );
});

same('a request without a body is over, also where nobody looked in time', (http) => {
  let request;
  return serve(
    http,
    {},
    (req, res) => {
      request ??= req;
      res.end();
    },
    async (server, port) => {
      await exchange(port, get('/') + LAST);
      const { complete, destroyed, readableEnded, readableFlowing, closed } = request;
      return { complete, destroyed, readableEnded, readableFlowing, closed };
    }
  );
});

same('who answers first may still read the body', (http) => {
  const seen = [];
  return serve(
    http,
    {},
    (req, res) => {
      const answer = () => {
        res.end('read later');
        req.on('data', (chunk) => seen.push(`${req.url} ${chunk}`));
        req.on('end', () => seen.push(`${req.url} end`));
      };
      if (req.url === '/later') setImmediate(answer);
      else answer();
    },
    async (server, port) => {
      for (const url of ['/now', '/later']) {
        const head = `POST ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
        await exchange(port, `${head}Content-Length: 5\r\n\r\nwhole`);
      }
      return seen;
    }
  );
});

same('close() behind end() closes the connection', (http) => {
  return serve(
    http,
    {},
    (req, res) => {
      setImmediate(() => {
        res.end('last');
        req.socket.server.close();
      });
    },
    (server, port) => exchange(port, get('/'))
  );
});

same('closeIdleConnections() spares the connection whose request is being told', (http) =>
  serve(
    http,
    {},
    (req, res) => {
      res.end(req.url);
      req.socket.server.closeIdleConnections();
    },
    (server, port) => exchange(port, get('/first') + LAST)
  )
);

test('a response that is destroyed before its turn is not sent', async () => {
  const listener = (req, res) => {
    if (req.url === '/first') {
      setImmediate(() => res.end('first'));
    } else {
      res.destroy();
      res.end('second');
    }
  };
  const text = await serve(ours, {}, listener, async (server, port) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      // From Node 24 on nobody closes a connection whose next answer is destroyed.
      socket.end();
    });
    socket.write(get('/first') + get('/second'));
    await once(socket, 'close');
    return text;
  });
  expect(text).toContain('first');
  expect(text).not.toContain('second');
});

/** Has listeners throw, and tells what a client gets that sends on. */
const THROWING = `
  const http = require(process.argv.at(-1));
  const net = require('node:net');
  const seen = [];
  process.on('uncaughtException', (error) => seen.push('uncaught ' + error.message));
  const get = (url) => 'GET ' + url + ' HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n';
  const body = 'POST /throw HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 5\\r\\n\\r\\n';
  const reads = [
    [get('/throw'), get('/next')],
    [get('/a') + get('/throw') + get('/b'), get('/next')],
    [body + get('/a').slice(0, 5), get('/next')],
    [body + 'ab', 'cde' + get('/next')],
    [body.replace('throw', 'data'), get('/a').slice(0, 5), get('/next')]
  ];
  const server = http.createServer((req, res) => {
    seen.push(req.url);
    if (req.url === '/throw') throw new Error('in a listener');
    if (req.url === '/data') req.on('data', () => { throw new Error('in data'); });
    res.end(req.url);
  });
  server.on('clientError', ({ code, message, bytesParsed, rawPacket }, socket) => {
    seen.push([code, message, bytesParsed, String(rawPacket)]);
    socket.end('HTTP/1.1 400 Mine\\r\\n\\r\\n');
  });
  async function send(pieces, port) {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    for (const piece of pieces) {
      const count = seen.length;
      socket.write(piece);
      // The exception, or the error, is what each of them leads to.
      for (let i = 0; i < 2000 && seen.length === count; i++) await new Promise(setImmediate);
      for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    }
    await closed;
    seen.push(text.replace(/Date: [^\\r]*/g, 'Date: now'));
  }
  server.listen(0, '127.0.0.1', async () => {
    for (const pieces of reads) await send(pieces, server.address().port);
    server.close(() => console.log(JSON.stringify(seen)));
  });
`;

test('what is sent behind a request whose listener threw is an error, as in Node', async () => {
  const play = async (name) => reported(await run({ script: THROWING }, { args: [name] }));
  const expected = await play('node:http');
  expect(expected).toContain('uncaught in a listener');
  expect(await play(path.join(root, 'dist', 'http'))).toEqual(expected);
});

same('what was read before a listener destroys the connection is told to its end', (http) => {
  const seen = [];
  return serve(
    http,
    {},
    (req) => {
      seen.push(req.url);
      req.destroy();
    },
    async (server, port) => {
      await exchange(port, get('/first') + get('/second'));
      return seen;
    }
  );
});

// 70,000 bytes are more than one read.
for (const size of [70_000, 200_000]) {
  test(`of ${size} bytes of a body the rest is read behind the last answer`, async () => {
    const seen = [];
    const listener = (req, res) => {
      for (const name of ['end', 'close']) req.on(name, () => seen.push(name));
      res.end('early');
    };
    const head = `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`;
    const text = await serve(ours, {}, listener, (server, port) =>
      exchange(port, head + 'x'.repeat(size))
    );
    // What is not read when a connection is closed has the kernel reset it, and take the answer along.
    expect(text).toContain('early');
    expect(seen).toEqual(['end', 'close']);
  });
}

test('a client that sends on and on is not waited for behind the last answer', async () => {
  const listener = (req, res) => res.end('enough');
  await serve(ours, {}, listener, async (server, port) => {
    const socket = net.connect(port, '127.0.0.1');
    const sendOn = () => {
      while (socket.writable && socket.write(Buffer.alloc(65_536, '0')));
    };
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write('POST / HTTP/1.0\r\nContent-Length: 10000000000000\r\n\r\n');
    socket.on('drain', sendOn);
    sendOn();
    await closed;
    expect(socket.bytesWritten).toBeLessThan(1e9);
  });
});

same('an encoding that leaves a body without an end is refused with the head', (http) => {
  const seen = [];
  const listener = (req, res) => {
    seen.push(req.url);
    req.on('aborted', () => seen.push(`${req.url} aborted`));
    setImmediate(() => res.end(req.url));
  };
  return serve(http, {}, listener, async (server, port) => {
    const bad = 'POST /bad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n';
    seen.push(await exchange(port, get('/first') + bad));
    return seen;
  });
});

test('a connection that is destroyed amid a body is told no more of the read', async () => {
  const seen = [];
  const listener = (req) => {
    seen.push(req.url);
    req.on('data', () => req.socket.destroy());
  };
  const post = 'POST /first HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  await serve(ours, {}, listener, (server, port) =>
    exchange(port, `${post}1\r\na\r\n1\r\nb\r\n0\r\n\r\n${get('/second')}`)
  );
  expect(seen).toEqual(['/first']);
});

same('an answer that came whole ends, though its listener aborts the request', async (http) => {
  const seen = [];
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole';
  await answering(text, async (port) => {
    const request = http.get({ port, host: '127.0.0.1' }, (response) => {
      for (const name of ['aborted', 'end', 'close']) {
        response.on(name, () => seen.push(`response ${name} ${response.complete}`));
      }
      response.resume();
      request.destroy();
    });
    request.on('error', (error) => seen.push(error.code));
    request.on('close', () => seen.push('request close'));
    await once(request, 'close');
    await new Promise(setImmediate);
  });
  return seen;
});

describe('an answer that takes longer than requestTimeout is waited for', () => {
  const requests = {
    'of HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
    'of a connection that is to be closed':
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'with a body': 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\na'
  };
  const options = { connectionsCheckingInterval: 5, headersTimeout: 20, requestTimeout: 20 };
  for (const [which, request] of Object.entries(requests)) {
    for (const asks of [false, true]) {
      same(`${which}${asks ? ', whose socket was asked for' : ''}`, (http) =>
        serve(
          http,
          options,
          (req, res) => {
            if (asks) req.socket.on('data', () => {});
            req.resume();
            setTimeout(() => res.end('late'), 80);
          },
          (server, port) => exchange(port, request)
        )
      );
    }
  }
});
