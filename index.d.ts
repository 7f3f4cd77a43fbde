// The types of the entry. Each module has the types of Node's own, from @types/node; where one
// differs, its own declaration file says so.

/// <reference types="node" />

import dgram = require('./lib/dgram/index.js');
import http = require('./lib/http/index.js');
import net = require('./lib/net/index.js');
import perfHooks = require('node:perf_hooks');

declare namespace ferronet {
  /** The names ferronet stands for. */
  export type ModuleName = 'net' | 'dgram' | 'tls' | 'http' | 'https' | 'http2' | 'fetch' | 'ws';

  /** Whose code a module name means today: ferronet's, or still Node's or npm's. */
  export type Owner = 'rust' | 'node' | 'npm';

  export { dgram, http, net };

  /** Node's own, which also gets the `http` and `net` entries of these modules. */
  export import PerformanceObserver = perfHooks.PerformanceObserver;

  /** Which modules are Rust. */
  export function status(): Record<ModuleName, Owner>;
}

export = ferronet;
