'use strict';

// `http` inside jest: as `net`, loaded once per process and outside the sandbox.

module.exports = require('node:module')._load(require.resolve('../http/index.js'), module, false);
