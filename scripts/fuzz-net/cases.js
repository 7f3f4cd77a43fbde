'use strict';

// Makes scenarios of two endpoints out of a number: how each is made, what it listens to, what it does
// in which order, and how it reacts to what it hears.

/** Not an iteration of the loop: in how many of them something happens is not the same. */
const WAITS = ['tick', 'micro', 'timer'];

/** What a program does with a socket, by weight. Each is a name, and an argument. */
/** @type {any[][]} */
const ACTS = [
  // Writing.
  [8, 'write', { text: 5 }],
  [3, 'write', { text: 300 }],
  [4, 'write', { buffer: 40 }],
  [2, 'write', { buffer: 70_000 }],
  [1, 'write', { bytes: 12 }],
  [2, 'write', ''],
  [1, 'write', 'caf\u00e9 \u20ac'],
  [1, 'writeBad', null],
  [1, 'writeBad', 7],
  [3, 'writeCalled', { text: 6 }],
  [1, 'writeCalled', { buffer: 100_000 }],
  [1, 'writeAs', 'latin1'],
  [1, 'writeAs', 'hex'],
  [1, 'writeAs', 'utf16le'],
  [1, 'writeAs', 'no such'],
  [1, 'writeMuch', 20_000_000],
  [2, 'cork'],
  [2, 'uncork'],
  [2, 'corked', [{ text: 4 }, { buffer: 9 }]],
  [1, 'corked', [{ text: 4 }, { text: 9 }]],
  [1, 'setDefaultEncoding', 'latin1'],

  // The end.
  [4, 'end'],
  [2, 'end', { text: 7 }],
  [2, 'endCalled'],
  [1, 'endCalled', { text: 7 }],
  [2, 'destroy'],
  [1, 'destroyWith'],
  [1, 'destroySoon'],
  [2, 'reset'],
  [1, 'dispose'],

  // Reading.
  [2, 'pause'],
  [2, 'resume'],
  [2, 'listen', 'data'],
  [2, 'listen', 'readable'],
  [1, 'unlisten', 'data'],
  [1, 'unlisten', 'readable'],
  [2, 'read'],
  [1, 'read', 3],
  [1, 'setEncoding', 'utf8'],
  [1, 'setEncoding', 'hex'],
  [1, 'unshift', { buffer: 3 }],
  [1, 'iterate'],
  [1, 'pipeOut'],
  [1, 'pipeSlow'],
  [1, 'pipeSelf'],
  [1, 'unpipe'],
  [1, 'pipeIn'],
  [1, 'pipelineIn'],
  [1, 'pipelineOut'],

  // The rest.
  [1, 'finished'],
  [1, 'setTimeout', 15],
  [1, 'setTimeout', 0],
  [1, 'setTimeoutCalled', 15],
  [1, 'setNoDelay', true],
  [1, 'setKeepAlive', true],
  [1, 'unref'],
  [1, 'ref'],
  [1, 'address'],
  [1, 'set', ['allowHalfOpen', true]],
  [1, 'set', ['allowHalfOpen', false]],
  [4, 'state']
];

const BAG = ACTS.flatMap(([weight, ...act]) => Array(weight).fill(act));

/** @type {any[][]} */
const SERVER_ACTS = [['close'], ['closeCalled'], ['getConnections'], ['unref'], ['state']];

const READS = ['data', 'data', 'data', 'resume', 'readable', 'iterate', 'pipeSlow', 'pipeSelf'];
const READS_OF_CLIENT = READS.slice(0, -1);

const CONNECTING = ['connect', 'ready', 'lookup', 'connectionAttempt'];

/** What a socket may react to. */
const EVENTS = ['data', 'end', 'finish', 'drain', 'close', 'timeout', 'error', 'readable'];

