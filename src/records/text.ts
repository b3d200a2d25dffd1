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

/** Starts and steps of the two hashes of an id; the second one stands in for comparing the bytes. */
const HASH_START = 0x811c9dc5 | 0;
const HASH_PRIME = 0x01000193;
const CHECK_START = 0x2f0b4c47;
const CHECK_PRIME = 0x5bd1e995;

/** Up to four bytes as a little-endian number; what stands behind the end counts as 0. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  let word = bytes[at];
  if (at + 1 < end) word |= bytes[at + 1] << 8;
  if (at + 2 < end) word |= bytes[at + 2] << 16;
  return word;
}

/** FNV-1a by words of four bytes, mixed downwards after each because tables use its low bits. */
export function idHash(bytes: Uint8Array, start: number, end: number): number {
  let h = HASH_START ^ (end - start);
  for (let i = start; i < end; i += 4) {
    h = Math.imul(h ^ wordAt(bytes, i, end), HASH_PRIME);
    h ^= h >>> 15;
  }
  return h;
}

export function idCheck(bytes: Uint8Array, start: number, end: number): number {
  let h = CHECK_START ^ (end - start);
  for (let i = start; i < end; i += 4) {
    h = Math.imul(h ^ wordAt(bytes, i, end), CHECK_PRIME);
    h ^= h >>> 13;
  }
  return h;
}

/**
 * A number for a text, to tell it from others without keeping it: 52 bits of both hashes, so that a false match
 * among a million texts has a chance of one in ten thousand. A third of the price of a string.
 */
export function textKey(bytes: Uint8Array, start: number, end: number): number {
  return (idHash(bytes, start, end) >>> 0) * 0x100000 + (idCheck(bytes, start, end) >>> 12);
}

/** Sets a record's id and its hashes. */
export function setId(
  record: { id: { set(start: number, end: number): void }; idHash: number; idCheck: number },
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  record.id.set(start, end);
  record.idHash = idHash(bytes, start, end);
  record.idCheck = idCheck(bytes, start, end);
}
