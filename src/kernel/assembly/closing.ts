/**
 * Log time moves on: chains whose time is over are counted here, sent, told or promoted.
 */
import { byte, hashId } from './bytes';
import {
  ADVANCE,
  ADVANCE_TO,
  ALL_TAKEN,
  ARRIVED,
  CLIENT_AT,
  CLIENT_SHIFT,
  CLOSED,
  CLOSED_TO,
  CLOSING_SECONDS,
  DELIVERED,
  DRAIN,
  FORWARDED_ON,
  HANDED_OVER,
  HAS_NOTICE,
  IS_REPORT,
  L_PENDING,
  LINKS,
  LINKS_SIZE,
  LOCAL_ORIGIN,
  MOST_REPEATED,
  MTA_BITS,
  N_FLAGS,
  N_LENGTHS,
  N_RECIPIENTS,
  N_UID,
  N_UNTIL,
  NEXT_DUE,
  NOW,
  NULL_PATH,
  ORIGIN,
  OUTBOX_FULL,
  OUTBOX_USED,
  PATH_AT,
  PATH_SHIFT,
  PLAIN,
  PLAIN_COUNTS,
  PLAIN_ROOM,
  PLAIN_SIZE,
  PROMOTE_ROW,
  RELATED,
  REPEATED,
  REPEATS,
  ROW,
  SEAM,
  SENDS_CHAINS,
  SUBMISSION_BITS,
  SUBMISSION_SIZE,
  SUBMISSIONS,
  T_FIRST,
  T_KEYS,
  TAKEN_OVER,
  TELL_ROW,
  TEXTS,
  TEXTS_SIZE,
  TOLD_CLIENTS,
  TOLD_DELIVERED,
  TOLD_EXPANDED,
  TOLD_UIDS,
  U_AFTER,
  U_COUNT,
  UNDER_WAY,
  USER_AT,
  USER_SHIFT,
  WAITING,
} from './layout';
import { answer, HOUR, IMPLIED_END_GRACE, idCheck, idHash, instant, SENDMAIL, TAKEN, WAIT } from './line';
import { isOnItsOwn, send } from './outbox';
import {
  closingAt,
  firstChild,
  graceOf,
  isOver,
  nextSibling,
  numbersOf,
  release,
  releaseChain,
  rootOf,
  secondOf,
  stateOf,
  timesOf,
  wait,
  waitNoMore,
} from './rows';

/** Counts a plain message; false when the table is full. */
function countPlain(mta: i32, first: f64): bool {
  const hour = Math.floor(first / HOUR);
  const counts = load<i32>(PLAIN_COUNTS);
  for (let i = counts - 1; i >= 0; i--) {
    const entry = PLAIN + i * PLAIN_SIZE;
    if (load<f64>(entry) !== hour || load<i32>(entry, 8) !== mta) continue;
    store<f64>(entry, load<f64>(entry, 16) + 1, 16);
    store<f64>(entry, load<f64>(entry, 24) + <f64>toldDelivered, 24);
    store<f64>(entry, load<f64>(entry, 32) + <f64>toldExpanded, 32);
    return true;
  }
  if (counts === PLAIN_ROOM) return false;
  const entry = PLAIN + counts * PLAIN_SIZE;
  store<f64>(entry, hour);
  store<i32>(entry, mta, 8);
  store<f64>(entry, 1, 16);
  store<f64>(entry, <f64>toldDelivered, 24);
  store<f64>(entry, <f64>toldExpanded, 32);
  store<i32>(PLAIN_COUNTS, counts + 1);
  return true;
}

/** Whether the submissions of the row's uid are told. */
export function isToldUid(n: i32): bool {
  const uid = load<i32>(n, N_UID);
  const uids = load<i32>(TOLD_UIDS);
  for (let i = 1; i <= uids; i++) if (load<i32>(TOLD_UIDS + (i << 2)) === uid) return true;
  return false;
}

/** Whether its submission is told. The look at the client's first bytes leaves most strangers out. */
function isOurs(n: i32, texts: i32): bool {
  const lengths = load<i32>(n, N_LENGTHS);
  if (((lengths >>> USER_SHIFT) & 255) !== 0 || (load<i32>(n, N_FLAGS) & LOCAL_ORIGIN) !== 0) return true;
  if (((lengths >>> CLIENT_SHIFT) & 255) === 0) return isToldUid(n);
  if (load<i32>(TOLD_CLIENTS) !== 0) return true;
  // May it be loopback or private? Which ones are is the caller's (suspects/inside.ts).
  const first = byte(texts + CLIENT_AT);
  if (first !== 0x31) return first === 0x3a || (first | 0x20) === 0x66;
  const third = byte(texts + CLIENT_AT + 2);
  switch (byte(texts + CLIENT_AT + 1)) {
    case 0x30: // 10. 100
      return third === 0x2e || third === 0x30;
    case 0x32: // 127
      return third === 0x37;
    case 0x36: // 169
      return third === 0x39;
    case 0x37: // 172
    case 0x39: // 192
      return third === 0x32;
    default:
      return false;
  }
}

