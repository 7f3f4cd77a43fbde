'use strict';

// Plays random scenarios with Node's http and with ours, and reports every difference in what went
// over the wire, how connections ended, and what the program saw.
//
//   node scripts/fuzz-http.js server                 2,000 scenarios of a server
//   node scripts/fuzz-http.js client --cases 50000 --seed 7
//   node scripts/fuzz-http.js server --only 1234     one scenario, in full
//   node scripts/fuzz-http.js server --self          Node's http with itself: what is noise

const { parseArgs } = require('node:util');

const { bundle } = require('./bundle');
const { main, options } = require('./fuzz/main');
const { differences } = require('./fuzz-http/differences');

const host = require('node:http');

const sides = {
  client: () => [require('./fuzz-http/client-cases'), require('./fuzz-http/client-run')],
  server: () => [require('./fuzz-http/server-cases'), require('./fuzz-http/server-run')]
};

const { positionals, values } = parseArgs({ allowPositionals: true, options });

const side = sides[positionals[0]];
if (side === undefined) {
  console.error('usage: node scripts/fuzz-http.js server|client [--cases n] [--seed n] [--only n]');
  process.exit(2);
}
const [{ makeScenario }, { play }] = side();
bundle();
main({ host, ours: require('ferronet/http'), makeScenario, play, differences, ...values });
