// When descriptors run out and peers die: no spinning, no lost server, the errors node gives.
'use strict';

const { NODE, both, report, reported, start, stopAll, subject } = require('../support/child');

afterEach(stopAll);

const FILES = 64;

describe('a server that is out of files', () => {
  test('neither spins nor fails, and accepts again once connections are closed', async () => {
    const server = start('runtime/out-of-files.js', { files: FILES });
    const port = await server.line();
    const crowd = start('peers/crowd.js', { args: [port, 100] });
    await tell(crowd, 'come', 'connected');
    const seen = JSON.parse(await tell(server, 'measure'));
    expect(seen.connections).toBeGreaterThan(10);
    expect(seen.connections).toBeLessThan(FILES);
    expect(seen.errors).toEqual([]);
    // accept() that fails over and over would burn the whole second.
    expect(seen.milliseconds).toBeLessThan(400);
    await tell(crowd, 'leave', 'left');
    await tell(crowd, 'visit', 'answered');
  });

  test('accepts again once other files are closed, which no event of a socket tells', async () => {
    const server = start('runtime/out-of-files.js', { files: FILES });
    const port = await server.line();
    const crowd = start('peers/crowd.js', { args: [port, 3] });
    await tell(server, 'exhaust', '"EMFILE"');
    await tell(crowd, 'come', 'connected');
    const seen = JSON.parse(await tell(server, 'measure'));
    expect(seen.errors).toEqual([]);
    expect(seen.milliseconds).toBeLessThan(400);
    await tell(server, 'release', '"released"');
    await tell(crowd, 'visit', 'answered');
  });

  test('cannot connect either, and says so as node does', async () => {
    const said = [];
    for (const net of [NODE, subject]) {
      const server = start('runtime/out-of-files.js', { net, files: FILES });
      await server.line();
      await tell(server, 'exhaust', '"EMFILE"');
      said.push(JSON.parse(await tell(server, 'connect')));
      await tell(server, 'release', '"released"');
      await tell(server, 'connect', '"connected"');
    }
    const [node, ours] = said;
    expect(node).toEqual({ code: 'EMFILE', syscall: 'connect' });
    expect(ours).toEqual(node);
  });

  test('has no handle at all, and says so where node does', async () => {
    const said = await both('runtime/first-without-files.js', { files: FILES });
    const node = reported(said.node);
    expect(node).toHaveLength(13);
    expect(node.filter((line) => line.includes('EMFILE'))).toHaveLength(5);
    expect(reported(said.ours)).toEqual(node);
  });

  async function tell(child, word, answer) {
    child.send(word);
    const line = await child.line();
    if (answer) expect(line).toBe(answer);
    return line;
  }
});

test('who gets no memory to read into hears ENOBUFS, and nothing spins', async () => {
  const { heard, idle } = await report('runtime/without-memory.js');
  // Node reads into memory that programs do not allocate.
  const node = ['hello', 'hello'];
  const ours = ['client ENOBUFS read', 'hello', 'no memory', 'server ENOBUFS read'];
  expect(heard.sort()).toEqual(subject === NODE ? node : ours);
  expect(idle).toBe(true);
});

describe('a peer that is killed', () => {
  test.each([
    ['read', ['end', 'close false']],
    ['unread', ['error ECONNRESET read', 'close true']]
  ])('with its data %s: is heard as with node', async (unread, expected) => {
    expect(await heard(NODE, unread)).toEqual(expected);
    expect(await heard(subject, unread)).toEqual(expected);
  });

  async function heard(net, unread) {
    const peer = start('peers/peer.js', { args: ['still'] });
    const child = start('runtime/peer-killed.js', { net, args: [await peer.line(), unread] });
    await peer.line();
    expect(await child.line()).toBe('ready');
    await peer.stop('SIGKILL');
    return JSON.parse(await child.line());
  }
});
