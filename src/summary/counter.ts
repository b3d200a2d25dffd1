/**
 * A bounded table of counts by text, mergeable: counts add, and what did not fit is said.
 *
 * A key has a row, and its count stands there: to count again is one look-up, and a table of 100,000 short keys takes
 * about 8 MB.
 */

import { ownText } from '../records/text.ts';

/** Different keys a table keeps. */
export const DEFAULT_TABLE_LIMIT = 100_000;

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

/** Rows that a table begins with. */
const FIRST_ROWS = 8;

export class Counter implements Iterable<[key: string, count: number]> {
  readonly #rows = new Map<string, number>();
  #counts = new Float64Array(FIRST_ROWS);
  /** Keys of several parts that were counted lately, by a few of their characters. */
  #parts: Parts[] | null = null;
  readonly limit: number;
  /** What was counted under keys that found no place. */
  overflow = 0;

  /** Stands between the parts of a key. */
  readonly #between: string;

  constructor(limit = tableLimit, between = AND) {
    this.limit = limit;
    this.#between = between;
  }

  /** Different keys. */
  get size(): number {
    return this.#rows.size;
  }

  /** Returns the key's row, for `addAt`; -1 where it found no place. */
  add(key: string, n = 1): number {
    const row = this.#rows.get(key);
    if (row === undefined) return this.#insert(key, n);
    this.#counts[row] += n;
    return row;
  }

  /**
   * The same for a key that was cut out of a longer text or put together: V8 keeps the longer text, or the parts, as long as
   * such a string, so the table takes a copy.
   */
  addCut(key: string, n = 1): number {
    const row = this.#rows.get(key);
    if (row === undefined) return this.#insert(this.#rows.size < this.limit ? ownText(key) : key, n);
    this.#counts[row] += n;
    return row;
  }

  /** Counts once more under a key whose row is known. */
  addAt(row: number): void {
    this.#counts[row] += 1;
  }

  /** The key's row, made if need be, without counting; -1 where there is no room. */
  rowOf(key: string): number {
    return this.#rows.get(key) ?? (this.#rows.size < this.limit ? this.#insert(key, 0) : -1);
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
    place.row = this.addCut(c === '' ? a + between + b : a + between + b + between + c);
    place.a = a;
    place.b = b;
    place.c = c;
  }

  #insert(key: string, n: number): number {
    const row = this.#rows.size;
    if (row >= this.limit) {
      this.overflow += n;
      return -1;
    }
    if (row === this.#counts.length) {
      this.#counts = grown(this.#counts, row * 2);
    }
    this.#rows.set(key, row);
    this.#counts[row] = n;
    return row;
  }

  /** Remembers that there was such a key, whatever the number; false where it found no place, which is counted. */
  see(key: string): boolean {
    return this.#rows.has(key) || this.#insert(key, 1) >= 0;
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  /** 0 for a key that was not counted. */
  countOf(key: string): number {
    const row = this.#rows.get(key);
    return row === undefined ? 0 : this.#counts[row];
  }

  keys(): IterableIterator<string> {
    return this.#rows.keys();
  }

  /** The counts alone, in the order of the keys. A view: valid until something is counted. */
  values(): Float64Array {
    return this.#counts.subarray(0, this.#rows.size);
  }

  *[Symbol.iterator](): IterableIterator<[key: string, count: number]> {
    for (const [key, row] of this.#rows) yield [key, this.#counts[row]];
  }

  merge(other: Counter): void {
    this.overflow += other.overflow;
    for (const [key, row] of other.#rows) this.add(key, other.#counts[row]);
  }

  /**
   * Most first; equal counts in the order of their text, so that the same facts give the same page. With `most`, only so
   * many.
   */
  sorted(most = Number.POSITIVE_INFINITY): [string, number][] {
    return this.#sorted('', most);
  }

  /** The same of the keys that begin so. */
  sortedBehind(start: string): [string, number][] {
    return this.#sorted(start, Number.POSITIVE_INFINITY);
  }

  #sorted(start: string, most: number): [string, number][] {
    const found: [string, number][] = [];
    // Of a hundred thousand keys a page shows ten: what cannot be among them is left out on the way.
    const room = Math.max(1000, 4 * most);
    let least = 0;
    for (const [key, row] of this.#rows) {
      const count = this.#counts[row];
      if (count < least || !key.startsWith(start)) continue;
      found.push([key, count]);
      if (found.length < room) continue;
      found.sort(mostFirst).length = most;
      least = most === 0 ? Number.POSITIVE_INFINITY : found[most - 1][1];
    }
    found.sort(mostFirst);
    return found.length > most ? found.slice(0, most) : found;
  }

  /** The first of `sorted`; null where there is nothing. */
  most(): [string, number] | null {
    return this.sorted(1)[0] ?? null;
  }

  get total(): number {
    let sum = this.overflow;
    for (const n of this.values()) sum += n;
    return sum;
  }
}

/** A copy with more room. */
export function grown<T extends Float64Array | Int32Array | Uint8Array>(array: T, length: number): T {
  const more = new (array.constructor as new (length: number) => T)(length);
  more.set(array);
  return more;
}

/** Rows of one table by the rows of another, where the one key follows from the other. */
export class RowsBeside {
  /** One more than the row; 0 where none is known. */
  #rows = new Int32Array(FIRST_ROWS);

  /** -1 where none is known. */
  get(row: number): number {
    return row < this.#rows.length && row >= 0 ? this.#rows[row] - 1 : -1;
  }

  set(row: number, beside: number): void {
    if (row < 0) return;
    if (row >= this.#rows.length) this.#rows = grown(this.#rows, Math.max(row + 1, this.#rows.length * 2));
    this.#rows[row] = beside + 1;
  }
}
