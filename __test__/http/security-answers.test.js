'use strict';

// Servers that attack their clients, over each way in which a client reads: told as by node:http, and
// never is what one request was answered with another's answer.

const { once } = require('node:events');
const net = require('node:net');

const { Bridge } = require('../support/http-forms');
const { answering, facts, node, ours } = require('../support/http-wire');

const OK = 'HTTP/1.1 200 OK\r\n';
const BAD = `${OK}Content-Length: 3\r\n\r\nbad`;
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** What an agent calls on what it keeps. */
class Poolable extends Bridge {
  ref() {}
  unref() {}
  setKeepAlive() {}
  setTimeout() {}
}

/** How a client comes by its bytes: options of its requests, and what is done with each. */
const forms = {
  'reads parsed': {},
  'has its socket heard': {
    use: (req) => req.on('socket', (socket) => socket.on('data', () => {}))
  },
  'speaks over another Duplex': {
    createConnection: ({ port }) => new Poolable(net.connect(port, '127.0.0.1'))
  }
};

/** By name: an answer, after which the server says no more. */
const hostile = {
  'a length and an encoding': `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${BAD}`,
  'an encoding and a length': `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${BAD}`,
  'two lengths': `${OK}Content-Length: 2\r\nContent-Length: 0\r\n\r\nok`,
  'a length with a sign': `${OK}Content-Length: +2\r\n\r\nok`,
  'a length past 64 bits': `${OK}Content-Length: 99999999999999999999\r\n\r\nok`,
  'a length behind a space': `${OK}Content-Length : 2\r\n\r\nok`,
  'an encoding that is not the last': `${OK}Transfer-Encoding: chunked, identity\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  'a folded field': `${OK}A: b\r\n c\r\nContent-Length: 2\r\n\r\nok`,
  'a bare LF in the status line': `HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok`,
  'a bare LF in a field': `${OK}A: b\nContent-Length: 2\r\n\r\nok`,
  'a NUL in a field': `${OK}A: \0\r\nContent-Length: 2\r\n\r\nok`,
  'a space in a name': `${OK}A B: c\r\nContent-Length: 2\r\n\r\nok`,
  'a status of four digits': 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok',
  'a status below 100': 'HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok',
  'a negative status': 'HTTP/1.1 -200 OK\r\nContent-Length: 2\r\n\r\nok',
  'another protocol': 'HTTPS/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/2': 'HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/0.9': '<html>ok</html>',
  'a size past 64 bits': `${CHUNKED}10000000000000002\r\nok\r\n0\r\n\r\n`,
  'a size with a sign': `${CHUNKED}+2\r\nok\r\n0\r\n\r\n`,
  'a bare LF behind a size': `${CHUNKED}2\nok\r\n0\r\n\r\n`,
  'more than the size says': `${CHUNKED}1\r\nok\r\n0\r\n\r\n`,
  'extensions without end': `${CHUNKED}2;${'a'.repeat(20_000)}\r\nok\r\n0\r\n\r\n`,
  'trailers without end': `${CHUNKED}2\r\nok\r\n0\r\n${'A: bcdefgh\r\n'.repeat(2500)}\r\n`,
  'a reason without end': `HTTP/1.1 200 ${'O'.repeat(20_000)}\r\nContent-Length: 2\r\n\r\nok`,
  'fields without end': `${OK}${'A: b\r\n'.repeat(9000)}Content-Length: 2\r\n\r\nok`,
  'a name without end': `${OK}${'A'.repeat(20_000)}: b\r\nContent-Length: 2\r\n\r\nok`,
  'an interim answer without end': `HTTP/1.1 103 ${'O'.repeat(20_000)}\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
  'more interim answers than one would count': `${'HTTP/1.1 103 Early\r\nLink: a\r\n\r\n'.repeat(5000)}${OK}Content-Length: 2\r\n\r\nok`,
  'a body that is cut short': `${OK}Content-Length: 10\r\n\r\nok`,
  'a chunk that is cut short': `${CHUNKED}a\r\nok`,
  'names of an object': `${OK}__proto__: a\r\nconstructor: b\r\ntoString: c\r\n__proto__: d\r\nhasOwnProperty: e\r\nContent-Length: 2\r\n\r\nok`,
  'an upgrade that nobody asked for': `HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nrest`,
  'two answers': `${OK}Content-Length: 2\r\n\r\nok${BAD}`,
  'an answer and nonsense': `${OK}Content-Length: 2\r\n\r\noknonsense`,
  'a last answer and another': `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nok${BAD}`
};

const settled = async () => {
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
};

/** Everything a program is told of the answer to one request. */
async function ask(form, http, port) {
  const { use, ...options } = forms[form];
  const log = [];
  let interim = 0;
  const req = http.get({ host: '127.0.0.1', port, agent: false, ...options });
  use?.(req);
  req.on('information', () => interim++);
  req.on('error', (error) => log.push(['error', facts(error)]));
  req.on('response', (res) => {
    log.push([res.statusCode, res.statusMessage.length, res.rawHeaders.length]);
    log.push(Object.entries(res.headers));
    let body = '';
    res.on('data', (chunk) => (body += chunk.toString('latin1')));
    res.on('error', (error) => log.push(['res error', facts(error)]));
    res.on('close', () => log.push(['res', body, res.complete, res.rawTrailers.length]));
  });
  await new Promise((resolve) => req.on('close', resolve));
  await settled();
  return [...log, ['in the end', interim, req.destroyed]];
}

