'use strict';

// Makes scenarios of a whole server out of a number: what a client sends and when, how the server is
// set up, and what its listeners do with each request.

const BODY = 'abcdefghijklmnopqrstuvwxyz';

const WAITS = ['tick', 'micro', 'immediate', 'timer'];

/** What a program does, by weight. Each is a name, and an argument or a maker of one. */
/** @type {any[][]} */
const ACTS = [
  // The end.
  [10, 'end'],
  [8, 'end', 'hello'],
  [5, 'end', { buffer: 40 }],
  [2, 'end', { buffer: 200_000 }],
  [2, 'end', { text: 100_000 }],
  [2, 'end', 'h\u00e9llo \u20ac'],
  [1, 'end', { bytes: 12 }],
  [1, 'end', 5],
  [3, 'endCalled', 'done'],
  [2, 'endCalled'],
  [2, 'endAs', 'latin1'],
  [1, 'endAs', 'hex'],
  [1, 'endAs', 'utf16le'],
  [1, 'endAs', 'no such'],
  [2, 'endText', ['\u8a9e', 7_000]],
  [2, 'endText', ['\u8a9e', 16_000]],
  [1, 'endText', ['\u00e9', 12_000, 'latin1']],

  // The body.
  [6, 'write', 'part'],
  [2, 'write', { buffer: 30 }],
  [1, 'write', { buffer: 150_000 }],
  [2, 'write', ''],
  [1, 'write', { bytes: 9 }],
  [1, 'write', null],
  [1, 'write', 7],
  [1, 'writeAs', 'hex'],
  [1, 'writeAs', 'latin1'],
  [1, 'writeAs', 'no such'],
  [1, 'writeText', ['\u8a9e', 6_000]],
  [1, 'writeText', ['YQ==', 1, 'base64']],
  [1, 'writeText', ['\u00e9', 20_000, 'latin1']],
  [2, 'writeCalled', 'called'],
  [1, 'writeMuch'],
  [1, 'pipeInto'],
  [2, 'cork'],
  [2, 'uncork'],
  [2, 'corked', ['one', 'two']],
  [1, 'corked', ['one', { buffer: 20 }]],
  [1, 'corkedAs', ['base64', 'YQ==', 'YmM=']],
  [1, 'corkedAs', ['utf8', 'half \ud83d', '\ude00 half']],
  [1, 'strict'],

  // The head.
  [3, 'writeHead', [200]],
  [2, 'writeHead', [200, { 'Content-Length': '5' }]],
  [1, 'writeHead', [200, { 'Content-Length': 5, 'content-length': 5 }]],
  [2, 'writeHead', [200, { 'Content-Length': '500' }]],
  [2, 'writeHead', [204]],
  [2, 'writeHead', [304, { ETag: 'x' }]],
  [1, 'writeHead', [204, { 'Transfer-Encoding': 'chunked' }]],
  [1, 'writeHead', [200, 'Fine', { 'X-A': ['1', '2'] }]],
  [1, 'writeHead', [200, { Connection: 'close' }]],
  [1, 'writeHead', [200, { 'Transfer-Encoding': 'chunked' }]],
  [1, 'writeHead', [200, ['X-L', 'a', 'X-L', 'b']]],
  [1, 'writeHead', [200, ['X-Test', 'a', 'x-test', 'b', 'Connection', 'close']]],
  [
    1,
    'writeHead',
    [
      200,
      [
        ['X-L', 'a'],
        ['X-M', ['b', 'c']]
      ]
    ]
  ],
  [1, 'writeHead', [200, ['X-L']]],
  [1, 'writeHead', [201, undefined, { 'X-A': 'b' }]],
  [1, 'writeHead', [200, null]],
  [1, 'writeHead', ['201']],
  [1, 'writeHead', [299]],
  [1, 'writeHead', [101]],
  [1, 'writeHead', [200, 'two\r\nlines']],
  [1, 'writeHead', [200, { 'X-Bad': 'a\nb' }]],
  [1, 'writeHead', [200, { Trailer: 'X-T' }]],
  [1, 'writeHead', [99]],
  [2, 'setHeader', ['X-Test', 'yes']],
  [1, 'setHeader', ['X-Test', ['a', 'b']]],
  [1, 'setHeader', ['X-Number', 5]],
  [1, 'setHeader', ['X-None', undefined]],
  [1, 'setHeader', ['X bad', 'a']],
  [1, 'setHeader', ['Set-Cookie', ['a=1', 'b=2']]],
  [1, 'setHeader', ['Connection', 'keep-alive']],
  [1, 'setHeader', ['Connection', 'close']],
  [1, 'setHeader', ['Content-Length', 5]],
  [1, 'setHeader', ['Content-Length', '0']],
  [1, 'setHeader', ['Transfer-Encoding', 'chunked']],
  [1, 'setHeader', ['Keep-Alive', 'timeout=9']],
  [1, 'setHeader', ['Trailer', 'X-T']],
  [1, 'setHeader', ['Date', 'never']],
  [1, 'setHeader', ['X-Latin', 'caf\u00e9']],
  [1, 'appendHeader', ['X-Test', 'more']],
  [1, 'setHeaders', { 'x-map': 'a', 'set-cookie': 'c' }],
  [1, 'headers'],
  [1, 'removeHeader', 'Date'],
  [1, 'removeHeader', 'Connection'],
  [1, 'removeHeader', 'Content-Length'],
  [1, 'removeHeader', 'Transfer-Encoding'],
  [1, 'set', ['statusCode', 404]],
  [1, 'set', ['statusCode', 205]],
  [1, 'set', ['statusMessage', 'Mine']],
  [1, 'set', ['sendDate', false]],
  [1, 'set', ['shouldKeepAlive', false]],
  [1, 'set', ['useChunkedEncodingByDefault', false]],
  [1, 'set', ['chunkedEncoding', true]],
  [1, 'addTrailers', { 'X-T': 'end' }],
  [1, 'addTrailers', { 'X-T': '\u00e9' }],
  [1, 'addTrailers', [['X-T', ['a', 'b']]]],
  [3, 'flushHeaders'],

  // What comes before it.
  [1, 'writeContinue'],
  [1, 'writeProcessing'],
  [1, 'writeEarlyHints', { link: '</a>; rel=preload' }],
  [1, 'writeEarlyHints', { link: ['</a>; rel=preload', '</b>'], 'x-a': 'b' }],
  [1, 'writeEarlyHints', { link: 'none' }],
  [1, 'writeInformation', [110, { 'X-A': 'b' }]],
  [1, 'writeInformation', [103, ['Link', '</a>']]],
  [1, 'writeInformation', [101]],
  [1, 'writeInformation', [200]],

  // The socket.
  [3, 'touchSocket'],
  [2, 'touchResSocket'],
  [2, 'listenToSocket', 'data'],
  [1, 'listenToSocket', 'readable'],
  [2, 'listenToSocket', 'close'],
  [1, 'socketWrite', 'RAW'],
  [1, 'socketPause'],
  [1, 'socketEnd'],
  [1, 'socketDestroy'],
  [1, 'socketDestroySoon'],

  // The request.
  [4, 'readBody'],
  [2, 'readBodyText'],
  [2, 'readReadable'],
  [1, 'readSome', 3],
  [1, 'iterate'],
  [2, 'resume'],
  [2, 'pause'],
  [1, 'unlisten'],
  [1, 'pipeBody'],
  [1, 'signal'],
  [2, 'destroyRequest'],
  [1, 'destroyRequestWith'],
  [2, 'destroyResponse'],
  [1, 'destroyResponseWith'],
  [1, 'throw'],

  // The server.
  [1, 'closeServer'],
  [1, 'closeIdle'],
  [1, 'closeAll'],
  [1, 'requestTimeout', 25],
  [1, 'responseTimeout', 25],
  [1, 'getConnections'],
  [3, 'state']
];

