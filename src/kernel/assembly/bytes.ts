/**
 * Bytes: words compared eight at a time, places found sixteen at a time, numbers, hashes of ids.
 */
import { idCheck, idHash } from './line';

export const W_127 = word('127.');
export const W_DELIVERY = word('delivery');
export const W_FROM = word('from');
export const W_IPV6 = word('IPv6');

export function byte(at: i32): i32 {
  return load<u8>(at);
}

/** Up to eight ASCII bytes as one number, to be compared at once. No newline in them: a match ends within its line. */
export function word(text: string): u64 {
  let value: u64 = 0;
  for (let i = 0; i < text.length; i++) value |= (<u64>text.charCodeAt(i)) << ((<u64>i) << 3);
  return value;
}

/** Whether the word of so many bytes stands at `at`. */
export function stands(at: i32, text: u64, length: i32): bool {
  const unused = (<u64>(8 - length)) << 3;
  return load<u64>(at) << unused === text << unused;
}

/** A longer text, eight bytes a word, to be looked for by `says`. */
export function words(text: string): StaticArray<u64> {
  const all = new StaticArray<u64>((text.length + 7) >> 3);
  for (let i = 0; i < all.length; i++) all[i] = word(text.substring(i << 3, (i + 1) << 3));
  return all;
}

/** Whether the text, of so many bytes, stands at `at`, before end. */
export function says(at: i32, end: i32, text: StaticArray<u64>, length: i32): bool {
  if (at + length > end) return false;
  let i = 0;
  for (; length > 8; length -= 8) if (load<u64>(at + (i << 3)) !== unchecked(text[i++])) return false;
  return stands(at + (i << 3), unchecked(text[i]), length);
}

/** First place of the byte in [at, end), or end; 16 at a time. */
export function findByte(at: i32, end: i32, wanted: i32): i32 {
  const pattern = i8x16.splat(<i8>wanted);
  while (at < end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), pattern));
    if (mask !== 0) {
      const found = at + ctz(mask);
      return found < end ? found : end;
    }
    at += 16;
  }
  return end;
}

/** First place in [at, end) where four bytes stand (a word, little-endian), or end; 16 at a time. */
export function findFour(at: i32, end: i32, wanted: u64): i32 {
  const a = i8x16.splat(<i8>wanted);
  const b = i8x16.splat(<i8>(wanted >>> 8));
  const c = i8x16.splat(<i8>(wanted >>> 16));
  const d = i8x16.splat(<i8>(wanted >>> 24));
  for (; at < end; at += 16) {
    const mask = i8x16.bitmask(
      v128.and(
        v128.and(i8x16.eq(v128.load(at), a), i8x16.eq(v128.load(at, 1), b)),
        v128.and(i8x16.eq(v128.load(at, 2), c), i8x16.eq(v128.load(at, 3), d)),
      ),
    );
    if (mask !== 0) return min(at + ctz(mask), end);
  }
  return end;
}

/** First place in [at, end) that is no letter and no digit, or end; 16 at a time. */
export function alnumEnd(at: i32, end: i32): i32 {
  for (; at < end; at += 16) {
    const text = v128.load(at);
    const digit = i8x16.lt_u(i8x16.sub(text, i8x16.splat(48)), i8x16.splat(10));
    const lower = i8x16.sub(v128.or(text, i8x16.splat(32)), i8x16.splat(97));
    const other = ~i8x16.bitmask(v128.or(digit, i8x16.lt_u(lower, i8x16.splat(26)))) & 0xffff;
    if (other !== 0) return min(at + ctz(other), end);
  }
  return end;
}

/** First place of a bracket of an address, a backslash or a comma in [at, end), or end; 16 at a time. */
export function pathStop(at: i32, end: i32): i32 {
  for (; at < end; at += 16) {
    const text = v128.load(at);
    const mask = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(text, i8x16.splat(0x3e)), i8x16.eq(text, i8x16.splat(0x3c))),
        v128.or(i8x16.eq(text, i8x16.splat(0x5c)), i8x16.eq(text, i8x16.splat(0x2c))),
      ),
    );
    if (mask !== 0) return min(at + ctz(mask), end);
  }
  return end;
}

