'use strict';

// isIP() and its kin are this package's own: what they say of any text must be what Node says.

const { node, parity } = require('../support/parity');

const PARTS = [
  ...[
    '0',
    '1',
    '01',
    '255',
    '256',
    '1.2.3.4',
    '1.2.3.04',
    '.',
    '1.2.3',
    'ffff',
    'ABCD',
    'g',
    'fe80'
  ],
  ...[':', '::', '::1', '1:2:3:4:5:6', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8', '%', '%1', '%eth0.5'],
  ...['%_', ' ', '\n', '-', '']
];
const OTHERS = [undefined, null, 1, 127.1, true, {}, [], ['1.2.3.4'], { toString: () => '::1' }];

/** Every text of up to three parts, and addresses of up to nine groups with gaps and zones. */
function* texts() {
  for (const a of PARTS) for (const b of PARTS) for (const c of PARTS) yield a + b + c;
  for (let gaps = 0; gaps < 512; gaps += 1) {
    for (const end of ['', '1.2.3.4', '%zone', ':', '300.1.1.1']) {
      for (let length = 1; length <= 9; length += 1) {
        const groups = Array.from({ length }, (_, index) => ((gaps >> index) & 1 ? '' : 'a1'));
        yield groups.join(':') + end;
        yield [...groups, end].join(':');
      }
    }
  }
}

describe('isIP', () => {
  parity('says of every text what Node says', ({ net }) => {
    const wrong = [];
    let addresses = 0;
    for (const text of texts()) {
      const family = node.net.isIP(text);
      if (family !== 0) addresses += 1;
      if (net.isIP(text) !== family) wrong.push(text);
      if (net.isIPv4(text) !== (family === 4)) wrong.push(text);
      if (net.isIPv6(text) !== (family === 6)) wrong.push(text);
    }
    expect(wrong).toEqual([]);
    expect(addresses).toBeGreaterThan(1000);
  });

  parity('says of what is no text what Node says', ({ net }) => {
    const said = OTHERS.map((value) => [net.isIP(value), net.isIPv4(value), net.isIPv6(value)]);
    expect(said).toEqual(
      OTHERS.map((value) => [node.net.isIP(value), node.net.isIPv4(value), node.net.isIPv6(value)])
    );
    expect(() => net.isIP(Symbol('no text'))).toThrow('Cannot convert a Symbol value to a string');
  });
});