/** Recipients of the chain that isPlain has looked at. */
let toldDelivered: i32 = 0;
let toldExpanded: i32 = 0;

/**
 * Whether the message of these rows, the root's and those it went on as, is plain: everybody has it, and there is
 * nothing to be told but how many (summary.ts). Adds them to toldDelivered and toldExpanded as recipientsOf (view.ts).
 */
function isPlain(row: i32): bool {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & (TAKEN_OVER | UNDER_WAY | NULL_PATH | HAS_NOTICE | IS_REPORT)) !== TAKEN_OVER) return false;
  if (load<f64>(timesOf(row), T_FIRST) <= load<f64>(SEAM)) return false;
  const recipients = load<i32>(n, N_RECIPIENTS);
  const child = firstChild(row);
  // A clone of sendmail's takes all recipients with it.
  if (recipients === 0 && (child < 0 || (flags & MTA_BITS) !== SENDMAIL)) return false;
  for (let i = 0; i < recipients; i++) {
    const state = stateOf(row, i);
    if (state === FORWARDED_ON) toldExpanded++;
    else if (state === DELIVERED) {
      // Through a filter and back: the later row has the same recipient.
      if (child < 0 || !hasLater(child, load<f64>(timesOf(row) + (i << 3), T_KEYS))) toldDelivered++;
    } else if (state !== HANDED_OVER) return false;
  }
  for (let next = child; next >= 0; next = nextSibling(next)) if (!isPlain(next)) return false;
  return true;
}

/** Whether one of these siblings, or what they went on as, has a recipient with this key. */
function hasLater(row: i32, key: f64): bool {
  for (; row >= 0; row = nextSibling(row)) {
    const keys = timesOf(row) + T_KEYS;
    const count = load<i32>(numbersOf(row), N_RECIPIENTS);
    for (let i = 0; i < count; i++) if (load<f64>(keys + (i << 3)) === key) return true;
    if (hasLater(firstChild(row), key)) return true;
  }
  return false;
}

/** This row's time is over; the root of its chain when that goes for all of it, -1 otherwise. */
function close(row: i32): i32 {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  store<i32>(n, flags | CLOSED, N_FLAGS);
  if ((flags & RELATED) === 0) return row;
  const root = rootOf(row);
  const pending = LINKS + root * LINKS_SIZE + L_PENDING;
  // Once: who calls may have to come again.
  if ((flags & CLOSED) === 0) store<i32>(pending, load<i32>(pending) - 1);
  return load<i32>(pending) > 0 ? -1 : root;
}

let submissionHash: i32 = 0;
let submissionCheck: i32 = 0;

/**
 * Where SUBMISSIONS may know who handed the row's message in, and under which reverse-path. Who: a user, or else, of this
 * host, a uid, or else a client.
 */
function submissionSlot(row: i32): i32 {
  const n = numbersOf(row);
  const texts = TEXTS + row * TEXTS_SIZE;
  const lengths = load<i32>(n, N_LENGTHS);
  const user = (lengths >>> USER_SHIFT) & 255;
  const client = (lengths >>> CLIENT_SHIFT) & 255;
  const local = load<i32>(n, N_FLAGS) & LOCAL_ORIGIN;
  let check = load<i32>(n, N_UID);
  let hash = check * 0x85ebca6b;
  if (user > 0 || (local === 0 && client > 0)) {
    const from = texts + (user > 0 ? USER_AT : CLIENT_AT);
    hashId(from, from + (user > 0 ? user : client));
    hash = idHash;
    check = idCheck;
  }
  // What looks the same is not of another kind of submission.
  hash += (user > 0 ? 1 : local !== 0 ? 2 : 3) + ((load<i32>(n, N_FLAGS) & MTA_BITS) << 2);
  hashId(texts + PATH_AT, texts + PATH_AT + (lengths >>> PATH_SHIFT));
  // Often the two are the same: what makes the one of the other must not cancel out.
  // An empty place has a hash of 0.
  submissionHash = ((hash * 0x01000193 + idHash) * 0x9e3779b1) | 1;
  submissionCheck = check * 31 + idCheck;
  return <i32>(<u32>submissionHash >>> (32 - SUBMISSION_BITS));
}

/** The entry where this row's submission is only counted; 0 where it is to be told. */
function submissionOf(row: i32): i32 {
  const hash = idHash;
  const check = idCheck;
  const entry = SUBMISSIONS + submissionSlot(row) * SUBMISSION_SIZE;
  idHash = hash;
  idCheck = check;
  if (load<i32>(entry) !== submissionHash || load<i32>(entry, 4) !== submissionCheck) return 0;
  return load<f64>(timesOf(row), T_FIRST) > load<f64>(entry, U_AFTER) ? entry : 0;
}

