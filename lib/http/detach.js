'use strict';

// What a server of HTTP has to do with a socket that goes to another process.

const { kConnection } = require('./symbols');

/** No request is read from it any more, and the response that was to leave by it has none. */
function detach(socket) {
  const connection = socket[kConnection];
  if (typeof connection?.release !== 'function') return;
  const message = socket._httpMessage;
  connection.release();
  message?.detachSocket(socket);
}

module.exports = { detach };
