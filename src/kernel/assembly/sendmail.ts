/**
 * sendmail's usual lines (parsers/sendmail.ts).
 */
import {
  alnumEnd,
  byte,
  copy,
  decimal,
  findByte,
  hashId,
  isDigit,
  numberEnd,
  pathStop,
  stands,
  W_127,
  W_DELIVERY,
  W_FROM,
  W_IPV6,
  word,
} from './bytes';
import { advance } from './closing';
import {
  addressKey,
  announced,
  attemptKept,
  cloned,
  delivered,
  hang,
  mayBeHandedOver,
  recipient,
  refused,
  relate,
} from './joins';
import {
  ARRIVED,
  CLIENT_AT,
  CLIENT_ROOM,
  CLIENT_SHIFT,
  DEFERRED_YET,
  DELIVERED,
  FAILED_NOW,
  GIVEN_UP_NOW,
  HANDED_OVER,
  HEAD_AUTH,
  HEAD_OTHER,
  IS_REPORT,
  LINK_ONLY,
  LOCAL_ORIGIN,
  N_ATTEMPTS,
  N_ENVELOPE_RECIPIENTS,
  N_FLAGS,
  N_LENGTHS,
  N_PID,
  N_PLACE,
  N_RECIPIENTS,
  N_SIZE,
  NO_ARRIVALS,
  NULL_PATH,
  OVER,
  STATE_BITS,
  STATE_SHIFT,
  TAKEN_OVER,
  TEXTS,
  TEXTS_SIZE,
  TO_LOCAL,
  UNTRIED_YET,
  USER_AT,
  USER_ROOM,
  USER_SHIFT,
} from './layout';
import {
  idCheck,
  idEnd,
  idHash,
  idStart,
  ignored,
  pid,
  place,
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
  isOrdinaryPath,
  keepLine,
  keepPath,
  nextSibling,
  numbersOf,
  rowNamed,
  stateOf,
  touch,
  wait,
} from './rows';

const W_CHECK_RC = word('check_rc');
const W_DOTS = word('... ');
const W_REJECT_IS = word(', reject');
const W_RULESET = word('ruleset=');
const W_AUTHID = word(', authid');
const W_AUTH_SER = word('AUTH=ser');
const W_BODYTY = word(', bodyty');
const W_CLASS = word(', class=');
const W_CTLADD = word(', ctladd');
const W_DAEMON = word(', daemon');
const W_DELAY = word(', delay=');
const W_R_IS = word('r=');
const W_PT = word('pt');
const W_PRI = word(', pri=');
const W_DS = word(', ds');
const W_DSN = word('dsn=');
const W_LOCA = word('loca');
const W_MAILER = word(', mailer');
const W_MSGID = word(', msgid=');
const W_NRCPTS = word(', nrcpts');
const W_NTRIES = word(', ntries');
const W_PROTO = word(', proto=');
const W_RELAY_X = word(', relay=');
const W_TO_X = word('to=');
const W_VER = word('ver, ');
const W_XDELAY = word(', xdelay');
const W_SIZE_IS = word(', size=');
const W_AT_LOCAL = word('@localho');
const W_ST_X = word('st');
const W_PAREN = word(' (');
const W_MESSAGE_A = word(' Message');
const W_CCEPTED = word(' accepte');
const W_FOR_DELI = word('d for de');
const W_VERY_X = word('livery)');
const W_REPLY_IS = word(', reply=');
const W_STAT_IS = word(', stat=');
const W_SENT = word('Sent');
const W_SERVICE = word('Service ');
const W_UNAVAILA = word('unavaila');
const W_BLE = word('ble');
const W_DEFERRED = word('Deferred');
const W_USER_UNK = word('User unk');
const W_NOWN = word('nown');
const W_HOST_UNK = word('Host unk');
const W_CLONE_OW = word('clone: o');
const W_WNER = word('wner=');
const W_DSN_IS = word('DSN: ');
const W_SENDER_N = word('sender n');
const W_OTIFY = word('otify: ');
const W_RETURN_T = word('return t');
const W_O_SENDER = word('o sender');
const W_COLON = word(': ');
const W_CANNOT_S = word('Cannot s');
const W_POSTMAST = word('postmast');
const W_ER_NOTIF = word('er notif');
const W_Y_COLON = word('y: ');
const W_END_MESS = word('end mess');
const W_AGE = word('age ');
const W_TIME_EXP = word(' time ex');
const W_IRED = word('pired');
const W_TOO_MANY = word('Too many');

