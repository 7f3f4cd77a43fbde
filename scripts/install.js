'use strict';

// npm's install step: keeps an addon that loads here and is of this version, else builds one.

const { build, isUsable, main } = require('./build');

main(() => {
  if (!isUsable()) build();
});
