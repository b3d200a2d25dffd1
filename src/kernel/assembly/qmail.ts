/**
 * qmail-send's usual lines (parsers/qmail.ts).
 */
import {
  byte,
  copy,
  decimal,
  findByte,
  findFour,
  hashId,
  isDigit,
  numberEnd,
  stands,
  textKey,
  W_DELIVERY,
  word,
} from './bytes';
import { advance } from './closing';
import { attemptKept, delivered, ends, mayRelate, notice, recipient, relate } from './joins';
import {
  ARRIVED,
  AWAITED,
  BOUNCES,
  D_LENGTH,
  D_NEXT,
  D_NUMBER,
  D_RECIPIENT,
  D_ROOM,
  D_ROW,
  D_STARTED,
  D_TEXT,
  DEFERRED_YET,
  DELIVERED,
  FAILED_NOW,
  FORWARDED_ON,
  FORWARDS,
  HAS_FORWARD,
  HAS_NOTICE,
  IS_REPORT,
  KNOWN,
  L_BOUNCE,
  L_FORWARD,
  L_FORWARDED,
  L_FORWARDER,
  L_KEPT,
  L_RECIPIENT,
  LAST_RESULT_HOSTS,
  LAST_RESULT_SIZE,
  LAST_RESULTS,
  LIMIT,
  LINKS,
  LINKS_SIZE,
  N_ATTEMPTS,
  N_DELIVERY,
  N_FLAGS,
  N_PLACE,
  N_QP,
  N_SIZE,
  N_UID,
  NULL_PATH,
  OVER,
  PROCESSES,
  PROMOTE_ROW,
  QP_JOINS,
  QP_JOINS_HOSTS,
  ROW,
  S_ADDRESS,
  S_TEXT,
  SLOT_ROOM,
  STATE_BITS,
  STATE_SHIFT,
  T_FIRST,
  T_SERIAL,
  TAKEN_OVER,
  TO_LOCAL,
  UNDER_WAY,
} from './layout';
import {
  answer,
  beyondLimit,
  COMES_BACK_WITHIN,
  host,
  idCheck,
  idEnd,
  idStart,
  ignored,
  instant,
  QMAIL,
  recorded,
  SLOW,
  sploggerStamp,
  TAKEN,
  textStart,
  WAIT,
} from './line';
import { sameBytes } from './names';
import { deliveryAt, deliverySlot, processSlot, rowOfDelivery, rowOfProcess } from './processes';
import {
  begin,
  claim,
  isOrdinaryPath,
  keepLine,
  keepPath,
  linksOf,
  numbersOf,
  slotAt,
  timesOf,
  touch,
} from './rows';

const W_0_0_0 = word('0+0+0');
const W_BYTES = word(': bytes ');
const W_DELIVER = word(' deliver');
const W_Y = word('y ');
const W_DID = word('did_');
const W_END_MSG = word('end msg ');
const W_FROM_X = word(' from <');
const W_INFO_MSG = word('info msg');
const W_L = word('l ');
const W_MSG = word(': msg ');
const W_NEW_MSG = word('new msg ');
const W_QP = word('> qp ');
const W_STARTING = word('starting');
const W_STATUS = word('status: ');
const W_SUCCES = word(': succes');
const W_S_X = word('s:');
const W_TE = word('te ');
const W_TO_LOCA = word(' to loca');
const W_TO_REMO = word(' to remo');
const W_UID = word(' uid ');
const W_BOUNCE_M = word('bounce m');
const W_SG = word('sg ');
const W_DEFERRA = word(': deferr');
const W_L_X = word('al:');
const W_FAILUR = word(': failur');
const W_E_X = word('e:');
const W_0_PLUS = word('0+');
const W_0_QP = word('+0/qp_');
const W_QP_X = word(' qp ');
const W_QP_OF = word('_qp_');
const W_DOUBLE = word('#@[]');

