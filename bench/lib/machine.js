'use strict';

// Says how quiet the machine is: what other processes do to a benchmark no median takes out.

const os = require('node:os');
const { setTimeout: sleep } = require('node:timers/promises');

/** Above this, differences between contenders drown (percent of all cores). */
const QUIET = 5;

/** Call it while no process of ours runs. @returns {Promise<number>} percent of all cores in use */
async function busyPercent() {
  const before = times();
  await sleep(1000);
  const after = times();
  return (100 * (after.busy - before.busy)) / (after.all - before.all);
}

function times() {
  const sums = { busy: 0, all: 0 };
  for (const { times } of os.cpus()) {
    const all = Object.values(times).reduce((sum, time) => sum + time, 0);
    sums.all += all;
    sums.busy += all - times.idle;
  }
  return sums;
}

function description() {
  const cores = os.cpus();
  return `${cores[0].model.trim()}, ${cores.length} cores, Linux ${os.release()}`;
}

module.exports = { QUIET, busyPercent, description };
