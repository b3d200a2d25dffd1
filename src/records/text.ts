/**
 * Bytes -> strings, for the few texts that are kept, and numbers that stand for texts that are not.
 *
 * Never a slice of a decoded block: such a slice would keep the whole block alive.
 */

/** Buffer's own decoders, without toString()'s checks: 20-30 ns less a call, and there are several a message. */
interface Decoders {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** UTF-8, invalid bytes as U+FFFD. About 60 ns for a short ASCII text. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  return (bytes as Uint8Array & Decoders).utf8Slice(start, end);
}

/** Ids: ASCII by their grammar. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return (bytes as Uint8Array & Decoders).latin1Slice(start, end);
}

/**
 * A number for a text, to tell it from others without keeping it: 52 bits of two FNV hashes, so that a false match
 * among a million texts has a chance of one in ten thousand. A third of the price of a string.
 */
export function textKey(bytes: Uint8Array, start: number, end: number): number {
  let a = 0x811c9dc5;
  let b = 0x2f0b4c47 ^ (end - start);
  for (let i = start; i < end; i += 1) {
    const c = bytes[i];
    a = Math.imul(a ^ c, 0x01000193);
    b = Math.imul(b ^ c, 0x5bd1e995);
  }
  return (a >>> 0) * 0x100000 + ((b ^ (b >>> 15)) >>> 12);
}
