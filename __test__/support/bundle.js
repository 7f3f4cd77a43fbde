'use strict';

// Before the tests: dist/ as lib/ is now.

const { bundle } = require('../../scripts/bundle');

module.exports = () => bundle();