export function sendmail(at: i32, end: i32): i32 {
  const start = at;
  at = alnumEnd(at, end);
  if (!isSendmailId(start, at) || (byte(at) !== 0x3a && byte(at) !== 0x5b)) {
    switch (byte(start)) {
      case 0x41: // AUTH=server, ..., authid= of a session says nothing of a message
        return sendmailSession(start, end);
      case 0x72: // ruleset=
        return sendmailRuleset(start, end);
      case 0x4d: // Milter:
      case 0x4e: // NOQUEUE:
      case 0x6d: // message repeated
      case 0x6c: // last message
      case 0x5b: // [
      case 0x2d: // -
        return SLOW;
      default:
        return ignored(SENDMAIL);
    }
  }
  if (byte(at) === 0x5b) return SLOW;
  idStart = start;
  idEnd = at;
  hashId(start, at);
  at += 2;
  switch (byte(at)) {
    case 0x66: // from=
      return sendmailSender(at, end);
    case 0x74: // to=
      return sendmailDelivery(at, end);
    case 0x41: // AUTH=server,
      return sendmailAuth(at, end);
    case 0x72: // ruleset=
      return sendmailRuleset(at, end);
    case 0x3c: // <r>... User unknown
      for (at = findByte(at, end, 0x2e); at + 4 <= end; at = findByte(at + 1, end, 0x2e))
        if (stands(at, W_DOTS, 4)) return byte(at - 1) === 0x3e ? refused(SENDMAIL, false) : SLOW;
      return SLOW;
    default: // C: DSN: text
      return sendmailNotice(at, end);
  }
}

/** `ruleset=check_rcpt, ..., reject=550 ...` */
function sendmailRuleset(at: i32, end: i32): i32 {
  if (!stands(at, W_RULESET, 8) || !stands(at + 8, W_CHECK_RC, 8) || !stands(at + 16, W_PT, 2)) return SLOW;
  for (at = findByte(at + 18, end, 0x2c); at + 9 < end; at = findByte(at + 1, end, 0x2c)) {
    if (stands(at, W_REJECT_IS, 8) && byte(at + 8) === 0x3d) return refused(SENDMAIL, byte(at + 9) === 0x34);
  }
  return SLOW;
}

function sendmailSession(at: i32, end: i32): i32 {
  if (!stands(at, W_AUTH_SER, 8) || !stands(at + 8, W_VER, 5)) return SLOW;
  const i = findByte(at + 12, end, 0x2c);
  if (i + 9 > end || !stands(i, W_AUTHID, 8) || byte(i + 8) !== 0x3d) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  recorded(SENDMAIL);
  return TAKEN;
}

/** As isQueueId (parsers/sendmail.ts). */
function isSendmailId(start: i32, end: i32): bool {
  const length = end - start;
  if (length < 8 || length > 18) return false;
  // Five digits, at once.
  const last = load<u64>(end - 5) & 0xffffffffff;
  if ((last & 0xf0f0f0f0f0) !== 0x3030303030 || ((last + 0x0606060606) & 0xf0f0f0f0f0) !== 0x3030303030)
    return false;
  if (length >= 12) return true;
  const first = byte(start);
  return first >= 65 && first <= 88 && byte(start + 1) >= 65 && byte(start + 2) >= 65;
}

let sendmailSize: i32 = 0;
let sendmailRecipients: i32 = 0;

