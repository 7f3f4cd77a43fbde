'use strict';

// What the arguments of http.request() mean: a URL, options or both, checked once.

const { codeError } = require('../internal/errors');
const validate = require('../internal/validate');
const { isToken } = require('./tokens');

const { urlToHttpOptions } = require('node:url');

/** What a path may not have: it would end the request line early, or be cut to a byte. */
const UNSAFE_IN_PATH = /[^\u0021-\u00ff]/;

/**
 * `(url[, options][, callback])` or `(options[, callback])` as options and a callback.
 * @returns {[Record<string, any>, Function | undefined]}
 */
function normalizeArguments(input, options, callback) {
  let fromUrl = null;
  if (typeof input === 'string') {
    fromUrl = urlToHttpOptions(new URL(input));
  } else if (isUrl(input)) {
    fromUrl = urlToHttpOptions(input);
  } else {
    callback = options;
    options = input;
  }
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  return [fromUrl === null ? { ...options } : Object.assign(fromUrl, options), callback];
}

/** A URL, of this realm or another. */
function isUrl(value) {
  return Boolean(
    value?.href && value.protocol && value.auth === undefined && value.path === undefined
  );
}

function checkPath(path) {
  if (path && UNSAFE_IN_PATH.test(String(path))) {
    throw codeError('ERR_UNESCAPED_CHARACTERS', 'Request path');
  }
}

/** @returns {string} in upper case */
function checkMethod(method) {
  if (method === undefined || method === null || method === '') return 'GET';
  if (typeof method !== 'string') {
    throw codeError('ERR_INVALID_ARG_TYPE', 'options.method', 'string', method);
  }
  if (!isToken(method)) throw codeError('ERR_INVALID_HTTP_TOKEN', 'Method', method);
  return method.toUpperCase();
}

function checkHost(host, name) {
  if (host !== null && host !== undefined && typeof host !== 'string') {
    const expected = ['string', 'undefined', 'null'];
    throw codeError('ERR_INVALID_ARG_TYPE', `options.${name}`, expected, host);
  }
  return host;
}

/** The checks of what the parser of the response is told. */
function checkParserOptions({ insecureHTTPParser, joinDuplicateHeaders, maxHeaderSize }) {
  if (maxHeaderSize !== undefined) validate.integer(maxHeaderSize, 'maxHeaderSize', 0);
  if (insecureHTTPParser !== undefined) {
    validate.type(insecureHTTPParser, 'options.insecureHTTPParser', 'boolean');
  }
  if (joinDuplicateHeaders !== undefined) {
    validate.type(joinDuplicateHeaders, 'options.joinDuplicateHeaders', 'boolean');
  }
}

/** The Host header's value: an IPv6 address in brackets, a port unless it is the usual one. */
function hostHeader(host, port, defaultPort) {
  const colon = host.indexOf(':');
  const bare = colon !== -1 && host.includes(':', colon + 1) && host[0] !== '[';
  const name = bare ? `[${host}]` : host;
  return port && +port !== defaultPort ? `${name}:${port}` : name;
}

module.exports = {
  checkHost,
  checkMethod,
  checkParserOptions,
  checkPath,
  hostHeader,
  normalizeArguments
};
