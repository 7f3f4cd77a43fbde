'use strict';

// What the process's command line says about HTTP: how long heads may be, how strict the parser is.

const DEFAULT_MAX_HEADER_SIZE = 16 * 1024;

// The command line comes last, and wins; `_` is `-` to Node.
const options = [...words(process.env.NODE_OPTIONS ?? ''), ...process.execArgv].map((option) =>
  option.startsWith('--') ? option.replace(/^[^=]+/, (name) => name.replaceAll('_', '-')) : option
);

/** Bytes; Node's documentation, "http.maxHeaderSize". */
const maxHeaderSize = Number(valueOf('--max-http-header-size')) || DEFAULT_MAX_HEADER_SIZE;

/** Whether the parser lets pass what it should not, for those who do not say. */
const insecureHTTPParser = options.includes('--insecure-http-parser');

function valueOf(name) {
  let value;
  options.forEach((option, i) => {
    if (option === name) value = options[i + 1];
    else if (option.startsWith(`${name}=`)) value = option.slice(name.length + 1);
  });
  return value;
}

function words(text) {
  return text.split(/\s+/).filter(Boolean);
}

module.exports = { insecureHTTPParser, maxHeaderSize };
