'use strict';

// ServerResponse: the answer to a request, with its status line and what may come before it.

const { channel } = require('node:diagnostics_channel');

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');
const { begin, finish, observed } = require('../internal/timeline');
const validate = require('../internal/validate');
const { checkValue, isValue, validateHeaderName } = require('./fields');
const { OutgoingMessage } = require('./outgoing');
const { STATUS_CODES, forbidsBody } = require('./registries');
const { kConnection, kFields, kRelaxed } = require('./symbols');

const responseCreated = channel('http.server.response.created');

/** Node 20 does not have that channel. */
const TELLS_CREATION = nodeMajor >= 22;

/** Interim answers of the program's own are known from Node 24 on, which sends none behind the head. */
const HAS_INFORMATION = nodeMajor >= 24;

/** Status lines that were sent, and with which reason, by code; of reasons that the table has. */
const statusLines = new Map();

/** The coding a client of HTTP/1.0 has to offer before it gets it. */
const CHUNKED_TOKEN = /\bchunked\b/i;

/** Whether a list given to writeHead() may name a field twice; up to Node 20 the last one won. */
const LIST_REPEATS = nodeMajor > 20;

/** Node's documentation, "Class: http.ServerResponse". */
function ServerResponse(req, options) {
  OutgoingMessage.call(this, options);
  if (req.method === 'HEAD') this._hasBody = false;
  this.req = req;
  if (req[kConnection]?.settings?.relaxed) this[kRelaxed] = true;
  this.sendDate = true;
  this._sent100 = false;
  this._expect_continue = false;
  if (req.httpVersionMajor < 1 || req.httpVersionMinor < 1) {
    this.useChunkedEncodingByDefault = CHUNKED_TOKEN.test(req.headers?.te);
    this.shouldKeepAlive = false;
  }
  if (observed.http !== 0) beginEntry(this);
  if (TELLS_CREATION && responseCreated.hasSubscribers) {
    responseCreated.publish({ request: req, response: this });
  }
}
Object.setPrototypeOf(ServerResponse.prototype, OutgoingMessage.prototype);
Object.setPrototypeOf(ServerResponse, OutgoingMessage);

ServerResponse.prototype.statusCode = 200;
ServerResponse.prototype.statusMessage = undefined;

// The socket.

ServerResponse.prototype.assignSocket = function assignSocket(socket) {
  if (socket._httpMessage) throw codeError('ERR_HTTP_SOCKET_ASSIGNED');
  socket._httpMessage = this;
  socket.on('close', onSocketClose);
  this.socket = socket;
  this.emit('socket', socket);
  this._flush();
};

ServerResponse.prototype.detachSocket = function detachSocket(socket) {
  socket.removeListener('close', onSocketClose);
  socket._httpMessage = null;
  this.socket = null;
};

/** The client is gone, and the response unfinished. */
function onSocketClose() {
  if (this._httpMessage) emitClose(this._httpMessage);
}

/** The response is over, one way or the other. */
function emitClose(response) {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  response.emit('close');
}

/** Everything is with the socket. */
ServerResponse.prototype._finish = function _finish() {
  if (observed.http !== 0) finishEntry(this);
  OutgoingMessage.prototype._finish.call(this);
};

// For PerformanceObserver.

function beginEntry(response) {
  const { method, url, headers } = response.req;
  begin(response, 'http', 'HttpRequest', { req: { method, url, headers } });
}

function finishEntry(response) {
  const { statusCode, statusMessage } = response;
  finish(response, { res: { statusCode, statusMessage, headers: response.getHeaders() } });
}

// What comes before the response proper.

ServerResponse.prototype.writeContinue = function writeContinue(callback) {
  writeInterim(this, 100, [], callback);
  this._sent100 = true;
};

ServerResponse.prototype.writeProcessing = function writeProcessing(callback) {
  writeInterim(this, 102, [], callback);
};

/** Node's documentation, "response.writeEarlyHints(hints[, callback])". */
ServerResponse.prototype.writeEarlyHints = function writeEarlyHints(hints, callback) {
  validate.object(hints, 'hints');
  if (hints.link === null || hints.link === undefined) return;
  const link = linkValue(hints.link);
  if (link.length === 0) return;
  checkValue('Link', link, false);
  const others = Object.entries(hints).filter(([name]) => name !== 'link');
  writeInterim(this, 103, [['Link', link], ...others], callback);
};

