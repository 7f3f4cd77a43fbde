// The types of `dgram`: Node's, without a difference.

/// <reference types="node" />

import dgram = require('node:dgram');

export = dgram;
