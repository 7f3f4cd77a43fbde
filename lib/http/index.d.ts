// The types of `http`: Node's, without a difference.

/// <reference types="node" />

import http = require('node:http');

export = http;
