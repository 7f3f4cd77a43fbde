'use strict';

// npm's prepack step: a tarball must carry an addon built from exactly these sources.

const { build, isFresh, isUsable, main } = require('./build');

main(() => {
  if (!isFresh() || !isUsable()) build();
});
