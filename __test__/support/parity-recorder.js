'use strict';

// Runs one parity program and records what it could observe, as plain data that can be compared.

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const { afterRunning } = require('./patience');

// Far shorter than jest's own limit, so that a hang is reported together with the log so far.
const DEADLINE_MS = 6000;
const DISPOSAL_MS = 2000;

const RECORDED_EVENTS = new Set([
  'close',
  'connect',
  'connection',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'data',
  'drain',
  'drop',
  'end',
  'error',
  'finish',
  'listening',
  'lookup',
  'pause',
  'pipe',
  'ready',
  'resume',
  'timeout',
  'unpipe'
]);

class Context {
  /** @param {{ server: typeof import('node:net'), client: typeof import('node:net') }} roles */
  constructor(roles) {
    this.server = roles.server;
    this.client = roles.client;
    this.net = roles.client;
    this.actors = new Map();
    this.labels = new Map();
    this.open = new Set();
    this.finished = new WeakSet();
    this.directory = null;
  }

  /** Appends one entry to an actor's log. */
  note(actor, ...entries) {
    const log = this.entriesOf(actor);
    for (const entry of entries) log.push(this.plain(entry));
  }

  /** Records every documented event of an emitter without adding listeners that change its mode. */
  watch(actor, emitter, { handleErrors = true, only } = {}) {
    const emit = emitter.emit;
    emitter.emit = (event, ...args) => {
      const recorded = only ? only.includes(event) : RECORDED_EVENTS.has(event);
      if (recorded) this.noteEvent(actor, event, args);
      return emit.call(emitter, event, ...args);
    };
    if (handleErrors) emitter.on('error', ignore);
    return this.track(emitter);
  }

  /** Whatever is tracked is destroyed or closed after the program, however it ended. */
  track(closable) {
    if (this.open.has(closable)) return closable;
    this.open.add(closable);
    // A socket's own `closed` turns true before its 'close' is emitted.
    closable.on('close', () => this.finished.add(closable));
    return closable;
  }

  /** Creates a server of the server role, closed after the program. */
  createServer(...args) {
    const server = this.track(this.server.createServer(...args));
    server.on('connection', (socket) => this.track(socket));
    return server;
  }

  /** Creates a server, listens on loopback and resolves with it once it is listening. */
  async listen(...args) {
    const server = this.createServer(...args);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.label(server.address().port, 'server');
    return server;
  }

  /** Connects a socket of the client role, destroyed after the program. */
  connect(...args) {
    return this.track(this.client.connect(...args));
  }

  /** A connected pair over loopback: `[client, accepted, server]`; extra options go to each side. */
  async pair({ server: serverOptions = {}, client: clientOptions = {}, prepare } = {}) {
    const server = await this.listen(serverOptions);
    const accepting = once(server, 'connection');
    const client = this.connect({
      port: server.address().port,
      host: '127.0.0.1',
      ...clientOptions
    });
    prepare?.(client);
    const [[accepted]] = await Promise.all([accepting, once(client, 'connect')]);
    this.label(client.localPort, 'client');
    return [client, accepted, server];
  }

  /** Replaces an operating-system-chosen number by a name in everything recorded. */
  label(port, name) {
    this.labels.set(port, `<${name}>`);
    return port;
  }

  /** A path for a Unix socket in a directory of this program's own. */
  path(name = 'socket') {
    this.directory ??= fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-'));
    return path.join(this.directory, name);
  }

  /** Plain data for anything: errors field by field, ports and paths by their names. */
  plain(value) {
    // Comparisons of plain data take a missing key for undefined; an explicit one must show.
    if (value === undefined) return '<undefined>';
    if (typeof value === 'string') return this.plainText(value);
    if (typeof value === 'number') return this.labels.get(value) ?? value;
    if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
    if (typeof value === 'function') return `function ${value.name}`;
    if (value === null || typeof value !== 'object') return value;
    if (isError(value)) return this.plainError(value);
    if (ArrayBuffer.isView(value)) return describeBytes(value);
    if (Array.isArray(value)) return value.map((item) => this.plain(item));
    const entries = Object.entries(value).map(([key, item]) => [key, this.plain(item)]);
    return Object.fromEntries(entries);
  }

  /** Resolves once every given emitter has emitted 'close'. */
  async closed(...emitters) {
    for (const emitter of emitters) this.track(emitter);
    await Promise.all(emitters.map((emitter) => this.waitForClose(emitter)));
  }

  /** Resolves once every socket of the program has emitted 'close', the accepted ones included. */
  async allClosed() {
    const sockets = [...this.open].filter((closable) => closable.destroy);
    await this.closed(...sockets);
  }

