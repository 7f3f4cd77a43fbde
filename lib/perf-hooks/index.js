'use strict';

// Node's `perf_hooks` with our PerformanceObserver in its place; loaded by the preload when a program
// asks for either.

const { syncBuiltinESMExports } = require('node:module');

const { PerformanceObserver } = require('./observer');

const perfHooks = require('../internal/host').perfHooks;

perfHooks.PerformanceObserver = PerformanceObserver;
syncBuiltinESMExports();

module.exports = perfHooks;
