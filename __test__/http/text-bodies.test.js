'use strict';

// Bodies that the program reads as text: the pieces in which they come, wherever they are cut.

const { once } = require('node:events');
const { Readable } = require('node:stream');

const { answering, exchange, same, serve } = require('../support/http-wire');

const bodies = {
  'characters of each length': Buffer.from('aé€\u{1f600}z'),
  'a byte that begins nothing': Buffer.from([0x61, 0x80, 0xff, 0x62]),
  'a character cut off by another': Buffer.from([0xe2, 0x82, 0x61, 0xf0, 0x9f, 0x98, 0xc3, 0xa9]),
  'a character cut off by the end': Buffer.from([0x61, 0xf0, 0x9f, 0x98]),
  'a byte order mark': Buffer.from('\ufefftext')
};

/** Ways to read a body; each gives what it was told. */
const readers = {
  'setEncoding() at first': async (body) => read(body.setEncoding('utf8')),
  'setEncoding() under another name': async (body) => read(body.setEncoding('UTF-8')),
  'setEncoding() behind the first piece': async (body) => {
    body.once('data', () => body.setEncoding('utf8'));
    return read(body);
  },
  'setEncoding() of what is buffered': async (body) => {
    body.on('readable', () => {});
    await once(body, 'readable');
    body.setEncoding('utf8').removeAllListeners('readable');
    return read(body);
  },
  'another encoding': async (body) => read(body.setEncoding('base64')),
  'an iterator': async (body) => {
    const pieces = [];
    for await (const piece of body.setEncoding('utf8')) pieces.push(piece);
    return pieces;
  },
  'a push() of its own': async (body) => {
    const pieces = [];
    body.push = function push(...values) {
      pieces.push(values.map((value) => value?.constructor?.name ?? value));
      return Readable.prototype.push.apply(this, values);
    };
    return [...(await read(body.setEncoding('utf8'))), pieces];
  },
  'no setEncoding()': async (body) => (await read(body)).map((piece) => piece.toString('latin1'))
};

async function read(body) {
  const pieces = [];
  body.on('data', (piece) => pieces.push(piece));
  await once(body, 'end');
  return pieces;
}

/** A body in two pieces, cut behind `at` bytes. */
function chunked(bytes, at) {
  return [bytes.subarray(0, at), bytes.subarray(at), '']
    .filter((piece, i) => i === 2 || piece.length > 0)
    .map((piece) => `${piece.length.toString(16)}\r\n${piece.toString('latin1')}\r\n`)
    .join('');
}

for (const [way, reader] of Object.entries(readers)) {
  describe(way, () => {
    for (const [what, bytes] of Object.entries(bodies)) {
      same(`a request with ${what}`, async (http) => {
        const told = [];
        const listener = async (request, response) => {
          told.push(await reader(request));
          response.end();
        };
        await serve(http, {}, listener, async (server, port) => {
          for (let at = 0; at <= bytes.length; at++) {
            const head = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
            await exchange(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunked(bytes, at)}`);
          }
        });
        return told;
      });

      same(`an answer with ${what}`, async (http) => {
        const told = [];
        for (let at = 0; at <= bytes.length; at++) {
          const head = 'HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
          await answering(head + chunked(bytes, at), async (port) => {
            const [response] = await once(http.get({ port }), 'response');
            told.push(await reader(response));
          });
        }
        return told;
      });
    }
  });
}
