'use strict';

// Starts the server that a benchmark names for a contender.

const path = require('node:path');

const { FLOOR } = require('./contenders');
const { startServer } = require('./processes');

const servers = path.join(__dirname, '..', 'servers');

/** A script, or for the floor a mode of the generator. */
function serve(bench, contender) {
  if (contender.name === FLOOR) {
    const [mode, ...flags] = bench.floor;
    return startServer(contender, [mode, '127.0.0.1:0', ...flags]);
  }
  const script = bench.servers?.[contender.name] ?? bench.server;
  return startServer(contender, [path.join(servers, script)]);
}

module.exports = { serve };
