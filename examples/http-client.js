'use strict';

// Asks http-server.js three times, one after the other, over one connection that an agent keeps:
//
//   node -r ferronet/register examples/http-client.js [port]

const http = require('http');

const port = Number(process.argv[2] ?? 8127);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(method, path, body, done) {
  const req = http.request({ host: '127.0.0.1', port, method, path, agent }, (res) => {
    let text = '';
    res.setEncoding('utf8');
    res.on('data', (chunk) => (text += chunk));
    res.on('end', () => {
      const connection = req.reusedSocket ? 'the same connection' : 'a new connection';
      console.log(`${res.statusCode} over ${connection}: ${text.trim()}`);
      done();
    });
  });
  req.on('error', (error) => console.error(error.message));
  req.end(body);
}

ask('GET', '/', undefined, () => {
  // The agent gets its socket back behind 'end'.
  setImmediate(ask, 'POST', '/words', 'bytes without a network', () => {
    setImmediate(ask, 'GET', '/nowhere', undefined, () => agent.destroy());
  });
});
