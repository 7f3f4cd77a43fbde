#!/usr/bin/env node
// Says of each of Node core's net, dgram, http, https and tls tests whether a drop-in replacement
// could pass it, and if not why: by the rules below, corrected by the hand-checked classes.json.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const modules = ['net', 'dgram', 'http', 'https', 'tls'];

const filePattern = new RegExp(`^test-(${modules.join('|')})(-.*)?\\.m?js$`);

// The first rule that matches a test's source, comments removed but for its flags, gives its class.
const rules = [
  [
    'handle-passing',
    'shares or sends server handles between processes',
    /require\('(node:)?cluster'\)/
  ],
  [
    'cli',
    'is about a Node option that configures the core modules',
    /--(insecure-http-parser|max-http-header-size|tls-(min|max|keylog|cipher-list)|trace-tls|(no-)?network-family|test-udp|use-[a-z]+-ca|use-env-proxy|http-parser)|NODE_(EXTRA_CA_CERTS|USE_ENV_PROXY|USE_SYSTEM_CA)/
  ],
  [
    'openssl-only',
    'TLS 1.0 or 1.1',
    /TLSv1(_1)?_(client_|server_)?method|'TLSv1(\.1)?'|'-tls1(_1)?'/
  ],
  ['openssl-only', 'pre-shared keys', /pskCallback/],
  ['openssl-only', 'finite-field Diffie-Hellman', /loadDHParam|minDHSize/],
  ['openssl-only', 'renegotiation', /\.renegotiate\(|disableRenegotiation/],
  [
    'openssl-only',
    'RSA key exchange or CBC ciphers',
    /[':]AES(128|256)-|ECDHE-(RSA|ECDSA)-AES\d+-SHA|RC4-|NULL-SHA|AES_128_CCM/
  ],
  [
    'internal',
    "reaches into core's internals",
    /--expose[-_]internals|internalBinding|process\.binding\(|require\('internal\//
  ],
  ['internal', 'uses underscored core modules', /require\('_(http|tls|stream)_/],
  [
    'internal',
    'uses native handles',
    /\._handle\b|\.ssl\.|\.context\.\w|_sharedCreds|new net\.Socket\(\{\s*handle\b/
  ]
];

// The first pattern that matches a test's name, less "test-" and the extension, gives its topic.
const topics = {
  dgram: {
    'dgram-multicast': /multicast|membership|setTTL|setBroadcast|ipv6only|link-local/,
    'dgram-send': /send|msgsize|error-message/,
    'dgram-bind': /bind|listen|address|lookup|cluster/,
    'dgram-socket': /./
  },
  http: {
    'http-upgrade': /upgrade|http-connect|after-connect|unconsume|http-proxy/,
    'http-agent': /agent|max-?sockets|addrequest|client-race|freed?$/,
    'http-timeouts': /timeout/,
    'http-keepalive': /keep-?alive|persists/,
    'http-pipelining': /pipelin/,
    'http-client-abort':
      /abort|spurious|destroyed-socket|client-(close|agent|res-destroyed|incomingmessage-destroy)/,
    'http-parser-errors':
      /pars|malformed|smuggling|invalid-te|reject-c|overflow|badrequest|separator|max-header|chunk-ext|client-error|obstext|owstext|non-utf8|error-rawbytes|transfer-encoding|content-length|max-http-headers/i,
    'http-headers':
      /header|cookie|status|early-hints|information|http-date|trailer|expect|validat|auth|set-/,
    'http-outgoing':
      /outgoing|write|response|http-res-|-end-|cork|chunked|highwatermark|byteswritten|zero-?length|flush|head-|hex|dump|drain/,
    'http-server': /server|listening|http-bind|unix-socket|localaddress|conn-reset|socket/,
    'http-client': /client|request|url|get|host|method|path|dns|autoselect|connection/,
    'http-messages': /./
  },
  https: {
    'https-agent': /agent/,
    'https-timeouts': /timeout/,
    'https-tls':
      /reject|check|strict|pfx|foafssl|signed|resume|session|renegotiation|options-boolean|argument/,
    'https-http': /./
  },
  net: {
    'net-autoselectfamily': /autoselect|better-error/,
    'net-server': /server|listen|net-bind|eaddrinuse|shared|client-bind/,
    'net-timeouts': /timeout|keep-?alive|nodelay|unref/,
    'net-connect': /connect|dns|lookup|local-?port|local-?address|local-?error|options|econn|pipe/,
    'net-close': /end|close|destroy|reset|half-?open|error|halfopen/,
    'net-write': /writ|cork|buffer|bytes|stream|throttle|large|binary|response|pingpong|pause/,
    'net-address': /address|isip/,
    'net-socket': /./
  },
  tls: {
    'tls-session': /session|ticket|resume|keylog|finished|exportkeying/,
    'tls-alpn-sni': /alpn|sni|servername|setkeycert|add-context|usage-order/,
    'tls-verify':
      /verify|check-|auth|reject|ocsp|whitelist|root-cert|addca|-ca(s|-)|chain|peer-cert|getcert|cert-|strict|friendly|default-options/,
    'tls-handshake-errors':
      /alert|handshake|junk|hello-|econnreset|close-error|attach-error|failed|write-error|mismatch/,
    'tls-versions-ciphers':
      /version|cipher|sslv|psk|dh|SECLEVEL|renegotiation|sigalgs|getprotocol|ephemeral|cli-/,
    'tls-context':
      /option|context|key|pfx|passphrase|multi|validation|engine|env-|secure|legacy|trace|deprecat/,
    'tls-duplex':
      /stream|inception|wrap|given-socket|starttls|tunnel|attach|from-socket|empty-socket|js-|socket-keepalive/,
    'tls-io': /./
  }
};

/**
 * Lists a tree's tests: {name, file, module, topic, class, why, source}. `native` are the statuses
 * of plain Node: an applicable test that does not pass there is about the environment.
 */
export function classifyTree(tree, native = {}) {
  const checked = new Map(handChecked(new URL('classes.json', import.meta.url)));
  return ['parallel', 'sequential'].flatMap((folder) => {
    const dir = path.join(tree, 'test', folder);
    return fs
      .readdirSync(dir)
      .sort()
      .filter(moduleOf)
      .map((base) => {
        const file = path.join(dir, base);
        const source = fs.readFileSync(file, 'utf8');
        const module = moduleOf(base);
        const name = `${folder}/${base}`;
        let [kind, why] = checked.get(base) ?? byRule(source);
        if (kind === 'applicable' && (native[name] ?? 'pass') !== 'pass') {
          [kind, why] = ['environment', 'does not pass under plain Node'];
        }
        return { name, file, module, topic: topicOf(module, base), class: kind, why, source };
      });
  });
}

/** The module that a test's file name is about, if it is one of ours. */
export function moduleOf(name) {
  return path.basename(name).match(filePattern)?.[1];
}

function byRule(source) {
  const code = source.replace(/^\s*\/\/(?! Flags:).*$/gm, '');
  return rules.find(([, , pattern]) => pattern.test(code)) ?? ['applicable', ''];
}

function topicOf(module, base) {
  const name = base.replace(/^test-|\.m?js$/g, '');
  return Object.entries(topics[module]).find(([, pattern]) => pattern.test(name))[0];
}

/** The entries of a hand-checked list, {class: {test: reason}}, as [test, [class, reason]]. */
function handChecked(file) {
  const list = JSON.parse(fs.readFileSync(file, 'utf8'));
  return Object.entries(list).flatMap(([kind, tests]) =>
    Object.entries(tests).map(([base, why]) => [base, [kind, why]])
  );
}

function main() {
  const { values } = parseArgs({
    options: {
      class: { type: 'string' },
      tree: { type: 'string' }
    }
  });
  if (!values.tree) {
    console.error('usage: classify.mjs --tree DIR [--class CLASS]');
    process.exit(2);
  }
  const native = JSON.parse(
    fs.readFileSync(new URL('baselines/node.json', import.meta.url), 'utf8')
  );
  const tests = classifyTree(values.tree, native.tests);
  if (values.class) {
    const named = tests.filter((test) => test.class === values.class);
    for (const test of named) console.log(`${test.name}\t${test.why || test.topic}`);
    return;
  }
  const count = (list, key) =>
    Object.fromEntries(
      [...new Set(list.map((test) => test[key]))]
        .sort()
        .map((value) => [value, list.filter((test) => test[key] === value).length])
    );
  console.table(
    Object.fromEntries(
      modules.map((module) => [
        module,
        count(
          tests.filter((test) => test.module === module),
          'class'
        )
      ])
    )
  );
  console.table(
    count(
      tests.filter((test) => test.class === 'applicable'),
      'topic'
    )
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
