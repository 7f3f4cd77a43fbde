'use strict';

// Asks the kernel what options a socket of this process really has, whoever implements the socket: by
// Linux's /proc, and a perl to call getsockopt from.

const fs = require('node:fs');
const { spawnSync } = require('node:child_process');

/** Level, option and, where it is not the first integer of the answer, its byte offset. */
const OPTIONS = {
  keepAlive: [1, 9],
  reuseAddress: [1, 2],
  reusePort: [1, 15],
  noDelay: [6, 1],
  keepIdle: [6, 4],
  keepInterval: [6, 5],
  keepCount: [6, 6],
  // Of a listening socket TCP_INFO's `sacked` is the length of its accept queue.
  backlog: [6, 11, 28],
  typeOfService: [0, 1],
  ipv6Only: [41, 26]
};

const LISTEN = '0A';

module.exports = { optionsOf };

/**
 * The named options of each of several TCP sockets or listening servers, all in one question, since
 * every question costs a process.
 * @param {(import('node:net').Socket | import('node:net').Server)[]} sockets
 * @param {(keyof OPTIONS)[]} names
 * @returns {Record<string, number>[]}
 */
function optionsOf(sockets, names) {
  const script = `
    my ($sockets, @queries) = @ARGV;
    for my $number (3 .. 2 + $sockets) {
      open(my $socket, '+<&=', $number) or die $!;
      my @answers = map {
        my ($level, $option, $offset) = split /,/;
        my $answer = getsockopt($socket, $level, $option);
        defined $answer ? unpack('x' . ($offset || 0) . ' L', $answer . "\\0" x 4) : 'none';
      } @queries;
      print "@answers\\n";
    }`;
  // The children inherit the sockets themselves, as their numbers 3 and up.
  const { error, stdout, stderr } = spawnSync(
    'perl',
    ['-e', script, String(sockets.length), ...names.map((name) => String(OPTIONS[name]))],
    {
      stdio: ['ignore', 'pipe', 'pipe', ...sockets.map((socket) => findDescriptor(socket))],
      encoding: 'utf8'
    }
  );
  if (error) throw error;
  if (stderr) throw new Error(`perl could not ask: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const answers = line.split(' ').map(Number);
      return Object.fromEntries(names.map((name, index) => [name, answers[index]]));
    });
}

function findDescriptor(socket) {
  const { localPort, remotePort } = socket;
  const matches = socket.listening
    ? (row) => row.local === socket.address().port && row.state === LISTEN
    : (row) => row.local === localPort && row.remote === remotePort;
  const inodes = ['tcp', 'tcp6'].flatMap((table) => rows(table).filter(matches));
  const links = new Set(inodes.map(({ inode }) => `socket:[${inode}]`));
  for (const descriptor of fs.readdirSync('/proc/self/fd')) {
    if (links.has(readLink(`/proc/self/fd/${descriptor}`))) return Number(descriptor);
  }
  throw new Error('this process has no such socket');
}

function rows(table) {
  const lines = fs.readFileSync(`/proc/self/net/${table}`, 'latin1').trim().split('\n').slice(1);
  return lines.map((line) => {
    const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
    return { local: portOf(local), remote: portOf(remote), state, inode };
  });
}

function portOf(address) {
  return Number.parseInt(address.split(':')[1], 16);
}

function readLink(path) {
  try {
    return fs.readlinkSync(path);
  } catch {
    // Descriptors come and go while the folder is read, this reading's own first of all.
    return null;
  }
}
