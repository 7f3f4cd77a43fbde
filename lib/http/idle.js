'use strict';

// The connections of a server that wait for their next request and have no socket to time them: in
// the order in which they began to, under one timer.

const { clock, setTimeout } = require('../internal/timers');

/** Connections that are given the same time. */
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
  while (queue.first !== null && queue.first.idleSince + queue.time <= now) {
    const connection = queue.first;
    queue.remove(connection);
    connection.onIdle();
  }
  if (queue.first === null || queue.timer !== null) return;
  const left = Math.ceil(queue.first.idleSince + queue.time - now);
  queue.timer = setTimeout(expire, left, queue).unref();
}

module.exports = { IdleQueue };
