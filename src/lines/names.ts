/**
 * Host names as small numbers. Owns the list; does not judge whether `mx` and `mx.example.com` are one host.
 */
import { ByteIndex, hashBytes } from './byte-index.ts';

/** A file of noise must not fill the memory with "hosts": what comes after these is nobody (0). */
const MAX_NAMES = 65535;

export class Names {
  private readonly index = new ByteIndex();
  private readonly texts: string[] = [''];

  /** How many names there are, without the empty one: numbers run from 1 to `size`. */
  get size(): number {
    return this.index.size;
  }

  /** The number of this name, given out at its first sight; 0 is the empty name. */
  number(bytes: Uint8Array, start: number, end: number): number {
    if (start >= end) return 0;
    const hash = hashBytes(bytes, start, end);
    const known = this.index.find(bytes, start, end, hash);
    if (known > 0 || this.index.size >= MAX_NAMES) return known;
    this.texts.push(Buffer.from(bytes.subarray(start, end)).toString());
    return this.index.add(bytes, start, end, hash);
  }

  /** The number of a name seen before, 0 if it is new. */
  known(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.index.find(bytes, start, end, hash);
  }

  /** The number of a name as `bytes` gives it. */
  named(bytes: Uint8Array): number {
    return this.number(bytes, 0, bytes.length);
  }

  /** The bytes of a name: what the log has, where `text` has U+FFFD for what is not UTF-8. */
  bytes(number: number): Uint8Array {
    return this.index.key(number);
  }

  text(number: number): string {
    return this.texts[number] ?? '';
  }
}
