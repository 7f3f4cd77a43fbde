'use strict';

// The connections of a server, and which of them take too long over a request: headersTimeout and
// requestTimeout, looked at every connectionsCheckingInterval.

const { codeError } = require('../internal/errors');
const { clearInterval, clock, setInterval } = require('../internal/timers');

const kTimer = Symbol('connectionsCheckingTimer');

/** Starts looking; 'listening'. */
function start(server, connections) {
  stop(server);
  server[kTimer] = setInterval(check, server.connectionsCheckingInterval, server, connections);
  server[kTimer].unref();
}

function stop(server) {
  clearInterval(server[kTimer]);
}

function check(server, connections) {
  const { headersTimeout, requestTimeout } = server;
  if (headersTimeout === 0 && requestTimeout === 0) return;
  const now = clock();
  for (const connection of connections) {
    const { headDone, heldBack, isAwaited, since } = connection;
    if (since === 0) continue;
    if (heldBack && isAwaited) {
      // It is not the client who keeps the request waiting that it has begun.
      connection.since = now;
      continue;
    }
    const age = now - since;
    const late =
      (headersTimeout > 0 && !headDone && age > headersTimeout) ||
      (requestTimeout > 0 && age > requestTimeout);
    if (!late) continue;
    // Said once, whatever a listener of 'clientError' makes of it.
    connection.since = 0;
    connection.fail(codeError('ERR_HTTP_REQUEST_TIMEOUT'));
  }
}

module.exports = { start, stop };
