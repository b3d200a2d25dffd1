/**
 * Texts as rows 0, 1, 2, ... in the order in which they came, in a few flat arrays.
 *
 * A Map of strings takes 90 bytes for an address, and V8 lets as much again pile up before it collects; a dozen full
 * tables were two thirds of the memory of a run. Here it is half, outside of the heap, and nothing is left of a longer
 * text that a key was cut out of.
 */
import { text } from '../records/text.ts';

/** So many bytes of text a key may take, taken over all keys of a table; more is no mail. */
const BYTES_PER_KEY = 256;
/** What short tables may hold all the same. */
const LEAST_BYTES = 1 << 20;
const FIRST_SLOTS = 16;
/** Of the slots, so many are used at the most: 4 of 5. */
const FULL = 0.8;

/** Slots are found by hashes that begin with it, so that nobody can write a log whose keys meet in one slot. */
const SEED = Math.trunc(Math.random() * 0x7fffffff);

const NO_SLOTS = new Int32Array(2);
const NO_ENDS = new Uint32Array(0);
const NO_BYTES = Buffer.alloc(0);

/** The text that is looked for, as UTF-8: the first `sought` bytes. */
let scratch = Buffer.alloc(4096);
let sought = 0;
let hash = 0;

function seek(key: string): void {
  const { length } = key;
  if (length * 3 > scratch.length) scratch = Buffer.alloc(length * 3);
  let h = SEED ^ length;
  for (let i = 0; i < length; i += 1) {
    const c = key.charCodeAt(i);
    if (c > 0x7f) {
      seekBytes(scratch, 0, scratch.write(key));
      return;
    }
    scratch[i] = c;
    h = Math.imul(h ^ c, 0x5bd1e995);
    h ^= h >>> 15;
  }
  sought = length;
  hash = h;
}

/** The same for bytes, which are in scratch already or are put there. */
function seekBytes(bytes: Uint8Array, from: number, to: number): void {
  const length = to - from;
  if (length > scratch.length) scratch = Buffer.alloc(length);
  let h = SEED ^ length;
  for (let i = 0; i < length; i += 1) {
    const c = bytes[from + i];
    scratch[i] = c;
    h = Math.imul(h ^ c, 0x5bd1e995);
    h ^= h >>> 15;
  }
  sought = length;
  hash = h;
}

export class Keys {
  readonly limit: number;
  /** Different keys. */
  size = 0;
  /** By slot: a hash, and one more than the row; 0 is an empty slot. */
  #slots = NO_SLOTS;
  #mask = 0;
  /** Where the text of each row ends; it begins where the one before ends. */
  #ends = NO_ENDS;
  #bytes = NO_BYTES;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** The row of a text; -1 where there is none. */
  find(key: string): number {
    seek(key);
    return this.#slots[2 * this.#slot() + 1] - 1;
  }

  /** The same; a new text gets the next row if there is room. */
  place(key: string): number {
    seek(key);
    return this.#place();
  }

  /** The same for a text of another table. */
  placeFrom(other: Keys, row: number): number {
    seekBytes(other.#bytes, row === 0 ? 0 : other.#ends[row - 1], other.#ends[row]);
    return this.#place();
  }

  text(row: number): string {
    return text(this.#bytes, row === 0 ? 0 : this.#ends[row - 1], this.#ends[row]);
  }

  /** Whether the text of a row begins so. */
  begins(row: number, start: Uint8Array): boolean {
    const from = row === 0 ? 0 : this.#ends[row - 1];
    if (this.#ends[row] - from < start.length) return false;
    for (let i = 0; i < start.length; i += 1) if (this.#bytes[from + i] !== start[i]) return false;
    return true;
  }

  *[Symbol.iterator](): IterableIterator<string> {
    for (let row = 0; row < this.size; row += 1) yield this.text(row);
  }

  /** Where the text that is sought is, or where it would be. */
  #slot(): number {
    const slots = this.#slots;
    let slot = hash & this.#mask;
    for (let row = slots[2 * slot + 1]; row !== 0; row = slots[2 * slot + 1]) {
      if (slots[2 * slot] === hash && this.#isSought(row - 1)) break;
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #isSought(row: number): boolean {
    const bytes = this.#bytes;
    const from = row === 0 ? 0 : this.#ends[row - 1];
    if (this.#ends[row] - from !== sought) return false;
    for (let i = 0; i < sought; i += 1) if (bytes[from + i] !== scratch[i]) return false;
    return true;
  }

  #place(): number {
    let slot = this.#slot();
    const known = this.#slots[2 * slot + 1];
    if (known !== 0) return known - 1;
    const row = this.size;
    const from = row === 0 ? 0 : this.#ends[row - 1];
    const end = from + sought;
    if (row >= this.limit || end > Math.max(LEAST_BYTES, this.limit * BYTES_PER_KEY)) return -1;
    if (row >= (this.#mask + 1) * FULL || this.#slots === NO_SLOTS) {
      this.#widen();
      slot = this.#slot();
    }
    if (row >= this.#ends.length) this.#ends = grown(this.#ends, row + 1);
    if (end > this.#bytes.length) {
      const more = Buffer.alloc(roomFor(end, this.#bytes.length));
      this.#bytes.copy(more);
      this.#bytes = more;
    }
    for (let i = 0; i < sought; i += 1) this.#bytes[from + i] = scratch[i];
    this.#ends[row] = end;
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = row + 1;
    this.size = row + 1;
    return row;
  }

  #widen(): void {
    const before = this.#slots;
    const slots = before === NO_SLOTS ? FIRST_SLOTS : before.length;
    const mask = slots - 1;
    const after = new Int32Array(2 * slots);
    for (let i = 0; i < before.length; i += 2) {
      if (before[i + 1] === 0) continue;
      let slot = before[i] & mask;
      while (after[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
      after[2 * slot] = before[i];
      after[2 * slot + 1] = before[i + 1];
    }
    this.#slots = after;
    this.#mask = mask;
  }
}

/** So many, and some more. */
function roomFor(length: number, before: number): number {
  return Math.max(length, before + (before >> 1), FIRST_SLOTS);
}

/** A copy with room for so many at least. */
export function grown<T extends Float64Array | Int32Array | Uint32Array | Uint8Array>(
  array: T,
  length: number,
): T {
  const more = new (array.constructor as new (length: number) => T)(roomFor(length, array.length));
  more.set(array);
  return more;
}
