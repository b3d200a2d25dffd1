/**
 * Lives as rows of numbers: found by id, begun, kept with their lines, hung together, released.
 */
import { byte, copy, hashId, stands, word } from './bytes';
import {
  ARRIVED,
  BOUNCES,
  CLOSED,
  CLOSED_TO,
  CLOSING,
  CLOSING_SECONDS,
  D_NEXT,
  D_ROW,
  FORWARDS,
  FREE,
  FREE_ROWS,
  FREE_SLOT_LIST,
  FREE_SLOTS,
  HAS_FORWARD,
  HAS_LINKS,
  HAS_NOTICE,
  ID_AT,
  ID_ROOM,
  INDEX,
  INDEX_MASK,
  INDEXED,
  IS_REPORT,
  L_BOUNCE,
  L_CHILD,
  L_FORWARD,
  L_KEPT,
  L_NOTICES,
  L_PARENT,
  L_SIBLING,
  LINK_ONLY,
  LINKS,
  LINKS_SIZE,
  LOCAL_ORIGIN,
  MOST_INDEX_SLOTS,
  MOST_RECIPIENTS,
  MOST_SLOTS,
  MTA_BITS,
  N_ATTEMPTS,
  N_BEFORE,
  N_BEHIND,
  N_CHECK,
  N_DELIVERY,
  N_ENVELOPE_RECIPIENTS,
  N_FLAGS,
  N_HASH,
  N_LENGTHS,
  N_PID,
  N_PLACE,
  N_QP,
  N_RECIPIENTS,
  N_SIZE,
  N_UID,
  N_UNTIL,
  NO_ARRIVALS,
  NOW,
  NULL_PATH,
  NUMBERS,
  NUMBERS_SIZE,
  OVER,
  PATH_AT,
  PATH_ROOM,
  PATH_SHIFT,
  PRESENCE,
  PRESENCE_BESIDE,
  PRESENCE_SHIFT,
  PROCESSES,
  RELATED,
  ROW_LIMIT,
  ROWS_USED,
  S_ADDRESS,
  S_HOST,
  S_INSTANT,
  S_LENGTH,
  S_NEXT,
  S_SEQUENCE,
  S_TAG,
  S_TEXT,
  SEAM,
  SEQUENCE,
  SERIAL_COUNTER,
  SHADOWED,
  SLOT_ROOM,
  SLOT_SIZE,
  SLOTS,
  SLOTS_USED,
  STATE_BITS,
  STATE_SHIFT,
  T_FIRST,
  T_LAST,
  T_MESSAGE_KEY,
  T_SERIAL,
  TAG_SHIFT,
  TAKEN_OVER,
  TEXTS,
  TEXTS_SIZE,
  TIMES,
  TIMES_SIZE,
  UNDER_WAY,
  WAITING,
} from './layout';
import {
  ENDED_GRACE,
  host,
  IMPLIED_END_GRACE,
  idCheck,
  idEnd,
  idHash,
  idStart,
  instant,
  LEAST_GRACE,
  LINK_ONLY_GRACE,
  NEVER_QUEUED_GRACE,
  OPEN_HORIZON,
  POSTFIX,
  pid,
  place,
  QMAIL,
  SENDMAIL,
  tagFlags,
  textStart,
} from './line';
import { deliveryAt, processSlot } from './processes';

const W_DOUBLE_B = word('double-b');
const W_OUNC = word('ounc');

export function findRow(hash: i32, check: i32): i32 {
  const mask = load<i32>(INDEX_MASK);
  let slot = hash & mask;
  let entry = INDEX + (slot << 4);
  while (load<i32>(entry, 8) !== 0) {
    if (load<i32>(entry) === hash && load<i32>(entry, 4) === check) return load<i32>(entry, 8) - 1;
    slot = (slot + 1) & mask;
    entry = INDEX + (slot << 4);
  }
  return -1;
}

function insert(hash: i32, check: i32, row: i32): void {
  const mask = load<i32>(INDEX_MASK);
  let slot = hash & mask;
  while (load<i32>(INDEX + (slot << 4), 8) !== 0) slot = (slot + 1) & mask;
  const entry = INDEX + (slot << 4);
  store<i32>(entry, hash);
  store<i32>(entry, check, 4);
  store<i32>(entry, row + 1, 8);
}

