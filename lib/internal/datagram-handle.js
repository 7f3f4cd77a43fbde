'use strict';

// A native UDP socket under Node's handle verbs. Turns commands into calls of the addon and its
// events into calls of the receiver; knows bytes, addresses and error numbers, nothing of dgram.

const { AsyncResource } = require('node:async_hooks');

const { numberOf } = require('./errors');
const { commands, debug, native, open, takeRead } = require('./runtime');
const { setImmediate } = require('./timers');

/** Flags of bind(), as libuv numbers them. */
const flags = { IPV6_ONLY: 1, REUSE_ADDRESS: 4, REUSE_PORT: 8 };

// A DATAGRAM event is two integers; see place_of and sender_of in src/binding/datagram.rs.
const UNIT = 64;
const FRESH = 1 << 16;
const PORT_MASK = 0xffff;
/** What of a datagram's number comes back in a SENT event. */
const NUMBER_MASK = 0x7fffffff;
/** What sendResult() answers for a datagram that waits for room in the kernel. */
const WAITS = 1;

/**
 * @typedef {object} Receiver
 * @property {(owner: object, message: Buffer, sender: { address: string, family: string, port: number, size: number }) => void} message
 * @property {(owner: object, status: number) => void} receiveFailed
 */

class DatagramHandle extends AsyncResource {
  /**
   * @param {boolean} ipv6
   * @param {object} owner
   * @param {Receiver} receiver what is done with the events, called with the owner
   */
  constructor(ipv6, owner, receiver) {
    super('UDPWRAP', { requireManualDestroy: true });
    this.id = -1;
    this.type = 'UDPWRAP';
    this.ipv6 = ipv6;
    this.family = ipv6 ? 'IPv6' : 'IPv4';
    this.owner = owner;
    this.receiver = receiver;
    /** The texts of the senders' addresses, by the numbers that Rust gave them. */
    this.peers = [];
    /** Called with the status of a datagram for which the kernel had no room at first. */
    this.waiting = new Map();
    /** What became of the datagrams before the socket was closed. */
    this.finished = null;
    this.closeDone = null;
    this.refused = false;
    open(this);
  }

  /** Called instead of getting an id, where there is no runtime to open it in. */
  refuse() {
    this.refused = true;
  }

  /** @returns {number} the descriptor, -1 for none */
  get fd() {
    return this.id < 0 ? -1 : native().fd(this.id);
  }

  getAsyncId() {
    return this.asyncId();
  }

  /** @returns {any} the AsyncResource that its events come in the context of */
  get scope() {
    return this;
  }

  /** @returns {string[]} the types of those that are under way */
  requests() {
    return new Array(this.waiting.size).fill('UDPSENDWRAP');
  }

  // Commands. Each returns 0 or a negative error number unless said otherwise.

  /** @param {number} bits of `flags` */
  // @ts-expect-error: Node's name; it hides AsyncResource's, which nobody calls
  bind(address, port, bits) {
    return native().bindDatagram(this.id, this.ipv6, `${address}`, port & PORT_MASK, bits);
  }

  /** Takes over a descriptor. */
  open(fd) {
    return native().openDatagram(this.id, fd, false);
  }

  /** Shares the socket of a descriptor that somebody else keeps. */
  share(fd) {
    return native().openDatagram(this.id, fd, true);
  }

  connect(address, port) {
    return native().connectDatagram(this.id, `${address}`, port);
  }

  disconnect() {
    return native().disconnectDatagram(this.id);
  }

  recvStart() {
    return native().receiveStart(this.id);
  }

  recvStop() {
    return this.id < 0 ? numberOf('EBADF') : native().receiveStop(this.id);
  }

  /**
   * Queues a datagram; without an address to the connected peer.
   * @param {ArrayBufferView} message
   * @param {boolean} asks whether result() will be called
   * @returns {number} its number, or a negative error number
   */
  send(message, port, address, asks) {
    const number = commands.sendDatagram(this.id, message, port, address, asks);
    if (debug.enabled) debug('<- %d send %d: %d', this.id, message.byteLength, number);
    return number;
  }