/** From here on, submissions like the row's, accepted after this time, are only counted; where, or -1. */
export function tellAgain(row: i32, after: f64): i32 {
  const slot = submissionSlot(row);
  const entry = SUBMISSIONS + slot * SUBMISSION_SIZE;
  // Not before the others that this place counts have been handed on.
  if (load<i32>(entry, U_COUNT) !== 0) return -1;
  store<i32>(entry, submissionHash);
  store<i32>(entry, submissionCheck, 4);
  store<f64>(entry, after, U_AFTER);
  return slot;
}

/** One more there; room for it in REPEATED has been found. */
function countRepeat(entry: i32): void {
  const count = load<i32>(entry, U_COUNT);
  store<i32>(entry, count + 1, U_COUNT);
  if (count > 0) return;
  const repeats = load<i32>(REPEATS);
  store<i32>(REPEATED + (repeats << 2), (entry - SUBMISSIONS) / SUBMISSION_SIZE);
  store<i32>(REPEATS, repeats + 1);
}

/** This row's time is over, and maybe that of its chain; ALL_TAKEN, or what others have to do before it can be dropped. */
function closeRow(row: i32): i32 {
  const root = close(row);
  if (root < 0) return ALL_TAKEN;
  const n = numbersOf(root);
  const flags = load<i32>(n, N_FLAGS);
  const first = load<f64>(timesOf(root), T_FIRST);
  toldDelivered = 0;
  toldExpanded = 0;
  // Refused: nobody's message.
  const nothing = (flags & (MTA_BITS | ARRIVED | TAKEN_OVER)) === (SENDMAIL | ARRIVED);
  if (nothing && first > load<f64>(SEAM)) {
    release(root);
    return ALL_TAKEN;
  }
  if ((flags & ARRIVED) === 0 || !isPlain(root)) {
    const leaves = load<i32>(SENDS_CHAINS) !== 0 && isOnItsOwn(root);
    if (leaves && send(root)) return ALL_TAKEN;
    store<i32>(ROW, root);
    return leaves && load<i32>(OUTBOX_USED) > 0 ? OUTBOX_FULL : PROMOTE_ROW;
  }
  const ours = isOurs(n, TEXTS + root * TEXTS_SIZE);
  const repeat = ours ? submissionOf(root) : 0;
  if (ours && repeat === 0) {
    store<i32>(ROW, root);
    store<i32>(TOLD_DELIVERED, toldDelivered);
    store<i32>(TOLD_EXPANDED, toldExpanded);
    return TELL_ROW;
  }
  if (load<i32>(REPEATS) === MOST_REPEATED || !countPlain(flags & MTA_BITS, first)) return DRAIN;
  if (repeat !== 0) countRepeat(repeat);
  releaseChain(root);
  return ALL_TAKEN;
}

/** Counts the lives whose time is over: all that wait until a second before that of NOW. */
export function closeDue(): i32 {
  const now = secondOf(load<f64>(NOW));
  if (load<f64>(CLOSED_TO) === -Infinity) store<f64>(CLOSED_TO, now);
  // Far behind, each of them once.
  let at = max(load<f64>(CLOSED_TO), now - CLOSING_SECONDS * 1000);
  for (; at < now; at += 1000) {
    store<f64>(CLOSED_TO, at);
    if (load<i32>(WAITING) === 0) break;
    const second = closingAt(at);
    for (let row = load<i32>(second) - 1; row >= 0; row = load<i32>(second) - 1) {
      const n = numbersOf(row);
      if (isOver(row)) {
        const result = closeRow(row);
        if (result !== ALL_TAKEN) return result;
        if (load<i32>(n, N_UNTIL) !== 0) waitNoMore(row);
        continue;
      }
      waitNoMore(row);
      // Another line came behind its end; an open one will end, or is found when it has been silent for long.
      if (graceOf(load<i32>(n, N_FLAGS)) <= IMPLIED_END_GRACE) wait(row);
    }
  }
  store<f64>(CLOSED_TO, now);
  return ALL_TAKEN;
}

/** A recorded line moves log time on (Joiner.take); WAIT where others have to act first. */
export function advance(): i32 {
  if (instant > load<f64>(NOW)) {
    if (instant > load<f64>(NEXT_DUE)) {
      store<f64>(ADVANCE_TO, instant);
      answer = ADVANCE;
      return WAIT;
    }
    if (load<f64>(ORIGIN) === Infinity) store<f64>(ORIGIN, instant);
    store<f64>(NOW, instant);
  }
  if (load<f64>(NOW) < load<f64>(CLOSED_TO) + 1000) return TAKEN;
  answer = closeDue();
  return answer === ALL_TAKEN ? TAKEN : WAIT;
}
