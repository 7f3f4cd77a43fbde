// The preload's `import` half on Nodes without `module.registerHooks`; runs on the hooks' own thread.

/** @type {Map<string, string>} specifier -> URL */
let urls;

export function initialize(data) {
  urls = data;
}

export function resolve(specifier, context, nextResolve) {
  const url = urls.get(specifier);
  if (url === undefined) return nextResolve(specifier, context);
  return { url, format: 'commonjs', shortCircuit: true };
}