/** `, size=n, class=n, nrcpts=n` at `at`; the byte behind it, -1 for anything else. */
function sendmailCounts(at: i32, end: i32): i32 {
  if (at + 7 > end || !stands(at, W_SIZE_IS, 7)) return -1;
  sendmailSize = decimal(at + 7, end);
  let i = numberEnd;
  if (sendmailSize < 0 || !stands(i, W_CLASS, 8)) return -1;
  i += 8;
  if (byte(i) === 0x2d) i++;
  while (i < end && isDigit(byte(i))) i++;
  if (!stands(i, W_NRCPTS, 8) || byte(i + 8) !== 0x3d) return -1;
  sendmailRecipients = decimal(i + 9, end);
  return sendmailRecipients < 0 ? -1 : numberEnd;
}

/** `from=<s>, size=n, class=n, nrcpts=n, msgid=<m>, proto=p, daemon=d, relay=h [ip]` without another comma. */
function sendmailSender(at: i32, end: i32): i32 {
  if (!stands(at, W_FROM, 4) || byte(at + 4) !== 0x3d) return SLOW;
  if (byte(at + 5) !== 0x3c) return sendmailLocal(at + 5, end);
  const value = at + 6;
  let i = pathStop(value, end);
  const close = i;
  if (byte(i) !== 0x3e) return SLOW;
  i = sendmailCounts(i + 1, end);
  if (i < 0) return SLOW;
  const size = sendmailSize;
  const recipients = sendmailRecipients;
  // No msgid, no message: refused, or abandoned.
  const taken = stands(i, W_MSGID, 8);
  if (taken) {
    if (recipients === 0 || (close > value && !isOrdinaryPath(value, close))) return SLOW;
    i = findByte(i + 8, end, 0x2c);
  } else if (close > value && !isOrdinaryPath(value, close)) return SLOW;
  if (stands(i, W_BODYTY, 8)) i = findByte(i + 2, end, 0x2c);
  if (i + 8 > end || !stands(i, W_PROTO, 8)) return SLOW;
  const proto = i + 8;
  i = findByte(proto, end, 0x2c);
  const protoEnd = i;
  if (i + 9 > end || !stands(i, W_DAEMON, 8) || byte(i + 8) !== 0x3d) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (i + 8 > end || !stands(i, W_RELAY_X, 8)) return SLOW;
  const relay = i + 8;
  if (findByte(relay, end, 0x2c) !== end) return SLOW;
  let open = -1;
  for (let b = findByte(relay, end, 0x5b); b < end; b = findByte(b + 1, end, 0x5b)) open = b;
  if (open < 0) return SLOW;
  //  [RESPONSE]
  if (byte(relay) === 0x5b && byte(relay + 1) === 0x52) return SLOW;
  let ip = open + 1;
  const ipEnd = findByte(ip, end, 0x5d);
  if (stands(ip, W_IPV6, 4) && byte(ip + 4) === 0x3a) ip += 5;
  if (ipEnd === end || ipEnd - ip > CLIENT_ROOM || ipEnd < ip) return SLOW;
  const authenticated = protoEnd > proto && byte(protoEnd - 1) === 0x41;
  if (authenticated && protoEnd - proto > USER_ROOM) return SLOW;
  // Of a null reverse-path the Message-ID is asked for; from this host, it may be our own report.
  const isNull = taken && close === value;
  if (isNull && (byte(open + 1) === 0x49 || stands(open + 1, W_127, 4) || byte(open + 1) === 0x3a))
    return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  if (load<i32>(NO_ARRIVALS) !== 0) return SLOW;
  let row = findRow(idHash, idCheck);
  if (row >= 0) {
    const n = numbersOf(row);
    if (isNull || (load<i32>(n, N_FLAGS) & (HEAD_AUTH | ARRIVED)) !== HEAD_AUTH || claim(idCheck) < 0)
      return SLOW;
    store<i32>(n, pid, N_PID);
    touch(row);
  } else {
    const slot = isNull ? keepLine(0, end) : 0;
    if (isNull && slot === 0) return SLOW;
    row = begin(SENDMAIL, idCheck, isNull ? NULL_PATH : 0);
    if (row < 0) {
      freeSlot(slot);
      return SLOW;
    }
    if (slot !== 0) hang(row, slot);
  }
  const n = numbersOf(row);
  const texts = TEXTS + row * TEXTS_SIZE;
  store<i32>(n, load<i32>(n, N_FLAGS) | ARRIVED | (taken ? TAKEN_OVER : 0), N_FLAGS);
  store<i32>(n, size, N_SIZE);
  store<i32>(n, recipients, N_ENVELOPE_RECIPIENTS);
  copy(texts + CLIENT_AT, ip, ipEnd - ip);
  let lengths = load<i32>(n, N_LENGTHS) | ((ipEnd - ip) << CLIENT_SHIFT);
  if (authenticated && (lengths & (255 << USER_SHIFT)) === 0) {
    copy(texts + USER_AT, proto, protoEnd - proto);
    lengths |= (protoEnd - proto) << USER_SHIFT;
  }
  store<i32>(n, lengths, N_LENGTHS);
  keepPath(row, value, close);
  if (!taken) wait(row);
  recorded(SENDMAIL);
  return TAKEN;
}