  log() {
    const finished = {};
    for (const [actor, entries] of this.actors) {
      finished[actor] = entries.map((entry) => (entry instanceof Received ? entry.text() : entry));
    }
    return finished;
  }

  async dispose() {
    for (const closable of this.open) {
      closable.on('error', ignore);
      if (closable.destroy) closable.destroy();
      else closable.close();
    }
    await this.allClosed();
    if (this.directory) fs.rmSync(this.directory, { recursive: true, force: true });
  }

  waitForClose(emitter) {
    if (this.finished.has(emitter)) return Promise.resolve();
    return new Promise((resolve) => {
      emitter.once('close', resolve);
    });
  }

  entriesOf(actor) {
    if (!this.actors.has(actor)) this.actors.set(actor, []);
    return this.actors.get(actor);
  }

  noteEvent(actor, event, args) {
    const log = this.entriesOf(actor);
    if (event === 'data') {
      // How the kernel cuts a byte stream is no part of the contract: adjacent reads are one entry.
      const last = log.at(-1);
      if (last instanceof Received && last.accepts(args[0])) last.chunks.push(args[0]);
      else log.push(new Received(args[0]));
    } else if (event === 'error' || event === 'drop' || event.startsWith('connectionAttempt')) {
      log.push({ event, args: this.plain(args) });
    } else if (event === 'connection' || event === 'pipe' || event === 'unpipe') {
      log.push(event);
    } else {
      log.push([event, ...args.map((arg) => JSON.stringify(this.plain(arg)))].join(' '));
    }
  }

  plainText(text) {
    let result = this.directory ? text.replaceAll(this.directory, '<directory>') : text;
    for (const [port, name] of this.labels) {
      result = result.replace(new RegExp(`(?<![\\d.])${port}(?!\\d)`, 'g'), name);
    }
    // The kernel's own choice of a local port, told only by an error, can have no label.
    return result.replace(/(?<=- Local \(.*:)[1-9]\d{4}(?=\))/, '<ephemeral>');
  }

  plainError(error) {
    const fields = { name: error.name, class: error.constructor.name, message: error.message };
    for (const key of Object.keys(error)) fields[key] = error[key];
    // A local port that was the kernel's own choice has no label, and no meaning to compare.
    if (fields.localPort > 32767 && !this.labels.has(fields.localPort)) {
      fields.localPort = '<ephemeral>';
    }
    if (Array.isArray(error.errors)) fields.errors = error.errors;
    if (error.cause !== undefined) fields.cause = error.cause;
    if (typeof fields.message === 'string') fields.message = this.plainText(fields.message);
    for (const key of Object.keys(fields)) fields[key] = this.plain(fields[key]);
    return fields;
  }
}

/** Adjacent 'data' events of one kind, Buffer or string. */
class Received {
  constructor(chunk) {
    this.chunks = [chunk];
  }

  accepts(chunk) {
    return typeof chunk === typeof this.chunks[0];
  }

  text() {
    if (typeof this.chunks[0] === 'string') return `data(string) ${this.chunks.join('')}`;
    return `data ${describeBytes(Buffer.concat(this.chunks))}`;
  }
}

module.exports = { Context, runProgram, describeBytes };

/** Runs a program and resolves with its return value as plain data, or with the log it left. */
async function runProgram(program, roles) {
  const context = new Context(roles);
  const soFar = () => JSON.stringify(context.log(), null, 1);
  try {
    const result = await within(DEADLINE_MS, 'the program did not finish', soFar, program(context));
    return result === undefined ? context.log() : context.plain(result);
  } finally {
    await within(DISPOSAL_MS, 'destroyed sockets did not close', soFar, context.dispose());
  }
}

async function within(milliseconds, complaint, soFar, promise) {
  let stop;
  const deadline = new Promise((resolve, reject) => {
    stop = afterRunning(milliseconds, () => {
      reject(new Error(`${complaint} in ${milliseconds} ms; the log so far: ${soFar()}`));
    });
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    stop();
  }
}

function describeBytes(view) {
  const buffer = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const text = buffer.toString('latin1');
  if (buffer.length <= 64 && /^[\t\r\n -~]*$/.test(text)) return text;
  const digest = crypto.createHash('sha1').update(buffer).digest('hex').slice(0, 12);
  return `${buffer.length} bytes ${digest}`;
}

function isError(value) {
  return /^\[object (Error|DOMException)\]$/.test(Object.prototype.toString.call(value));
}

function ignore() {}
