'use strict';

// Plays random scenarios with a client of Node's http and of ours, and reports every difference in
// what the server received and what the program saw.
//
//   node scripts/fuzz-http-client.js                 2,000 scenarios
//   node scripts/fuzz-http-client.js --cases 50000 --seed 7
//   node scripts/fuzz-http-client.js --only 1234     one scenario, in full

const { parseArgs } = require('node:util');

const { main } = require('./fuzz-http/main');
const { makeScenario } = require('./fuzz-http/client-cases');
const { play } = require('./fuzz-http/client-run');

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    stop: { type: 'string', default: '20' }
  }
});

main({ makeScenario, play, ...values });
