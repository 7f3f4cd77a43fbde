'use strict';

// Names of what the files of http share about sockets and messages, and nobody else sees.

module.exports = {
  /** On a socket: the ServerConnection or ClientConnection that its bytes go to. */
  kConnection: Symbol('connection'),
  /** On a client's request: its ClientConnection, once it has a socket. */
  kExchange: Symbol('exchange'),
  /** Method of an outgoing message, called when all of it is with the socket, before 'finish'. */
  kLeft: Symbol('left'),
  /** On a message: the socket, behind the accessor of that name. */
  kSocket: Symbol('socket'),
  /** On an outgoing message: the fields that were set, by lower-case name. */
  kFields: Symbol('fields'),
  /** On an outgoing message: write() said no, and 'drain' has not come yet. */
  kNeedDrain: Symbol('needDrain'),
  /** On an outgoing message: how often it was corked, by itself. */
  kCorked: Symbol('corked'),
  /** On an outgoing message: all of it is with the socket, and was told of. */
  kFinished: Symbol('finished'),
  /** On an outgoing message: its head says 'Expect'. */
  kExpects: Symbol('expects'),
  /** On a message: the names whose values are joined into one line. */
  kUniqueHeaders: Symbol('uniqueHeaders'),
  /** On an agent: the Proxy that its requests go through, or null. */
  kProxy: Symbol('proxy'),
  /** On an outgoing message: whether values may have control characters. */
  kRelaxed: Symbol('relaxed'),
  /** On a message: what destroyed it. */
  kErrored: Symbol('errored')
};
