'use strict';

// A chat room: what one client sends, all the others receive. The first line of a client is its
// name. TCP is a stream of bytes and knows no messages, so readline cuts it into lines:
//
//   node -r ferronet/register examples/chat-server.js [port]

const net = require('net');
const readline = require('readline');

const port = Number(process.argv[2] ?? 8126);

/** The name of everyone in the room, by socket. */
const room = new Map();

const server = net.createServer((socket) => {
  readline.createInterface({ input: socket }).on('line', (line) => {
    if (room.has(socket)) return tellOthers(socket, `${room.get(socket)}: ${line}`);
    enter(socket, line);
  });
  socket.on('error', (error) => console.error(error.message));
  socket.on('close', () => leave(socket));
});

function enter(socket, name) {
  room.set(socket, name);
  socket.write(`* ${room.size} in the room\n`);
  tellOthers(socket, `* ${name} joined`);
}

function leave(socket) {
  const name = room.get(socket);
  if (room.delete(socket)) tellOthers(socket, `* ${name} left`);
}

function tellOthers(speaker, line) {
  console.log(line);
  for (const socket of room.keys()) {
    if (socket !== speaker) socket.write(`${line}\n`);
  }
}

server.on('error', (error) => console.error(error.message));
server.on('close', () => console.log('the server is closed'));

server.listen(port, '127.0.0.1', () => {
  console.log(`listening on port ${server.address().port}`);
});

// Ctrl-C: the room closes for everyone.
process.on('SIGINT', () => {
  server.close();
  for (const socket of room.keys()) socket.end();
});
