/**
 * The names of hosts and tags that the kernel knows, by their bytes.
 */
import { HOSTS, NAME_ROOM, NAME_SIZE, NAMES_SLOTS, TAGS } from './layout';

/** Eight bytes at a time. */
export function nameHash(start: i32, end: i32): i32 {
  let h: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15;
  for (let i = start; i < end; i += 8) {
    const over = i + 8 - end;
    const value = over <= 0 ? load<u64>(i) : load<u64>(i) & (u64.MAX_VALUE >>> ((<u64>over) << 3));
    h = (h ^ value) * (((<u64>0xff51afd7) << 32) | 0xed558ccd);
    h ^= h >>> 32;
  }
  return <i32>h;
}

/** Whether two names are the same; whatever stands behind them may be read, too. */
export function sameBytes(a: i32, b: i32, length: i32): bool {
  for (let i = 0; i < length; i += 8) {
    const over = i + 8 - length;
    const different = load<u64>(a + i) ^ load<u64>(b + i);
    if (over <= 0 ? different !== 0 : different << ((<u64>over) << 3) !== 0) return false;
  }
  return true;
}

/** The entry of a name in the table, or 0. */
export function findName(table: i32, start: i32, end: i32, hash: i32): i32 {
  const length = end - start;
  let slot = hash & (NAMES_SLOTS - 1);
  for (let n = 0; n < 8; n++) {
    const entry = table + slot * NAME_SIZE;
    const known = load<i32>(entry, 4);
    if (known === 0) return 0;
    if (load<i32>(entry) === hash && known === length && sameBytes(entry + 16, start, length)) return entry;
    slot = (slot + 1) & (NAMES_SLOTS - 1);
  }
  return 0;
}

/** Puts a name into a table; the last of eight places is taken over when all are full. */
function addName(table: i32, start: i32, end: i32, number: i32, meaning: i32): void {
  const length = end - start;
  if (length > NAME_ROOM || length === 0) return;
  const hash = nameHash(start, end);
  let slot = hash & (NAMES_SLOTS - 1);
  for (let n = 0; n < 8; n++) {
    const entry = table + slot * NAME_SIZE;
    if (load<i32>(entry, 4) === 0 || n === 7) {
      store<i32>(entry, hash);
      store<i32>(entry, length, 4);
      store<i32>(entry, number, 8);
      store<i32>(entry, meaning, 12);
      memory.copy(entry + 16, start, length);
      return;
    }
    if (load<i32>(entry) === hash && load<i32>(entry, 4) === length && sameBytes(entry + 16, start, length))
      return;
    slot = (slot + 1) & (NAMES_SLOTS - 1);
  }
}

export function addHost(start: i32, end: i32, number: i32): void {
  // Its place may be another's now.
  lastHostLength = 0;
  addName(HOSTS, start, end, number, 0);
}

/** `meaning` is FAMILY_... with TAG_... */
export function addTag(start: i32, end: i32, instance: i32, meaning: i32): void {
  addName(TAGS, start, end, instance, meaning);
}

/** Where the name of `host` stands among HOSTS, and its length; 0 where nothing is known. */
export let lastHost: i32 = 0;
export let lastHostLength: i32 = 0;
