/**
 * Chains that are over leave for another kernel, and come in from another one (layout.ts OUTBOX).
 */
import { addChild } from './joins';
import {
  CHAIN_HEAD,
  CHAIN_NOW,
  HAS_FORWARD,
  HAS_LINKS,
  HAS_NOTICE,
  L_BOUNCE,
  L_CHILD,
  L_FORWARD,
  L_KEPT,
  L_NOTICES,
  L_PARENT,
  L_SIBLING,
  LINKS,
  LINKS_SIZE,
  LOCAL_ORIGIN,
  MOST_RECIPIENTS,
  MTA_BITS,
  N_CHECK,
  N_DELIVERY,
  N_FLAGS,
  N_HASH,
  N_UNTIL,
  NOW,
  NUMBERS_SIZE,
  OUTBOX,
  OUTBOX_ROOM,
  OUTBOX_USED,
  ROW_HEAD,
  S_ADDRESS,
  S_LENGTH,
  S_NEXT,
  S_TEXT,
  SHADOWED,
  TEXTS,
  TEXTS_SIZE,
  TIMES_SIZE,
} from './layout';
import { POSTFIX, QMAIL } from './line';
import {
  addToIndex,
  firstChild,
  newRow,
  newSlot,
  nextSibling,
  numbersOf,
  releaseChain,
  slotAt,
  timesOf,
} from './rows';

/** Where the next row goes, and how many of the chain are there. */
let outboxAt: i32 = 0;
let outboxRows: i32 = 0;

/** Whether nothing but the chain itself knows of these rows: who makes lives of them needs nothing else either. */
export function isOnItsOwn(row: i32): bool {
  // What pickup(8) took in may be what pipe(8) gave away.
  if ((load<i32>(numbersOf(row), N_FLAGS) & (MTA_BITS | LOCAL_ORIGIN)) === (POSTFIX | LOCAL_ORIGIN))
    return false;
  if (isAwaiting(row)) return false;
  for (let child = firstChild(row); child >= 0; child = nextSibling(child))
    if (!isOnItsOwn(child)) return false;
  return true;
}

/** Whether a delivery is under way, or the message of a forward or of a bounce is on its way. */
export function isAwaiting(row: i32): bool {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  const l = LINKS + row * LINKS_SIZE;
  if (load<i32>(n, N_DELIVERY) !== 0) return true;
  if ((flags & HAS_FORWARD) !== 0 && load<i32>(l, L_FORWARD) >= 0) return true;
  return (flags & (MTA_BITS | HAS_NOTICE)) === (QMAIL | HAS_NOTICE) && load<i32>(l, L_BOUNCE) >= 0;
}

/** Puts a chain into the outbox and frees its rows; false where there is no room. */
export function send(root: i32): bool {
  const start = OUTBOX + load<i32>(OUTBOX_USED);
  outboxAt = start + CHAIN_HEAD;
  outboxRows = 0;
  if (!sendRow(root, -1)) return false;
  store<i32>(start, outboxAt - start);
  store<f64>(start, load<f64>(NOW), CHAIN_NOW);
  store<i32>(OUTBOX_USED, outboxAt - OUTBOX);
  releaseChain(root);
  return true;
}

function sendRow(row: i32, parent: i32): bool {
  const head = outboxAt;
  if (head + ROW_HEAD + ROW_SIZE > OUTBOX + OUTBOX_ROOM) return false;
  const own = outboxRows++;
  outboxAt += ROW_HEAD + ROW_SIZE;
  copyRow(row, head + ROW_HEAD);
  store<i32>(head, parent);
  let notices = 0;
  if ((load<i32>(numbersOf(row), N_FLAGS) & HAS_LINKS) !== 0) {
    const l = LINKS + row * LINKS_SIZE;
    for (let i = 0; i < MOST_RECIPIENTS; i++) {
      const slot = load<i32>(l + (i << 2), L_KEPT);
      if (slot !== 0 && !sendSlot(slot)) return false;
    }
    for (let slot = load<i32>(l, L_NOTICES); slot !== 0; slot = load<i32>(slotAt(slot), S_NEXT)) {
      if (!sendSlot(slot)) return false;
      notices++;
    }
  }
  store<i32>(head, notices, 4);
  for (let child = firstChild(row); child >= 0; child = nextSibling(child))
    if (!sendRow(child, own)) return false;
  return true;
}

