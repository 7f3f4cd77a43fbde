'use strict';

// Numbers out of a seed, the same on every machine.

/** A small generator of pseudo-random numbers. */
class Random {
  /** @param {number} seed */
  constructor(seed) {
    this.state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  /** @returns {number} a whole number below `limit` */
  below(limit) {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state % limit;
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}

module.exports = { Random };
