// Every sample of the book's notes that uses `net`, unchanged: its outcome under the preload is the one under plain node.
'use strict';

const { NODE, run, stopAll, subject } = require('../support/child');
const { folder, samples } = require('../support/book');
const { pair, play, preload } = require('../support/sample');

afterEach(stopAll);

const UNIX = '/tmp/echo.sock';

/**
 * What each sample is and how it is played, by the name its text has. `before` names what a fragment
 * builds on: the sample that precedes it in the notes, up to the statement the fragment stands for.
 */
const TABLE = {
  '12910e903ff0': {
    what: 'a server on 3000 that greets and answers',
    place: 3000,
    ways: ['visit', 'taken']
  },
  '7bfb1a2baf4a': {
    what: 'a server on 8124 that answers',
    place: 8124,
    ways: ['visit', 'taken']
  },
  '7acbe3a08a2f': {
    what: 'a client of 8124 that mistypes console',
    place: 8124,
    expected: { serve: { error: { name: 'ReferenceError', message: 'conosle is not defined' } } },
    ways: ['serve', 'refused']
  },
  '85f03221bc3b': {
    what: 'a server on 8080 that greets, answers and logs',
    place: 8080,
    ways: ['visit', 'taken']
  },
  c8e465f7c339: {
    what: 'a server on 8080 with a connection listener of its own (fragment)',
    place: 8080,
    before: [{ id: '85f03221bc3b', until: 'const server' }],
    ways: ['visit', 'taken', 'alone']
  },
  '418e8fe4061f': {
    what: 'a server on a Unix socket (fragment)',
    place: UNIX,
    before: [{ id: '85f03221bc3b', until: 'server.listen(' }],
    ways: ['visit', 'taken', 'alone']
  },
  e07ba08f7fe5: {
    what: 'a client of 8080 that logs and ends',
    place: 8080,
    ways: ['serve', 'refused']
  },
  '243e492caa6a': {
    what: 'a client of a Unix socket (fragment)',
    place: UNIX,
    before: [{ id: 'e07ba08f7fe5', until: 'const client' }],
    ways: ['serve', 'refused', 'alone']
  },
  '1ff1dda78839': {
    what: 'a server on 8080 with every event (fragment)',
    place: 8080,
    before: [{ id: 'e07ba08f7fe5', until: 'const client' }],
    ways: ['visit', 'taken', 'alone'],
    // It listens to its server's errors, and does nothing about them.
    expected: { taken: { error: null, end: 0 } }
  },
  '861cad2341dc': {
    what: 'a client of 8080, and every event of a socket (fragment)',
    place: 8080,
    before: [{ id: 'e07ba08f7fe5', until: 'const client' }],
    ways: ['serve', 'refused', 'alone']
  }
};

/** What node itself has to do with a sample in each way, so that no comparison is one of failures. */
const EXPECTED = {
  visit: { error: null, complaint: '', end: 'running until stopped' },
  taken: { error: { fields: { code: "'EADDRINUSE'" }, emitted: 'Server' }, end: 1 },
  serve: { heard: [{ ended: 'end' }] },
  refused: { error: { emitted: 'Socket' }, end: 1 },
  alone: { error: { name: 'ReferenceError' }, end: 1 }
};

/** Samples that talk to each other, as their text says they do. */
const PAIRS = [
  ['7bfb1a2baf4a', '7acbe3a08a2f'],
  ['85f03221bc3b', 'e07ba08f7fe5']
];

const found = samples();

if (found === null) {
  const reason = `the book's notes are not part of this repository, and not at ${folder()}`;
  console.warn(`skipped: ${reason}; FERRONET_BOOK may name another folder`);
  test.skip(`the book's samples (${reason})`, () => {});
} else {
  const texts = new Map(found.map(({ id, code }) => [id, code]));

  test('every sample that uses net is in the table, and nothing else is', () => {
    expect([...texts.keys()].sort()).toEqual(Object.keys(TABLE).sort());
  });

  if (subject !== NODE) {
    test('the preload puts the module under test in the place of net', async () => {
      const script = `
        const ours = require(process.env.FERRONET_TEST_NET);
        console.log(require('net') === ours, require('node:net') === ours);
      `;
      const { stdout } = await run({ script }, { nodeArgs: preload(subject) });
      expect(stdout).toBe('true true\n');
    });
  }

  const rows = Object.entries(TABLE).flatMap(([id, { what, ways }]) =>
    ways.map((way) => [what, way, id])
  );
  test.each(rows)('%s: %s', async (what, way, id) => {
    const { place, expected = EXPECTED } = TABLE[id];
    const code = way === 'alone' ? texts.get(id) : program(id);
    const node = await play(code, { way, place }, NODE);
    expect(node).toMatchObject(expected[way] ?? EXPECTED[way]);
    expect(await play(code, { way, place })).toEqual(node);
  });

  test('listening on the Unix socket after all of the sample before it fails alike', async () => {
    const code = program('c8e465f7c339') + texts.get('418e8fe4061f');
    const node = await play(code, { way: 'alone', place: 8080 }, NODE);
    expect(node.error.label).toBe('ERR_SERVER_ALREADY_LISTEN');
    expect(await play(code, { way: 'alone', place: 8080 })).toEqual(node);
  });

  describe.each(PAIRS)('the server %s and its client %s', (...ids) => {
    const codes = ids.map(program);
    const { place } = TABLE[ids[0]];
    test.each([
      ['both on ours', subject, subject],
      ['the server on ours', subject, NODE],
      ['the client on ours', NODE, subject]
    ])('%s: say what they say on node', async (title, ...implementations) => {
      const node = joined(await pair(codes, place, [NODE, NODE]));
      expect(node.server.stdout).not.toBe('');
      expect(joined(await pair(codes, place, implementations))).toEqual(node);
    });
  });

  /** A sample as a program: what it builds on, then its text. */
  function program(id) {
    const { before = [] } = TABLE[id];
    const pieces = before.map(({ id: other, until }) => {
      const text = texts.get(other) ?? '';
      return text.slice(0, text.indexOf(until));
    });
    return pieces.join('') + texts.get(id);
  }
}

/** Greeting and answer may come to the client in one piece or in two. */
function joined({ server, client }) {
  const stdout = client.stdout.replaceAll(/\n?\[server data\] /g, '');
  return { server, client: { ...client, stdout } };
}