const ROW_SIZE: i32 = NUMBERS_SIZE + TIMES_SIZE + TEXTS_SIZE + LINKS_SIZE;

/** The four parts of a row, one behind the other. */
function copyRow(row: i32, to: i32): void {
  memory.copy(to, numbersOf(row), NUMBERS_SIZE);
  to += NUMBERS_SIZE;
  memory.copy(to, timesOf(row), TIMES_SIZE);
  to += TIMES_SIZE;
  memory.copy(to, TEXTS + row * TEXTS_SIZE, TEXTS_SIZE);
  memory.copy(to + TEXTS_SIZE, LINKS + row * LINKS_SIZE, LINKS_SIZE);
}

/** What of a slot is in use, in whole words. */
function slotLength(s: i32): i32 {
  return (S_TEXT + load<i32>(s, S_LENGTH) + load<i32>(s, S_ADDRESS) + 7) & ~7;
}

function sendSlot(slot: i32): bool {
  const s = slotAt(slot);
  const length = slotLength(s);
  if (outboxAt + length > OUTBOX + OUTBOX_ROOM) return false;
  memory.copy(outboxAt, s, length);
  outboxAt += length;
  return true;
}

/** Takes a chain in that another kernel has sent; its root's row. There is room: one chain is here at a time. */
export function receive(at: i32): i32 {
  const end = at + load<i32>(at);
  // Nothing is sent from here: the outbox has room for the numbers of the rows.
  let rows = OUTBOX;
  at += CHAIN_HEAD;
  while (at < end) {
    const row = newRow();
    store<i32>(rows, row);
    rows += 4;
    const parent = load<i32>(at);
    const notices = load<i32>(at, 4);
    at = receiveRow(row, at + ROW_HEAD);
    if ((load<i32>(numbersOf(row), N_FLAGS) & HAS_LINKS) !== 0) at = receiveSlots(row, notices, at);
    if (parent >= 0) addChild(load<i32>(OUTBOX + (parent << 2)), row);
  }
  return load<i32>(OUTBOX);
}

function receiveRow(row: i32, at: i32): i32 {
  const n = numbersOf(row);
  memory.copy(n, at, NUMBERS_SIZE);
  store<i32>(n, 0, N_UNTIL);
  at += NUMBERS_SIZE;
  memory.copy(timesOf(row), at, TIMES_SIZE);
  at += TIMES_SIZE;
  memory.copy(TEXTS + row * TEXTS_SIZE, at, TEXTS_SIZE);
  at += TEXTS_SIZE;
  const l = LINKS + row * LINKS_SIZE;
  memory.copy(l, at, LINKS_SIZE);
  store<i32>(l, 0, L_PARENT);
  store<i32>(l, 0, L_CHILD);
  store<i32>(l, 0, L_SIBLING);
  if ((load<i32>(n, N_FLAGS) & SHADOWED) === 0) addToIndex(load<i32>(n, N_HASH), load<i32>(n, N_CHECK), row);
  return at + LINKS_SIZE;
}

function receiveSlots(row: i32, notices: i32, at: i32): i32 {
  const l = LINKS + row * LINKS_SIZE;
  let link = l + L_KEPT;
  for (; link < l + L_NOTICES; link += 4) if (load<i32>(link) !== 0) at = receiveSlot(link, at);
  for (link = l + L_NOTICES; notices > 0; notices--) {
    at = receiveSlot(link, at);
    link = slotAt(load<i32>(link)) + S_NEXT;
  }
  store<i32>(link, 0);
  return at;
}

function receiveSlot(link: i32, at: i32): i32 {
  const slot = newSlot();
  const length = slotLength(at);
  memory.copy(slotAt(slot), at, length);
  store<i32>(slotAt(slot), 0, S_NEXT);
  store<i32>(link, slot);
  return at + length;
}