/** Twice as many slots. */
function growIndex(): void {
  const slots = (load<i32>(INDEX_MASK) + 1) << 1;
  store<i32>(INDEX_MASK, slots - 1);
  memory.fill(INDEX, 0, slots << 4);
  const used = load<i32>(ROWS_USED);
  for (let row = 0; row < used; row++) {
    const n = numbersOf(row);
    if (load<f64>(timesOf(row), T_SERIAL) === 0 || (load<i32>(n, N_FLAGS) & SHADOWED) !== 0) continue;
    insert(load<i32>(n, N_HASH), load<i32>(n, N_CHECK), row);
  }
}

/** Backward shift: no tombstones (chains/table.ts). */
function unindex(hash: i32, check: i32): void {
  const mask = load<i32>(INDEX_MASK);
  let free = hash & mask;
  for (;;) {
    const entry = INDEX + (free << 4);
    if (load<i32>(entry, 8) === 0) return;
    if (load<i32>(entry) === hash && load<i32>(entry, 4) === check) break;
    free = (free + 1) & mask;
  }
  store<i32>(INDEXED, load<i32>(INDEXED) - 1);
  for (let i = (free + 1) & mask; ; i = (i + 1) & mask) {
    const entry = INDEX + (i << 4);
    if (load<i32>(entry, 8) === 0) break;
    const home = load<i32>(entry) & mask;
    if (((i - home) & mask) < ((i - free) & mask)) continue;
    v128.store(INDEX + (free << 4), v128.load(entry));
    free = i;
  }
  store<i32>(INDEX + (free << 4), 0, 8);
}

/** The row with the queue id at [start, end), which is not the line's own; idHash and idCheck stay. */
export function rowNamed(start: i32, end: i32): i32 {
  const hash = idHash;
  const check = idCheck;
  hashId(start, end);
  const row = findRow(idHash, idCheck);
  idHash = hash;
  idCheck = check;
  return row;
}

export function rowOf(hash: i32, check: i32): i32 {
  return findRow(hash, check);
}

export function isPresent(hash: i32, check: i32): bool {
  const mixed = hash ^ (check * 0x9e3779b1);
  const shift = load<i32>(PRESENCE_SHIFT);
  if (load<u8>(PRESENCE + (<u32>mixed >>> shift)) === 0) return false;
  return load<u8>(PRESENCE_BESIDE + (<u32>(mixed * 0x85ebca6b + check) >>> shift)) !== 0;
}

export function numbersOf(row: i32): i32 {
  return NUMBERS + row * NUMBERS_SIZE;
}

export function timesOf(row: i32): i32 {
  return TIMES + row * TIMES_SIZE;
}

/** A new life under the id at hand; -1 where the id is known already or there is no room. */
export function begin(mta: i32, check: i32, flags: i32): i32 {
  if (load<i32>(NO_ARRIVALS) !== 0) return -1;
  const hash = idHash;
  const known = findRow(hash, check);
  if (known >= 0) {
    // qmail's message numbers come back at once: what has ended keeps its row, not its id.
    const k = numbersOf(known);
    if (mta !== QMAIL || load<i32>(k, N_PLACE) !== place) return -1;
    const state = load<i32>(k, N_FLAGS);
    if ((state & (OVER | UNDER_WAY)) !== OVER) return -1;
    unindex(hash, check);
    store<i32>(k, state | SHADOWED, N_FLAGS);
  }
  if (isPresent(hash, check)) return -1;
  const length = idEnd - idStart;
  if (length > ID_ROOM) return -1;
  if (load<i32>(ROWS_USED) - load<i32>(FREE_ROWS) >= load<i32>(ROW_LIMIT)) return -1;
  const row = newRow();
  const n = numbersOf(row);
  store<i32>(n, hash, N_HASH);
  store<i32>(n, check, N_CHECK);
  store<i32>(n, place, N_PLACE);
  store<i32>(n, mta | flags, N_FLAGS);
  store<i32>(n, pid, N_PID);
  store<i32>(n, -1, N_UID);
  store<i32>(n, -1, N_SIZE);
  store<i32>(n, -1, N_ENVELOPE_RECIPIENTS);
  store<i32>(n, -1, N_QP);
  store<i32>(n, 0, N_DELIVERY);
  store<i32>(n, 0, N_RECIPIENTS);
  store<i32>(n, 0, N_UNTIL);
  copy(TEXTS + row * TEXTS_SIZE + ID_AT, idStart, length);
  store<i32>(n, length, N_LENGTHS);
  const t = timesOf(row);
  const serial = load<f64>(SERIAL_COUNTER) + 1;
  store<f64>(SERIAL_COUNTER, serial);
  store<f64>(t, instant, T_FIRST);
  store<f64>(t, instant, T_LAST);
  store<f64>(t, serial, T_SERIAL);
  store<f64>(t, 0, T_MESSAGE_KEY);
  addToIndex(hash, check, row);
  return row;
}