/** `qmail: 1795226267.923730 new msg 2253869`; splogger's stamp is the line's instant. */
export function qmail(at: i32, end: i32): i32 {
  if (isDigit(byte(at))) {
    let seconds: f64 = 0;
    let i = at;
    for (; i < end && isDigit(byte(i)) && i - at < 11; i++) seconds = seconds * 10 + <f64>(byte(i) - 48);
    if ((i - at !== 9 && i - at !== 10) || byte(i) !== 0x2e) return SLOW;
    const micro = decimal(i + 1, end);
    if (numberEnd !== i + 7 || byte(numberEnd) !== 32) return SLOW;
    // The same sum as in HeadShapes.splogger, so the same number.
    instant = seconds * 1000 + <f64>micro / 1000;
    sploggerStamp = seconds + <f64>micro / 1e6;
    at = numberEnd + 1;
    while (at < end && byte(at) === 32) at++;
    textStart = at;
  } else sploggerStamp = 0;
  if (instant > load<f64>(LIMIT)) return beyondLimit();
  switch (byte(at)) {
    case 0x73: // status: | starting delivery
      // status: exiting
      if (stands(at, W_STATUS, 8)) return end - at > 8 && byte(at + 8) === 0x6c ? ignored(QMAIL) : SLOW;
      return stands(at, W_STARTING, 8) && stands(at + 8, W_DELIVER, 8) && stands(at + 16, W_Y, 2)
        ? qmailStart(at, end)
        : SLOW;
    case 0x64: // delivery
      return stands(at, W_DELIVERY, 8) && byte(at + 8) === 32 ? qmailResult(at + 9, end) : SLOW;
    case 0x6e: // new msg
      return stands(at, W_NEW_MSG, 8) ? qmailNew(at + 8, end) : SLOW;
    case 0x69: // info msg
      return stands(at, W_INFO_MSG, 8) && byte(at + 8) === 32 ? qmailInfo(at + 9, end) : SLOW;
    case 0x62: // bounce msg
      return stands(at, W_BOUNCE_M, 8) && stands(at + 8, W_SG, 3) ? qmailBounce(at + 11, end) : SLOW;
    case 0x65: // end msg
      return stands(at, W_END_MSG, 8) ? qmailEnd(at + 8, end) : SLOW;
    default:
      return SLOW;
  }
}

/** Hashes the message number at `at`; the byte behind it, or -1. */
function messageNumber(at: i32, end: i32): i32 {
  let i = at;
  while (i < end && isDigit(byte(i))) i++;
  if (i === at) return -1;
  hashId(at, i);
  // The space of message numbers (life.ts checkOf).
  idCheck ^= 0x5a5a5a5a;
  idStart = at;
  idEnd = i;
  return i;
}

