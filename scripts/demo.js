'use strict';

// `npm run demo`: plays the examples on the Rust backend, shows what they say and checks every line.
// With `--node` it plays them on Node's own modules.

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const { build, isUsable } = require('./build');
const { bundle } = require('./bundle');
const { Actor, root } = require('./demo/actor');
const scenes = require('./demo/scenes');

const register = path.join(root, 'dist', 'register.js');

async function main(args) {
  const onNode = args.includes('--node');
  if (!onNode) prepare();
  const preload = onNode ? [] : ['-r', register];
  for (const scene of scenes) await play(scene, preload);
  console.log(`${scenes.length} of ${scenes.length} scenes went as they should.`);
}

/** Brings dist/ up to date, builds the addon if none is there, says which modules are Rust, and makes sure they are. */
function prepare() {
  bundle();
  if (!isUsable()) {
    console.log('Building the native addon; this takes a minute or two, once.');
    build();
  }
  const status = Object.entries(require('ferronet').status());
  const of = (whose) => status.filter(([, who]) => who === whose).map(([name]) => name);
  const others = [
    ...of('node').map((name) => `${name} (Node)`),
    ...of('npm').map((name) => `${name} (npm)`)
  ];
  console.log(`Rust: ${of('rust').join(', ')}. Not yet: ${others.join(', ')}.\n`);
  of('rust').forEach(assertReplaced);
}

/** A demo that ran on Node's own module by mistake would look just as good. */
function assertReplaced(name) {
  const script = `console.log(require('${name}') === require('ferronet')['${name}'])`;
  const args = ['-r', register, '-e', script];
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (printed.trim() !== 'true') throw new Error(`under the preload ${name} is not ferronet's`);
}

async function play({ title, play }, preload) {
  const actors = [];
  console.log(title);
  try {
    await play((role, script, ...args) => {
      const actor = new Actor(role, [...preload, path.join('examples', script), ...args]);
      actors.push(actor);
      return actor;
    });
  } finally {
    for (const actor of actors) actor.kill();
  }
  console.log();
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
});
