'use strict';

// Error objects as Node builds them: from the kernel's numbers (Node's documentation, "Class:
// SystemError" and "Common system errors") and for misuse ("Node.js error codes").

const { format, getSystemErrorMap, inspect } = require('node:util');

/** Node's own, whatever a program makes of it. */
const { captureStackTrace } = Error;

// Made when first asked for: that takes longer than to load most of the package's files.
/** @type {Map<number, [string, string]> | null} */
let known = null;
/** @type {Map<string, number> | null} */
let numbers = null;

/** Message and class by code; every ERR_* of this package is spelled here. */
const codes = {
  ERR_BUFFER_OUT_OF_BOUNDS: [RangeError, (name) => `"${name}" is outside of buffer bounds`],
  ERR_HTTP_BODY_NOT_ALLOWED: [
    Error,
    () => 'Adding content for this request method or response status is not allowed.'
  ],
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: [
    Error,
    (body, header) =>
      `Response body's content-length of ${body} byte(s) does not match the content-length of ${header} byte(s) set in header`
  ],
  ERR_HTTP_HEADERS_SENT: [
    Error,
    (verb) => `Cannot ${verb} headers after they are sent to the client`
  ],
  ERR_HTTP_INVALID_HEADER_VALUE: [
    TypeError,
    (value, name) => format('Invalid value "%s" for header "%s"', value, name)
  ],
  ERR_HTTP_INVALID_STATUS_CODE: [RangeError, (status) => format('Invalid status code: %s', status)],
  ERR_HTTP_REQUEST_TIMEOUT: [Error, () => 'Request timeout'],
  ERR_HTTP_SOCKET_ASSIGNED: [Error, () => 'Socket already assigned'],
  ERR_HTTP_SOCKET_ENCODING: [
    Error,
    () => 'Changing the socket encoding is not allowed per RFC7230 Section 3.'
  ],
  ERR_HTTP_TRAILER_INVALID: [Error, () => 'Trailers are invalid with this transfer encoding'],
  ERR_INVALID_ADDRESS: [Error, () => 'Invalid address'],
  ERR_INVALID_ADDRESS_FAMILY: [
    RangeError,
    (family, host, port) => `Invalid address family: ${family} ${host}:${port}`,
    ([, host, port]) => ({ host, port })
  ],
  ERR_INVALID_ARG_TYPE: [TypeError, describeType],
  ERR_INVALID_ARG_VALUE: [TypeError, describeValue],
  ERR_INVALID_CHAR: [
    TypeError,
    (what, field) =>
      field === undefined
        ? `Invalid character in ${what}`
        : format('Invalid character in %s ["%s"]', what, field)
  ],
  ERR_INVALID_FD_TYPE: [TypeError, (type) => `Unsupported fd type: ${type}`],
  ERR_INVALID_HANDLE_TYPE: [TypeError, () => 'This handle type cannot be sent'],
  ERR_INVALID_HTTP_TOKEN: [
    TypeError,
    (what, text) => format('%s must be a valid HTTP token ["%s"]', what, text)
  ],
  ERR_INVALID_IP_ADDRESS: [TypeError, (address) => `Invalid IP address: ${address}`],
  ERR_INVALID_PROTOCOL: [
    TypeError,
    (actual, expected) => format('Protocol "%s" not supported. Expected "%s"', actual, expected)
  ],
  ERR_IP_BLOCKED: [Error, (address) => `IP(${address}) is blocked by net.BlockList`],
  ERR_METHOD_NOT_IMPLEMENTED: [Error, (method) => `The ${method} method is not implemented`],
  ERR_MISSING_ARGS: [TypeError, describeMissing],
  ERR_OUT_OF_RANGE: [
    RangeError,
    (name, range, value) =>
      `The value of "${name}" is out of range. It must be ${range}. Received ${grouped(value)}`
  ],
  ERR_PROXY_INVALID_CONFIG: [Error, (message) => message],
  ERR_PROXY_TUNNEL: [Error, (message) => message],
  ERR_SERVER_ALREADY_LISTEN: [
    Error,
    () => 'Listen method has been called more than once without closing.'
  ],
  ERR_SERVER_NOT_RUNNING: [Error, () => 'Server is not running.'],
  ERR_SOCKET_ALREADY_BOUND: [Error, () => 'Socket is already bound'],
  ERR_SOCKET_BAD_BUFFER_SIZE: [TypeError, () => 'Buffer size must be a positive integer'],
  ERR_SOCKET_BAD_PORT: [
    RangeError,
    (name, value, allowZero = true) =>
      `${name} should be ${allowZero ? '>=' : '>'} 0 and < 65536. Received ${received(value)}.`
  ],
  ERR_SOCKET_BAD_TYPE: [TypeError, () => 'Bad socket type specified. Valid types are: udp4, udp6'],
  ERR_SOCKET_CLOSED: [Error, () => 'Socket is closed'],
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: [
    Error,
    () => 'Socket closed before the connection was established'
  ],
  ERR_SOCKET_HANDLE_ADOPTED: [
    Error,
    () => 'The bound socket has already been adopted by a server or socket'
  ],
  ERR_SOCKET_CONNECTION_TIMEOUT: [Error, () => 'Socket connection timeout'],
  ERR_SOCKET_DGRAM_IS_CONNECTED: [Error, () => 'Already connected'],
  ERR_SOCKET_DGRAM_NOT_CONNECTED: [Error, () => 'Not connected'],
  ERR_SOCKET_DGRAM_NOT_RUNNING: [Error, () => 'Not running'],
  ERR_STREAM_ALREADY_FINISHED: [
    Error,
    (method) => `Cannot call ${method} after a stream was finished`
  ],
  ERR_STREAM_CANNOT_PIPE: [Error, () => 'Cannot pipe, not readable'],
  ERR_STREAM_DESTROYED: [Error, (method) => `Cannot call ${method} after a stream was destroyed`],
  ERR_STREAM_NULL_VALUES: [TypeError, () => 'May not write null values to stream'],
  ERR_STREAM_WRITE_AFTER_END: [Error, () => 'write after end'],
  ERR_UNESCAPED_CHARACTERS: [TypeError, (what) => `${what} contains unescaped characters`],
  ERR_UNKNOWN_ENCODING: [TypeError, (encoding) => `Unknown encoding: ${encoding}`]
};

