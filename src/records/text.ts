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
export const HASH_START = 0x811c9dc5 | 0;
export const HASH_PRIME = 0x01000193;
export const CHECK_START = 0x2f0b4c47;
export const CHECK_PRIME = 0x5bd1e995;

/** FNV-1a, mixed downwards because tables use its low bits. */
export function idHash(bytes: Uint8Array, start: number, end: number): number {
  let h = HASH_START;
  for (let i = start; i < end; i += 1) h = Math.imul(h ^ bytes[i], HASH_PRIME);
  return h ^ (h >>> 15);
}

export function idCheck(bytes: Uint8Array, start: number, end: number): number {
  let h = CHECK_START;
  for (let i = start; i < end; i += 1) h = Math.imul(h ^ bytes[i], CHECK_PRIME);
  return h;
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

/** Sets a record's id and its hashes. */
export function setId(
  record: { id: { set(start: number, end: number): void }; idHash: number; idCheck: number },
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  record.id.set(start, end);
  let hash = HASH_START;
  let check = CHECK_START;
  for (let i = start; i < end; i += 1) {
    const c = bytes[i];
    hash = Math.imul(hash ^ c, HASH_PRIME);
    check = Math.imul(check ^ c, CHECK_PRIME);
  }
  record.idHash = hash ^ (hash >>> 15);
  record.idCheck = check;
}
