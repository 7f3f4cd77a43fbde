// What @types/node leaves out and ferronet builds on: the function that every `require` ends in.

declare module 'module' {
  namespace Module {
    let _load: any;
  }
}

export {};
