'use strict';

// What the process's command line says about HTTP: how long heads may be, how strict the parser is.

const process = require('node:process');

const { codeError } = require('../internal/errors');
const { nodeMajor } = require('../internal/host');

const DEFAULT_MAX_HEADER_SIZE = 16 * 1024;
const DEFAULT_FIELDS = 1000;

// The command line comes last, and wins; `_` is `-` to Node.
const options = [...words(process.env.NODE_OPTIONS), ...process.execArgv].map((option) =>
  option.startsWith('--') ? option.replace(/^[^=]+/, (name) => name.replaceAll('_', '-')) : option
);

/** Bytes; Node's documentation, "http.maxHeaderSize". */
const maxHeaderSize = Number(valueOf('--max-http-header-size')) || DEFAULT_MAX_HEADER_SIZE;

/** Whether the parser lets pass what it should not, for those who do not say. */
const insecureHTTPParser = options.includes('--insecure-http-parser');

/** `httpValidation`, and which of the codec's leniencies each of its values means. */
const validations = { strict: 0, relaxed: 1024, insecure: 1023 };

/** More fields than maxHeadersCount are an error to a server, since those beyond could hide it from
 * the program where the message ends, and a client sees no more trailers; to Node 20 they are nothing. */
const REFUSES_FIELDS = nodeMajor >= 22;

/** Node 24 and later know it. */
const HAS_VALIDATION = nodeMajor >= 24;

/** Checks the option of a server or a request. @returns {string | undefined} */
function checkedValidation({ httpValidation, insecureHTTPParser }) {
  if (!HAS_VALIDATION || httpValidation === undefined) return undefined;
  const names = Object.keys(validations);
  if (!names.includes(httpValidation)) {
    const reason = `must be one of: ${names.map((name) => `'${name}'`).join(', ')}`;
    throw codeError('ERR_INVALID_ARG_VALUE', 'options.httpValidation', httpValidation, reason);
  }
  if (insecureHTTPParser !== undefined) {
    const reason = 'cannot be used together with options.insecureHTTPParser';
    throw codeError('ERR_INVALID_ARG_VALUE', 'options.httpValidation', httpValidation, reason);
  }
  return httpValidation;
}

/** Whether values may be sent that only others than the strictest take. */
function isRelaxed(validation, insecure) {
  return HAS_VALIDATION && lenientBits(validation, insecure) !== validations.strict;
}

/** How many fields a server or a request, by its maxHeadersCount, sees of a head; 0 for all. */
function fieldsOf({ maxHeadersCount }) {
  return typeof maxHeadersCount === 'number' ? maxHeadersCount : DEFAULT_FIELDS;
}

/** What the parser tolerates, as Node's `kLenient...` bits. */
function lenientBits(validation, insecure) {
  if (validation !== undefined) return validations[validation];
  return (insecure ?? insecureHTTPParser) ? validations.insecure : validations.strict;
}

function valueOf(name) {
  let value;
  options.forEach((option, i) => {
    if (option === name) value = options[i + 1];
    else if (option.startsWith(`${name}=`)) value = option.slice(name.length + 1);
  });
  return value;
}

function words(text) {
  return !text ? [] : text.split(/\s+/).filter(Boolean);
}

module.exports = {
  HAS_VALIDATION,
  REFUSES_FIELDS,
  checkedValidation,
  fieldsOf,
  insecureHTTPParser,
  isRelaxed,
  lenientBits,
  maxHeaderSize
};
