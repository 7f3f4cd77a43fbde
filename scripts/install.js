'use strict';

// npm's install step: keeps an addon that loads here and is of this version, else builds one. In a
// tarball dist/ is there; in a checkout it is made.

const { build, isUsable, main } = require('./build');
const { bundle } = require('./bundle');

main(() => {
  bundle();
  if (!isUsable()) build();
});
