'use strict';

// Plays random scenarios against a server of Node's http and of ours, and reports every difference in
// what the client received, how its connection ended, and what the program saw.
//
//   node scripts/fuzz-http-server.js                 2,000 scenarios
//   node scripts/fuzz-http-server.js --cases 50000 --seed 7
//   node scripts/fuzz-http-server.js --only 1234     one scenario, in full

const { parseArgs } = require('node:util');

const { main } = require('./fuzz-http/main');
const { makeScenario } = require('./fuzz-http/server-cases');
const { play } = require('./fuzz-http/server-run');

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    stop: { type: 'string', default: '20' }
  }
});

main({ makeScenario, play, ...values });
