'use strict';

// The reviewed list of parity tests that ferronet is known to fail, each with the reason it may.
//
// An entry turns the named test into one that must fail, so an entry that has become untrue is
// itself reported. Fields: `file` (test file without .test.js), `sentence` (the test's exact
// sentence), `reason`, and, if it holds for some Node majors only, `nodes` (an array of them).

/** @type {{ file: string, sentence: string, reason: string, nodes?: number[] }[]} */
module.exports = [];
