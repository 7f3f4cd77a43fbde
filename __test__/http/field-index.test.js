'use strict';

// Received fields, in whichever order and by whichever getter a program looks at them.

const { once } = require('node:events');

const { answering, exchange, facts, same, serve } = require('../support/http-wire');

const long = 'v'.repeat(3000);

const heads = {
  'names that are known, each once': ['Host: x', 'accept: a', 'Content-Type: text/plain'],
  'names that are not known': ['Host: x', 'X-Odd: 1', 'x-odder: 2', 'X-ODD: 3'],
  'names in other cases': ['HOST: x', 'aCCept: a', 'COOKIE: a=1', 'cookie: b=2'],
  'names twice': ['Host: x', 'Accept: a', 'accept: b', 'User-Agent: c', 'user-agent: d'],
  cookies: ['Host: x', 'Cookie: a=1', 'Cookie: b=2', 'Set-Cookie: c=3', 'Set-Cookie: d=4'],
  'one cookie that is set': ['Host: x', 'Set-Cookie: a=1'],
  'names of properties': [
    'Host: x',
    'constructor: a',
    '__proto__: b',
    'toString: c',
    '__proto__: d'
  ],
  'names of numbers': ['Host: x', '10: a', '9: b', 'Accept: c'],
  'values that are long': ['Host: x', `Referer: ${long}`, `X-Odd: ${long}`, 'Accept: a'],
  'values that are empty, or have spaces': ['Host: x', 'Accept:', 'Via:   a  ', 'Age:\t1'],
  'a value in latin1': ['Host: x', 'Server: \xe9', 'X-Odd: \xff'],
  'a name that is long': ['Host: x', `${'n'.repeat(255)}: a`, `${'m'.repeat(300)}: b`],
  'many fields': ['Host: x', ...Array.from({ length: 60 }, (_, i) => `X-${i % 40}: ${i}`)],
  none: []
};

const ways = {
  headers: (message) => [message.headers],
  'headers, then raw': (message) => [message.headers, message.rawHeaders, message.headersDistinct],
  'raw, then headers': (message) => [message.rawHeaders, message.headers, message.headersDistinct],
  'distinct, then headers': (message) => [message.headersDistinct, message.headers],
  'raw ones, changed': (message) => {
    message.rawHeaders.push('X-Late', '1');
    return [message.headers, message.rawHeaders];
  },
  'headers, and a change to raw ones': (message) => {
    const { headers } = message;
    message.rawHeaders.length = 0;
    return [headers, message.headers, message.rawHeaders];
  },
  'a raw one, in another text': (message) => {
    message.rawHeaders[1] = 'changed';
    return [message.headers, message.rawHeaders];
  }
};

function addMarked(name, value, headers) {
  headers[`<${name}>`] = value;
}

/** With the order of the keys, and what they inherit. */
function shown(values) {
  return values.map((value) => [
    Array.isArray(value) ? value : Object.entries(value),
    Object.getPrototypeOf(value) === null
  ]);
}

for (const [what, lines] of Object.entries(heads)) {
  describe(what, () => {
    for (const [way, look] of Object.entries(ways)) {
      for (const options of [{}, { joinDuplicateHeaders: true }]) {
        const joined = options.joinDuplicateHeaders ? ', joined' : '';
        same(`of a request: ${way}${joined}`, async (http) => {
          const told = [];
          const listener = (request, response) => {
            told.push(shown(look(request)));
            response.end();
          };
          const settings = { ...options, requireHostHeader: false };
          await serve(http, settings, listener, async (server, port) => {
            await exchange(port, `GET / HTTP/1.1\r\nConnection: close\r\n${joinLines(lines)}\r\n`);
          });
          return told;
        });

        same(`of an answer: ${way}${joined}`, async (http) => {
          const head = `HTTP/1.1 200 OK\r\nConnection: close\r\n${joinLines(lines)}\r\n`;
          let told;
          await answering(head, async (port) => {
            const [response] = await once(http.get({ ...options, port }), 'response');
            told = shown(look(response));
            response.resume();
          });
          return told;
        });
      }
    }

    same('of a request with a way of its own to add a field', async (http) => {
      class Marked extends http.IncomingMessage {}
      Marked.prototype._addHeaderLine = addMarked;
      const told = [];
      const listener = (request, response) => {
        told.push(shown([request.headers]));
        response.end();
      };
      const settings = { IncomingMessage: Marked, requireHostHeader: false };
      await serve(http, settings, listener, async (server, port) => {
        await exchange(port, `GET / HTTP/1.1\r\nConnection: close\r\n${joinLines(lines)}\r\n`);
      });
      return told;
    });

    same('of a request for another protocol', async (http) => {
      const told = [];
      const upgrade = `Connection: upgrade\r\nUpgrade: x\r\n${joinLines(lines)}\r\n`;
      for (const look of Object.values(ways)) {
        await serve(
          http,
          { requireHostHeader: false },
          () => {},
          async (server, port) => {
            server.on('upgrade', (request, socket) => {
              told.push(shown(look(request)));
              socket.end();
            });
            await exchange(port, `GET / HTTP/1.1\r\n${upgrade}`);
          }
        );
      }
      return told;
    });

    same('of an answer, as few as maxHeadersCount says', async (http) => {
      const told = [];
      for (let most = 1; most < 5; most++) {
        const head = `HTTP/1.1 200 OK\r\nConnection: close\r\n${joinLines(lines)}\r\n`;
        await answering(head, async (port) => {
          const request = Object.assign(http.get({ port }), { maxHeadersCount: most });
          const [response] = await once(request, 'response').catch((error) => [facts(error)]);
          const { headers, headersDistinct, rawHeaders } = response;
          told.push(headers ? shown([headers, headersDistinct, rawHeaders]) : response);
          response.resume?.();
        });
      }
      return told;
    });

    same('of a request, as few as maxHeadersCount says', async (http) => {
      const told = [];
      const listener = (request, response) => {
        told.push(shown([request.headers, request.headersDistinct, request.rawHeaders]));
        response.end();
      };
      await serve(http, { requireHostHeader: false }, listener, async (server, port) => {
        for (server.maxHeadersCount = 1; server.maxHeadersCount < 5; server.maxHeadersCount++) {
          const request = `GET / HTTP/1.1\r\nConnection: close\r\n${joinLines(lines)}\r\n`;
          told.push(await exchange(port, request));
        }
      });
      return told;
    });
  });
}

function joinLines(lines) {
  return lines.map((line) => `${line}\r\n`).join('');
}

/** What a client keeps its connection for is read from the same index. */
for (const field of [
  'Keep-Alive: timeout=1',
  'keep-alive: timeout=1, max=5',
  'KEEP-ALIVE: timeout=1',
  'Keep-Alive: max=5, timeout=1',
  'Keep-Alive: timeout=x',
  'X-Keep-Alive: timeout=1',
  'X-Odd: \\nkeep-alive: timeout=1'
]) {
  same(`a client keeps a connection as long as the server says: ${field}`, async (http) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n${field}\r\n\r\n`;
    const agent = new http.Agent({ keepAlive: true });
    const timeouts = [];
    await answering(
      head,
      async (port) => {
        const [response] = await once(http.get({ agent, port }), 'response');
        response.resume();
        const [socket] = await once(agent, 'free');
        await new Promise((resolve) => setImmediate(resolve));
        timeouts.push(`${socket.timeout}`, Object.keys(agent.freeSockets).length);
        agent.destroy();
      },
      { keep: true }
    );
    return timeouts;
  });
}
