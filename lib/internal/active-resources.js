'use strict';

// What keeps the process alive of ours, by the names that process.getActiveResourcesInfo() has for Node's.

const { handles, native } = require('./runtime');

const HANDLES = {
  TCPWRAP: 'TCPSocketWrap',
  TCPSERVERWRAP: 'TCPServerWrap',
  PIPEWRAP: 'PipeWrap',
  PIPESERVERWRAP: 'PipeWrap',
  UDPWRAP: 'UDPWrap'
};

const REQUESTS = {
  TCPCONNECTWRAP: 'ConnectWrap',
  PIPECONNECTWRAP: 'ConnectWrap',
  WRITEWRAP: 'SimpleWriteWrap',
  SHUTDOWNWRAP: 'SimpleShutdownWrap',
  UDPSENDWRAP: 'SendWrap'
};

/** @returns {string[]} first the requests, then the handles, as Node lists its own */
function activeResources() {
  const requests = [];
  const open = [];
  for (const [id, handle] of handles.entries()) {
    if (handle === undefined) continue;
    requests.push(...handle.requests().map((type) => REQUESTS[type]));
    // Not by its own hasRef(): one that is being closed counts until it is.
    if (native().hasRef(id)) open.push(HANDLES[handle.type]);
  }
  return [...requests, ...open];
}

module.exports = { activeResources };
