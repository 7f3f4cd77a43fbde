'use strict';

// eslint: its recommended rules for plain CommonJS on Node, and the few that the house style adds.

const js = require('@eslint/js');

const node = Object.getOwnPropertyNames(globalThis);
const readonly = (names) => Object.fromEntries(names.map((name) => [name, 'readonly']));
const commonjs = ['require', 'module', 'exports', '__dirname', '__filename'];
const jest = [
  'describe',
  'test',
  'expect',
  'beforeEach',
  'afterEach',
  'beforeAll',
  'afterAll',
  'jest'
];

module.exports = [
  { ignores: ['dist/', 'target/', '**/target/', 'coverage/', '**/*.d.ts', '__test__/types/'] },
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: readonly([...node, ...commonjs]) }
  },
  { files: ['**/*.mjs'], languageOptions: { globals: readonly(node) } },
  {
    // Accessors, at 11 ns an access.
    files: ['lib/**'],
    rules: { 'no-restricted-globals': ['error', 'Buffer', 'process'] }
  },
  { files: ['__test__/**'], languageOptions: { globals: readonly(jest) } },
  {
    rules: {
      'no-unused-vars': ['error', { args: 'none', caughtErrors: 'none', ignoreRestSiblings: true }],
      'no-empty': ['error', { allowEmptyCatch: true }],
      'prefer-const': 'error',
      'no-var': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }]
    }
  }
];
