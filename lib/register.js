'use strict';

// The preload (`node -r ferronet/register`): from here on the names of the built modules mean
// ferronet's, however a program asks for them. Node's internals, which never ask by name, keep theirs.
//
// It needs `module.register()`: Node 20.6 or later. What Node leaves out of reach: before 22.15 (no
// `module.registerHooks`) the imports of an ES module that was loaded by `require()`, and with `--import`
// alone a `new Worker(code, { eval: true })`.

const Module = require('node:module');
const process = require('node:process');
const { pathToFileURL } = require('node:url');

const { kOwn } = require('./internal/host');
const { replaced } = require('./internal/modules');

if (Module.register === undefined) {
  throw new Error(
    `ferronet/register needs Node 20.6 or later, this is ${process.version}: ` +
      "imports would get Node's own modules. require('ferronet/net') and the like work here."
  );
}

/** Whose PerformanceObserver is to be ours; loaded when somebody asks, as all of them. */
const perfHooks = require.resolve('./perf-hooks');
const observing = ['perf_hooks', 'node:perf_hooks'];
/** What starts processes, to which our sockets and servers can be sent. */
const spawning = ['child_process', 'node:child_process', 'cluster', 'node:cluster'];
const files = new Map(replaced);
for (const name of observing) files.set(name, perfHooks);

// A second copy of the package may be preloaded as well; the first one has the names.
if (Module._load[kOwn] === undefined) {
  replaceForRequire();
  replaceForGetBuiltinModule();
  replaceForImport();
  replaceGlobalObserver();
  addActiveResources();
  // The process that has started this one may send some.
  if (process.send !== undefined) require('./ipc/channel').join(process);
}

/** `require`, `module.require`, `module.createRequire()`: they all end in this one function. */
function replaceForRequire() {
  const load = Module._load;
  Module._load = function _load(request, parent, isMain) {
    const file = files.get(request);
    if (file !== undefined) return require(file);
    if (spawning.includes(request)) require('./ipc/spawn');
    return load.call(this, request, parent, isMain);
  };
  Module._load[kOwn] = load;
}

function replaceForGetBuiltinModule() {
  const own = process.getBuiltinModule; // from Node 20.16 on
  if (own === undefined) return;
  process.getBuiltinModule = function getBuiltinModule(id) {
    const file = files.get(id);
    if (file !== undefined) return require(file);
    if (spawning.includes(id)) require('./ipc/spawn');
    return own(id);
  };
}

/** `import` in all its forms. The hooks on Node's own thread cost nothing; older Nodes have only a thread of their own. */
function replaceForImport() {
  const urls = new Map([...replaced].map(([name, file]) => [name, pathToFileURL(file).href]));
  if (Module.registerHooks === undefined) {
    const parentURL = pathToFileURL(__filename);
    Module.register('./internal/import-hooks.mjs', { parentURL, data: urls });
    // That thread could not tell when they are asked for.
    require(perfHooks);
    require('./ipc/spawn');
    return;
  }
  Module.registerHooks({
    resolve(specifier, context, nextResolve) {
      if (observing.includes(specifier)) require(perfHooks);
      if (spawning.includes(specifier)) require('./ipc/spawn');
      const url = urls.get(specifier);
      // `require.resolve('net')` passes here too, and stays 'net'.
      if (url === undefined || !context.conditions.includes('import')) {
        return nextResolve(specifier, context);
      }
      return { url, format: 'commonjs', shortCircuit: true };
    }
  });
}

/** The global, until somebody sees or sets it. */
function replaceGlobalObserver() {
  const define = (value) => {
    const writable = { configurable: true, enumerable: false, value, writable: true };
    Object.defineProperty(globalThis, 'PerformanceObserver', writable);
    return value;
  };
  Object.defineProperty(globalThis, 'PerformanceObserver', {
    configurable: true,
    enumerable: false,
    get: () => define(require(perfHooks).PerformanceObserver),
    set: define
  });
}

/** Node lists its own only. */
function addActiveResources() {
  const own = process.getActiveResourcesInfo;
  process.getActiveResourcesInfo = function getActiveResourcesInfo() {
    return [...require('./internal/active-resources').activeResources(), ...own()];
  };
}