/** Node's documentation, "response.writeInformation(statusCode[, headers][, callback])". */
if (HAS_INFORMATION) {
  ServerResponse.prototype.writeInformation = function writeInformation(status, headers, callback) {
    checkUnsent(this);
    validate.integer(status, 'statusCode', 100, 199);
    // It hands the connection over: that is for 'upgrade' listeners to say.
    if (status === 101) throw codeError('ERR_HTTP_INVALID_STATUS_CODE', status);
    return writeInterim(this, status, entriesOf(headers), callback);
  };
}

function writeInterim(response, status, entries, callback) {
  if (HAS_INFORMATION) checkUnsent(response);
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
  for (const [name, value] of entries) {
    validateHeaderName(name);
    checkValue(name, value, response[kRelaxed]);
    text += `${name}: ${value}\r\n`;
  }
  return response._writeRaw(`${text}\r\n`, 'ascii', callback);
}

function checkUnsent(response) {
  if (response._header) throw codeError('ERR_HTTP_HEADERS_SENT', 'write');
}

/** Links as in RFC 8288; what a value may not have, such as the end of a line, is checkValue's to see. */
const LINK = /^(?:<[^>\r\n]*>)(?:\s*;\s*[^;"\s]+(?:=(")?[^;"\s]*\1)?)*$/;

function linkValue(value) {
  const list = Array.isArray(value) ? value : [value];
  for (const item of list) {
    if (typeof item !== 'string' || !LINK.test(item)) {
      throw codeError(
        'ERR_INVALID_ARG_VALUE',
        'hints',
        item,
        'must be an array or string of format "</styles.css>; rel=preload; as=style"'
      );
    }
  }
  return list.join(', ');
}

// The head.

ServerResponse.prototype._implicitHeader = function _implicitHeader() {
  this.writeHead(this.statusCode);
};

/** Node's documentation, "response.writeHead()", in all its signatures. */
ServerResponse.prototype.writeHead = function writeHead(statusCode, reason, headers) {
  checkUnsent(this);
  const status = statusCode | 0;
  if (status < 100 || status > 999) throw codeError('ERR_HTTP_INVALID_STATUS_CODE', statusCode);
  if (typeof reason === 'string') {
    this.statusMessage = reason;
  } else {
    this.statusMessage ||= STATUS_CODES[status] || 'unknown';
    headers ??= reason;
  }
  this.statusCode = status;
  if (this[kFields] !== null) {
    if (headers) mergeFields(this, headers);
    headers = this[kFields];
  }
  if (forbidsBody(status)) this._hasBody = false;
  // The client may take the status for a reason to send its body, or not to.
  if (this._expect_continue && !this._sent100) this.shouldKeepAlive = false;
  this._storeHeader(statusLine(status, this.statusMessage), headers);
  return this;
};
if (nodeMajor < 26) ServerResponse.prototype.writeHeader = ServerResponse.prototype.writeHead;

function statusLine(status, reason) {
  const sent = statusLines.get(status);
  if (sent !== undefined && sent.reason === reason) return sent.line;
  if (!isValue(`${reason}`, false)) throw codeError('ERR_INVALID_CHAR', 'statusMessage');
  const line = `HTTP/1.1 ${status} ${reason}\r\n`;
  if (reason === STATUS_CODES[status]) statusLines.set(status, { line, reason });
  return line;
}

/** Adds writeHead()'s fields to those set before. */
function mergeFields(response, headers) {
  if (!Array.isArray(headers)) {
    for (const name of Object.keys(headers)) if (name) response.setHeader(name, headers[name]);
    return;
  }
  if (headers.length % 2 !== 0) throw codeError('ERR_INVALID_ARG_VALUE', 'headers', headers);
  const add = LIST_REPEATS ? response.appendHeader : response.setHeader;
  if (LIST_REPEATS) {
    for (let i = 0; i < headers.length; i += 2) response.removeHeader(headers[i]);
  }
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]) add.call(response, headers[i], headers[i + 1]);
  }
}

function entriesOf(headers) {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) validate.object(headers, 'headers');
  if (!Array.isArray(headers)) return Object.entries(headers);
  if (headers.length > 0 && Array.isArray(headers[0])) return headers;
  if (headers.length % 2 !== 0) throw codeError('ERR_INVALID_ARG_VALUE', 'headers', headers);
  return headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]]] : []));
}

/** Names, or lists of names, whose values are joined: the option `uniqueHeaders`. */
function uniqueHeaders(option) {
  if (!Array.isArray(option)) return null;
  return new Set(option.flat().map((name) => name.toLowerCase()));
}

module.exports = { ServerResponse, emitClose, uniqueHeaders };
