'use strict';

// `dgram` inside jest: loaded once per process and outside the sandbox, as jest does for Node's own.
// A copy per test file would be many JavaScript halves on one addon.

module.exports = require('node:module')._load(require.resolve('../dgram/index.js'), module, false);