/** `from=user, size=n, class=n, nrcpts=n, msgid=<m>, relay=user@localhost`; the line is kept for its Message-ID. */
function sendmailLocal(value: i32, end: i32): i32 {
  let i = pathStop(value, end);
  if (i < end && byte(i) !== 0x2c) return SLOW;
  const close = i;
  if (!isOrdinaryPath(value, close)) return SLOW;
  i = sendmailCounts(i, end);
  if (i < 0) return SLOW;
  const size = sendmailSize;
  const recipients = sendmailRecipients;
  if (recipients === 0 || !stands(i, W_MSGID, 8)) return SLOW;
  i = findByte(i + 8, end, 0x2c);
  if (i + 18 > end || !stands(i, W_RELAY_X, 8) || findByte(i + 8, end, 0x2c) !== end) return SLOW;
  if (!stands(end - 10, W_AT_LOCAL, 8) || !stands(end - 2, W_ST_X, 2)) return SLOW;
  if (findByte(i + 8, end, 0x5b) !== end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const slot = keepLine(0, end);
  if (slot === 0) return SLOW;
  const row = begin(SENDMAIL, idCheck, ARRIVED | TAKEN_OVER | LOCAL_ORIGIN);
  if (row < 0) {
    freeSlot(slot);
    return SLOW;
  }
  hang(row, slot);
  const n = numbersOf(row);
  store<i32>(n, size, N_SIZE);
  store<i32>(n, recipients, N_ENVELOPE_RECIPIENTS);
  keepPath(row, value, close);
  recorded(SENDMAIL);
  return TAKEN;
}

/** `to=r[,r]..., [ctladdr=c,] delay=t, xdelay=t, mailer=m, [pri=n,] [relay=h [ip],] dsn=d.d.d, [reply=r,] stat=s` */
function sendmailDelivery(at: i32, end: i32): i32 {
  if (!stands(at, W_TO_X, 3)) return SLOW;
  const value = at + 3;
  let i = findByte(value, end, 0x2c);
  let valueEnd = i;
  const list = byte(value) === 0x3c && byte(i - 1) === 0x3e && byte(i + 1) === 0x3c;
  if (list) {
    // `<a@b>,<c@d>`: without anything that an address does not need.
    for (i = value; ; ) {
      valueEnd = addressEnd(i, end);
      if (valueEnd < 0) return SLOW;
      if (byte(valueEnd) !== 0x2c) return SLOW;
      if (byte(valueEnd + 1) !== 0x3c) break;
      i = valueEnd + 1;
    }
    i = valueEnd;
  }
  if (stands(i, W_CTLADD, 8) && stands(i + 8, W_R_IS, 2)) i = findByte(i + 2, end, 0x2c);
  if (i + 8 > end || !stands(i, W_DELAY, 8)) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (i + 9 > end || !stands(i, W_XDELAY, 8) || byte(i + 8) !== 0x3d) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (i + 9 > end || !stands(i, W_MAILER, 8) || byte(i + 8) !== 0x3d) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (stands(i, W_PRI, 6)) i = findByte(i + 2, end, 0x2c);
  // The local mailer may have none.
  let relay = i;
  if (stands(i, W_RELAY_X, 8)) {
    relay = i + 8;
    i = findByte(relay, end, 0x2c);
  }
  const relayEnd = i;
  let loopback = false;
  for (let r = findByte(relay, relayEnd, 32); r < relayEnd; r = findByte(r + 1, relayEnd, 32))
    if (stands(r + 1, W_DSN, 4)) return SLOW;
  for (let r = findByte(relay, relayEnd, 0x5b); r < relayEnd; r = findByte(r + 1, relayEnd, 0x5b)) {
    if (stands(r + 1, W_IPV6, 4)) return SLOW;
    if (stands(r + 1, W_127, 4)) loopback = true;
  }
  if (i + 6 > end || !stands(i, W_DS, 4) || byte(i + 4) !== 0x6e || byte(i + 5) !== 0x3d) return SLOW;
  i = findByte(i + 2, end, 0x2c);
  if (stands(i, W_NTRIES, 8)) i = findByte(i + 2, end, 0x2c);
  if (stands(i, W_REPLY_IS, 8)) {
    // It runs to the last `, stat=`; where there are two, the next hop's text has one of its own.
    const reply = i + 8;
    i = end;
    for (let k = findByte(reply, end, 0x2c); k < end; k = findByte(k + 1, end, 0x2c)) {
      if (!stands(k, W_STAT_IS, 7)) continue;
      if (i < end) return SLOW;
      i = k;
    }
  }
  if (i + 11 > end || !stands(i, W_STAT_IS, 7)) return SLOW;
  let state = sendmailState(i + 7, end);
  if (state < 0 || (list && state !== DELIVERED)) return SLOW;
  let next = 0;
  let nextEnd = 0;
  if (loopback) {
    // `Sent (C Message accepted for delivery)`: it goes on as C, which has to be known.
    next = i + 13;
    nextEnd = end - 31;
    if (list || state !== DELIVERED || nextEnd <= next) return SLOW;
    if (!stands(i + 11, W_PAREN, 2) || !stands(nextEnd, W_MESSAGE_A, 8)) return SLOW;
    if (!stands(nextEnd + 8, W_CCEPTED, 8) || !stands(nextEnd + 16, W_FOR_DELI, 8)) return SLOW;
    if (!stands(nextEnd + 24, W_VERY_X, 7)) return SLOW;
    if (alnumEnd(next, nextEnd) !== nextEnd) return SLOW;
    state = HANDED_OVER;
  }
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = findRow(idHash, idCheck);
  if (row < 0 || load<i32>(numbersOf(row), N_PLACE) !== place || !isClaimable(row)) return SLOW;
  const n = numbersOf(row);
  let flags = load<i32>(n, N_FLAGS);
  // Somebody waits for it after all.
  if ((flags & TAKEN_OVER) === 0 || ((flags & OVER) !== 0 && state === DEFERRED_YET)) return SLOW;
  // As isOrdinary (joiner.ts).
  const kept = state !== DELIVERED || (flags & (IS_REPORT | NULL_PATH)) !== 0 || (flags & ARRIVED) === 0;
  if (kept && list) return SLOW;
  let child = -1;
  if (loopback) {
    child = rowNamed(next, nextEnd);
    if (child < 0 || !mayBeHandedOver(row, child)) return SLOW;
  }
  const isLocal = !kept && relayEnd - relay === 5 && stands(relay, W_LOCA, 4) && byte(relay + 4) === 0x6c;
  for (let from = value; ; ) {
    const to = list ? addressEnd(from, end) : valueEnd;
    const key = addressKey(byte(from) === 0x3c ? from + 1 : from, byte(to - 1) === 0x3e ? to - 1 : to, 0, 0);
    const number = recipient(row, key);
    if (number < 0) return SLOW;
    if (kept ? !attemptKept(row, number, state, end) : !delivered(row, number)) return SLOW;
    if (isLocal) {
      const attempts = n + N_ATTEMPTS + (number << 2);
      store<i32>(attempts, load<i32>(attempts) | TO_LOCAL);
    }
    if (to >= valueEnd) break;
    from = to + 1;
  }
  if (child >= 0) relate(row, child, 0);
  flags = load<i32>(n, N_FLAGS);
  if ((flags & LINK_ONLY) !== 0) store<i32>(n, (flags & ~LINK_ONLY) | HEAD_OTHER, N_FLAGS);
  impliesEnd(row);
  recorded(SENDMAIL);
  return TAKEN;
}

/** Behind `<...>` at `at`; -1 where it is not as simple as that. */
function addressEnd(at: i32, end: i32): i32 {
  for (let i = at + 1; i < end; i++) {
    const c = byte(i);
    if (c === 0x3e) return i + 1;
    if (c === 0x22 || c === 0x5c || c === 0x3c || c === 0x2c) return -1;
  }
  return -1;
}

/** `stat=`: what it says of the attempt; -1 for anything out of the ordinary. */
function sendmailState(at: i32, end: i32): i32 {
  switch (byte(at)) {
    case 0x53: // Sent | Service unavailable
      if (stands(at, W_SENT, 4)) return DELIVERED;
      return end - at >= 19 &&
        stands(at, W_SERVICE, 8) &&
        stands(at + 8, W_UNAVAILA, 8) &&
        stands(at + 16, W_BLE, 3)
        ? FAILED_NOW
        : -1;
    case 0x44: // Deferred
      return end - at >= 8 && stands(at, W_DEFERRED, 8) ? DEFERRED_YET : -1;
    case 0x55: // User unknown
      return end - at >= 12 && stands(at, W_USER_UNK, 8) && stands(at + 8, W_NOWN, 4) ? FAILED_NOW : -1;
    case 0x48: // Host unknown
      return end - at >= 12 && stands(at, W_HOST_UNK, 8) && stands(at + 8, W_NOWN, 4) ? FAILED_NOW : -1;
    default:
      return -1;
  }
}

/** It is over where it seems so; it may go on for a while. */
function impliesEnd(row: i32): void {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & OVER) !== 0 || !allDone(row)) return;
  store<i32>(n, flags | OVER, N_FLAGS);
  wait(row);
}

