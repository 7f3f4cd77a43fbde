'use strict';

// `perf_hooks` inside jest: Node's, with our PerformanceObserver.

module.exports = require('node:module')._load(
  require.resolve('../perf-hooks/index.js'),
  module,
  false
);