const BAG = ACTS.flatMap(([weight, ...act]) => Array(weight).fill(act));

const HEADS = [
  'Connection: close',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: keep-alive',
  'Connection: Upgrade\r\nUpgrade: test',
  'Connection: Upgrade\r\nUpgrade: test',
  'Connection: keep-alive, Upgrade\r\nUpgrade: test, other',
  'Upgrade: test',
  'Expect: 100-continue',
  'Expect: 100-Continue',
  'Expect: something',
  'X-Long: ' + 'x'.repeat(300),
  Array.from({ length: 40 }, (_, i) => `X-${i}: ${i}`).join('\r\n'),
  'Accept: a\r\nAccept: b',
  'Cookie: a=1\r\ncookie: b=2',
  'Host: b',
  'Content-Type: a\r\nContent-Type: b',
  'X-Empty:',
  'X-Latin: caf\u00e9',
  'TE: chunked',
  'Keep-Alive: timeout=1'
];

const BROKEN = [
  'BROKEN / HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/9.9\r\nHost: a\r\n\r\n',
  '\r\n\r\n',
  'garbage',
  'GET / HTTP/1.1\nHost: a\n\n',
  'GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nX: \u0001\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc'
];

function makeScenario(random) {
  const listeners = makeListeners(random);
  const count = 1 + random.below(random.below(3) === 0 ? 8 : 3);
  // Node lets ticks run behind each piece of a body, and we behind each read.
  const texts = [''];
  for (let i = 0; i < count; i++) {
    const text = makeRequest(random, i, listeners);
    // Also before a head of many fields.
    if (text.includes('X-39')) texts.push('');
    texts[texts.length - 1] += text;
    const ends = !text.endsWith('\r\n\r\n') || /chunked|Upgrade|BROKEN|CONNECT/.test(text);
    if (ends) texts.push('');
  }
  const programs = [];
  for (let i = 0; i < count; i++) programs.push(makeProgram(random));
  return {
    options: makeOptions(random),
    listeners,
    steps: makeEnd(
      random,
      texts.filter(Boolean).flatMap((text) => makeSteps(random, text))
    ),
    programs,
    reads: random.below(12) !== 0,
    /** Connections are given to the server as a Duplex that is no socket. */
    bridged: random.below(10) === 0
  };
}

