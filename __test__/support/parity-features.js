'use strict';

// Which of net's newer features the Node at hand has, found by looking at node:net itself.

const { BlockList, Socket, Server, createServer } = require('node:net');

const blockList = new BlockList();

module.exports = {
  blockList: createServer({ blockList }).blockList === blockList,
  boundSocket: Boolean(require('node:net').BoundSocket),
  keepAliveOptions: Socket.prototype.setKeepAlive.length > 2,
  // Nothing but the source tells, since the option changes nothing that can be read back.
  reusePort: String(Server.prototype.listen).includes('reusePort'),
  typeOfService: Boolean(Socket.prototype.setTypeOfService)
};