  /**
   * Calls `done(status)`: now if the datagram was sent or failed, which this sees to; otherwise when
   * the kernel took it, or when the socket is closed.
   */
  result(number, done) {
    const status = this.id < 0 ? this.resultOfClosed(number) : commands.sendResult(this.id, number);
    if (status !== WAITS) return done(status);
    const request = new AsyncResource('UDPSENDWRAP');
    this.waiting.set(number & NUMBER_MASK, (later) => {
      request.runInAsyncScope(done, undefined, later);
      request.emitDestroy();
    });
  }

  resultOfClosed(number) {
    const [done, ...failures] = this.finished;
    if (number > done) return WAITS;
    for (let i = 0; i < failures.length; i += 2) if (failures[i] === number) return failures[i + 1];
    return 0;
  }

  /** `done()` follows, in the loop's closing phase. */
  close(done) {
    if (this.refused && done) setImmediate(done);
    if (this.id < 0) return;
    if (debug.enabled) debug('<- %d close', this.id);
    const { id } = this;
    this.finished = native().finishSends(id);
    this.id = -1;
    this.closeDone = done ?? null;
    commands.close(id, false);
  }

  setBroadcast(enable) {
    return native().setBroadcast(this.id, enable);
  }

  setTTL(ttl) {
    return native().setTtl(this.id, ttl);
  }

  setMulticastTTL(ttl) {
    return native().setMulticastTtl(this.id, ttl);
  }

  setMulticastLoopback(enable) {
    return native().setMulticastLoopback(this.id, enable);
  }

  setMulticastInterface(address) {
    return native().setMulticastInterface(this.id, address);
  }

  /** @param {boolean} join or leave */
  membership(group, address, join) {
    return native().setMembership(this.id, group, address ?? null, join);
  }

  sourceMembership(source, group, address, join) {
    return native().setSourceMembership(this.id, source, group, address ?? null, join);
  }

  /** @returns {number} the size, after it was set unless 0 was given; or a negative error number */
  bufferSize(size, receive) {
    return native().bufferSize(this.id, size, receive);
  }

  getSendQueueSize() {
    return native().sendQueueSize(this.id);
  }

  getSendQueueCount() {
    return native().sendQueueCount(this.id);
  }

  /** Fills `out` with address, family and port. */
  getsockname(out) {
    return fill(out, native().getsockname(this.id));
  }

  getpeername(out) {
    return fill(out, native().getpeername(this.id));
  }

  ref() {
    if (this.id >= 0) commands.setRef(this.id, true);
  }

  unref() {
    if (this.id >= 0) commands.setRef(this.id, false);
  }

  hasRef() {
    return this.id >= 0 && native().hasRef(this.id);
  }

  // Events, called by lib/internal/runtime.js.

  ondatagram(place, sender) {
    const number = sender >>> 17;
    if ((sender & FRESH) !== 0) this.peers[number] = native().peerAddress(this.id, number);
    const size = place & PORT_MASK;
    const message = takeRead((place >>> 16) * UNIT, size);
    const rinfo = {
      address: this.peers[number],
      family: this.family,
      port: sender & PORT_MASK,
      size
    };
    this.receiver.message(this.owner, message, rinfo);
  }

  onreceivefailed(status) {
    this.receiver.receiveFailed(this.owner, status);
  }

  onsent(number, status) {
    const done = this.waiting.get(number);
    this.waiting.delete(number);
    if (done !== undefined) done(status);
  }

  onclosed() {
    for (const done of this.waiting.values()) done(numberOf('ECANCELED'));
    this.waiting.clear();
    const done = this.closeDone;
    this.closeDone = null;
    if (done !== null) done();
  }
}

function fill(out, result) {
  if (typeof result === 'number') return result;
  Object.assign(out, result);
  return 0;
}

module.exports = { DatagramHandle, flags };