module.exports = {
  bufferSizeError,
  codeError,
  connectionResetError,
  connectionsError,
  errnoError,
  framedError,
  hostPortError,
  numberOf,
  uvHostPortError
};

/** Misuse, or an error of ours rather than the kernel's: `codeError('ERR_SOCKET_CLOSED')`. */
function codeError(code, ...details) {
  const [Base, message, properties] = codes[code];
  const error = new Base(message(...details));
  if (properties !== undefined) Object.assign(error, properties(details));
  Object.defineProperty(error, 'code', {
    value: code,
    enumerable: true,
    writable: true,
    configurable: true
  });
  captureStack(error, `${Base.name} [${code}]`, codeError);
  Object.defineProperty(error, 'toString', {
    value() {
      return `${this.name} [${code}]: ${this.message}`;
    },
    writable: true,
    configurable: true
  });
  return error;
}

/** `read ECONNRESET`: a failed call without an address. */
function errnoError(status, syscall) {
  const code = nameOf(status);
  // What the kernel reports comes from no line of the program. Capturing the frames of this package and
  // writing them out, which every stream does with its error, costs more than the connection did.
  const error = framedError(0, `${syscall} ${code}`);
  error.errno = status;
  error.code = code;
  error.syscall = syscall;
  return error;
}

/**
 * @returns {any} an error with at most so many frames, of which this function is one; with as many as the
 *   program wants, where it does not let us say.
 */
