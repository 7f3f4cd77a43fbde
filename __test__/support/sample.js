// Plays a sample program against a generic peer, under plain node or under the preload, and sums up what came of it.
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const { NODE, start, subject } = require('./child');

const GREETING = 'from the peer';
// A peer that has heard nothing for so long has heard all that comes.
const QUIET = 300;
const LIMIT = 10_000;

/** node's arguments for a program on the implementation under test: none at all for Node itself. */
function preload(implementation) {
  if (implementation === NODE) return [];
  return ['-r', path.join(path.dirname(implementation), '..', 'register.js')];
}

/**
 * Runs `code` as a program of its own in the way named.
 * @param {string} code
 * @param {{ way: 'visit' | 'taken' | 'serve' | 'refused' | 'alone', place?: number | string }} play
 * @param {string} [implementation]
 */
async function play(code, { way, place }, implementation = subject) {
  if (place !== undefined) await free(place);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'sample-'));
  const file = path.join(directory, 'sample.js');
  fs.writeFileSync(file, code);
  const begin = () =>
    start(file, { nodeArgs: preload(implementation), cwd: directory, limit: LIMIT });
  try {
    return await ways[way](begin, place);
  } finally {
    fs.rmSync(directory, { recursive: true });
    // A server that is killed leaves its socket file; only the sample can have made it, see free().
    if (typeof place === 'string') fs.rmSync(place, { force: true });
  }
}

/** What two programs say that talk to each other: the server is begun first and ended last. */
async function pair(codes, place, implementations) {
  await free(place);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pair-'));
  const files = codes.map((code, i) => path.join(directory, `sample-${i}.js`));
  files.forEach((file, i) => fs.writeFileSync(file, codes[i]));
  const begin = (i) =>
    start(files[i], {
      nodeArgs: preload(implementations[i]),
      cwd: directory,
      limit: LIMIT
    });
  try {
    const server = begin(0);
    await server.line();
    const client = outcome(await begin(1).result);
    await server.line();
    return { server: outcome(await server.stop(), true), client };
  } finally {
    fs.rmSync(directory, { recursive: true });
    if (typeof place === 'string') fs.rmSync(place, { force: true });
  }
}

module.exports = { pair, play, preload };

const ways = {
  /** The sample is a server: two visitors, one after the other, and then its end. */
  async visit(begin, place) {
    const program = begin();
    const heard = [await visit(place, program), await visit(place, program)];
    return { ...outcome(await program.stop(), true), heard };
  },

  /** The sample is a server, and its place is taken. */
  async taken(begin, place) {
    const occupant = await listen(place, (socket) => socket.destroy());
    const result = await settle(begin());
    await close(occupant);
    return outcome(result.result, result.stopped);
  },

  /** The sample is a client of a peer that answers the first it hears. */
  async serve(begin, place) {
    const heard = [];
    const peer = await listen(place, (socket) => attend(socket, heard));
    const { result, stopped } = await settle(begin());
    await close(peer);
    return { ...outcome(result, stopped), heard };
  },

  /** The sample is a client, and nobody is there. */
  async refused(begin) {
    const { result, stopped } = await settle(begin());
    return outcome(result, stopped);
  },

  /** A fragment as it stands, with nothing before it. */
  async alone(begin) {
    return outcome(await begin().result);
  }
};

/** Comes as soon as the server is there, says something, ends, and notes all it hears. */
function visit(place, program) {
  let ended = false;
  program.result.then(() => {
    ended = true;
  });
  const deadline = Date.now() + LIMIT;
  return new Promise((resolve, reject) => {
    (function attempt() {
      const heard = { text: '', ended: 'no' };
      let quiet;
      const socket = net.connect(address(place), () => {
        quiet = setTimeout(() => socket.destroy(), QUIET);
        socket.end(GREETING);
      });
      socket.setEncoding('utf8').on('data', (text) => {
        heard.text += text;
        quiet.refresh();
      });
      socket.on('end', () => {
        heard.ended = 'end';
      });
      socket.on('error', (error) => {
        const absent = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
        if (absent && !ended && Date.now() < deadline) setTimeout(attempt, 20);
        else if (absent) reject(new Error(`the sample did not begin to listen on ${place}`));
        else heard.ended = error.code;
      });
      socket.on('close', () => {
        if (quiet === undefined) return;
        clearTimeout(quiet);
        resolve(heard);
      });
    })();
  });
}

/** The generic server: answers the first data once; ends what stays silent. */
function attend(socket, log) {
  const heard = { text: '', ended: 'no' };
  log.push(heard);
  const quiet = setTimeout(() => socket.end(), QUIET);
  socket.setEncoding('utf8').on('data', (text) => {
    if (heard.text === '') socket.write(GREETING);
    heard.text += text;
    quiet.refresh();
  });
  socket.on('end', () => {
    heard.ended = 'end';
  });
  socket.on('error', (error) => {
    heard.ended = error.code;
  });
  socket.on('close', () => clearTimeout(quiet));
}

/** The end of a program that should end by itself; one that does not is stopped, and that is told. */
async function settle(program) {
  const patience = new Promise((resolve) => setTimeout(resolve, 6 * QUIET, null).unref());
  const ended = await Promise.race([program.result, patience]);
  return ended
    ? { result: ended, stopped: false }
    : { result: await program.stop(), stopped: true };
}

/** What counts about a program's run: its words, its error's kind, its end; no paths, no stacks. */
function outcome({ code, signal, stdout, stderr }, stopped = false) {
  const [, name, label, message] =
    /^(?:Uncaught )?(\w*Error)(?: \[(\w+)\])?(?:: (.*))?$/m.exec(stderr) ?? [];
  const fields = {};
  for (const field of ['errno', 'code', 'syscall', 'address', 'port']) {
    const found = new RegExp(`^ {2,4}(?:\\[?${field}\\]?): (.*?),?$`, 'm').exec(stderr);
    if (found) fields[field] = found[1];
  }
  const emitted = /Emitted 'error' event on (\w+) instance/.exec(stderr)?.[1] ?? null;
  const error = name ? { name, label, message, fields, emitted } : null;
  // Something on stderr that is no error would be lost otherwise.
  const complaint = error === null ? stderr : '';
  return { stdout, error, complaint, end: stopped ? 'running until stopped' : (code ?? signal) };
}

/** Makes sure that the sample's fixed place is its own, or says clearly why it is not. */
async function free(place) {
  const error = await new Promise((resolve) => {
    const probe = net.createServer();
    probe.on('error', resolve);
    probe.listen(place, () => probe.close(() => resolve(null)));
  });
  if (error === null) return;
  if (typeof place === 'string' && (await abandoned(place))) fs.rmSync(place);
  else throw new Error(`the sample needs ${place}, which another program uses: ${error.code}`);
}

/** Whether a socket file has nobody behind it: a run that was cut off leaves one. */
function abandoned(file) {
  return new Promise((resolve) => {
    const probe = net.connect(file, () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error) => resolve(error.code === 'ECONNREFUSED'));
  });
}

function listen(place, onConnection) {
  return new Promise((resolve, reject) => {
    const server = net.createServer(onConnection);
    server.on('error', reject);
    server.listen(place, () => resolve(server));
  });
}

function close(server) {
  return new Promise((resolve) => server.close(resolve));
}

function address(place) {
  return typeof place === 'string' ? { path: place } : { port: place, host: '127.0.0.1' };
}
