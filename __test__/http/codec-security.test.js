'use strict';

// What the HTTP/1.1 parser answers to the inputs with which parsers have been attacked, written down
// without a host to compare with: an older host may be fooled itself.

const { HttpParser } = require('../../lib/internal/binding');
const { observeOurs } = require('../../scripts/fuzz-http1/observe');

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

function told(text, { type = 1, maxHeaderSize = 0 } = {}) {
  return observeOurs({ type, chunks: [text], lenient: 0, maxHeaderSize, decide: 0 });
}

/** The code with which a request is refused, null where it is not. */
function refusal(text, options) {
  const error = told(text, options).find((line) => line.startsWith('error '));
  return error === undefined ? null : /error (HPE_\w+):/.exec(error)[1];
}

describe('two framings of one message', () => {
  test.each([
    [
      'Content-Length, then Transfer-Encoding',
      `Content-Length: 6\r\n${CHUNKED}`,
      'TRANSFER_ENCODING'
    ],
    ['Transfer-Encoding, then Content-Length', `${CHUNKED}Content-Length: 6\r\n`, 'CONTENT_LENGTH']
  ])('%s is refused', (name, headers, code) => {
    expect(refusal(`${POST}${headers}\r\n0\r\n\r\nG`)).toBe(`HPE_INVALID_${code}`);
  });

  test.each([
    ['equal', '1', '1'],
    ['different', '1', '2']
  ])('two %s lengths are refused', (name, first, second) => {
    const headers = `Content-Length: ${first}\r\nContent-Length: ${second}\r\n`;
    expect(refusal(`${POST}${headers}\r\nab`)).toBe('HPE_UNEXPECTED_CONTENT_LENGTH');
  });

  test.each(['1, 1', '+1', '-1', '1 1', '0x1', '1.0', '', 'a', '18446744073709551616', '1\t'])(
    'the length %j is refused',
    (length) => {
      const code = refusal(`${POST}Content-Length: ${length}\r\n\r\na`);
      expect(code).toBe('HPE_INVALID_CONTENT_LENGTH');
    }
  );

  test.each([
    'chunked, identity',
    'identity',
    'xchunked',
    'chunkedx',
    'gzip',
    'chunked;q=1',
    '"chunked"',
    ''
  ])('the coding %j of a request is refused', (coding) => {
    const code = refusal(`${POST}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`);
    expect(code).toBe('HPE_INVALID_TRANSFER_ENCODING');
  });

  test('a second Transfer-Encoding behind chunked is refused', () => {
    const code = refusal(`${POST}${CHUNKED}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n`);
    expect(code).toBe('HPE_INVALID_TRANSFER_ENCODING');
  });
});

