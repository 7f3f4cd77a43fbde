'use strict';

// The time that a server gives its clients: for a request (headersTimeout and requestTimeout, looked at
// every connectionsCheckingInterval), and until the next, where there is no socket to time it.

const { codeError } = require('../internal/errors');
const { since: knownSince } = require('../internal/host');
const { clock } = require('../internal/runtime');
const { clearInterval, setInterval, setTimeout } = require('../internal/timers');

/** How much longer than it says the server waits: a request may be on its way. */
const KEEP_ALIVE_TIMEOUT_BUFFER = 1_000;

/** Older Nodes wait for that long always. */
const HAS_BUFFER = knownSince([22, 19], [24, 6]);

const kTimer = Symbol('connectionsCheckingTimer');

/** How long a connection may be idle. */
function idleTime({ keepAliveTimeout, keepAliveTimeoutBuffer }) {
  return keepAliveTimeout + (HAS_BUFFER ? keepAliveTimeoutBuffer || 0 : KEEP_ALIVE_TIMEOUT_BUFFER);
}

/** Starts looking; 'listening'. */
function startChecking(server, connections) {
  stopChecking(server);
  server[kTimer] = setInterval(check, server.connectionsCheckingInterval, server, connections);
  server[kTimer].unref();
}

function stopChecking(server) {
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

/**
 * Connections that wait for their next request and are given the same time: in the order in which they
 * began to, under one timer.
 */
class IdleQueue {
  /** @param {number} time in milliseconds */
  constructor(time) {
    this.time = time;
    this.first = null;
    this.last = null;
    this.timer = null;
  }

  /** Calls `connection.onIdle()` when its time is over, unless it is removed before. */
  add(connection) {
    connection.idleSince = Math.floor(clock());
    connection.idleQueue = this;
    connection.idleBefore = this.last;
    if (this.last === null) this.first = connection;
    else this.last.idleAfter = connection;
    this.last = connection;
    if (this.timer === null) this.timer = setTimeout(expire, this.time, this).unref();
  }

  remove(connection) {
    const { idleAfter, idleBefore } = connection;
    if (idleBefore === null) this.first = idleAfter;
    else idleBefore.idleAfter = idleAfter;
    if (idleAfter === null) this.last = idleBefore;
    else idleAfter.idleBefore = idleBefore;
    connection.idleQueue = connection.idleBefore = connection.idleAfter = null;
  }
}

function expire(queue) {
  queue.timer = null;
  const now = clock();
  try {
    while (queue.first !== null && queue.first.idleSince + queue.time <= now) {
      const connection = queue.first;
      queue.remove(connection);
      connection.onIdle();
    }
  } finally {
    // Also for those behind one whose listener has thrown.
    if (queue.first !== null && queue.timer === null) {
      const left = Math.max(0, Math.ceil(queue.first.idleSince + queue.time - now));
      queue.timer = setTimeout(expire, left, queue).unref();
    }
  }
}

module.exports = {
  HAS_BUFFER,
  IdleQueue,
  KEEP_ALIVE_TIMEOUT_BUFFER,
  idleTime,
  startChecking,
  stopChecking
};
