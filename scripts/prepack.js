'use strict';

// npm's prepack step: a tarball must carry an addon and a dist/ made from exactly these sources.

const { build, isFresh, isUsable, main } = require('./build');
const { bundle } = require('./bundle');

main(() => {
  bundle();
  if (!isFresh() || !isUsable()) build();
});
