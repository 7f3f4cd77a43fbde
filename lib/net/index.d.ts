// The types of `net`: Node's, without a difference.

/// <reference types="node" />

import net = require('node:net');

export = net;
