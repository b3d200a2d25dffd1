/**
 * Queue ids -> lives: an open-addressing table over two hashes of the id.
 *
 * A lookup makes no string and touches no life before it has found one: both hashes stand in one Int32Array, so that a
 * miss or a hit is one cache line. 64 bits of hash stand for the id's bytes: with 100,000 pending lives the chance of
 * one false match in 10^9 lookups is below 10^-5. Against a Map keyed by a fresh string: about 20 ns to 150
 * (bench/parts.mjs). Ids come back: lives of one id are stacked, the newest on top.
 */
import type { Life } from './life.ts';

const FIRST_SIZE = 1 << 12;

export class LifeTable {
  #hashes = new Int32Array(2 * FIRST_SIZE);
  #slots: (Life | null)[] = new Array(FIRST_SIZE).fill(null);
  #mask = FIRST_SIZE - 1;
  #used = 0;
  /** Lives in the table, all stacks together. */
  size = 0;
  #onChange: ((hash: number, check: number, step: 1 | -1) => void) | null = null;

  /** Tells of every life that comes or goes. */
  watch(onChange: (hash: number, check: number, step: 1 | -1) => void): void {
    this.#onChange = onChange;
  }

  /** Newest pending life with this id, of any host; walk `.older` for the others. `check` carries the id's space. */
  find(hash: number, check: number): Life | null {
    const hashes = this.#hashes;
    const mask = this.#mask;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const h = hashes[2 * i];
      const c = hashes[2 * i + 1];
      if (h === hash && c === check) {
        const life = this.#slots[i];
        if (life !== null) return life;
      }
      if (h === 0 && c === 0 && this.#slots[i] === null) return null;
    }
  }

  /** Puts a life on top of its id's stack. */
  push(life: Life): void {
    if (this.#used * 2 > this.#mask) this.#grow();
    this.size += 1;
    const i = this.#slotOf(life);
    const top = this.#slots[i];
    if (top === null) {
      this.#used += 1;
      this.#hashes[2 * i] = life.hash;
      this.#hashes[2 * i + 1] = life.check;
    }
    life.older = top;
    this.#slots[i] = life;
    if (!life.numberFree) this.#onChange?.(life.hash, life.check, 1);
  }

  /** Puts a life into its id's stack, below the lives that began after it. */
  tuck(life: Life): void {
    let above = this.find(life.hash, life.check);
    if (above === null || above.serial < life.serial) {
      this.push(life);
      return;
    }
    while (above.older !== null && above.older.serial > life.serial) above = above.older;
    life.older = above.older;
    above.older = life;
    this.size += 1;
    if (!life.numberFree) this.#onChange?.(life.hash, life.check, 1);
  }

  /** qmail: the message is over, and its number free for another one; it stays findable by its other links. */
  freeNumber(life: Life): void {
    if (life.numberFree) return;
    life.numberFree = true;
    this.#onChange?.(life.hash, life.check, -1);
  }

  remove(life: Life): void {
    const i = this.#slotOf(life);
    const top = this.#slots[i];
    if (top === null) return;
    if (top === life) {
      this.#slots[i] = life.older;
      this.size -= 1;
      if (life.older === null) this.#closeGap(i);
      life.older = null;
      if (!life.numberFree) this.#onChange?.(life.hash, life.check, -1);
      return;
    }
    for (let above = top; above.older !== null; above = above.older) {
      if (above.older !== life) continue;
      above.older = life.older;
      life.older = null;
      this.size -= 1;
      if (!life.numberFree) this.#onChange?.(life.hash, life.check, -1);
      return;
    }
  }

  *lives(): IterableIterator<Life> {
    for (const top of this.#slots) for (let life = top; life !== null; life = life.older) yield life;
  }

  #slotOf(life: Life): number {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const mask = this.#mask;
    for (let i = life.hash & mask; ; i = (i + 1) & mask) {
      if (slots[i] === null) return i;
      if (hashes[2 * i] === life.hash && hashes[2 * i + 1] === life.check) return i;
    }
  }

  /** Backward shift: no tombstones, so that lookups stay short however many ids have come and gone. */
  #closeGap(gap: number): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const mask = this.#mask;
    this.#used -= 1;
    let free = gap;
    for (let i = (gap + 1) & mask; slots[i] !== null; i = (i + 1) & mask) {
      const home = hashes[2 * i] & mask;
      if (((i - home) & mask) < ((i - free) & mask)) continue;
      slots[free] = slots[i];
      hashes[2 * free] = hashes[2 * i];
      hashes[2 * free + 1] = hashes[2 * i + 1];
      free = i;
    }
    slots[free] = null;
    hashes[2 * free] = 0;
    hashes[2 * free + 1] = 0;
  }

  #grow(): void {
    const old = this.#slots;
    const size = old.length * 2;
    this.#mask = size - 1;
    this.#slots = new Array(size).fill(null);
    this.#hashes = new Int32Array(2 * size);
    for (const top of old) {
      if (top === null) continue;
      const i = this.#slotOf(top);
      this.#slots[i] = top;
      this.#hashes[2 * i] = top.hash;
      this.#hashes[2 * i + 1] = top.check;
    }
  }
}
