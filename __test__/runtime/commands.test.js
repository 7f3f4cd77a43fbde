'use strict';

// What Rust makes of commands that JavaScript must not give.

const { once } = require('node:events');
const { constants } = require('node:os');

const net = require('ferronet/net');

const { commands } = require('../../dist/chunks/internal')('internal/runtime.js');

/** Error numbers are told apart from counts by this. */
const OFFSET = 2 ** 40;
const EMSGSIZE = -OFFSET - constants.errno.EMSGSIZE;

/** Characters in a text, at most; each has three bytes at most in UTF-8, but for pairs of surrogates. */
const MOST = 16 * 1024;

test('text that is longer than what may cross is refused, not cut', async () => {
  const server = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = net.connect(server.address().port, '127.0.0.1');
  await once(socket, 'connect');
  const { id } = socket._handle;
  const text = (character, length) => character.repeat(length);
  const { writeMessage, writeString } = commands;
  try {
    expect(writeString(id, text('中', MOST), false)).toBe(3 * MOST);
    expect(writeString(id, text('x', 3 * MOST), true)).toBe(3 * MOST);
    expect(writeString(id, text('中', MOST + 1), false)).toBe(EMSGSIZE);
    expect(writeString(id, text('é', 3 * MOST), false)).toBe(EMSGSIZE);
    expect(writeString(id, text('😀', MOST), false)).toBe(EMSGSIZE);
    expect(writeString(id, text('x', 3 * MOST + 1), true)).toBe(EMSGSIZE);
    expect(writeMessage(id, text('中', MOST - 1), false, '中')).toBe(3 * MOST);
    expect(writeMessage(id, text('中', MOST - 1), false, '中中')).toBe(EMSGSIZE);
    expect(writeMessage(id, text('x', 3 * MOST + 1), true, Buffer.alloc(1))).toBe(EMSGSIZE);
  } finally {
    socket.destroy();
    server.close();
  }
});