/** A free row; there is one. */
export function newRow(): i32 {
  const free = load<i32>(FREE_ROWS);
  if (free > 0) {
    store<i32>(FREE_ROWS, free - 1);
    return load<i32>(FREE + ((free - 1) << 2));
  }
  const row = load<i32>(ROWS_USED);
  store<i32>(ROWS_USED, row + 1);
  return row;
}

export function addToIndex(hash: i32, check: i32, row: i32): void {
  // The new row is not free any more, so growing takes it along.
  const indexed = load<i32>(INDEXED) + 1;
  store<i32>(INDEXED, indexed);
  const mask = load<i32>(INDEX_MASK);
  if (indexed << 1 > mask && mask < MOST_INDEX_SLOTS - 1) growIndex();
  else insert(hash, check, row);
}

/** As graceOf (life.ts) for the few states that there are here. */
export function graceOf(flags: i32): f64 {
  const mta = flags & MTA_BITS;
  if ((flags & OVER) !== 0) return mta === SENDMAIL ? IMPLIED_END_GRACE : ENDED_GRACE;
  if ((flags & LINK_ONLY) !== 0) return LINK_ONLY_GRACE;
  if ((flags & IS_REPORT) !== 0) return OPEN_HORIZON;
  if (mta === SENDMAIL && (flags & (ARRIVED | TAKEN_OVER)) === 0) return NEVER_QUEUED_GRACE;
  if (mta === SENDMAIL && (flags & TAKEN_OVER) === 0) return ENDED_GRACE;
  return (flags & TAKEN_OVER) !== 0 || mta !== POSTFIX ? OPEN_HORIZON : NEVER_QUEUED_GRACE;
}

/** The row that the line at hand belongs to, or -1. */
export function claim(check: i32): i32 {
  const row = findRow(idHash, check);
  if (row < 0) return -1;
  const n = numbersOf(row);
  if (load<i32>(n, N_PLACE) !== place || (load<i32>(n, N_FLAGS) & LINK_ONLY) !== 0) return -1;
  return isClaimable(row) ? row : -1;
}

/** As claimable (life.ts) at the instant of the line at hand. */
export function isClaimable(row: i32): bool {
  const flags = load<i32>(numbersOf(row), N_FLAGS);
  const silence = instant - load<f64>(timesOf(row), T_LAST);
  return (flags & CLOSED) === 0 && (silence <= LEAST_GRACE || !(silence > graceOf(flags)));
}

export function touch(row: i32): void {
  const t = timesOf(row);
  if (instant > load<f64>(t, T_LAST)) store<f64>(t, instant, T_LAST);
  if (instant < load<f64>(t, T_FIRST)) store<f64>(t, instant, T_FIRST);
}

export function stateOf(row: i32, number: i32): i32 {
  return (load<i32>(numbersOf(row) + (number << 2), N_ATTEMPTS) >>> STATE_SHIFT) & STATE_BITS;
}

/** The row's place for what few rows have. */
export function linksOf(row: i32): i32 {
  const l = LINKS + row * LINKS_SIZE;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & HAS_LINKS) === 0) {
    store<i32>(n, flags | HAS_LINKS, N_FLAGS);
    memory.fill(l, 0, LINKS_SIZE);
  }
  return l;
}

export function slotAt(slot: i32): i32 {
  return SLOTS + (slot - 1) * SLOT_SIZE;
}

export function nextSequence(): i32 {
  const sequence = load<i32>(SEQUENCE) + 1;
  store<i32>(SEQUENCE, sequence);
  return sequence;
}

/** A free slot + 1, 0 where there is none. */
export function newSlot(): i32 {
  const free = load<i32>(FREE_SLOTS);
  let slot = load<i32>(SLOTS_USED) + 1;
  if (free > 0) {
    slot = load<i32>(FREE_SLOT_LIST + ((free - 1) << 2));
    store<i32>(FREE_SLOTS, free - 1);
  } else if (slot > MOST_SLOTS) return 0;
  else store<i32>(SLOTS_USED, slot);
  store<i32>(slotAt(slot), 0, S_NEXT);
  return slot;
}

