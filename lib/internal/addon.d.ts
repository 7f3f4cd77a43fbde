// What src/binding exports to lib/internal; written by `npm run addon-types`.

export type HandleId = number;

/** The version of the addon, compared with package.json's when it is loaded. */
export function version(): string;

/** A read in the spare of at least so many bytes takes the spare with it. */
export function keepFrom(): number;

/** What an inherited descriptor is, as Node names it in `ERR_INVALID_FD_TYPE`. */
export function fdKind(fd: number): string;

/** One end of a connection, as `socket.address()` shows it. */
export interface Address {
  address: string;
  family: string;
  port: number;
}

/** The transports of one Node environment. */
export class Runtime {
  /**
   * `deliver()` takes events by `nextEvent` until it has all, or as many as it wants; `allocate(size)`
   * returns a Buffer to read into.
   * Throws where the runtime cannot be made: with the kernel's error number, negated, as `errno`
   * (`EMFILE`), or without one where the platform is not supported.
   */
  constructor(deliver: unknown, allocate: unknown);
  /**
   * Puts the commands of the hot path on `target`; events are told in `told`, an Int32Array of 6, small
   * writes and reads come by way of `crossing`, a Buffer: nobody else may see either.
   */
  defineCommands(target: object, told: unknown, crossing: unknown): void;
  /** HTTP events are told in `registers`, an Int32Array of 20 that nobody else may see. */
  setRegisters(registers: unknown): void;
  /** Makes a handle. */
  open(): HandleId;
  /** Binds to an IP address; the socket may then listen or connect. */
  bind(id: HandleId, address: string, port: number, ipv6Only: boolean, reusePort: boolean): number;
  /** Binds to the path of a Unix domain socket, or to an abstract name after a NUL. */
  bindPath(id: HandleId, path: Uint8Array): number;
  /** Sets the permissions of a bound Unix socket's file, or adds to them. */
  chmod(id: HandleId, bits: number, add: boolean): number;
  /**
   * Listens on a bound handle; accepted connections follow. One that listens already has another
   * backlog from now on.
   */
  listen(id: HandleId, backlog: number): number;
  /** Listens on an inherited descriptor or, if `share`, on another one of it. */
  listenFd(id: HandleId, fd: number, backlog: number, share: boolean): number;
  /** Accepts again after an error stopped it. */
  acceptAgain(id: HandleId): void;
  /** Becomes the stream behind an inherited descriptor or, if `share`, behind another one of it. */
  openFd(id: HandleId, fd: number, share: boolean): number;
  /** Connects to an IP address; a `Connected` event follows. */
  connect(id: HandleId, address: string, port: number): number;
  /** Connects to a Unix domain socket. */
  connectPath(id: HandleId, path: Uint8Array): number;
  /** Reads at most `size` bytes at a time, all of which JavaScript copies. */
  fixReadSize(id: HandleId, size: number): number;
  setNoDelay(id: HandleId, enable: boolean): number;
  /** `delay` before the first probe and `interval` between them in seconds; `count` of them. */
  setKeepAlive(
    id: HandleId,
    enable: boolean,
    delay: number,
    interval: number,
    count: number
  ): number;
  setTypeOfService(id: HandleId, value: number): number;
  /** The value, or a negated error number. */
  getTypeOfService(id: HandleId): number;
  /** Our end, or a negated error number. */
  getsockname(id: HandleId): number | Address;
  /** The peer's end, or a negated error number. */
  getpeername(id: HandleId): number | Address;
  /** The descriptor, -1 for none. */
  fd(id: HandleId): number;
  /** Another descriptor of what the handle has, which nobody here closes; or a negated error number. */
  shareFd(id: HandleId): number;
  /** Whether an active handle keeps the process alive. */
  hasRef(id: HandleId): boolean;
  /** The process exits: sends what waits, and lets nothing wait any more. */
  flushForExit(): void;
  /** Binds to an IP address of the socket's family. */
  bindDatagram(id: HandleId, ipv6: boolean, address: string, port: number, flags: number): number;
  /** Becomes the socket behind an inherited descriptor, or, if `share`, behind another one of it. */
  openDatagram(id: HandleId, fd: number, share: boolean): number;
  /** Associates the socket with a peer. */
  connectDatagram(id: HandleId, address: string, port: number): number;
  disconnectDatagram(id: HandleId): number;
  /** Receives; `Datagram` events follow. */
  receiveStart(id: HandleId): number;
  receiveStop(id: HandleId): number;
  /** The address under a number that a `Datagram` event called fresh. */
  peerAddress(id: HandleId, number: number): string;
  setBroadcast(id: HandleId, enable: boolean): number;
  setTtl(id: HandleId, ttl: number): number;
  setMulticastTtl(id: HandleId, ttl: number): number;
  setMulticastLoopback(id: HandleId, enable: boolean): number;
  setMulticastInterface(id: HandleId, interface: string): number;
  /** Joins or leaves a group; binds first if need be. */
  setMembership(
    id: HandleId,
    group: string,
    interface: string | undefined | null,
    join: boolean
  ): number;
  /** Joins or leaves the channel of one source of a group; binds first if need be. */
  setSourceMembership(
    id: HandleId,
    source: string,
    group: string,
    interface: string | undefined | null,
    join: boolean
  ): number;
  /** The size of a buffer, after it was set unless 0 was given; or a negated error number. */
  bufferSize(id: HandleId, size: number, receive: boolean): number;
  /** Bytes that wait to be sent. */
  sendQueueSize(id: HandleId): number;
  /** Datagrams that wait to be sent. */
  sendQueueCount(id: HandleId): number;
  /**
   * Sends what is queued, before a close. Returns the number of the last datagram that was sent
   * or failed, and then, one after the other, those that failed each with its error number.
   */
  finishSends(id: HandleId): Array<number>;
}

/** The names of the methods; `registers[8]` of a request's head is an index into them. */
export function httpMethods(): Array<string>;

/**
 * Names of header fields by number, the empty one for 0; of a pair, 1 and 2 and so on, the second is
 * in lower case. A head with an index (`INDEXED`) tells them by number.
 */
export function httpFieldNames(): Array<string>;

/** A pull parser: nothing calls back, so JavaScript may stop, decide or destroy between events. */
export class HttpParser {
  /** `registers`: 16 integers, which all parsers of an environment may share. */
  constructor(registers: Int32Array);
  /**
   * Starts over. `kind`: 1 requests, 2 responses. `lenient`: Node's `kLenient...` bits.
   * `max_header_size` and `max_headers`: 0 for Node's default, and for no limit.
   */
  initialize(kind: number, maxHeaderSize: number, lenient: number, maxHeaders: number): void;
  /**
   * Parses `bytes` from `start` to `end` until there is something to tell. Returns a head's
   * or the trailers' text, or an error's code, a colon and its reason. Only its type: each
   * object has a function of its own, which a call does not have to unwrap.
   */
  execute(bytes: Uint8Array, start: number, end: number): string | null;
  /** No input will follow. Tells as `execute` does. */
  finish(): string | null;
  /** Goes on where the parser of a connection, which loses it, stands. */
  adopt(runtime: Runtime, id: HandleId): void;
  /**
   * What follows a head whose flags have `AWAITS`: 0 what it says, 1 no body, 2 no body and
   * another protocol, 3 what it says, but HTTP behind it.
   */
  decide(decision: number): void;
}
