'use strict';

// The messages that are mutated: ordinary ones, and those with which parsers have been deceived.

const CHUNKED = 'Transfer-Encoding: chunked\r\n';

const requests = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /a/b?c=d&e#f HTTP/1.1\r\nHost: www.example.com:80\r\nUser-Agent: x/1.0 (y; z)\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n',
  'POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n',
  `PUT /x HTTP/1.1\r\nHost: a\r\n${CHUNKED}Trailer: T\r\n\r\n5\r\nhello\r\nA;a=b;c="d\\"e"\r\n0123456789\r\n0\r\nT: u\r\n\r\n`,
  'HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nDELETE /a HTTP/1.0\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n\r\n\r\n',
  'CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\nbytes of another protocol',
  'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: x==\r\n\r\n\x81\x01a',
  'POST / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 3\r\n\r\nabcPRI * HTTP/2.0\r\n',
  `POST / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n${CHUNKED}\r\n1\r\na\r\n0\r\n\r\nrest`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET http://user@a.b:8080/c?d HTTP/1.1\r\nProxy-Connection: keep-alive\r\n\r\n',
  'GET /\r\n\r\n',
  'OPTIONS rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n',
  'SOURCE /live ICE/1.0\r\nA: b\r\n\r\n',
  'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nST:\r\n\r\n',
  'PATCH / HTTP/1.1\r\nA:b\r\nC:  d \t \r\nE:\r\nContent-Length: 0\r\n\r\n',
  // Two parsers disagree about where each of these ends.
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n${CHUNKED}\r\n0\r\n\r\nG`,
  `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}Content-Length: 6\r\n\r\n0\r\n\r\nG`,
  'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  'POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\na',
  'POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na',
  'POST / HTTP/1.1\r\nContent-Length : 1\r\n\r\na',
  'POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  `POST / HTTP/1.1\r\n${CHUNKED}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  'POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1\na\n0\n\n',
  `POST / HTTP/1.1\r\n${CHUNKED}\r\n1 \r\na\r\n0\r\n\r\n`,
  `POST / HTTP/1.1\r\n${CHUNKED}\r\n1;\na\r\n0\r\n\r\n`,
  `POST / HTTP/1.1\r\n${CHUNKED}\r\n0x1\r\na\r\n0\r\n\r\n`,
  `POST / HTTP/1.1\r\n${CHUNKED}\r\n10000000000000001\r\na\r\n0\r\n\r\n`,
  `POST / HTTP/1.1\r\n${CHUNKED}\r\n1\r\nab\r\n0\r\n\r\n`,
  'POST / HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\nContent-Length:\r\n 3\r\n\r\nabc',
  'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n',
  'GET /\x00 HTTP/1.1\r\nA: \x01\x7f\xff\r\n\r\n'
];

const responses = [
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n',
  `HTTP/1.1 200 OK\r\n${CHUNKED}Connection: keep-alive\r\n\r\n5\r\nhello\r\n0\r\nT: u\r\n\r\n`,
  'HTTP/1.1 200 OK\r\nDate: now\r\n\r\nuntil the end',
  'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x01a',
  'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 404 Not  Found \r\nContent-Length: 1\r\nConnection: close\r\n\r\nxHTTP',
  'HTTP/1.1 200 OK\nContent-Length: 1\n\na',
  `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n${CHUNKED}\r\n0\r\n\r\nG`,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nabc',
  'HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 999 \xe9\x01\r\nA: b\r\n c\r\n\r\n',
  'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n',
  'ICE/1.0 200 OK\r\n\r\nabc'
];

/** What is put into a message, or over a part of it. */
const pieces = [
  '\r\n',
  '\r',
  '\n',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\0',
  '\x7f',
  '\xff',
  '0',
  'F',
  '\r\n\r\n',
  '\r\n ',
  'Content-Length: 3\r\n',
  'Content-Length:',
  CHUNKED,
  'Transfer-Encoding: ',
  'chunked',
  'Connection: close\r\n',
  'Connection: keep-alive, upgrade\r\n',
  'Upgrade: x\r\n',
  'close',
  'HTTP/1.1',
  'HTTP/1.0',
  'GET / HTTP/1.1\r\n',
  'HTTP/1.1 200 OK\r\n',
  '0\r\n\r\n',
  ';a="b"',
  'X: y\r\n',
  'x'.repeat(40)
];

module.exports = { requests, responses, pieces };
