'use strict';

// The option `blockList` of servers and sockets, checked once.

const { codeError } = require('../internal/errors');
const host = require('../internal/host');

/**
 * Also on Node 20, which does not know it: an address that is to be kept out must not come in.
 * @returns {import('node:net').BlockList | undefined}
 */
function blockListOf({ blockList }) {
  if (!blockList) return undefined;
  const { BlockList } = host.net;
  if (blockList instanceof BlockList || BlockList.isBlockList?.(blockList)) return blockList;
  throw codeError('ERR_INVALID_ARG_TYPE', 'options.blockList', 'net.BlockList', blockList);
}

module.exports = { blockListOf };
