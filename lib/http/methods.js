'use strict';

// The request methods: by the parser's numbers, and as http.METHODS lists them.

const { httpMethods } = require('../internal/binding');

/** By the number that the parser gives; some are of RTSP, which shares it. */
const byNumber = httpMethods();

const RTSP_FIRST = byNumber.indexOf('DESCRIBE');
const RTSP_LAST = byNumber.indexOf('FLUSH');

const METHODS = byNumber
  .filter((name, i) => name !== 'PRI' && !(i >= RTSP_FIRST && i <= RTSP_LAST))
  .sort();

/** Requests of these have no body unless the program says how long it is. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

module.exports = { BODILESS, METHODS, byNumber };