describe.each(Object.keys(forms))('a client that %s', (form) => {
  for (const [name, answer] of Object.entries(hostile)) {
    test(`is not misled by ${name}`, async () => {
      const play = (http) => answering(answer, (port) => ask(form, http, port));
      const result = await play(ours);
      expect(result.find((entry) => entry[0] === 'res')?.join() ?? '').not.toContain('bad');
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(result).toEqual(await play(node));
    });
  }

  test('ends the connection of a server that goes on behind its answer', async () => {
    const flood = Buffer.alloc(64 * 1024, 'x');
    let ended;
    const over = new Promise((resolve) => (ended = resolve));
    const answer = (received, socket) => {
      if (received.length > 1) return undefined;
      socket.on('close', ended);
      const pour = () => {
        while (!socket.destroyed && socket.write(flood));
      };
      socket.on('drain', pour);
      setImmediate(pour);
      return `${OK}Content-Length: 2\r\n\r\nok`;
    };
    await answering(
      answer,
      async (port) => {
        const { use, ...options } = forms[form];
        const agent = new ours.Agent({ keepAlive: true });
        if (options.createConnection) agent.createConnection = options.createConnection;
        const req = ours.get({ host: '127.0.0.1', port, agent });
        use?.(req);
        req.on('error', () => {});
        const [res] = await once(req, 'response');
        res.on('error', () => {});
        let body = '';
        res.on('data', (chunk) => (body += chunk));
        await new Promise((resolve) => res.on('close', resolve));
        expect(body).toBe('ok');
        // Whether at once or when the next one asks for it: nobody gets to read what came.
        const next = ours.get({ host: '127.0.0.1', port, agent });
        next.on('error', () => {});
        await over;
        next.destroy();
        agent.destroy();
      },
      { keep: true }
    );
  });
});

describe('an answer that nobody asked for is not that of the next request', () => {
  // When it is sent, after the request has come: with the answer, a little later, or while the
  // connection waits in the pool.
  const moments = {
    'with the answer': (write) => write(),
    'right behind it': (write) => setImmediate(write),
    'a moment later': (write) => setTimeout(write, 5)
  };
  const bodies = {
    'of a length': `${OK}Content-Length: 4\r\n\r\ngood`,
    'in chunks': `${CHUNKED}4\r\ngood\r\n0\r\n\r\n`,
    'of nothing': 'HTTP/1.1 204 No Content\r\n\r\n',
    'of nothing, though it says so': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n',
    'that HEAD leaves out': `${OK}Content-Length: 4\r\n\r\n`
  };
  const reads = {
    'read at once': (res) => res.resume(),
    'read later': (res) => setTimeout(() => res.resume(), 15)
  };

  describe.each(Object.keys(forms))('to a client that %s', (form) => {
    describe.each(Object.keys(moments))('and is sent %s', (moment) => {
      describe.each(Object.keys(bodies))('behind a body %s', (kind) => {
        test.each(Object.keys(reads))('that is %s', async (how) => {
          const { use, ...options } = forms[form];
          let sent;
          const isSent = new Promise((resolve) => (sent = resolve));
          const answer = (received, socket) => {
            const [, url] = /(?:GET|HEAD) (\S+)/.exec(received.at(-1));
            if (url !== '/first') return `${OK}X: ${url}\r\nContent-Length: 0\r\n\r\n`;
            moments[moment](() =>
              setImmediate(() => (socket.destroyed ? sent() : socket.write(BAD, sent)))
            );
            return bodies[kind];
          };
          const seen = [];
          await answering(
            answer,
            async (port) => {
              const agent = new ours.Agent({ keepAlive: true, maxSockets: 1 });
              if (options.createConnection) agent.createConnection = options.createConnection;
              const get = async (path, read) => {
                const method = kind.includes('HEAD') && path === '/first' ? 'HEAD' : 'GET';
                const req = ours.get({ host: '127.0.0.1', port, path, agent, method });
                use?.(req);
                const failed = new Promise((resolve) => req.on('error', resolve));
                const response = new Promise((resolve) => req.on('response', resolve));
                const res = await Promise.race([failed, response]);
                if (res instanceof Error) return;
                res.on('error', () => {});
                seen.push(res.headers.x ?? '/first');
                let body = '';
                res.on('data', (chunk) => (body += chunk));
                res.pause();
                read(res);
                await new Promise((resolve) => res.on('close', resolve));
                seen.push(body);
              };
              await get('/first', reads[how]);
              // What comes behind the next request could be the answer to it.
              await isSent;
              await settled();
              await get('/second', (res) => res.resume());
              await get('/third', (res) => res.resume());
              agent.destroy();
            },
            { keep: true }
          );
          expect(seen).not.toContain('bad');
          expect(seen).toContain('/third');
        });
      });
    });
  });
});
