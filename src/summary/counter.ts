/**
 * A bounded table of counts by text, mergeable: counts add, and what did not fit is said.
 */

/** Different keys a table keeps; a Map of this many short texts takes about 12 MB. */
export const DEFAULT_TABLE_LIMIT = 100_000;

let tableLimit = DEFAULT_TABLE_LIMIT;

/** Bounds the tables that are made from here on in this thread (`--max-keys`). */
export function boundTables(keys: number): void {
  tableLimit = keys;
}

function mostFirst(a: readonly [string, number], b: readonly [string, number]): number {
  return b[1] - a[1] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
}

export class Counter {
  readonly counts = new Map<string, number>();
  readonly limit: number;
  /** What was counted under keys that found no place. */
  overflow = 0;

  constructor(limit = tableLimit) {
    this.limit = limit;
  }

  add(key: string, n = 1): void {
    const known = this.counts.get(key);
    if (known !== undefined) this.counts.set(key, known + n);
    else if (this.counts.size < this.limit) this.counts.set(key, n);
    else this.overflow += n;
  }

  /** Remembers that there was such a key, whatever the number. */
  see(key: string): void {
    if (!this.counts.has(key)) this.add(key);
  }

  merge(other: Counter): void {
    this.overflow += other.overflow;
    for (const [key, n] of other.counts) this.add(key, n);
  }

  /** Most first; equal counts in the order of their text, so that the same facts give the same page. */
  sorted(): [string, number][] {
    return [...this.counts].sort(mostFirst);
  }

  /** The same of the keys that begin so. */
  sortedBehind(start: string): [string, number][] {
    return [...this.counts].filter(([key]) => key.startsWith(start)).sort(mostFirst);
  }

  /** The first of `sorted`, without sorting; null where there is nothing. */
  most(): [string, number] | null {
    let most: [string, number] | null = null;
    for (const entry of this.counts) if (most === null || mostFirst(entry, most) < 0) most = entry;
    return most;
  }

  get total(): number {
    let sum = this.overflow;
    for (const n of this.counts.values()) sum += n;
    return sum;
  }
}
