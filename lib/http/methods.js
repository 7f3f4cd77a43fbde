'use strict';

// The request methods that the parser knows: by its numbers, and sorted as http.METHODS.

const { httpMethods } = require('../internal/binding');

/** By the number that the parser gives in a head's registers. */
const byNumber = httpMethods();

const METHODS = [...byNumber].sort();

/** Requests of these have no body unless the program says how long it is. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

module.exports = { BODILESS, METHODS, byNumber };