function qmailNew(at: i32, end: i32): i32 {
  if (messageNumber(at, end) !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  if (begin(QMAIL, idCheck, ARRIVED) < 0) return SLOW;
  recorded(QMAIL);
  return TAKEN;
}

function qmailEnd(at: i32, end: i32): i32 {
  if (messageNumber(at, end) !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  return ends(QMAIL, idCheck);
}

/** `N: bytes B from <S> qp Q uid U` */
function qmailInfo(at: i32, end: i32): i32 {
  let i = messageNumber(at, end);
  if (i < 0 || !stands(i, W_BYTES, 8)) return SLOW;
  const size = decimal(i + 8, end);
  i = numberEnd;
  if (size < 0 || !stands(i, W_FROM_X, 7)) return SLOW;
  const value = i + 7;
  // The last `> qp `: the path may hold one of its own.
  let close = end - 1;
  while (close > value && byte(close) !== 0x3e) close--;
  // A double bounce's path is no address, but as null as the other.
  const isNull = close === value || (close === value + 4 && stands(value, W_DOUBLE, 4));
  if (!stands(close, W_QP, 5) || (!isNull && !isOrdinaryPath(value, close))) return SLOW;
  const qp = decimal(close + 5, end);
  i = numberEnd;
  if (qp < 0 || !stands(i, W_UID, 5)) return SLOW;
  const uid = decimal(i + 5, end);
  if (uid < 0 || numberEnd !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || load<u8>(AWAITED + processSlot(host, qp)) !== 0) return SLOW;
  const n = numbersOf(row);
  let flags = load<i32>(n, N_FLAGS);
  if ((flags & (TAKEN_OVER | OVER)) !== 0) return SLOW;
  // Only one life of a slot is found by its process: the one before goes where all are.
  const slot = PROCESSES + (processSlot(host, qp) << 2);
  const before = load<i32>(slot) - 1;
  if (before >= 0 && before !== row && rowOfProcess(host, qp) < 0) {
    store<i32>(ROW, before);
    answer = PROMOTE_ROW;
    return WAIT;
  }
  const forwarded = rowOfForward(host, qp);
  const bounced = isNull ? rowOfBounce(host, qp) : -1;
  const from = forwarded >= 0 ? forwarded : bounced;
  if (from >= 0) {
    if (from === row || !mayRelate(from, row)) return SLOW;
    if (forwarded >= 0 && instant - load<f64>(LINKS + from * LINKS_SIZE, L_FORWARDED) > COMES_BACK_WITHIN)
      return SLOW;
  }
  store<i32>(slot, row + 1);
  if (close > value) keepPath(row, value, close);
  if (isNull) store<i32>(n, flags | NULL_PATH, N_FLAGS);
  if (from >= 0) {
    const l = LINKS + from * LINKS_SIZE;
    if (forwarded >= 0) {
      store<i32>(FORWARDS + (processSlot(host, qp) << 2), 0);
      store<i32>(l, -1, L_FORWARD);
      const number = load<i32>(l, L_FORWARDER);
      relate(from, row, 0);
      store<i32>(LINKS + row * LINKS_SIZE, number, L_RECIPIENT);
      const attempts = numbersOf(from) + N_ATTEMPTS + (number << 2);
      store<i32>(
        attempts,
        (load<i32>(attempts) & ~(STATE_BITS << STATE_SHIFT)) | (FORWARDED_ON << STATE_SHIFT),
      );
    } else {
      store<i32>(BOUNCES + (processSlot(host, qp) << 2), 0);
      store<i32>(l, -1, L_BOUNCE);
      relate(from, row, IS_REPORT);
    }
  }
  flags = load<i32>(n, N_FLAGS);
  store<i32>(n, flags | TAKEN_OVER, N_FLAGS);
  store<i32>(n, size, N_SIZE);
  store<i32>(n, uid, N_UID);
  store<i32>(n, qp, N_QP);
  touch(row);
  recorded(QMAIL);
  return TAKEN;
}

/** As in parsers/qmail.ts. */
function withoutDomain(at: i32, end: i32): i32 {
  let domain = end;
  while (domain > at && byte(domain - 1) !== 0x40) domain--;
  const length = end - domain;
  if (domain === at || length === 0 || at + length + 1 >= domain - 1 || byte(at + length) !== 0x2d) return at;
  return sameBytes(at, domain, length) ? at + length + 1 : at;
}

/** `starting delivery D: msg N to local R` */
function qmailStart(at: i32, end: i32): i32 {
  const delivery = decimal(at + 18, end);
  let i = numberEnd;
  // The first one after a start of qmail-send has more to say.
  if (delivery <= 1 || !stands(i, W_MSG, 6)) return SLOW;
  i = messageNumber(i + 6, end);
  if (i < 0) return SLOW;
  const local = stands(i, W_TO_LOCA, 8) && stands(i + 8, W_L, 2);
  if (local) i = withoutDomain(i + 10, end);
  else if (stands(i, W_TO_REMO, 8) && stands(i + 8, W_TE, 3)) i += 11;
  else return SLOW;
  const length = end - i;
  if (length < 1 || length > D_ROOM || findByte(i, end, 32) !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & (TAKEN_OVER | OVER)) !== TAKEN_OVER) return SLOW;
  // Whose report it is may have to be found by its recipient.
  if (
    (flags & (NULL_PATH | IS_REPORT)) === NULL_PATH &&
    (host >= QP_JOINS_HOSTS || load<u8>(QP_JOINS + host) === 0)
  )
    return SLOW;
  const slot = deliverySlot(host, delivery);
  const d = deliveryAt(slot);
  const before = load<i32>(d, D_ROW) - 1;
  if (before >= 0) {
    if (before === row) return SLOW;
    store<i32>(ROW, before);
    answer = PROMOTE_ROW;
    return WAIT;
  }
  const number = recipient(row, textKey(i, end));
  if (number < 0) return SLOW;
  // The last channel counts.
  const attempts = n + N_ATTEMPTS + (number << 2);
  store<i32>(attempts, (load<i32>(attempts) & ~TO_LOCAL) | (local ? TO_LOCAL : 0));
  store<i32>(d, row + 1, D_ROW);
  store<i32>(d, delivery, D_NUMBER);
  store<i32>(d, number, D_RECIPIENT);
  store<i32>(d, length, D_LENGTH);
  store<f64>(d, instant, D_STARTED);
  store<i32>(d, load<i32>(n, N_DELIVERY), D_NEXT);
  copy(d + D_TEXT, i, length);
  store<i32>(n, slot, N_DELIVERY);
  store<i32>(n, flags | UNDER_WAY, N_FLAGS);
  touch(row);
  recorded(QMAIL);
  return TAKEN;
}

/** `D: success: T`, `D: deferral: T`, `D: failure: T`; not where T says that nothing was done. */
function qmailResult(at: i32, end: i32): i32 {
  const delivery = decimal(at, end);
  const i = numberEnd;
  if (delivery < 0) return SLOW;
  let state = DELIVERED;
  let forwarded = -1;
  if (stands(i, W_SUCCES, 8) && stands(i + 8, W_S_X, 2)) {
    if (end - i <= 11) return SLOW;
    // `did_1+0+0/` at the very end, or `did_0+1+0/qp_Q/` alone.
    for (let d = findFour(i + 11, end - 3, W_DID); d < end - 3; d = findFour(d + 1, end - 3, W_DID)) {
      if (namesForward(i + 11, d)) return SLOW;
      if (d === i + 11) forwarded = forwardOf(d, end);
      if (forwarded >= 0) break;
      if (end - d !== 10 || byte(d + 6) !== 48 || stands(d + 4, W_0_0_0, 5)) return SLOW;
    }
  } else if (stands(i, W_DEFERRA, 8) && stands(i + 8, W_L_X, 3)) {
    if (end - i <= 12) return SLOW;
    state = DEFERRED_YET;
  } else if (stands(i, W_FAILUR, 8) && stands(i + 8, W_E_X, 2)) {
    if (end - i <= 11) return SLOW;
    state = FAILED_NOW;
  } else return SLOW;
  const row = rowOfDelivery(host, delivery);
  if (row < 0) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  const slot = deliverySlot(host, delivery);
  const d = deliveryAt(slot);
  const number = load<i32>(d, D_RECIPIENT);
  const toLocal = load<i32>(n + (number << 2), N_ATTEMPTS) & TO_LOCAL;
  if (toLocal !== 0 && state !== DELIVERED && namesForward(i + 11, end)) return SLOW;
  let child = -1;
  if (forwarded >= 0) {
    // The forward is in the queue already, or on its way.
    child = rowOfProcess(host, forwarded);
    if (child >= 0 && (child === row || !mayRelate(row, child))) return SLOW;
    if (child >= 0 && load<f64>(timesOf(child), T_FIRST) < load<f64>(d, D_STARTED)) return SLOW;
    if (child < 0 && !mayWaitForForward(row, forwarded)) return SLOW;
    if (child >= 0) state = FORWARDED_ON;
  }
  if (state !== DELIVERED || forwarded >= 0 || (flags & NULL_PATH) !== 0) {
    if (host >= LAST_RESULT_HOSTS || !resultKept(row, d, state, end)) return SLOW;
  } else if (!delivered(row, number)) return SLOW;
  else if (host < LAST_RESULT_HOSTS) store<i32>(LAST_RESULTS + host * LAST_RESULT_SIZE, 0);
  store<i32>(d, 0, D_ROW);
  let link = n + N_DELIVERY;
  while (load<i32>(link) !== slot) link = deliveryAt(load<i32>(link)) + D_NEXT;
  store<i32>(link, load<i32>(d, D_NEXT));
  if (load<i32>(n, N_DELIVERY) === 0) store<i32>(n, load<i32>(n, N_FLAGS) & ~UNDER_WAY, N_FLAGS);
  if (child >= 0) {
    relate(row, child, 0);
    store<i32>(LINKS + child * LINKS_SIZE, number, L_RECIPIENT);
  } else if (forwarded >= 0) {
    const l = linksOf(row);
    store<i32>(l, forwarded, L_FORWARD);
    store<i32>(l, number, L_FORWARDER);
    store<f64>(l, instant, L_FORWARDED);
    store<i32>(n, load<i32>(n, N_FLAGS) | HAS_FORWARD, N_FLAGS);
    store<i32>(FORWARDS + (processSlot(host, forwarded) << 2), row + 1);
  }
  recorded(QMAIL);
  return TAKEN;
}

/** `forward:_qp_Q/`, or another program's. */
function namesForward(at: i32, end: i32): bool {
  for (; at < end - 5; at++) if (byte(at) === 0x3a && stands(at + 1, W_QP_OF, 4)) return true;
  return false;
}

/** One forward of a message at a time, and one for each process; nothing else waits for it. */
function mayWaitForForward(row: i32, qp: i32): bool {
  if (load<u8>(AWAITED + processSlot(host, qp)) !== 0 || load<u8>(KNOWN + processSlot(host, qp)) !== 0)
    return false;
  const before = load<i32>(FORWARDS + (processSlot(host, qp) << 2)) - 1;
  if (before >= 0 && load<f64>(timesOf(before), T_SERIAL) !== 0) return false;
  if ((load<i32>(numbersOf(row), N_FLAGS) & HAS_FORWARD) === 0) return true;
  return load<i32>(LINKS + row * LINKS_SIZE, L_FORWARD) < 0;
}

/** The row whose forward this process is, or -1. */
export function rowOfForward(rowHost: i32, qp: i32): i32 {
  const row = load<i32>(FORWARDS + (processSlot(rowHost, qp) << 2)) - 1;
  if (row < 0 || load<f64>(timesOf(row), T_SERIAL) === 0) return -1;
  const n = numbersOf(row);
  if ((load<i32>(n, N_FLAGS) & HAS_FORWARD) === 0 || (load<i32>(n, N_PLACE) & 0xffff) !== rowHost) return -1;
  return load<i32>(LINKS + row * LINKS_SIZE, L_FORWARD) === qp ? row : -1;
}

/** The process in `did_0+1+0/qp_Q/`, of forwards only; -1 for anything else. */
function forwardOf(at: i32, end: i32): i32 {
  if (!stands(at + 4, W_0_PLUS, 2) || decimal(at + 6, end) <= 0) return -1;
  let i = numberEnd;
  if (!stands(i, W_0_QP, 6)) return -1;
  const qp = decimal(i + 6, end);
  i = numberEnd;
  return qp >= 0 && i + 1 === end && byte(i) === 0x2f ? qp : -1;
}

/** As attemptKept, with the address of the delivery `d`; splogger may go on with the line. */
function resultKept(row: i32, d: i32, state: i32, end: i32): bool {
  const number = load<i32>(d, D_RECIPIENT);
  const length = load<i32>(d, D_LENGTH);
  if (end - textStart + length + 8 > SLOT_ROOM) return false;
  if (!attemptKept(row, number, state, end)) return false;
  const s = slotAt(load<i32>(LINKS + row * LINKS_SIZE + (number << 2), L_KEPT));
  copy(s + S_TEXT + end - textStart, d + D_TEXT, length);
  store<i32>(s, length, S_ADDRESS);
  const last = LAST_RESULTS + host * LAST_RESULT_SIZE;
  store<i32>(last, row + 1);
  store<i32>(last, number, 4);
  store<f64>(last, load<f64>(timesOf(row), T_SERIAL), 8);
  store<f64>(last, sploggerStamp, 16);
  return true;
}

/** `N qp Q`: where bounces are known to be found by their process. */
function qmailBounce(at: i32, end: i32): i32 {
  const i = messageNumber(at, end);
  if (i < 0 || !stands(i, W_QP_X, 4)) return SLOW;
  const qp = decimal(i + 4, end);
  if (qp < 0 || numberEnd !== end || host >= QP_JOINS_HOSTS || load<u8>(QP_JOINS + host) === 0) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || load<u8>(AWAITED + processSlot(host, qp)) !== 0) return SLOW;
  const slot = BOUNCES + (processSlot(host, qp) << 2);
  const before = load<i32>(slot) - 1;
  // Its message may be on its way: one bounce after the other, and one for each process.
  if (before >= 0 && load<f64>(timesOf(before), T_SERIAL) !== 0) return SLOW;
  const l = linksOf(row);
  const flags = load<i32>(numbersOf(row), N_FLAGS);
  if ((flags & HAS_NOTICE) !== 0 && load<i32>(l, L_BOUNCE) >= 0) return SLOW;
  const kept = keepLine(0, end);
  if (kept === 0) return SLOW;
  notice(row, kept);
  store<i32>(l, qp, L_BOUNCE);
  store<i32>(slot, row + 1);
  recorded(QMAIL);
  return TAKEN;
}

/** The row that waits for the message which this process makes of its bounce, or -1. */
export function rowOfBounce(rowHost: i32, qp: i32): i32 {
  const row = load<i32>(BOUNCES + (processSlot(rowHost, qp) << 2)) - 1;
  if (row < 0 || load<f64>(timesOf(row), T_SERIAL) === 0) return -1;
  const n = numbersOf(row);
  if ((load<i32>(n, N_FLAGS) & HAS_NOTICE) === 0 || (load<i32>(n, N_PLACE) & 0xffff) !== rowHost) return -1;
  return load<i32>(LINKS + row * LINKS_SIZE, L_BOUNCE) === qp ? row : -1;
}
