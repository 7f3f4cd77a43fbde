'use strict';

// http-hello.js in Bun's own API, with the type that Node does not add but Bun does.

const server = globalThis.Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: () => new Response('Hello, world!')
});

console.log(server.port);
