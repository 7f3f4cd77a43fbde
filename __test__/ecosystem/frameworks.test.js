'use strict';

// Packages that people build on http, under the preload: what they do is what they do on Node's own.

const path = require('node:path');
const { report, root } = require('../support/child');

const runner = path.join('ecosystem', 'run.js');
const register = path.join(root, 'dist', 'register.js');

/** What a program of fixtures/ecosystem/programs.js tells, and whose http it ran on. */
const told = (name, nodeArgs) => report(runner, { args: [name], nodeArgs });

test.each([
  'axios',
  'express',
  'fastify',
  'got',
  'httpProxy',
  'koa',
  'keepAlive',
  'supertest',
  'undici'
])(
  '%s',
  async (name) => {
    const onNode = await told(name, []);
    const onOurs = await told(name, ['-r', register]);
    expect(onNode.whose).toBe('node');
    expect(Object.keys(onNode.told).length).toBeGreaterThan(1);
    expect(onOurs).toEqual({ whose: 'ferronet', told: onNode.told });
  },
  40_000
);
