'use strict';

// Reads how much CPU time another process has used.

const fs = require('node:fs');

/** @typedef {{ threads: Map<string, number>, userTicks: number, systemTicks: number }} Reading */

/**
 * The scheduler's nanoseconds of each thread; the ticks of /proc/PID/stat, of 10 ms, only split them.
 * @returns {Reading}
 */
function read(pid) {
  const threads = new Map();
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) threads.set(thread, spent(pid, thread));
  // The command, which may hold spaces and brackets itself, is the second field; utime the 14th.
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { threads, userTicks: Number(fields[11]), systemTicks: Number(fields[12]) };
}

/** Nothing of a thread that has ended since it was listed. */
function spent(pid, thread) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
    return Number(text.split(' ', 1)[0]);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return 0;
    throw error;
  }
}

/**
 * What a thread spent that has ended by the second reading is not in it.
 * @returns {{ user: number, system: number }} seconds between two readings
 */
function between(before, after) {
  let seconds = 0;
  for (const [thread, nanoseconds] of after.threads) {
    seconds += Math.max(0, nanoseconds - (before.threads.get(thread) ?? 0)) / 1e9;
  }
  const user = after.userTicks - before.userTicks;
  const system = after.systemTicks - before.systemTicks;
  const share = user / Math.max(1, user + system);
  return { user: seconds * share, system: seconds * (1 - share) };
}

module.exports = { between, read };