describe('line ends and spaces that parsers read differently', () => {
  test.each([
    ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 'HPE_INVALID_VERSION'],
    ['a bare LF behind a value', 'GET / HTTP/1.1\r\nA: b\nHost: a\r\n\r\n', 'HPE_CR_EXPECTED'],
    ['a bare LF as a value', 'GET / HTTP/1.1\r\nA:\nHost: a\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
    ['a bare CR in a value', 'GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n', 'HPE_LF_EXPECTED'],
    ['a bare CR as a value', 'GET / HTTP/1.1\r\nA:\rC: d\r\n\r\n', 'HPE_STRICT'],
    ['CR LF CR and another byte', 'GET / HTTP/1.1\r\nA: b\r\n\rX: y\r\n\r\n', 'HPE_STRICT'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nA : b\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
    [
      'a space before the colon of Content-Length',
      `${POST}Content-Length : 1\r\n\r\na`,
      'HPE_INVALID_HEADER_TOKEN'
    ],
    ['a folded value', 'GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
    ['a folded empty value', 'GET / HTTP/1.1\r\nA:\r\n c\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
    ['a space before the first header', 'GET / HTTP/1.1\r\n A: b\r\n\r\n', 'HPE_UNEXPECTED_SPACE'],
    ['a NUL in a value', 'GET / HTTP/1.1\r\nA: b\0c\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
    ['a NUL in a name', 'GET / HTTP/1.1\r\nA\0: b\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
    ['a control byte in the url', 'GET /\x01 HTTP/1.1\r\n\r\n', 'HPE_INVALID_URL'],
    ['an unknown method', 'GETT / HTTP/1.1\r\n\r\n', 'HPE_INVALID_METHOD'],
    ['an unknown version', 'GET / HTTP/1.2\r\n\r\n', 'HPE_INVALID_VERSION']
  ])('%s is refused', (name, text, code) => {
    expect(refusal(text)).toBe(code);
  });

  test('CR CR behind a status line is refused, which Node 20 takes', () => {
    expect(refusal('HTTP/1.1 200 OK\r\rA: b\r\n\r\n', { type: 2 })).toBe('HPE_STRICT');
  });

  test('white space around a value is not part of it', () => {
    expect(told('GET / HTTP/1.1\r\nA: \t b \t \r\n\r\n')[0]).toContain('["A","b"]');
  });
});

describe('chunks', () => {
  test.each([
    ['a space behind the size', '1 \r\na\r\n0\r\n\r\n', 'HPE_INVALID_CHUNK_SIZE'],
    ['a size with a sign', '+1\r\na\r\n0\r\n\r\n', 'HPE_INVALID_CHUNK_SIZE'],
    ['a size with 0x', '0x1\r\na\r\n0\r\n\r\n', 'HPE_INVALID_CHUNK_SIZE'],
    ['no size', '\r\na\r\n0\r\n\r\n', 'HPE_INVALID_CHUNK_SIZE'],
    ['a size past 64 bits', '10000000000000001\r\na\r\n', 'HPE_INVALID_CHUNK_SIZE'],
    ['a bare LF behind the size', '1\na\r\n0\r\n\r\n', 'HPE_CR_EXPECTED'],
    ['a LF in an extension', '1;a\nb\r\na\r\n0\r\n\r\n', 'HPE_CR_EXPECTED'],
    ['an empty extension', '1;\r\na\r\n0\r\n\r\n', 'HPE_STRICT'],
    ['junk in an extension', '1;a b\r\na\r\n0\r\n\r\n', 'HPE_STRICT'],
    ['more data than the size says', '1\r\nab\r\n0\r\n\r\n', 'HPE_STRICT'],
    ['extensions without end', `1;${'a'.repeat(16385)}\r\n`, 'HPE_CHUNK_EXTENSIONS_OVERFLOW'],
    ['trailers without end', `0\r\n${'A: bcdef\r\n'.repeat(3000)}`, 'HPE_HEADER_OVERFLOW']
  ])('%s is refused', (name, body, code) => {
    expect(refusal(`${POST}${CHUNKED}\r\n${body}`)).toBe(code);
  });
});

describe('bounds', () => {
  test('a head is refused at its limit, before all of it is there', () => {
    expect(refusal(`GET /${'a'.repeat(16383)}`)).toBe('HPE_HEADER_OVERFLOW');
    expect(refusal(`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(9000)}`)).toBe('HPE_HEADER_OVERFLOW');
  });

  test('a header that frames cannot hide behind the number of headers', () => {
    const registers = new Int32Array(16);
    const parser = new HttpParser(registers);
    const bytes = Buffer.from(`POST / HTTP/1.1\r\nA: b\r\nC: d\r\nContent-Length: 1\r\n\r\na`);
    parser.initialize(1, 0, 0, 2);
    expect(parser.execute(bytes, 0, bytes.length)).toBe('HPE_HEADER_OVERFLOW:Header overflow');
    expect(registers[0]).toBe(4);
    parser.initialize(1, 0, 0, 3);
    expect(parser.execute(bytes, 0, bytes.length)).toContain('Content-Length');
    expect(registers[6]).toBe(3);
  });

  test('the number of the last header that frames is told', () => {
    const registers = new Int32Array(16);
    const parser = new HttpParser(registers);
    const bytes = Buffer.from(
      'POST / HTTP/1.1\r\nA: b\r\nC: d\r\nContent-Length: 0\r\nE: f\r\n\r\n'
    );
    parser.initialize(1, 0, 0, 0);
    parser.execute(bytes, 0, bytes.length);
    expect([registers[6], registers[15]]).toEqual([4, 3]);
  });

  test('nothing is taken behind a message that closes', () => {
    const closing = 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n';
    expect(refusal(`${closing}GET / HTTP/1.1\r\n\r\n`)).toBe('HPE_CLOSED_CONNECTION');
    expect(refusal(`${closing}\r\n\r\n`)).toBeNull();
    const tab = 'GET / HTTP/1.1\r\nConnection: close\t\r\n\r\nGET / HTTP/1.1\r\n\r\n';
    expect(refusal(tab)).toBe('HPE_CLOSED_CONNECTION');
  });
});
