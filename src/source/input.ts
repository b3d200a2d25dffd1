/**
 * A position in a sequence of blocks: what a decoder has taken, and what is left.
 *
 * Must not know any format.
 */
export class Input {
  #blocks: AsyncIterator<Uint8Array, void, void>;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bytes taken so far. */
  taken = 0;

  constructor(blocks: AsyncIterator<Uint8Array, void, void>) {
    this.#blocks = blocks;
  }

  /** False at the end of the input. Up to `limit` bytes are then in `peek(limit)`. */
  async more(): Promise<boolean> {
    while (this.#at === this.#block.length) {
      const { done, value } = await this.#blocks.next();
      if (done || !value) return false;
      this.#block = value;
      this.#at = 0;
    }
    return true;
  }

  /** At least one byte after `more()`; valid until the next `more()`. */
  peek(limit: number): Uint8Array {
    return this.#block.subarray(this.#at, Math.min(this.#at + limit, this.#block.length));
  }

  take(count: number): void {
    this.#at += count;
    this.taken += count;
  }

  /** The next byte, or -1 at the end. */
  async byte(): Promise<number> {
    if (!(await this.more())) return -1;
    const byte = this.#block[this.#at];
    this.take(1);
    return byte;
  }
}