function makeRequest(random, index, listeners) {
  if (random.below(25) === 0) return random.pick(BROKEN);
  const method = random.pick([
    'GET',
    'GET',
    'GET',
    'GET',
    'POST',
    'POST',
    'PUT',
    'HEAD',
    'OPTIONS'
  ]);
  if (random.below(40) === 0) return 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\ntunnelled';
  const version = random.below(10) === 0 ? '1.0' : '1.1';
  const first = `${method} /${index} HTTP/${version}\r\nHost: a\r\n`;
  const field = random.pick(HEADS);
  // Behind an upgrade that nobody takes Node loses what follows.
  const fits = listeners.upgrade !== undefined || !field.includes('Upgrade');
  const more = fits && random.below(3) === 0 ? `${field}\r\n` : '';
  const hasBody =
    method === 'POST' || method === 'PUT' ? random.below(6) > 0 : random.below(12) === 0;
  if (!hasBody) return `${first}${more}\r\n`;
  const size = random.pick([0, 1, 5, 26, 300, 70_000]);
  const body = BODY.repeat(Math.ceil(size / 26)).slice(0, size);
  // What says where the body ends comes first: ours does not let maxHeadersCount hide it.
  if (random.below(2) === 0) return `${first}Content-Length: ${size}\r\n${more}\r\n${body}`;
  const at = random.below(size + 1);
  let chunks = '';
  for (const part of [body.slice(0, at), body.slice(at)]) {
    if (part !== '') chunks += `${part.length.toString(16)}\r\n${part}\r\n`;
  }
  const trailer = random.below(3) === 0 ? 'X-Trailer: t\r\n' : '';
  return `${first}Transfer-Encoding: chunked\r\n${more}\r\n${chunks}0\r\n${trailer}\r\n`;
}

