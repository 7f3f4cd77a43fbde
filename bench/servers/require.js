'use strict';

// Prints how many milliseconds it takes to load the module that the command line names.

const start = process.hrtime.bigint();
require(process.argv[2]);
console.log(Number(process.hrtime.bigint() - start) / 1e6);
