'use strict';

// The fields of a message to send, in the order and case in which they were set. Most messages have a
// handful: those are found by looking at each, many by an index.

/** With more fields than this an index is kept. */
const SCANNED = 16;

/** Names that an object would list first, in the order of their numbers; fields keep to that. */
const INDEX_NAME = /^(?:0|[1-9]\d{0,9})$/;
const INDEX_MAX = 2 ** 32 - 2;

class Fields {
  constructor() {
    /** Names in lower case. */
    this.keys = [];
    /** Names as they were set. */
    this.names = [];
    this.values = [];
    /** Where each key is, once they are many. */
    this.index = null;
  }

  /** @returns {number} where the field is, or -1 */
  find(key) {
    if (this.index !== null) return this.index.get(key) ?? -1;
    const { keys } = this;
    for (let i = 0; i < keys.length; i++) if (keys[i] === key) return i;
    return -1;
  }

  get(key) {
    const at = this.find(key);
    return at < 0 ? undefined : this.values[at];
  }

  /** Sets a field, in the place that it has. */
  set(key, name, value) {
    const at = this.find(key);
    if (at >= 0) {
      this.names[at] = name;
      this.values[at] = value;
    } else if (isIndexName(key)) {
      this.insert(this.placeOf(key), key, name, value);
    } else if (this.keys.length === 0) {
      // The first push() to a list makes room for 17.
      this.keys = [key];
      this.names = [name];
      this.values = [value];
    } else {
      this.keys.push(key);
      this.names.push(name);
      this.values.push(value);
      if (this.index !== null) this.index.set(key, this.keys.length - 1);
      else if (this.keys.length > SCANNED) this.makeIndex();
    }
  }

  delete(key) {
    const at = this.find(key);
    if (at < 0) return;
    this.keys.splice(at, 1);
    this.names.splice(at, 1);
    this.values.splice(at, 1);
    if (this.index !== null) this.makeIndex();
  }

  insert(at, key, name, value) {
    this.keys.splice(at, 0, key);
    this.names.splice(at, 0, name);
    this.values.splice(at, 0, value);
    if (this.index !== null) this.makeIndex();
  }

  /** Where the name of a number belongs. */
  placeOf(key) {
    const { keys } = this;
    let at = 0;
    while (at < keys.length && isIndexName(keys[at]) && Number(keys[at]) < Number(key)) at++;
    return at;
  }

  makeIndex() {
    this.index = new Map();
    this.keys.forEach((key, at) => this.index.set(key, at));
  }
}

function isIndexName(key) {
  const first = key.charCodeAt(0);
  return first < 0x3a && first > 0x2f && INDEX_NAME.test(key) && Number(key) <= INDEX_MAX;
}

module.exports = { Fields };
