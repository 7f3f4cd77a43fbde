'use strict';

// `require('ferronet')` inside jest: the entry from outside the sandbox, as jest does for core modules.

module.exports = require('node:module')._load(require.resolve('../index.js'), module, false);
