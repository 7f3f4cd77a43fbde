'use strict';

// What came over a channel as a handle of Node's becomes a socket or server of ours, before anybody has
// read from it or accepted; and the process that sent a server's connections is told how many are open.

const { errnoError } = require('../internal/errors');
const host = require('../internal/host');
const { fdKind } = require('../internal/runtime');
const { StreamHandle, types } = require('../internal/stream-handle');
const { setImmediate } = require('../internal/timers');
const { datagramState } = require('./node-state');

/** As a server's that is told none. */
const BACKLOG = 511;

/** The connections that came over a channel, by the key of the server that had accepted them. */
class Received {
  constructor() {
    this.count = 0;
    /** Answers when there are none left. */
    /** @type {(() => void) | null} */
    this.whenEmpty = null;
  }

  add(socket) {
    this.count++;
    socket.once('close', () => {
      this.count--;
      this.tellEmpty();
    });
  }

  tellEmpty() {
    if (this.count > 0 || this.whenEmpty === null) return;
    this.whenEmpty();
    this.whenEmpty = null;
  }
}

/** @type {WeakMap<object, Map<string, Received>>} by channel */
const received = new WeakMap();

/** @returns a socket or server of ours, to which the handle has passed */
function receive(target, message, handle) {
  switch (message.type) {
    case 'net.Server':
      return receiveServer(handle);
    case 'dgram.Socket':
      return receiveDatagrams(message.dgramType, handle);
  }
  const socket = receiveSocket(handle);
  if (message.key) listOf(target, message.key).add(socket);
  return socket;
}

function receiveSocket(raw) {
  const { Socket } = require('../net');
  const isTcp = fdKind(raw.fd) === 'TCP';
  const handle = StreamHandle.open(isTcp ? types.TCP : types.PIPE);
  const status = handle.open(raw.fd, true);
  raw.close();
  if (status === 0) return new Socket(/** @type {any} */ ({ handle }));
  handle.close();
  const socket = new Socket();
  // When somebody listens.
  setImmediate(() => socket.destroy(errnoError(status, 'open')));
  return socket;
}

/** Without a descriptor for it, the server says so. */
function receiveServer(raw) {
  const { Server } = require('../net');
  const isTcp = fdKind(raw.fd) === 'TCP';
  const handle = StreamHandle.open(isTcp ? types.TCP_SERVER : types.PIPE_SERVER);
  handle.listenFd(raw.fd, BACKLOG, true);
  raw.close();
  return new Server().listen(handle);
}

function receiveDatagrams(type, raw) {
  const { createSocket } = require('../dgram');
  const { bindShared } = require('../dgram/bind');
  const socket = createSocket(type);
  bindShared(socket, raw.fd);
  raw.close();
  return socket;
}

/**
 * Puts ours in the place of what Node has made of handles that nobody was told of yet.
 * @param {[string, any, any][]} messages
 */
function replaceAll(messages) {
  for (const message of messages) {
    const [, , handle] = message;
    if (handle instanceof host.net.Socket) message[2] = replaceSocket(handle);
    else if (handle instanceof host.net.Server) message[2] = replaceServer(handle);
    else if (handle instanceof host.dgram.Socket) message[2] = replaceDatagrams(handle);
  }
}

/** @param {any} node Node's socket, which is counted until it is closed */
function replaceSocket(node) {
  const { _handle: raw } = node;
  node._handle = null;
  const socket = receiveSocket(raw);
  const bytes = node.read();
  if (bytes !== null) socket.unshift(bytes);
  socket.once('close', () => node.destroy());
  return socket;
}

function replaceServer(node) {
  const server = receiveServer(node._handle);
  node.close();
  return server;
}

function replaceDatagrams(node) {
  const socket = receiveDatagrams(node.type, node[datagramState()].handle);
  node.close();
  return socket;
}

function listOf(target, key) {
  if (!received.has(target)) received.set(target, new Map());
  const lists = received.get(target);
  if (!lists.has(key)) lists.set(key, new Received());
  return lists.get(key);
}

/** Answers the process that asks for connections it has sent. */
function answer(target, { cmd, key }, reply) {
  const list = received.get(target)?.get(key);
  if (list === undefined) return;
  if (cmd === 'NODE_SOCKET_GET_COUNT') {
    if (target.connected) reply({ cmd: 'NODE_SOCKET_COUNT', key, count: list.count });
  } else if (cmd === 'NODE_SOCKET_NOTIFY_CLOSE') {
    list.whenEmpty = () => {
      if (target.connected) reply({ cmd: 'NODE_SOCKET_ALL_CLOSED', key });
    };
    list.tellEmpty();
  }
}

module.exports = { answer, receive, replaceAll };
