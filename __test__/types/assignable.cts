// The types are Node's own: each can be used wherever the other is expected, in CommonJS.

import node = require('node:net');
import ours = require('ferronet/net');
import ferronet = require('ferronet');

const fromNode: typeof ours = node;
const toNode: typeof node = ours;
const entry: typeof node = ferronet.net;

// Instances and namespaces' types as well.
const socket: node.Socket = new ours.Socket({ allowHalfOpen: true });
const back: ours.Socket = new node.Socket();
const server: ours.Server = node.createServer((peer: ours.Socket) => peer.end());
const options: node.TcpNetConnectOpts = { port: 1 } satisfies ours.TcpNetConnectOpts;

// @ts-expect-error a module that is not built has no getter
ferronet.nothing;
// @ts-expect-error Node has no such option either
ours.connect({ port: 1, host: 1 });

export = { fromNode, toNode, entry, socket, back, server, options };