/** As impliesEnd (life.ts): all that the envelope had are done, or those that did not go on under another id. */
function allDone(row: i32): bool {
  const n = numbersOf(row);
  const count = load<i32>(n, N_RECIPIENTS);
  if ((count === 0 || count < load<i32>(n, N_ENVELOPE_RECIPIENTS)) && !goesOn(row)) return false;
  for (let i = 0; i < count; i++) {
    const state = stateOf(row, i);
    if (state === UNTRIED_YET || state === DEFERRED_YET) return false;
  }
  return true;
}

/** Whether any of its children is no report. */
function goesOn(row: i32): bool {
  for (let child = firstChild(row); child >= 0; child = nextSibling(child))
    if ((load<i32>(numbersOf(child), N_FLAGS) & IS_REPORT) === 0) return true;
  return false;
}

/** `P: C: DSN: text`; also `sender notify`, `return to sender`, `postmaster notify`. */
function sendmailNotice(at: i32, end: i32): i32 {
  const id = at;
  at = alnumEnd(at, end);
  if (!isSendmailId(id, at) || byte(at) !== 0x3a || byte(at + 1) !== 32) return SLOW;
  const idStop = at;
  at += 2;
  if (stands(at, W_CLONE_OW, 8) && stands(at + 8, W_WNER, 5)) return sendmailClone(id, idStop, at + 13, end);
  if (stands(at, W_DSN_IS, 5)) at += 5;
  else if (stands(at, W_SENDER_N, 8) && stands(at + 8, W_OTIFY, 7)) at += 15;
  else if (stands(at, W_RETURN_T, 8) && stands(at + 8, W_O_SENDER, 8) && stands(at + 16, W_COLON, 2))
    at += 18;
  else if (stands(at, W_POSTMAST, 8) && stands(at + 8, W_ER_NOTIF, 8) && stands(at + 16, W_Y_COLON, 3))
    at += 19;
  else return SLOW;
  // Room for what is looked for below.
  if (at + 8 > end || stands(at, W_TOO_MANY, 8)) return SLOW;
  let isLast = false;
  if (stands(at, W_CANNOT_S, 8) || stands(at, W_DELIVERY, 8)) {
    isLast =
      (at + 20 <= end && stands(at + 8, W_END_MESS, 8) && stands(at + 16, W_AGE, 4)) ||
      (at + 21 <= end && stands(at + 8, W_TIME_EXP, 8) && stands(at + 16, W_IRED, 5));
    if (!isLast) return SLOW;
  }
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || load<i32>(numbersOf(row), N_RECIPIENTS) === 0) return SLOW;
  const result = announced(SENDMAIL, row, id, idStop, end);
  if (result === TAKEN && isLast) giveUp(row);
  return result;
}

