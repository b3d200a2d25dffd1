/**
 * Short byte loops that all parsers share. Knows no log format.
 */

/** A needle: the bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

export function startsWith(bytes: Uint8Array, at: number, end: number, needle: Uint8Array): boolean {
  const n = needle.length;
  if (end - at < n) return false;
  for (let i = 0; i < n; i += 1) if (bytes[at + i] !== needle[i]) return false;
  return true;
}

/** Whether the bytes at `a` and at `b` are the same, so many of them. */
export function sameBytes(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i += 1) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}

export function endsWith(bytes: Uint8Array, start: number, end: number, needle: Uint8Array): boolean {
  return end - start >= needle.length && startsWith(bytes, end - needle.length, end, needle);
}

/** First place of the needle in [from, end), or -1. */
export function find(bytes: Uint8Array, from: number, end: number, needle: Uint8Array): number {
  const first = needle[0];
  const last = end - needle.length;
  for (let i = from; i <= last; i += 1) {
    if (bytes[i] === first && startsWith(bytes, i, end, needle)) return i;
  }
  return -1;
}

/** Last place of the needle in [from, end), or -1. */
export function findLast(bytes: Uint8Array, from: number, end: number, needle: Uint8Array): number {
  const first = needle[0];
  for (let i = end - needle.length; i >= from; i -= 1) {
    if (bytes[i] === first && startsWith(bytes, i, end, needle)) return i;
  }
  return -1;
}

/** First place of one byte in [from, end), or -1. */
export function findByte(bytes: Uint8Array, from: number, end: number, byte: number): number {
  for (let i = from; i < end; i += 1) if (bytes[i] === byte) return i;
  return -1;
}

/** The decimal number at `at`, or -1 when there is no digit; at most 15 digits are read. */
export function decimal(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let i = at;
  for (; i < end && i - at < 15; i += 1) {
    const digit = bytes[i] - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return i === at ? -1 : value;
}

/** First byte after the digits at `at`. */
export function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] >= 48 && bytes[i] <= 57) i += 1;
  return i;
}
