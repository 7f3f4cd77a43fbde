'use strict';

// A server on a Unix domain socket. It answers only when the client has ended its side, so it keeps
// its own side open until then (`allowHalfOpen`):
//
//   node -r ferronet/register examples/unix-server.js [path]

const net = require('net');
const os = require('os');
const path = require('path');

const file = process.argv[2] ?? path.join(os.tmpdir(), 'ferronet-example.sock');

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => (text += chunk));
  socket.on('end', () => {
    const words = text.split(/\s+/).filter(Boolean);
    console.log(`counting ${words.length} words`);
    socket.end(`${words.length} words, the longest is "${longest(words)}"`);
  });
  socket.on('error', (error) => console.error(error.message));
});

function longest(words) {
  return words.reduce((best, word) => (word.length > best.length ? word : best), '');
}

// The socket is a file: one that an earlier run left behind makes this fail with EADDRINUSE.
server.on('error', (error) => console.error(error.message));
server.on('close', () => console.log('the server is closed'));

server.listen(file, () => console.log(`listening on ${server.address()}`));

// Ctrl-C closes the server, which removes the file.
process.on('SIGINT', () => server.close());
