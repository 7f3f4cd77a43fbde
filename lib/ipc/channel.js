'use strict';

// A channel of Node's to another process, which carries sockets and servers of ours from here on. Node
// keeps all else: the channel itself, acknowledgements, the order of messages.

/** What other processes send on it, as Node names it, that is to be ours. */
const RECEIVED = ['net.Socket', 'net.Server', 'dgram.Socket'];

/**
 * Joins a channel, at best when nothing has come over it yet.
 * @param {any} target `process`, or a ChildProcess
 */
function join(target) {
  // The first of them makes sockets of handles; in a cluster's worker there is one more.
  const [listener] = target.listeners('internalMessage');
  if (listener === undefined) return; // a worker thread has no channel
  const { send } = target;
  const pending = pendingOf(target);
  if (pending.some(([, , handle]) => handle)) require('./receive').replaceAll(pending);

  target.removeListener('internalMessage', listener);
  target.prependListener('internalMessage', function onInternalMessage(message, handle) {
    if (message.cmd === 'NODE_HANDLE' && handle && RECEIVED.includes(message.type)) {
      const received = require('./receive').receive(target, message, handle);
      // "Native" is what Node passes on as it is.
      listener.call(this, { ...message, type: 'net.Native' }, received);
      return;
    }
    if (message.cmd.startsWith('NODE_SOCKET_')) {
      require('./receive').answer(target, message, (reply) => send.call(target, reply, ignore));
    }
    listener.call(this, message, handle);
  });

  target.send = function (message, handle, options, callback) {
    const parcel = isObject(handle) ? require('./send').wrap(handle) : null;
    if (parcel === null) return send.call(this, message, handle, options, callback);
    if (typeof options === 'function') {
      callback = options;
      options = undefined;
    }
    return send.call(this, message, parcel.shown, options, (error) => {
      parcel.onSent(options);
      if (typeof callback === 'function') callback(error);
      else if (error) this.emit('error', error);
    });
  };
}

/** Where messages wait until somebody listens: with `--import` Node 20 reads some before the preload. */
function pendingOf({ channel }) {
  const ofMessages = ({ description }) => description === 'kPendingMessages';
  const key = Object.getOwnPropertySymbols(channel ?? {}).find(ofMessages);
  return key === undefined ? [] : channel[key];
}

function isObject(handle) {
  return typeof handle === 'object' && handle !== null;
}

/** Whoever asked has gone. */
function ignore() {}

module.exports = { join };
