/**
 * What a line does to a row, whatever the MTA: attempts, ends, DSNs, and how rows become one chain (chains/joiner.ts).
 */
import { hashId, textKey } from './bytes';
import { advance } from './closing';
import {
  ARRIVED,
  DEFERRED_YET,
  DELIVERED,
  HAS_NOTICE,
  IS_REPORT,
  L_CHILD,
  L_KEPT,
  L_NOTICES,
  L_PARENT,
  L_PENDING,
  L_SIBLING,
  L_SINCE,
  LAST_LINE,
  LINK_ONLY,
  LINKS,
  LINKS_SIZE,
  MOST_RECIPIENTS,
  N_ATTEMPTS,
  N_FLAGS,
  N_PLACE,
  N_RECIPIENTS,
  NULL_PATH,
  OVER,
  REJECTED_FOR_NOW,
  REJECTED_RECIPIENTS,
  RELATED,
  S_NEXT,
  STATE_BITS,
  STATE_SHIFT,
  T_FIRST,
  T_KEYS,
  T_LAST,
  TAKEN_OVER,
  UNTRIED_YET,
} from './layout';
import {
  count,
  idCheck,
  idEnd,
  idHash,
  idStart,
  instant,
  MOST_RELATED,
  OUT_OF_ORDER,
  POSTFIX,
  recorded,
  SENDMAIL,
  SLOW,
  TAKEN,
} from './line';
import {
  begin,
  claim,
  findRow,
  firstChild,
  freeSlot,
  isClaimable,
  keepLine,
  linksOf,
  nextSequence,
  nextSibling,
  numbersOf,
  parentOf,
  rootOf,
  rowNamed,
  slotAt,
  stateOf,
  timesOf,
  touch,
  wait,
} from './rows';

/** Number of the recipient with this key, a new one with no attempts if need be; -1 when there is no room. */
export function recipient(row: i32, key: f64): i32 {
  const n = numbersOf(row);
  const keys = timesOf(row) + T_KEYS;
  const count = load<i32>(n, N_RECIPIENTS);
  for (let i = 0; i < count; i++) if (load<f64>(keys + (i << 3)) === key) return i;
  if (count === MOST_RECIPIENTS) return -1;
  store<f64>(keys + (count << 3), key);
  store<i32>(n + (count << 2), 0, N_ATTEMPTS);
  store<i32>(n, count + 1, N_RECIPIENTS);
  return count;
}

/** One more attempt, which ended so. */
function attempted(row: i32, number: i32, state: i32): void {
  const attempts = numbersOf(row) + N_ATTEMPTS + (number << 2);
  store<i32>(attempts, ((load<i32>(attempts) & ~(STATE_BITS << STATE_SHIFT)) | (state << STATE_SHIFT)) + 1);
  touch(row);
}

/** An attempt without texts: false where the recipient is done already, in another way. */
export function delivered(row: i32, number: i32): bool {
  const state = stateOf(row, number);
  if (state > DEFERRED_YET) return false;
  attempted(row, number, DELIVERED);
  return true;
}

/** An attempt whose line is kept; false where the recipient is done already or there is no room. */
export function attemptKept(row: i32, number: i32, state: i32, end: i32): bool {
  const before = stateOf(row, number);
  if (before !== UNTRIED_YET && before !== DEFERRED_YET) return false;
  const kept = linksOf(row) + L_KEPT + (number << 2);
  const slot = keepLine(load<i32>(kept), end);
  if (slot === 0) return false;
  store<i32>(kept, slot);
  attempted(row, number, state);
  return true;
}

/** Whether `child` may get this parent by the line at hand: as #linked (joiner.ts) would choose it. */
export function mayRelate(parent: i32, child: i32): bool {
  const p = numbersOf(parent);
  const c = numbersOf(child);
  if (((load<i32>(p, N_PLACE) ^ load<i32>(c, N_PLACE)) & 0xffff) !== 0) return false;
  return parentOf(child) < 0 && rootOf(parent) !== child && isClaimable(child) && hasRoom(parent);
}

/** A mail that loops, or a list of thousands, is the joiner's: what walks along chains here stays short. */
export function hasRoom(parent: i32): bool {
  let steps = 0;
  for (let up = parent; up >= 0 && steps <= MOST_RELATED; up = parentOf(up)) steps++;
  if (steps > MOST_RELATED) return false;
  for (let child = firstChild(parent); child >= 0 && steps <= 2 * MOST_RELATED; child = nextSibling(child))
    steps++;
  return steps <= 2 * MOST_RELATED;
}

/** As joiner.ts; `from` is touched by the line at hand only afterwards, so its last instant may be that line's. */
export function mayBeHandedOver(from: i32, child: i32): bool {
  if (!mayRelate(from, child)) return false;
  const t = timesOf(from);
  const began = load<f64>(timesOf(child), T_FIRST);
  return (
    began >= load<f64>(t, T_FIRST) - OUT_OF_ORDER &&
    began <= max(load<f64>(t, T_LAST), instant) + OUT_OF_ORDER
  );
}

