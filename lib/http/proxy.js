'use strict';

// The proxy that an agent's `proxyEnv` names: which requests go through it, and how their first
// line and their connection change (Node's documentation, "Built-in Proxy Support").

const { Buffer } = require('node:buffer');

const { codeError } = require('../internal/errors');
const validate = require('../internal/validate');

class Proxy {
  /** @param {URL} url  @param {string} exceptions what NO_PROXY says */
  constructor(url, exceptions) {
    this.host = url.hostname.replace(/^\[|\]$/g, '');
    this.port = Number(url.port) || 80;
    const user = decodeURIComponent(url.username);
    const password = decodeURIComponent(url.password);
    const credentials = Buffer.from(`${user}:${password}`).toString('base64');
    this.authorization = user || password ? `Basic ${credentials}` : null;
    this.exceptions = exceptions
      .toLowerCase()
      .split(',')
      .map((rule) => rule.trim())
      .filter(Boolean);
  }

  /** @returns {Proxy | null} what an environment says about http: URLs */
  static fromEnv(env) {
    const address = env?.http_proxy || env?.HTTP_PROXY;
    if (!address) return null;
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url === null && /^https?:\/\//.test(address)) {
      throw codeError('ERR_PROXY_INVALID_CONFIG', `Invalid proxy URL: ${hideUser(address)}`);
    }
    if (url?.protocol === 'https:') {
      throw codeError('ERR_PROXY_INVALID_CONFIG', 'A proxy over TLS is not supported');
    }
    // What is no address of a proxy is no proxy, as with Node.
    if (url?.protocol !== 'http:') return null;
    return new Proxy(url, env.no_proxy || env.NO_PROXY || '');
  }

  /** Whether requests to a place go through the proxy. */
  covers({ host: name, port, socketPath }) {
    if (socketPath) return false;
    const lower = String(name).toLowerCase();
    return !this.exceptions.some((rule) => matches(rule, lower, port));
  }

  /** The options of a connection to the proxy instead. */
  reroute(options) {
    return this.covers(options) ? { ...options, host: this.host, port: this.port } : options;
  }

  /**
   * Makes a request's path the proxy's. Path and Host header must not name another place: the proxy
   * may believe either of them. (Node 22 lets them.)
   * @returns {string | undefined} what the Host header is to be, empty for the usual one; undefined
   *   where the proxy is not concerned
   */
  retarget(request, options) {
    if (!this.covers(options)) return undefined;
    const origin = originOf(options);
    if (request.method === 'CONNECT') return '';
    request.path = target(request, origin);
    if (Array.isArray(options.headers)) checkHostIn(options.headers, origin);
    else setHost(request, origin);
    return origin.host;
  }

  /** Adds what is for the proxy only. */
  addFields(request) {
    if (this.authorization !== null) request.setHeader('proxy-authorization', this.authorization);
    request.setHeader('proxy-connection', request.shouldKeepAlive ? 'keep-alive' : 'close');
  }
}

/** The address may hold a password: that is not for messages, as it is in Node's. */
function hideUser(address) {
  return address.replace(/\/\/[^]*@/, '//***@');
}

/** @returns {URL} */
function originOf({ host: name, port }) {
  validate.port(port, 'options.port');
  const origin = new URL(`http://${validate.isIPv6(name) ? `[${name}]` : name}`);
  origin.port = port;
  return origin;
}

/** The first line's second word: a whole URL, unless it is about the server itself. */
function target({ method, path }, { host: authority }) {
  if (method === 'OPTIONS' && path === '*') return path;
  path = String(path);
  if (path.startsWith('/')) return new URL(`http://${authority}${path}`).href;
  const invalid = (reason, value = path) =>
    codeError('ERR_INVALID_ARG_VALUE', 'options.path', value, reason);
  if (!URL.canParse(path)) throw invalid('must be in absolute-form or start with /');
  const url = new URL(path);
  if (url.protocol !== 'http:') {
    throw invalid('must use http: scheme when specified as an absolute URL', url.protocol);
  }
  if (url.username || url.password) {
    // They are not for messages.
    url.username = url.password = '';
    throw invalid('must not contain userinfo, use options.auth instead', url.href);
  }
  if (url.host !== authority) throw invalid(`must match the request authority (${authority})`, url);
  return url.href;
}

/** A Host header in another spelling gets the usual one. */
function setHost(request, { host: authority }) {
  const value = request.getHeader('host');
  if (value === undefined || value === authority) return;
  const [name, ...others] = [value].flat();
  if (others.length > 0 || typeof name !== 'string' || !isHost(name, authority)) {
    throw mismatch(value, authority);
  }
  request.setHeader('Host', authority);
}

function isHost(name, authority) {
  if (/[\s/\\@]/.test(name) || !URL.canParse(`http://${name}`)) return false;
  return new URL(`http://${name}`).host === authority;
}

/** A list of fields is sent as it is, so it must say so itself. */
function checkHostIn(headers, { host: authority }) {
  const fields = Array.isArray(headers[0])
    ? headers
    : headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]]] : []));
  const hosts = fields.filter(([name]) => String(name).toLowerCase() === 'host');
  if (hosts.length > 1) {
    const reason = 'must not contain duplicate Host headers';
    throw codeError('ERR_INVALID_ARG_VALUE', 'options.headers', '(redacted)', reason);
  }
  for (const [, value] of hosts) {
    if (String(value) !== authority) throw mismatch(String(value), authority);
  }
}

function mismatch(value, authority) {
  const reason = `must match the request authority (${authority})`;
  return codeError('ERR_INVALID_ARG_VALUE', 'Host in options.headers', value, reason);
}

/** One word of NO_PROXY: a name, the end of one, an address or a range of them. */
function matches(rule, name, port) {
  if (rule === '*' || rule === name) return true;
  if (rule.startsWith('.')) return name.endsWith(rule) || name === rule.slice(1);
  if (rule.startsWith('*.')) return name.endsWith(rule.slice(1));
  const [first, last, ...more] = rule.split('-');
  if (more.length === 0 && [name, first, last ?? ''].every((word) => validate.isIPv4(word))) {
    return number(first) <= number(name) && number(name) <= number(last);
  }
  // A name may have a port, and is then for that port only.
  return rule === `${validate.isIPv6(name) ? `[${name}]` : name}:${port}`;
}

function number(address) {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

module.exports = { Proxy };
