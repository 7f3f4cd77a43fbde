// The same entries for an ES module: default, namespace and names.

import node from 'node:net';
import ours, { connect, createServer, isIP, Server, Socket, type AddressInfo } from 'ferronet/net';
import * as namespace from 'ferronet/net';
import ferronet, { net, status } from 'ferronet';
import 'ferronet/register';
import preset from 'ferronet/jest-preset';

type Same<A, B> = [A, B] extends [B, A] ? true : false;

export const same: [
  Same<typeof ours, typeof node>,
  Same<typeof net, typeof node>,
  Same<typeof ferronet.net, typeof node>,
  Same<typeof Socket, typeof node.Socket>,
  Same<AddressInfo, node.AddressInfo>,
  Same<typeof namespace.connect, typeof node.connect>
] = [true, true, true, true, true, true];

const server: Server = createServer((socket: Socket) => socket.pipe(socket));
const address = server.address() as AddressInfo;
export const family: number = isIP(connect(address.port).remoteAddress ?? '');
export const mapped: string | undefined = preset.moduleNameMapper['^net$'];