/** Makes `child` the last child of `parent`. */
export function relate(parent: i32, child: i32, flags: i32): void {
  const root = rootOf(parent);
  const l = linksOf(child);
  linksOf(parent);
  begins(parent);
  begins(child);
  const c = numbersOf(child);
  store<i32>(c, load<i32>(c, N_FLAGS) | flags, N_FLAGS);
  store<i32>(l, nextSequence(), L_SINCE);
  const pending = LINKS + root * LINKS_SIZE + L_PENDING;
  store<i32>(pending, load<i32>(pending) + load<i32>(l, L_PENDING));
  addChild(parent, child);
}

/** Both have links. */
export function addChild(parent: i32, child: i32): void {
  store<i32>(LINKS + child * LINKS_SIZE, parent + 1, L_PARENT);
  let last = firstChild(parent);
  if (last < 0) {
    store<i32>(LINKS + parent * LINKS_SIZE, child + 1, L_CHILD);
    return;
  }
  for (let next = nextSibling(last); next >= 0; next = nextSibling(last)) last = next;
  store<i32>(LINKS + last * LINKS_SIZE, child + 1, L_SIBLING);
}

/** It is a chain of its own until now. */
function begins(row: i32): void {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & RELATED) !== 0) return;
  store<i32>(n, flags | RELATED, N_FLAGS);
  store<i32>(LINKS + row * LINKS_SIZE, 1, L_PENDING);
}

/** As recipientKeyOf (keys.ts), without original recipient where both its places are 0; idHash and idCheck stay. */
export function addressKey(start: i32, end: i32, original: i32, originalEnd: i32): f64 {
  const hash = idHash;
  const check = idCheck;
  let key = textKey(start, end);
  if (originalEnd > original) key = key * 31 + textKey(original, originalEnd);
  idHash = hash;
  idCheck = check;
  return key;
}

/** A row for the id at [start, end), whose hashes are at hand: as #linked (joiner.ts) where it knows none. */
export function beginLinked(mta: i32, start: i32, end: i32): i32 {
  idStart = start;
  idEnd = end;
  const row = begin(mta, idCheck, LINK_ONLY);
  if (row >= 0) wait(row);
  return row;
}

export function ends(mta: i32, check: i32): i32 {
  const row = claim(check);
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & OVER) !== 0) return SLOW;
  touch(row);
  store<i32>(n, flags | OVER, N_FLAGS);
  wait(row);
  recorded(mta);
  return TAKEN;
}

/** A recipient was refused in the dialogue. */
export function refused(mta: i32, forNow: bool): i32 {
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  recorded(mta);
  count(forNow ? REJECTED_FOR_NOW : REJECTED_RECIPIENTS);
  store<i32>(LAST_LINE, forNow ? 3 : 2);
  return TAKEN;
}

/** A DSN about the row, under the id at [start, stop): the line is kept, and the two hang together. */
export function announced(mta: i32, row: i32, start: i32, stop: i32, end: i32): i32 {
  const hash = idHash;
  const check = idCheck;
  hashId(start, stop);
  let child = findRow(idHash, idCheck);
  // As mayReport (joiner.ts); what sendmail announces has not spoken yet.
  let may = true;
  if (child >= 0) {
    const flags = load<i32>(numbersOf(child), N_FLAGS);
    may =
      mta === POSTFIX &&
      mayRelate(row, child) &&
      (flags & ARRIVED) === 0 &&
      (flags & (TAKEN_OVER | NULL_PATH)) !== TAKEN_OVER;
  } else may = hasRoom(row);
  const slot = may ? keepLine(0, end) : 0;
  if (slot !== 0 && child < 0) {
    child = beginLinked(mta, start, stop);
    if (child < 0) freeSlot(slot);
  }
  idHash = hash;
  idCheck = check;
  if (slot === 0 || child < 0) return SLOW;
  notice(row, slot);
  // sendmail says nothing of its acceptance.
  relate(row, child, mta === SENDMAIL ? IS_REPORT | TAKEN_OVER : IS_REPORT);
  recorded(mta);
  return TAKEN;
}

/** Keeps the line in this slot with the row. */
export function hang(row: i32, slot: i32): void {
  const l = linksOf(row);
  store<i32>(slotAt(slot), load<i32>(l, L_NOTICES), S_NEXT);
  store<i32>(l, slot, L_NOTICES);
}

/** sendmail: the row goes on under the id at [start, stop), of which nothing was seen yet; the line is kept. */
export function cloned(row: i32, start: i32, stop: i32, end: i32): bool {
  if (rowNamed(start, stop) >= 0 || !hasRoom(row)) return false;
  const slot = keepLine(0, end);
  if (slot === 0) return false;
  const hash = idHash;
  const check = idCheck;
  hashId(start, stop);
  const child = beginLinked(SENDMAIL, start, stop);
  idHash = hash;
  idCheck = check;
  if (child < 0) {
    freeSlot(slot);
    return false;
  }
  hang(row, slot);
  relate(row, child, TAKEN_OVER);
  touch(row);
  return true;
}

/** The line in this slot is about the message, not about one recipient. */
export function notice(row: i32, slot: i32): void {
  hang(row, slot);
  const n = numbersOf(row);
  store<i32>(n, load<i32>(n, N_FLAGS) | HAS_NOTICE, N_FLAGS);
  touch(row);
}
