/** The last so many of a stream of things. */
export class Ring<T> {
  #items: T[] = [];
  #next = 0;
  readonly limit: number;
  /** Something was forgotten. */
  overflowed = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    if (this.#items.length < this.limit) {
      this.#items.push(item);
      return;
    }
    this.overflowed = true;
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.limit;
  }

  /** Oldest first. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#items.length; i += 1) yield this.#items[(this.#next + i) % this.#items.length];
  }
}