/** Keeps the line at hand, in this slot or (0) in a new one; the slot + 1, 0 where it is too long or there is no room. */
export function keepLine(slot: i32, end: i32): i32 {
  const length = end - textStart;
  if (length > SLOT_ROOM) return 0;
  if (slot === 0) slot = newSlot();
  if (slot === 0) return 0;
  const s = slotAt(slot);
  store<i32>(s, length, S_LENGTH);
  store<i32>(s, tagFlags >>> TAG_SHIFT, S_TAG);
  store<i32>(s, host, S_HOST);
  store<i32>(s, nextSequence(), S_SEQUENCE);
  store<i32>(s, 0, S_ADDRESS);
  store<f64>(s, instant, S_INSTANT);
  copy(s + S_TEXT, textStart, length);
  return slot;
}

export function parentOf(row: i32): i32 {
  if ((load<i32>(numbersOf(row), N_FLAGS) & RELATED) === 0) return -1;
  return load<i32>(LINKS + row * LINKS_SIZE, L_PARENT) - 1;
}

export function rootOf(row: i32): i32 {
  for (let parent = parentOf(row); parent >= 0; parent = parentOf(row)) row = parent;
  return row;
}

export function firstChild(row: i32): i32 {
  if ((load<i32>(numbersOf(row), N_FLAGS) & RELATED) === 0) return -1;
  return load<i32>(LINKS + row * LINKS_SIZE, L_CHILD) - 1;
}

export function nextSibling(row: i32): i32 {
  return load<i32>(LINKS + row * LINKS_SIZE, L_SIBLING) - 1;
}

/** Keeps the reverse-path at [start, end), which has been found short enough. */
export function keepPath(row: i32, start: i32, end: i32): void {
  copy(TEXTS + row * TEXTS_SIZE + PATH_AT, start, end - start);
  const n = numbersOf(row);
  store<i32>(n, load<i32>(n, N_LENGTHS) | ((end - start) << PATH_SHIFT), N_LENGTHS);
}

/** Somebody's address, short enough to keep. */
export function isOrdinaryPath(start: i32, end: i32): bool {
  const length = end - start;
  if (length < 3 || length > PATH_ROOM || byte(start) === 0x23) return false;
  // double-bounce@
  return !(length >= 14 && stands(start, W_DOUBLE_B, 8) && stands(start + 8, W_OUNC, 4));
}

/** The second, in ms, in which this instant lies. */
export function secondOf(time: f64): f64 {
  return Math.floor(time / 1000) * 1000;
}

/** The last second in which the row may be joined by another line. */
function lastSecondOf(row: i32): f64 {
  return secondOf(load<f64>(timesOf(row), T_LAST) + graceOf(load<i32>(numbersOf(row), N_FLAGS)));
}

/** Whether the row's time is over. */
export function isOver(row: i32): bool {
  return lastSecondOf(row) < secondOf(load<f64>(NOW));
}

/** Until its time is over. */
export function wait(row: i32): void {
  const n = numbersOf(row);
  if (load<i32>(n, N_UNTIL) !== 0) waitNoMore(row);
  if (load<f64>(CLOSED_TO) === -Infinity) store<f64>(CLOSED_TO, secondOf(load<f64>(NOW)));
  const from = load<f64>(CLOSED_TO);
  const latest = from + (CLOSING_SECONDS - 1) * 1000;
  const second = closingAt(max(from, min(lastSecondOf(row), latest)));
  const last = load<i32>(second, 4);
  if (last === 0) store<i32>(second, row + 1);
  else store<i32>(numbersOf(last - 1), row + 1, N_BEHIND);
  store<i32>(second, row + 1, 4);
  store<i32>(n, second, N_UNTIL);
  store<i32>(n, last, N_BEFORE);
  store<i32>(n, 0, N_BEHIND);
  store<i32>(WAITING, load<i32>(WAITING) + 1);
}

/** It waits now. */
export function waitNoMore(row: i32): void {
  const n = numbersOf(row);
  const second = load<i32>(n, N_UNTIL);
  const before = load<i32>(n, N_BEFORE);
  const behind = load<i32>(n, N_BEHIND);
  if (before === 0) store<i32>(second, behind);
  else store<i32>(numbersOf(before - 1), behind, N_BEHIND);
  if (behind === 0) store<i32>(second, before, 4);
  else store<i32>(numbersOf(behind - 1), before, N_BEFORE);
  store<i32>(n, 0, N_UNTIL);
  store<i32>(WAITING, load<i32>(WAITING) - 1);
}

