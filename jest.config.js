'use strict';

// How the project's own tests run. ferronet is loaded outside jest's sandbox, as its preset does, but
// by its paths: `net` must stay Node's here, for the parity tests compare the two.

module.exports = {
  testMatch: ['<rootDir>/__test__/**/*.test.js'],
  testPathIgnorePatterns: ['/node_modules/', '/fixtures/'],
  testEnvironment: 'node',
  // Tests are of what the package gives, made from lib/ as it is now.
  globalSetup: '<rootDir>/__test__/support/bundle.js',
  moduleNameMapper: { '/dist/(net|dgram|http)(/index(\\.js)?)?$': '<rootDir>/dist/jest/$1.js' },
  // Tests mostly wait: on two cores two files at a time take half as long as jest's one. Not more of
  // them: some tests ask how long something takes.
  maxWorkers: 2,
  // Many tests start processes, which a busy machine makes wait.
  testTimeout: 60_000,
  // Plain CommonJS throughout: nothing to transform.
  transform: {}
};
