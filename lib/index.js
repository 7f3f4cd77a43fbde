'use strict';

// The package's entry and table of contents: every built module under its Node name, loaded when
// first touched. The form of these definitions is what Node's lexer reads names for `import` from.

const { built, status } = require('./internal/modules');

Object.defineProperty(exports, 'net', {
  enumerable: true,
  get: function () {
    return built.net;
  }
});

Object.defineProperty(exports, 'dgram', {
  enumerable: true,
  get: function () {
    return built.dgram;
  }
});

Object.defineProperty(exports, 'http', {
  enumerable: true,
  get: function () {
    return built.http;
  }
});

const observing = {
  get PerformanceObserver() {
    return require('./perf-hooks/observer').PerformanceObserver;
  }
};

// Node's own, which also has the entries of our modules; see doc/architecture.md.
Object.defineProperty(exports, 'PerformanceObserver', {
  enumerable: true,
  get: function () {
    return observing.PerformanceObserver;
  }
});

exports.status = status;