function makeScenario(random) {
  const kind = random.pick(['tcp', 'tcp', 'unix']);
  const count = random.below(4) === 0 ? 2 : 1;
  const clients = [];
  for (let i = 0; i < count; i++) clients.push(makeClient(random));
  const scenario = {
    kind,
    subject: random.pick(['server', 'client', 'both']),
    server: makeServerOptions(random),
    listener: makeSide(random, READS, ['connection']),
    clients,
    steps: []
  };
  separate(random, scenario);
  const sides = clients.flatMap((_, i) => [`client${i}`, `accepted${i}`]);
  for (let left = 1 + random.below(7); left > 0; left--) {
    if (random.below(12) === 0) scenario.steps.push(['sleep', 25]);
    else if (random.below(15) === 0) scenario.steps.push(['server', random.pick(SERVER_ACTS)]);
    else scenario.steps.push(makeStep(random, sides));
  }
  return scenario;
}

/** Which end is told first that the connection stands is not the same: only one acts upon it. */
function separate(random, { clients, listener }) {
  if (random.below(2) === 0) {
    delete listener.reactions.connection;
    return;
  }
  for (const client of clients) {
    client.before = [];
    for (const event of CONNECTING) delete client.reactions[event];
  }
}

function makeServerOptions(random) {
  const options = {};
  const maybe = (odds, name, ...values) => {
    if (random.below(odds) === 0) options[name] = random.pick(values);
  };
  maybe(2, 'allowHalfOpen', true);
  maybe(8, 'pauseOnConnect', true);
  maybe(8, 'highWaterMark', 1, 10, 1000);
  maybe(12, 'noDelay', true);
  maybe(12, 'keepAlive', true);
  return options;
}

function makeClient(random) {
  const options = {};
  const maybe = (odds, name, ...values) => {
    if (random.below(odds) === 0) options[name] = random.pick(values);
  };
  maybe(2, 'allowHalfOpen', true);
  maybe(8, 'highWaterMark', 1, 10, 1000);
  maybe(15, 'readableHighWaterMark', 10);
  maybe(15, 'writableHighWaterMark', 10);
  maybe(12, 'noDelay', true);
  maybe(15, 'timeout', 15);
  maybe(12, 'onread', 'buffer', 'small', 'function', 'stops');
  // Not one aborted before: Node connects the socket that it destroyed.
  maybe(30, 'signal', 'now', 'later');
  maybe(30, 'decodeStrings', true);
  maybe(30, 'autoDestroy', false);
  maybe(30, 'emitClose', true);
  const client = {
    options,
    way: random.pick(['connect', 'connect', 'createConnection', 'new']),
    host: random.pick(['127.0.0.1', '127.0.0.1', '127.0.0.1', 'one', 'two', 'twice']),
    target: random.below(15) === 0 ? 'nobody' : 'server',
    /** Done in the same tick. */
    before: random.below(3) === 0 ? echoless(makeActs(random, 3)) : [],
    ...makeSide(random, READS_OF_CLIENT, CONNECTING)
  };
  // Node forgets with each further attempt to connect that a socket was ended before.
  const early = [client.before, client.reactions.lookup, client.reactions.connectionAttempt];
  if (/end|destroy|pipeline|dispose/.test(JSON.stringify(early))) client.host = '127.0.0.1';
  return client;
}

/** How a socket is read, what is heard of it, and what it reacts to. */
function makeSide(random, ways, more) {
  const reactions = {};
  for (let count = random.below(4); count > 0; count--) {
    const acts = makeActs(random, 2);
    reactions[random.pick([...EVENTS, ...more])] = ways === READS ? acts : echoless(acts);
  }
  return {
    reads: random.below(6) === 0 ? null : random.pick(ways),
    hears: random.below(5) > 0,
    reactions
  };
}

function makeActs(random, most) {
  const acts = [];
  for (let count = 1 + random.below(most); count > 0; count--) {
    acts.push(random.pick(BAG));
    if (random.below(6) === 0) acts.push(['wait', random.pick(WAITS)]);
  }
  if (acts.at(-1)[0] === 'wait') acts.pop();
  return acts;
}

function makeStep(random, sides) {
  const who = random.pick(sides);
  const acts = makeActs(random, 4);
  return [who, who.startsWith('client') ? echoless(acts) : acts];
}

/** What both ends send back never ends. */
function echoless(acts) {
  return acts.filter(([name]) => name !== 'pipeSelf');
}

module.exports = { makeScenario };
