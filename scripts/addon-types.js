'use strict';

// Writes lib/internal/addon.d.ts, what the addon exports, as napi-derive tells it while it compiles:
// so `tsc` compares every call in lib/ with the command it calls. `--check` only compares.

const fs = require('node:fs');
const path = require('node:path');

const { root } = require('../lib/internal/addon-file');
const { execute } = require('./tally');

const FILE = path.join('lib', 'internal', 'addon.d.ts');
const HEADER = `// What src/binding exports to lib/internal; written by \`npm run addon-types\`.

export type HandleId = number;
`;
/** Words that can name a parameter in Rust but not here. */
const RESERVED = /(?<=[(,] ?)(case|class|default|delete|function|in|new|switch|this|with)(?=\??:)/g;

/** One JSON object a line, in the order of the sources. */
function definitions() {
  const folder = path.join(root, 'target', 'addon-types');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const env = {
    ...process.env,
    NAPI_TYPE_DEF_TMP_FOLDER: folder,
    // The macros only tell when they run, so an up-to-date build has to be done again.
    NAPI_FORCE_BUILD_FERRONET: String(Date.now())
  };
  const args = ['check', '--quiet', '--locked', '--lib', '--features', 'napi-derive/type-def'];
  const { status } = execute('cargo', args, { env });
  if (status !== 0) throw new Error('`cargo check` failed, see above');
  const text = fs.readFileSync(path.join(folder, 'ferronet'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** @param {{ kind: string, name: string, js_doc: string, def: string }[]} all */
function render(all) {
  const members = new Map();
  for (const { kind, name, def } of all) {
    if (kind === 'impl') members.set(name, `${members.get(name) ?? ''}${def}\n`);
  }
  const blocks = all
    .filter(({ kind }) => kind !== 'impl')
    .map(({ kind, name, js_doc: doc, def }) => {
      switch (kind) {
        case 'fn':
          return `${doc}export ${def};\n`;
        case 'interface':
          return `${doc}export interface ${name} {\n${def}\n}\n`;
        case 'struct':
          return `${doc}export class ${name} {\n${def}\n${members.get(name) ?? ''}}\n`;
        default:
          throw new Error(`no TypeScript is known for a napi ${kind}: ${name}`);
      }
    });
  return [HEADER, ...blocks].join('\n').replace(RESERVED, '$1_');
}

async function main() {
  const prettier = await import('prettier');
  const options = await prettier.resolveConfig(path.join(root, FILE));
  const text = await prettier.format(render(definitions()), { ...options, filepath: FILE });
  const file = path.join(root, FILE);
  if (!process.argv.includes('--check')) {
    fs.writeFileSync(file, text);
  } else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
    throw new Error(`${FILE} is not what src/binding exports: run \`npm run addon-types\``);
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
