/**
 * A bounded table of counts by text, mergeable: counts add, and what did not fit is said.
 *
 * A key has a row, and its count stands there: to count again is one look-up, and a table of 50,000 short keys takes
 * about 3 MB.
 */
import { grown, Keys } from './keys.ts';

/** Different keys a table keeps. There are some twenty tables: with all of them full, one thread takes 205 to 215 MB. */
export const DEFAULT_TABLE_LIMIT = 50_000;

let tableLimit = DEFAULT_TABLE_LIMIT;

/** Bounds the tables that are made from here on in this thread (`--max-keys`). */
export function boundTables(keys: number): void {
  tableLimit = keys;
}

/** Parts of a key of two; a tab stands in no address and no relay. */
export const AND = '\t';

function mostFirst(a: readonly [string, number], b: readonly [string, number]): number {
  return b[1] - a[1] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
}

interface Parts {
  a: string;
  b: string;
  c: string;
  row: number;
}

/** Places for keys of several parts; a power of two. */
const PLACES = 256;

/** Tells most texts apart, cheaply. */
function mix(h: number, text: string): number {
  const { length } = text;
  if (length === 0) return h;
  const some = text.charCodeAt(0) + 7 * text.charCodeAt(length >> 2) + 31 * text.charCodeAt(length >> 1);
  return h * 13 + length + some;
}

const NO_COUNTS = new Float64Array(0);

export class Counter implements Iterable<[key: string, count: number]> {
  /** Whoever else places keys here gets rows that count nothing yet. */
  readonly keys: Keys;
  /** By the key's row. */
  #counts = NO_COUNTS;
  /** What was counted under keys that found no place. */
  overflow = 0;
  /** Stands between the parts of a key. */
  readonly #between: string;
  /** Keys of several parts that were counted lately, by a few of their characters. */
  #parts: Parts[] | null = null;

  constructor(limit = tableLimit, between = AND) {
    this.keys = new Keys(limit);
    this.#between = between;
  }

  /** Different keys. */
  get size(): number {
    return this.keys.size;
  }

  /** Returns the key's row, for `addAt`; -1 where it found no place. */
  add(key: string, n = 1): number {
    const row = this.keys.place(key);
    this.#addAt(row, n);
    return row;
  }

  /** Counts under a key whose row is known. */
  addAt(row: number, n = 1): void {
    this.#counts[row] += n;
  }

  /** Counts under a key of two or three parts. To find the row by the parts, the key need not be put together. */
  addParts(a: string, b: string, c = ''): void {
    this.#parts ??= Array.from({ length: PLACES }, (): Parts => ({ a: '', b: '', c: '', row: -1 }));
    const place = this.#parts[mix(mix(a.length, b), c) & (PLACES - 1)];
    if (place.row >= 0 && place.a === a && place.b === b && place.c === c) {
      this.#counts[place.row] += 1;
      return;
    }
    const between = this.#between;
    place.row = this.add(c === '' ? a + between + b : a + between + b + between + c);
    place.a = a;
    place.b = b;
    place.c = c;
  }

  #addAt(row: number, n: number): void {
    if (row < 0) this.overflow += n;
    else {
      if (row >= this.#counts.length) this.#counts = grown(this.#counts, row + 1);
      this.#counts[row] += n;
    }
  }

  /** Remembers that there was such a key, whatever the number; false where it found no place, which is counted. */
  see(key: string): boolean {
    const row = this.keys.place(key);
    if (row >= 0 && row < this.#counts.length && this.#counts[row] > 0) return true;
    this.#addAt(row, 1);
    return row >= 0;
  }

  has(key: string): boolean {
    return this.keys.find(key) >= 0;
  }

  /** 0 for a key that was not counted. */
  countOf(key: string): number {
    const row = this.keys.find(key);
    return this.#counts[row] ?? 0;
  }

  /** The counts alone, in the order of the keys. A view: valid until something is counted. */
  values(): Float64Array {
    return this.#counts.subarray(0, this.size);
  }

  *[Symbol.iterator](): IterableIterator<[key: string, count: number]> {
    for (let row = 0; row < this.size; row += 1) yield [this.keys.text(row), this.#counts[row] ?? 0];
  }

  merge(other: Counter): void {
    this.overflow += other.overflow;
    for (let row = 0; row < other.size; row += 1)
      this.#addAt(this.keys.placeFrom(other.keys, row), other.#counts[row] ?? 0);
  }

  /**
   * Most first; equal counts in the order of their text, so that the same facts give the same page. With `most`, only so
   * many; with `least`, those that were counted so often; with `start`, the keys that begin so.
   */
  sorted(most = Number.POSITIVE_INFINITY, { least = 0, start = '' } = {}): [string, number][] {
    const { keys } = this;
    const found: [string, number][] = [];
    if (most === 0) return found;
    const beginning = Buffer.from(start);
    // Of a hundred thousand keys a page shows ten: what cannot be among them is left out on the way.
    const room = Math.max(1000, 4 * most);
    let last: [string, number] | null = null;
    for (let row = 0; row < keys.size; row += 1) {
      const count = this.#counts[row] ?? 0;
      if (count < least || (last !== null && count < last[1]) || !keys.begins(row, beginning)) continue;
      const entry: [string, number] = [keys.text(row), count];
      if (last !== null && mostFirst(last, entry) < 0) continue;
      found.push(entry);
      if (found.length < room) continue;
      found.sort(mostFirst).length = most;
      last = found[most - 1];
    }
    found.sort(mostFirst);
    return found.length > most ? found.slice(0, most) : found;
  }

  /** The first of `sorted` that is wanted; null where there is none. */
  most(isWanted: (key: string) => boolean = () => true): [string, number] | null {
    let most: [string, number] | null = null;
    for (let row = 0; row < this.size; row += 1) {
      const count = this.#counts[row] ?? 0;
      if (most !== null && count < most[1]) continue;
      const entry: [string, number] = [this.keys.text(row), count];
      if ((most === null || mostFirst(entry, most) < 0) && isWanted(entry[0])) most = entry;
    }
    return most;
  }

  get total(): number {
    let sum = this.overflow;
    for (const n of this.values()) sum += n;
    return sum;
  }
}

const NO_ROWS = new Int32Array(0);

/** Rows of one table by the rows of another, where the one key follows from the other. */
export class RowsBeside {
  /** One more than the row; 0 where none is known. */
  #rows = NO_ROWS;

  /** -1 where none is known. */
  get(row: number): number {
    return row >= 0 && row < this.#rows.length ? this.#rows[row] - 1 : -1;
  }

  set(row: number, beside: number): void {
    if (row < 0) return;
    if (row >= this.#rows.length) this.#rows = grown(this.#rows, row + 1);
    this.#rows[row] = beside + 1;
  }
}
