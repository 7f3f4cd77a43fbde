'use strict';

// The reviewed list of parity tests that ferronet is known to fail, each with the reason it may.
//
// An entry turns the named test into one that must fail, so that an entry which has become untrue is
// itself reported, as is one that names no test. Fields: `file` (the test file without .test.js),
// `sentence` (the test's exact sentence), `reason`; where it does not hold everywhere, `nodes` (the
// Node majors it holds on) and `pairings` (of 'ferronet', 'ferronet server, node client' and
// 'node server, ferronet client').

/**
 * @type {{ file: string, sentence: string, reason: string, nodes?: number[], pairings?: string[] }[]}
 */
module.exports = [];