/** Its time in the queue is over: nobody else will have it. */
function giveUp(row: i32): void {
  const n = numbersOf(row);
  for (let i = load<i32>(n, N_RECIPIENTS) - 1; i >= 0; i--) {
    const attempts = n + N_ATTEMPTS + (i << 2);
    const state = stateOf(row, i);
    if (state === UNTRIED_YET || state === DEFERRED_YET)
      store<i32>(
        attempts,
        (load<i32>(attempts) & ~(STATE_BITS << STATE_SHIFT)) | (GIVEN_UP_NOW << STATE_SHIFT),
      );
  }
  impliesEnd(row);
}

/** `P: C: clone: owner=a`: a list's owner gets what P's recipients fail with. */
function sendmailClone(id: i32, idStop: i32, owner: i32, end: i32): i32 {
  if (!isOrdinaryPath(owner, end)) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  if ((load<i32>(n, N_FLAGS) & (TAKEN_OVER | OVER | IS_REPORT)) !== TAKEN_OVER) return SLOW;
  if (!cloned(row, id, idStop, end)) return SLOW;
  impliesEnd(row);
  recorded(SENDMAIL);
  return TAKEN;
}

/** `AUTH=server, relay=h [ip], authid=u, mech=m, bits=n` */
function sendmailAuth(at: i32, end: i32): i32 {
  if (!stands(at, W_AUTH_SER, 8) || !stands(at + 8, W_VER, 5)) return SLOW;
  let i = findByte(at + 12, end, 0x2c);
  if (i + 9 > end || !stands(i, W_AUTHID, 8) || byte(i + 8) !== 0x3d) return SLOW;
  const user = i + 9;
  i = findByte(user, end, 0x2c);
  if (i + 2 > end || byte(i + 1) !== 32 || i === user || i - user > USER_ROOM) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  let row = findRow(idHash, idCheck);
  if (row >= 0) {
    if (claim(idCheck) < 0) return SLOW;
    touch(row);
  } else {
    row = begin(SENDMAIL, idCheck, HEAD_AUTH);
    if (row < 0) return SLOW;
  }
  const n = numbersOf(row);
  const lengths = load<i32>(n, N_LENGTHS);
  if ((lengths & (255 << USER_SHIFT)) === 0) {
    memory.copy(TEXTS + row * TEXTS_SIZE + USER_AT, user, i - user);
    store<i32>(n, lengths | ((i - user) << USER_SHIFT), N_LENGTHS);
  }
  recorded(SENDMAIL);
  return TAKEN;
}
