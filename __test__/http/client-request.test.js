'use strict';

// What can be set of a request that was not sent yet, and what its agent makes of it.

const { once } = require('node:events');

const { answering, node, ours, same, thrown } = require('../support/http-wire');

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** Gives the bytes of a request to which `change` was done before it was sent. */
function sent(http, options, change) {
  return answering(OK, async (port, received) => {
    const req = http.request({ host: '127.0.0.1', port, agent: false, ...options });
    req.on('connect', (res, socket) => socket.destroy());
    change(req);
    req.end();
    await once(req, 'close');
    return received.join('').replaceAll(String(port), 'PORT');
  });
}

describe('the path of a request', () => {
  same('is sent as it was last set', async (http) => {
    const seen = [];
    const wire = await sent(http, { path: '/first' }, (req) => {
      for (const path of ['/second', '/%20', '/last?a#b']) {
        req.path = path;
        seen.push(req.path);
      }
    });
    return [seen, wire];
  });

  test('cannot end the request line, whenever it is set', async () => {
    const errors = [];
    const wire = await sent(ours, { path: '/first' }, (req) => {
      for (const path of ['/a b', '/a\r\nX: y', '/\u0100', { path: '/' }]) {
        errors.push(thrown(() => (req.path = path)).code);
      }
    });
    expect(errors).toEqual(new Array(4).fill('ERR_UNESCAPED_CHARACTERS'));
    expect(wire).toMatch(/^GET \/first HTTP\/1\.1\r\n/);
  });
});

describe('the Host header of CONNECT', () => {
  const cases = [
    { path: 'other:443' },
    { path: 'other:443', headers: { host: 'mine' } },
    { path: 'other:443', setHost: false },
    {}
  ];
  same('is what Node makes of the target', (http) =>
    Promise.all(cases.map((options) => sent(http, { method: 'CONNECT', ...options }, () => {})))
  );
});

test('the options of the global agent are those of Node', () => {
  expect(ours.globalAgent.options).toEqual(node.globalAgent.options);
  expect(Object.keys(ours.globalAgent.options)).toEqual(Object.keys(node.globalAgent.options));
});