function framedError(frames, message) {
  const limit = Error.stackTraceLimit;
  if (!Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')?.writable)
    return new Error(message);
  Error.stackTraceLimit = frames;
  const error = new Error(message);
  Error.stackTraceLimit = limit;
  return error;
}

/** `connect ECONNREFUSED 127.0.0.1:1 - Local (127.0.0.1:2)`. */
function hostPortError(status, syscall, address, port, local) {
  const code = nameOf(status);
  const where = port > 0 ? ` ${address}:${port}` : address ? ` ${address}` : '';
  const error = new Error(`${syscall} ${code}${where}${local ? ` - Local (${local})` : ''}`);
  Object.assign(error, { errno: status, code, syscall, address });
  if (port) Object.assign(error, { port });
  return error;
}

/** `listen EADDRINUSE: address already in use :::80`. */
function uvHostPortError(status, syscall, address, port) {
  const [code, text] = systemErrors().get(status) ?? ['UNKNOWN', 'unknown error'];
  const where = port > 0 ? ` ${address}:${port}` : address ? ` ${address}` : '';
  const error = new Error(`${syscall} ${code}: ${text}${where}`);
  Object.assign(error, { code, errno: status, syscall, address });
  if (port) Object.assign(error, { port });
  return error;
}

/**
 * Reading or setting the size of a UDP socket's buffer failed: a `SystemError` (Node's documentation,
 * "Class: SystemError"), whose details are in `info` and behind accessors.
 */
function bufferSizeError(status, syscall) {
  const [name, text] = systemErrors().get(status) ?? ['UNKNOWN', 'unknown error'];
  const code = 'ERR_SOCKET_BUFFER_SIZE';
  const info = { errno: status, code: name, message: text, syscall };
  const error = new Error(
    `Could not get or set buffer size: ${syscall} returned ${name} (${text})`
  );
  const define = (key, descriptor) =>
    Object.defineProperty(error, key, { configurable: true, ...descriptor });
  const shared = (key) => ({
    enumerable: true,
    get() {
      return info[key];
    },
    set(value) {
      info[key] = value;
    }
  });
  captureStack(error, `SystemError [${code}]`, bufferSizeError);
  define('name', { value: 'SystemError', writable: true, enumerable: false });
  define('toString', { value: () => `SystemError [${code}]: ${error.message}`, writable: true });
  define(inspect.custom, {
    value: (depth, options) => inspect(error, { ...options, getters: true, customInspect: false })
  });
  define('code', { value: code, enumerable: true, writable: true });
  define('info', { value: info, enumerable: true });
  define('errno', shared('errno'));
  define('syscall', shared('syscall'));
  return error;
}

/** All attempts of a connect failed. */
function connectionsError(errors) {
  return Object.assign(new AggregateError(errors), { code: errors[0]?.code });
}

/** 'socket hang up' and 'aborted': the other end went away in the middle of something. */
function connectionResetError(message) {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}

function nameOf(status) {
  return systemErrors().get(status)?.[0] ?? `Unknown system error ${status}`;
}

/** @returns {Map<number, [string, string]>} Name and text by number, asked for with the first error. */
function systemErrors() {
  return (known ??= getSystemErrorMap());
}

/** @returns {number} as libuv counts: below zero */
function numberOf(name) {
  if (numbers === null) {
    numbers = new Map();
    for (const [number, [text]] of systemErrors()) numbers.set(text, number);
  }
  return numbers.get(name);
}

/** The stack begins with another name than the error's own (`TypeError [ERR_X]`), and where `maker` was called. */
function captureStack(error, name, maker) {
  // Defined: where a program has frozen the prototypes, it cannot be assigned.
  Object.defineProperty(error, 'name', { value: name, configurable: true });
  captureStackTrace(error, maker);
  try {
    error.stack; // is written when first asked for, with the name of that time
  } catch {
    // It is a program's `Error.prepareStackTrace` that throws.
  }
  delete error.name;
}

const CLASS_NAME = /^([A-Z][a-z0-9]*)+$/;
const primitives = ['string', 'function', 'number', 'object', 'boolean', 'bigint', 'symbol'];

function describeType(name, expected, value) {
  const subject = name.endsWith(' argument')
    ? `The ${name}`
    : `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`;
  const list = [expected].flat();
  const plain = list.filter((type) => primitives.includes(type));
  const classes = list.filter((type) => CLASS_NAME.test(type));
  const others = list.filter((type) => !primitives.includes(type) && !CLASS_NAME.test(type));
  const parts = [];
  if (plain.length === 1) parts.push(`of type ${plain[0]}`);
  if (plain.length > 1) parts.push(`one of type ${either(plain)}`);
  if (classes.length > 0) parts.push(`an instance of ${either(classes)}`);
  if (others.length === 1) parts.push(/[A-Z]/.test(others[0]) ? `an ${others[0]}` : others[0]);
  if (others.length > 1) parts.push(`one of ${either(others)}`);
  return `${subject} must be ${parts.join(' or ')}. Received ${received(value)}`;
}

function describeValue(name, value, reason = 'is invalid') {
  const kind = name.includes('.') ? 'property' : 'argument';
  let shown = inspect(value);
  if (shown.length > 128) shown = `${shown.slice(0, 128)}...`;
  return `The ${kind} '${name}' ${reason}. Received ${shown}`;
}

function describeMissing(...names) {
  const quoted = names.map((name) =>
    [name]
      .flat()
      .map((it) => `"${it}"`)
      .join(' or ')
  );
  return `The ${either(quoted, 'and')} argument${names.length > 1 ? 's' : ''} must be specified`;
}

function either(list, word = 'or') {
  if (list.length < 3) return list.join(` ${word} `);
  return `${list.slice(0, -1).join(', ')}, ${word} ${list.at(-1)}`;
}

/** How Node says what it got. */
function received(value) {
  if (value == null) return `${value}`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    if (value.constructor?.name) return `an instance of ${value.constructor.name}`;
    return inspect(value, { depth: -1 });
  }
  let shown = inspect(value, { colors: false });
  if (shown.length > 28) shown = `${shown.slice(0, 25)}...`;
  return `type ${typeof value} (${shown})`;
}

/** Large integers are shown with their thousands apart. */
function grouped(value) {
  if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) {
    return String(value).replace(/(\d)(?=(\d{3})+$)/g, '$1_');
  }
  return inspect(value);
}
