'use strict';

// The registries of HTTP: methods, by the parser's numbers and as http.METHODS lists them, and status
// codes, which of them have a name, and which say something about the message's body.

const { httpMethods } = require('../internal/binding');

/** The methods by the number that the parser gives; some are of RTSP, which shares it. */
const methods = httpMethods();

const RTSP_FIRST = methods.indexOf('DESCRIBE');
const RTSP_LAST = methods.indexOf('FLUSH');

const METHODS = methods
  .filter((name, i) => name !== 'PRI' && !(i >= RTSP_FIRST && i <= RTSP_LAST))
  .sort();

/** Requests of these have no body unless the program says how long it is. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** Reason phrases by code, as the registries of RFC 9110 and its companions have them. */
const STATUS_CODES = {
  100: 'Continue',
  101: 'Switching Protocols',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  418: "I'm a Teapot",
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  509: 'Bandwidth Limit Exceeded',
  510: 'Not Extended',
  511: 'Network Authentication Required'
};

/** A response that never has a body, whatever its header says (RFC 9112 section 6.3). */
function forbidsBody(code) {
  return code === 204 || code === 304 || isInformational(code);
}

/** 1xx: the response proper is still to come. */
function isInformational(code) {
  return code >= 100 && code <= 199;
}

/** A 1xx after which the connection goes on speaking HTTP. */
function isInterim(code) {
  return isInformational(code) && code !== 101;
}

module.exports = {
  BODILESS,
  METHODS,
  STATUS_CODES,
  forbidsBody,
  isInterim,
  methods
};