/** The newline at or behind `at`; there is one. 64 at a time: half the time of findByte on lines of usual length. */
export function lineEnd(at: i32): i32 {
  const pattern = i8x16.splat(10);
  while (true) {
    const a = i8x16.eq(v128.load(at), pattern);
    const b = i8x16.eq(v128.load(at, 16), pattern);
    const c = i8x16.eq(v128.load(at, 32), pattern);
    const d = i8x16.eq(v128.load(at, 48), pattern);
    if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) {
      const low = <u64>(<u32>(i8x16.bitmask(a) | (i8x16.bitmask(b) << 16)));
      const high = <u64>(<u32>(i8x16.bitmask(c) | (i8x16.bitmask(d) << 16)));
      return at + <i32>ctz<u64>(low | (high << 32));
    }
    at += 64;
  }
}

export function isDigit(c: i32): bool {
  return <u32>(c - 48) < 10;
}

/** Queue ids of Postfix: 1 upper-case and digits, 2 no vowels (parsers/postfix.ts ID_BYTE). */
export const ID_KINDS: StaticArray<u8> = makeKinds();

function makeKinds(): StaticArray<u8> {
  const kinds = new StaticArray<u8>(256);
  for (let c = 0; c < 256; c++) {
    let kind = 0;
    const digit = c >= 48 && c <= 57;
    const upper = c >= 65 && c <= 90;
    const lower = c >= 97 && c <= 122;
    if (digit || upper) kind |= 1;
    const folded = c | 32;
    const vowel = folded === 97 || folded === 101 || folded === 105 || folded === 111 || folded === 117;
    if (digit || ((upper || lower) && !vowel)) kind |= 2;
    kinds[c] = <u8>kind;
  }
  return kinds;
}

/** Up to four bytes as a number; what stands behind the end counts as 0. */
export function wordAt(at: i32, end: i32): i32 {
  const value = load<i32>(at);
  const over = at + 4 - end;
  return over <= 0 ? value : value & <i32>(<u32>0xffffffff >>> ((<u32>over) << 3));
}

// Beginnings and steps of the two hashes (records/text.ts idHash, idCheck).
export const HASH_START: i32 = 0x811c9dc5;
export const CHECK_START: i32 = 0x2f0b4c47;

export function hashed(h: i32, w: i32): i32 {
  h = (h ^ w) * 0x01000193;
  return h ^ (h >>> 15);
}

export function checked(c: i32, w: i32): i32 {
  c = (c ^ w) * 0x5bd1e995;
  return c ^ (c >>> 13);
}

/** Hash and check of [start, end), into idHash and idCheck. */
export function hashId(start: i32, end: i32): void {
  let h: i32 = HASH_START ^ (end - start);
  let c: i32 = CHECK_START ^ (end - start);
  for (let i = start; i < end; i += 4) {
    const w = wordAt(i, end);
    h = hashed(h, w);
    c = checked(c, w);
  }
  idHash = h;
  idCheck = c;
}

/** 52 bits of both, as one number. */
export function keyOf(hash: i32, check: i32): f64 {
  return <f64>(<u32>hash) * 1048576.0 + <f64>(<u32>check >>> 12);
}

/** As textKey (records/text.ts). Takes the place of idHash and idCheck. */
export function textKey(start: i32, end: i32): f64 {
  hashId(start, end);
  return keyOf(idHash, idCheck);
}

/** The decimal number at `at`, -1 without a digit, -2 with more than nine; the byte behind it in numberEnd. */
export let numberEnd: i32 = 0;

export function decimal(at: i32, end: i32): i32 {
  let value = 0;
  let i = at;
  while (i < end) {
    const d = byte(i) - 48;
    if (<u32>d > 9) break;
    value = value * 10 + d;
    i++;
  }
  numberEnd = i;
  if (i === at) return -1;
  return i - at > 9 ? -2 : value;
}

/** Copies a text, eight bytes at a time: rooms are multiples of eight. A bulk copy is a call out of here, 30 ns. */
export function copy(to: i32, start: i32, length: i32): void {
  for (let i = 0; i < length; i += 8) store<u64>(to + i, load<u64>(start + i));
}