/** The first and the last of those that wait until this second. */
export function closingAt(second: f64): i32 {
  return CLOSING + ((<i32>(<i64>(second / 1000)) & (CLOSING_SECONDS - 1)) << 3);
}

/** Frees a row; its life has been counted or promoted. */
export function release(row: i32): void {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if (load<i32>(n, N_UNTIL) !== 0) waitNoMore(row);
  if ((flags & SHADOWED) === 0) unindex(load<i32>(n, N_HASH), load<i32>(n, N_CHECK));
  const rowHost = load<i32>(n, N_PLACE) & 0xffff;
  const qp = load<i32>(n, N_QP);
  if (qp >= 0) {
    const slot = PROCESSES + (processSlot(rowHost, qp) << 2);
    if (load<i32>(slot) === row + 1) store<i32>(slot, 0);
  }
  for (let slot = load<i32>(n, N_DELIVERY); slot !== 0; slot = load<i32>(deliveryAt(slot), D_NEXT))
    store<i32>(deliveryAt(slot), 0, D_ROW);
  if ((flags & HAS_LINKS) !== 0) {
    const l = LINKS + row * LINKS_SIZE;
    for (let i = 0; i < MOST_RECIPIENTS; i++) freeSlot(load<i32>(l + (i << 2), L_KEPT));
    if ((flags & (MTA_BITS | HAS_NOTICE)) === (QMAIL | HAS_NOTICE) && load<i32>(l, L_BOUNCE) >= 0) {
      const slot = BOUNCES + (processSlot(rowHost, load<i32>(l, L_BOUNCE)) << 2);
      if (load<i32>(slot) === row + 1) store<i32>(slot, 0);
    }
    if ((flags & HAS_FORWARD) !== 0 && load<i32>(l, L_FORWARD) >= 0) {
      const slot = FORWARDS + (processSlot(rowHost, load<i32>(l, L_FORWARD)) << 2);
      if (load<i32>(slot) === row + 1) store<i32>(slot, 0);
    }
    for (let slot = load<i32>(l, L_NOTICES); slot !== 0; ) {
      const next = load<i32>(slotAt(slot), S_NEXT);
      freeSlot(slot);
      slot = next;
    }
  }
  store<f64>(timesOf(row), 0, T_SERIAL);
  const free = load<i32>(FREE_ROWS);
  store<i32>(FREE + (free << 2), row);
  store<i32>(FREE_ROWS, free + 1);
}

/** Its text stays where it is until another line is kept. */
export function freeSlot(slot: i32): void {
  if (slot === 0) return;
  const free = load<i32>(FREE_SLOTS);
  store<i32>(FREE_SLOT_LIST + (free << 2), slot);
  store<i32>(FREE_SLOTS, free + 1);
}

/** Frees the rows of a whole chain. */
export function releaseChain(row: i32): void {
  for (let child = firstChild(row); child >= 0; ) {
    const next = nextSibling(child);
    releaseChain(child);
    child = next;
  }
  release(row);
}

/** Postfix: a session, or a text, that never came into the queue: nobody's message, nothing to be told. */
function isNothing(row: i32, flags: i32): bool {
  const odd = TAKEN_OVER | OVER | RELATED | HAS_LINKS | LINK_ONLY | LOCAL_ORIGIN | NULL_PATH;
  if ((flags & (MTA_BITS | odd)) !== POSTFIX || load<i32>(numbersOf(row), N_RECIPIENTS) !== 0) return false;
  return load<f64>(timesOf(row), T_FIRST) > load<f64>(SEAM);
}

/**
 * The first row from `row` on that is in use and, with `silent`, has fallen silent with nobody to notice; -1 when there
 * is none. What is closed waits for others of its chain; what is nothing goes at once.
 */
export function nextRow(row: i32, silent: bool): i32 {
  const used = load<i32>(ROWS_USED);
  for (; row < used; row++) {
    const t = timesOf(row);
    if (load<f64>(t, T_SERIAL) === 0) continue;
    if (!silent) return row;
    const flags = load<i32>(numbersOf(row), N_FLAGS);
    if ((flags & CLOSED) !== 0 || !isOver(row)) continue;
    if (!isNothing(row, flags)) return row;
    release(row);
  }
  return -1;
}
