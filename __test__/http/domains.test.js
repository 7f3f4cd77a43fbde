'use strict';

// Messages belong to the domain in which they were made, as with node:http, whichever was loaded first.

const path = require('node:path');

const { report } = require('../support/child');

const ours = path.join(__dirname, '../../dist/http');

/** What a program sees of a message's domain, and of what it has of its own before anybody listens. */
function program(http, order) {
  const [first, second] = order.map((name) =>
    name === 'http' ? `http = require(${JSON.stringify(http)});` : `domain = require('domain');`
  );
  return `
    let http, domain;
    ${first}
    ${second}
    const own = () => {
      const message = new http.OutgoingMessage();
      return [message.domain === active, message.listenerCount('x'), message._events?.x === undefined];
    };
    const active = domain.create();
    const outside = own();
    const inside = active.run(own);
    const failed = [];
    active.on('error', (error) => failed.push(error.message));
    active.run(() => new http.OutgoingMessage()).emit('error', new Error('of a message'));
    console.log(JSON.stringify({ outside, inside, failed }));
  `;
}

describe.each([[['http', 'domain']], [['domain', 'http']]])('%j', (order) => {
  test('a message is in the domain in which it was made', async () => {
    const expected = {
      outside: [false, 0, true],
      inside: [true, 0, true],
      failed: ['of a message']
    };
    expect(await report({ script: program('node:http', order) })).toEqual(expected);
    expect(await report({ script: program(ours, order) })).toEqual(expected);
  });
});

test('a message that nobody listens to has no list of listeners', () => {
  const http = require('../../dist/http');
  const message = new http.OutgoingMessage();
  expect(Object.keys(message)).not.toContain('_events');
  message.on('finish', () => {});
  expect(message.eventNames()).toEqual(['finish']);
  expect(new http.OutgoingMessage().eventNames()).toEqual([]);
});
