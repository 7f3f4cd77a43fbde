'use strict';

// The proxy that an agent's `proxyEnv` names: which requests go through it, and how their first
// line and their connection change (Node's documentation, "Built-in Proxy Support").

const { codeError } = require('../internal/errors');
const { net: host } = require('../internal/host');

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
      .split(/[\s,]+/)
      .filter(Boolean);
  }

  /** @returns {Proxy | null} what an environment says about http: URLs */
  static fromEnv(env) {
    const address = env?.http_proxy || env?.HTTP_PROXY;
    if (!address) return null;
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url?.protocol === 'https:') {
      // The address may hold a password: it is not for messages.
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

  /** Tells the proxy, in the request's head, where the request goes. */
  rewrite(request, options) {
    if (!this.covers(options)) return;
    const before = request.path;
    request.path = absolute(options, before);
    const fields = [['proxy-connection', request.shouldKeepAlive ? 'keep-alive' : 'close']];
    if (this.authorization !== null) fields.unshift(['proxy-authorization', this.authorization]);
    if (request._header) {
      const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const [line] = request._header.split('\r\n', 1);
      const rest = request._header.slice(line.length, -2);
      request._header = `${request.method} ${request.path} HTTP/1.1${rest}${lines}\r\n`;
    } else {
      for (const [name, value] of fields) request.setHeader(name, value);
    }
  }
}

function absolute({ host: name, port }, path) {
  const bracketed = host.isIPv6(name) ? `[${name}]` : name;
  return `http://${bracketed}${Number(port) === 80 ? '' : `:${port}`}${path}`;
}

/** One word of NO_PROXY: a name, the end of one, an address, a range of them, each with a port. */
function matches(rule, name, port) {
  if (rule === '*') return true;
  const [, place, only] = /^(.*?)(?::(\d+))?$/.exec(host.isIPv6(rule) ? `${rule}` : rule);
  if (only !== undefined && !host.isIPv6(rule) && Number(only) !== Number(port)) return false;
  if (place.startsWith('*.')) return name.endsWith(place.slice(1));
  if (place.startsWith('.')) return name.endsWith(place);
  const [first, last] = place.split('-');
  if (host.isIPv4(name) && host.isIPv4(first) && host.isIPv4(last ?? '')) {
    return number(first) <= number(name) && number(name) <= number(last);
  }
  return name === place || name === rule;
}

function number(address) {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

module.exports = { Proxy };
