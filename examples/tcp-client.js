'use strict';

// Introduces itself to tcp-server.js and leaves after the answer:
//
//   node -r ferronet/register examples/tcp-client.js [port] [name]

const net = require('net');

const [port = 8124, name = 'Node'] = process.argv.slice(2);

const client = net.connect({ port: Number(port), host: '127.0.0.1' }, () => {
  console.log('connected');
});

client.setEncoding('utf8');

client.once('data', (question) => {
  console.log(`the server asks: ${question}`);
  client.write(name);

  client.once('data', (answer) => {
    console.log(`the server says: ${answer}`);
    client.end();
  });
});

client.on('end', () => console.log('the server has ended too'));
client.on('error', (error) => console.error(error.message));
