'use strict';

// Makes scenarios of a client out of a number: the requests it makes, what it does with the answers,
// and the bytes that a server answers with.

const BODY = 'abcdefghijklmnopqrstuvwxyz';

/** Pieces of a request's body. */
const WRITES = [
  'part',
  '',
  'café',
  { buffer: 20 },
  { buffer: 70_000 },
  { text: '\u8a9e', times: 9_000 },
  { text: 'YQ==', times: 1, encoding: 'base64' },
  { text: '\u00e9', times: 17_000, encoding: 'latin1' }
];

/**
 * Whole answers; a '|' is where the connection is ended. None is followed by more: ours gives up a
 * connection on which a server says what nobody asked for.
 */
const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n',
  `HTTP/1.1 200 OK\r\nContent-Length: 2600\r\nKeep-Alive: timeout=5\r\n\r\n${BODY.repeat(100)}`,
  `HTTP/1.1 200 OK\r\nContent-Length: 104000\r\n\r\n${BODY.repeat(4000)}`,
  'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello|',
  'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end|',
  'HTTP/1.0 200 OK\r\n\r\nold|',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nTransfer-Encoding: gzip\r\n\r\nuntil|',
  'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nnone',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\ntunnelled',
  'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ntoo short|',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel|',
  'HTTP/1.1 200 OK\r\nContent-|',
  '|',
  'garbage\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n'
];

const ACTS = [
  [10, 'resume'],
  [10, 'readData'],
  [4, 'readText'],
  [4, 'readReadable'],
  [3, 'pauseAndResume'],
  [2, 'nothing'],
  [2, 'destroyResponse'],
  [1, 'destroyResponseWith'],
  [2, 'destroyRequest'],
  [1, 'destroySocket'],
  [1, 'abort'],
  [2, 'hearSocket'],
  [2, 'later'],
  [1, 'signal'],
  [1, 'readSome'],
  [1, 'pipe'],
  [1, 'iterate']
];
const BAG = ACTS.flatMap(([weight, name]) => Array(weight).fill(name));

function makeScenario(random) {
  const count = 1 + random.below(4);
  const requests = [];
  for (let i = 0; i < count; i++) requests.push(makeRequest(random));
  const answers = [];
  for (let i = 0; i < count; i++) answers.push(makeAnswer(random));
  return { agent: makeAgent(random), requests, answers };
}

function makeAgent(random) {
  const agent = random.pick([
    { keepAlive: true },
    { keepAlive: true, maxSockets: 1 },
    { keepAlive: false },
    { keepAlive: false, maxSockets: 1 },
    { keepAlive: true, maxSockets: 1, maxFreeSockets: 1, scheduling: 'fifo' },
    null
  ]);
  return agent;
}

function makeRequest(random) {
  const method = random.pick(['GET', 'GET', 'GET', 'POST', 'PUT', 'HEAD', 'CONNECT', 'DELETE']);
  const headers = {};
  if (random.below(6) === 0) headers.Expect = '100-continue';
  if (random.below(8) === 0) headers.Connection = random.pick(['close', 'keep-alive']);
  if (random.below(12) === 0) Object.assign(headers, { Connection: 'Upgrade', Upgrade: 'test' });
  if (random.below(8) === 0) headers['X-Header'] = 'café';
  if (random.below(12) === 0) headers['X-List'] = ['a', 'b'];
  if (random.below(12) === 0) headers['Transfer-Encoding'] = 'chunked';
  if (random.below(25) === 0) headers['X-Bad'] = 'a\nb';
  const writes = [];
  const hasBody = method === 'POST' || method === 'PUT' || random.below(10) === 0;
  for (let parts = hasBody ? random.below(3) : 0; parts > 0; parts--) {
    writes.push(random.pick(WRITES));
  }
  if (hasBody && random.below(4) === 0) headers['Content-Length'] = '4';
  return {
    method,
    headers,
    writes,
    end: hasBody ? random.pick([null, 'body', { buffer: 10 }]) : null,
    /** Made when the one before it is over, or at once. */
    waits: random.below(2) === 0,
    hears: random.below(8) > 0,
    takes: random.below(4) === 0,
    timeout: random.below(20) === 0 ? 40 : 0,
    called: random.below(4) === 0,
    corks: random.below(8) === 0,
    flushes: random.below(10) === 0,
    trailers: random.below(12) === 0,
    signal: random.below(15) === 0 ? random.pick(['before', 'later', 'never']) : null,
    options: makeOptions(random),
    acts:
      random.below(12) === 0 ? null : [random.pick(BAG), random.pick(BAG)].slice(random.below(2)),
    instead:
      random.below(15) === 0 ? random.pick(['destroyRequest', 'abort', 'destroySocket']) : null
  };
}

function makeOptions(random) {
  const options = {};
  const maybe = (odds, name, ...values) => {
    if (random.below(odds) === 0) options[name] = random.pick(values);
  };
  maybe(20, 'highWaterMark', 10, 100_000);
  maybe(20, 'setHost', false);
  maybe(20, 'setDefaultHeaders', false);
  maybe(20, 'joinDuplicateHeaders', true);
  maybe(20, 'insecureHTTPParser', true);
  maybe(20, 'maxHeaderSize', 60);
  maybe(20, 'auth', 'me:secret');
  maybe(20, 'uniqueHeaders', ['x-list']);
  return options;
}

function makeAnswer(random) {
  const text = random.pick(ANSWERS);
  const points = [0, text.length];
  for (let count = random.below(4); count > 0; count--) points.push(random.below(text.length + 1));
  points.sort((a, b) => a - b);
  const pieces = [];
  for (let i = 1; i < points.length; i++) {
    if (points[i] > points[i - 1]) pieces.push(text.slice(points[i - 1], points[i]));
  }
  return { pieces, end: random.pick(['end', 'end', 'destroy', 'reset']) };
}

module.exports = { makeScenario };
