'use strict';

// Plays random scenarios of two endpoints with Node's net and with ours, and reports every difference
// in what either saw: events with their arguments and order, callbacks, results, bytes and states.
//
//   node scripts/fuzz-net.js                 2,000 scenarios
//   node scripts/fuzz-net.js --cases 50000 --seed 7
//   node scripts/fuzz-net.js --only 1234     one scenario, in full
//   node scripts/fuzz-net.js --self          Node's net with itself: what is noise

const { parseArgs } = require('node:util');

const { bundle } = require('./bundle');
const { main, options } = require('./fuzz/main');
const { makeScenario } = require('./fuzz-net/cases');
const { differences } = require('./fuzz-net/differences');
const { play } = require('./fuzz-net/run');

const host = require('node:net');

const { values } = parseArgs({ options });

bundle();
main({ host, ours: require('ferronet/net'), makeScenario, play, differences, ...values });
