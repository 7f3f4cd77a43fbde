'use strict';

// Reads how much CPU time another process has used.

const fs = require('node:fs');

/** @typedef {{ seconds: number, userTicks: number, systemTicks: number }} Reading */

/**
 * The scheduler's nanoseconds of all threads; the ticks of /proc/PID/stat, of 10 ms, only split them.
 * @returns {Reading}
 */
function read(pid) {
  const nanoseconds = fs
    .readdirSync(`/proc/${pid}/task`)
    .map((thread) => fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
    .reduce((sum, text) => sum + Number(text.split(' ', 1)[0]), 0);
  // The command, which may hold spaces and brackets itself, is the second field; utime the 14th.
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    seconds: nanoseconds / 1e9,
    userTicks: Number(fields[11]),
    systemTicks: Number(fields[12])
  };
}

/** @returns {{ user: number, system: number }} seconds between two readings */
function between(before, after) {
  const seconds = after.seconds - before.seconds;
  const user = after.userTicks - before.userTicks;
  const system = after.systemTicks - before.systemTicks;
  const share = user / Math.max(1, user + system);
  return { user: seconds * share, system: seconds * (1 - share) };
}

module.exports = { between, read };
