// The types of the entry. Each module has the types of Node's own, from @types/node; where one
// differs, its own declaration file says so.

/// <reference types="node" />

import dgram = require('./lib/dgram/index.js');
import http = require('./lib/http/index.js');
import net = require('./lib/net/index.js');

declare namespace ferronet {
  /** The names ferronet stands for. */
  export type ModuleName = 'net' | 'dgram' | 'tls' | 'http' | 'https' | 'http2' | 'fetch' | 'ws';

  /** Whose code a module name means today: ferronet's, or still Node's or npm's. */
  export type Owner = 'rust' | 'node' | 'npm';

  export { dgram, http, net };

  /** Which modules are Rust. */
  export function status(): Record<ModuleName, Owner>;
}

export = ferronet;