function makeProgram(random) {
  const hearsResponse = random.below(2) === 0;
  const acts = [];
  for (let count = random.below(random.below(4) === 0 ? 8 : 4); count > 0; count--) {
    acts.push(random.pick(BAG));
    if (random.below(4) === 0) acts.push(['wait', random.pick(WAITS)]);
  }
  // Most answer in the end.
  if (random.below(10) > 0) acts.push(['end', random.pick([undefined, 'bye', { buffer: 10 }])]);
  if (random.below(6) === 0) acts.push(random.pick(BAG));
  if (random.below(3) === 0) acts.unshift(['wait', random.pick(WAITS)]);
  // What is written behind an end is an exception where nobody hears of it.
  if (!hearsResponse && random.below(10) > 0) {
    const end = acts.findIndex(([name]) => name.startsWith('end'));
    if (end >= 0) {
      const rest = acts.slice(end + 1).filter(([name]) => !/^(end|write|corked|throw)/.test(name));
      acts.splice(end + 1, Infinity, ...rest);
    }
  }
  return {
    acts,
    hearsRequest: random.below(2) === 0,
    hearsResponse
  };
}

function makeOptions(random) {
  const options = {};
  const maybe = (odds, name, ...values) => {
    if (random.below(odds) === 0) options[name] = random.pick(values);
  };
  maybe(12, 'keepAliveTimeout', 0, 20);
  maybe(12, 'keepAliveTimeoutBuffer', 0);
  maybe(15, 'maxHeaderSize', 200);
  maybe(15, 'requireHostHeader', false);
  maybe(15, 'highWaterMark', 100, 1000);
  maybe(15, 'insecureHTTPParser', true);
  maybe(20, 'joinDuplicateHeaders', true);
  maybe(20, 'rejectNonStandardBodyWrites', true);
  maybe(20, 'optimizeEmptyRequests', true);
  maybe(20, 'noDelay', false);
  maybe(25, 'httpValidation', 'strict', 'relaxed', 'insecure');
  if (random.below(20) === 0) {
    Object.assign(options, { connectionsCheckingInterval: 10, headersTimeout: 25 });
    maybe(2, 'requestTimeout', 25);
  }
  maybe(20, 'uniqueHeaders', ['x-a']);
  if (options.httpValidation !== undefined) delete options.insecureHTTPParser;
  const properties = {};
  if (random.below(15) === 0) properties.maxRequestsPerSocket = 1 + random.below(3);
  if (random.below(20) === 0) properties.timeout = 25;
  if (random.below(25) === 0) properties.maxHeadersCount = 4;
  if (random.below(25) === 0) properties.httpAllowHalfOpen = true;
  return {
    options,
    properties,
    subclasses: random.below(12) === 0 ? random.pick(['request', 'response', 'both']) : null
  };
}

/** Listeners of the server, and what those do that have a choice. */
function makeListeners(random) {
  const listeners = {};
  const maybe = (odds, name, ...ways) => {
    if (random.below(odds) === 0) listeners[name] = random.pick(ways);
  };
  maybe(5, 'connection', 'hear', 'data');
  maybe(6, 'clientError', 'answer', 'destroy', 'nothing');
  maybe(4, 'upgrade', 'answer', 'later', 'read', 'destroy', 'end');
  maybe(2, 'connect', 'answer', 'later', 'destroy');
  maybe(8, 'checkContinue', 'continue', 'refuse');
  maybe(8, 'checkExpectation', 'answer');
  maybe(8, 'timeout', 'destroy', 'nothing');
  maybe(8, 'dropRequest', 'hear');
  return listeners;
}

/** Splits what is sent. */
function makeSteps(random, text) {
  const points = [0, text.length];
  for (let count = random.below(4); count > 0; count--) points.push(random.below(text.length + 1));
  points.sort((a, b) => a - b);
  const steps = [];
  for (let i = 1; i < points.length; i++) {
    if (points[i] > points[i - 1]) steps.push(['send', text.slice(points[i - 1], points[i])]);
  }
  return steps;
}

/** Ends the connection somewhere, or not. */
function makeEnd(random, steps) {
  for (let i = 1; i < steps.length; i++) {
    if (random.below(40) === 0) steps.splice(i++, 0, ['sleep', 60]);
  }
  const at = random.below(2) === 0 ? steps.length : 1 + random.below(steps.length);
  if (random.below(3) === 0) {
    steps.splice(at, Infinity, [random.pick(['end', 'end', 'end', 'end', 'destroy', 'reset'])]);
  }
  if (random.below(30) === 0) steps.push(['sleep', 50]);
  return steps;
}

module.exports = { makeScenario };
