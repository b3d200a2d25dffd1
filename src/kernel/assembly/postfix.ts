/**
 * Postfix's usual lines (parsers/postfix.ts).
 */
import {
  byte,
  copy,
  decimal,
  findByte,
  hashId,
  ID_KINDS,
  isDigit,
  numberEnd,
  stands,
  textKey,
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
  beginLinked,
  delivered,
  ends,
  hasRoom,
  mayBeHandedOver,
  mayRelate,
  notice,
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
  FORWARDED_ON,
  HANDED_OVER,
  HEAD_OTHER,
  IS_REPORT,
  L_KEPT,
  LINK_ONLY,
  LINKS,
  LINKS_SIZE,
  LOCAL_ORIGIN,
  N_ATTEMPTS,
  N_ENVELOPE_RECIPIENTS,
  N_FLAGS,
  N_LENGTHS,
  N_PLACE,
  N_RECIPIENTS,
  N_SIZE,
  N_UID,
  NAMED_PARENT,
  NO_ARRIVALS,
  NO_PICKUPS,
  NULL_PATH,
  OVER,
  PATH_SHIFT,
  STATE_BITS,
  STATE_SHIFT,
  T_MESSAGE_KEY,
  T_SERIAL,
  TAG_DISCARD,
  TAG_QMGR,
  TAG_SPEAKS,
  TAKEN_OVER,
  TEXTS,
  TEXTS_SIZE,
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
  POSTFIX,
  place,
  recorded,
  SLOW,
  TAKEN,
  tagFlags,
} from './line';
import {
  begin,
  claim,
  findRow,
  freeSlot,
  isClaimable,
  isOrdinaryPath,
  isPresent,
  keepLine,
  keepPath,
  numbersOf,
  parentOf,
  rowNamed,
  timesOf,
  touch,
} from './rows';

// Words that are looked for.
const W_ = word('=<');
const W_WARNING = word('warning:');
const W_1 = word('::1');
const W_CLIE = word('clie');
const W_DELIVERE = word('delivere');
const W_ENT = word('ent ');
const W_FORWARDE = word('forwarde');
const W_ID = word('id=');
const W_MESSAGE = word('message-');
const W_NONE = word('none');
const W_NOQUEUE = word('NOQUEUE');
const W_NRCPT = word(', nrcpt=');
const W_NT = word('nt=');
const W_ORIG = word('>, orig_');
const W_QUEUED_A = word('queued a');
const W_RCPT_FR = word(' RCPT fr');
const W_REJECT = word(' reject:');
const W_RELAY = word('>, relay');
const W_REMO = word('remo');
const W_S = word('s ');
const W_SASL_M = word(', sasl_m');
const W_SASL_U = word(', sasl_u');
const W_SERNAME = word('sername=');
const W_SIZE = word('>, size=');
const W_STATUS_S = word('status=s');
const W_TO = word('to=<');
const W_VED = word('ved');
const W_VIA = word('via ');
const W_SENDER = word('sender ');
const W_UID_IS = word('uid=');
const W_FROM_IS = word(' from=<');
const W_NON_DELI = word('non-deli');
const W_VERY = word('very ');
const W_DELAY_X = word('delay ');
const W_STATUS_X = word(' status ');
const W_NOTIFICA = word('notifica');
const W_TION = word('tion: ');
const W_ORIG_QUE = word(', orig_q');
const W_UE_ID = word('ueue_id=');
const W_ORIG_CLI = word(', orig_c');
const W_ENT_IS = word('lient=');
const W_STATUS_B = word('status=b');
const W_OUNCED = word('ounced (');
const W_STATUS_D = word('status=d');
const W_EFERRED = word('eferred ');
const W_STATUS = word('>, statu');
const W_S_IS = word('s=');
const W_EXPIRED = word('expired');
const W_FORCE_EX = word('force-ex');
const W_D_AS = word('d as ');
const W_OK_DISC = word('Ok, disc');

/** The colon behind a queue id, short or long, -1 without one. */
function queueIdEnd(start: i32, end: i32): i32 {
  // 16 at a time: a third of the time of a look at each byte.
  const text = v128.load(start);
  const length = ctz(i8x16.bitmask(i8x16.eq(text, i8x16.splat(0x3a))) | (1 << 16));
  if (length === 16) return longIdEnd(start, end);
  if (length < 5 || start + length >= end) return -1;
  const all = (1 << length) - 1;
  const digit = i8x16.lt_u(i8x16.sub(text, i8x16.splat(48)), i8x16.splat(10));
  const upper = i8x16.lt_u(i8x16.sub(text, i8x16.splat(65)), i8x16.splat(26));
  if ((i8x16.bitmask(v128.or(digit, upper)) & all) === all) return start + length;
  return longIdEnd(start, end);
}

/** The same, a byte at a time. */
function longIdEnd(start: i32, end: i32): i32 {
  let at = start;
  let kinds = 3;
  while (at < end) {
    const kind = <i32>unchecked(ID_KINDS[byte(at)]);
    if (kind === 0) break;
    kinds &= kind;
    at++;
  }
  return at >= end || byte(at) !== 0x3a || kinds === 0 || at - start < 5 ? -1 : at;
}

export function postfix(at: i32, end: i32): i32 {
  const start = at;
  at = queueIdEnd(start, end);
  if (at < 0) return postfixNews(start, end);
  // NOQUEUE:
  if (at - start === 7 && stands(start, W_NOQUEUE, 7)) return postfixSession(at + 1, end);
  hashId(start, at);
  idStart = start;
  idEnd = at;
  at++;
  while (at < end && byte(at) === 32) at++;
  switch (byte(at)) {
    case 0x63: // client=
      return postfixClient(at, end);
    case 0x6d: // message-id=
      return postfixMessageId(at, end);
    case 0x66: // from=
      return postfixEnvelope(at, end);
    case 0x74: // to=
      return postfixDelivery(at, end);
    case 0x72: // removed
      return postfixRemoved(at, end);
    case 0x75: // uid=
      return postfixPickup(at, end);
    case 0x73: // sender ... notification:
      return postfixNotice(at, end);
    default:
      return SLOW;
  }
}

/** `sender non-delivery notification: C`, `sender delay notification: C`, `sender delivery status notification: C` */
function postfixNotice(at: i32, end: i32): i32 {
  if (!stands(at, W_SENDER, 7)) return SLOW;
  at += 7;
  if (stands(at, W_NON_DELI, 8) && stands(at + 8, W_VERY, 5)) at += 13;
  else if (stands(at, W_DELAY_X, 6)) at += 6;
  else if (stands(at, W_DELIVERY, 8) && stands(at + 8, W_STATUS_X, 8)) at += 16;
  else return SLOW;
  if (!stands(at, W_NOTIFICA, 8) || !stands(at + 8, W_TION, 6)) return SLOW;
  at += 14;
  let i = at;
  while (i < end && unchecked(ID_KINDS[byte(i)]) !== 0) i++;
  if (i !== end || i - at < 5) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  return row < 0 ? SLOW : announced(POSTFIX, row, at, end, end);
}

/** A daemon's word about itself or its session: not `proxy-...`, `reject:`, a severity, or what may be of the head. */
function postfixNews(start: i32, end: i32): i32 {
  if ((tagFlags & TAG_SPEAKS) === 0) return SLOW;
  if (byte(start) === 0x77 && stands(start, W_WARNING, 8) && byte(start + 8) === 32) {
    // `warning: QID: ...` may be about a notice.
    let i = start + 9;
    while (i < end && unchecked(ID_KINDS[byte(i)]) !== 0) i++;
    return i < end && (i - start - 9 < 5 || byte(i) !== 0x3a) ? ignored(POSTFIX) : SLOW;
  }
  switch (byte(start)) {
    case 0x70: // p
    case 0x72: // r
    case 0x77: // w
    case 0x65: // e
    case 0x66: // f
    case 0x6d: // m
    case 0x5b: // [
    case 0x2d: // -
    case 0x4e: // N
      return SLOW;
    case 0x6c: // lost connection
      return byte(start + 1) === 0x6f ? ignored(POSTFIX) : SLOW;
    default:
      return ignored(POSTFIX);
  }
}

/** `NOQUEUE: reject: RCPT from n[ip]: 550 ...` */
function postfixSession(at: i32, end: i32): i32 {
  if (end - at < 32 || !stands(at, W_REJECT, 8) || !stands(at + 8, W_RCPT_FR, 8)) return SLOW;
  const bracket = findByte(at, end, 0x5d);
  if (bracket + 4 > end || byte(bracket + 1) !== 0x3a || byte(bracket + 2) !== 32) return SLOW;
  return refused(POSTFIX, byte(bracket + 3) === 0x34);
}

/** `client=name[ip]`, also with `:port` or `, sasl_method=m, sasl_username=u` behind it. */
function postfixClient(at: i32, end: i32): i32 {
  if (!stands(at, W_CLIE, 4) || !stands(at + 4, W_NT, 3)) return SLOW;
  const open = findByte(at + 7, end, 0x5b);
  const close = findByte(open, end, 0x5d);
  if (close >= end) return SLOW;
  let user = 0;
  let userEnd = 0;
  let rest = close + 1;
  if (rest < end && byte(rest) === 0x3a) {
    rest++;
    while (rest < end && isDigit(byte(rest))) rest++;
  }
  let older = 0;
  if (rest < end) {
    if (stands(rest, W_ORIG_QUE, 8) && stands(rest + 8, W_UE_ID, 8)) {
      // ", orig_queue_id=" id ", orig_client=" value
      const id = rest + 16;
      let next = id;
      while (next < end && unchecked(ID_KINDS[byte(next)]) !== 0) next++;
      if (next - id < 5 || next + 14 > end || !stands(next, W_ORIG_CLI, 8) || !stands(next + 8, W_ENT_IS, 6))
        return SLOW;
      if (findByte(next + 2, end, 0x2c) !== end) return SLOW;
      older = rowNamed(id, next) + 1;
      if (older === 0) return SLOW;
    } else {
      //  ", sasl_method=" value ", sasl_username=" value
      if (!stands(rest, W_SASL_M, 8)) return SLOW;
      const next = findByte(rest + 2, end, 0x2c);
      if (next + 16 >= end || !stands(next, W_SASL_U, 8) || !stands(next + 8, W_SERNAME, 8)) return SLOW;
      user = next + 16;
      userEnd = end;
      if (findByte(user, end, 0x2c) !== end) return SLOW;
    }
  }
  const ipLength = close - open - 1;
  if (ipLength > CLIENT_ROOM || userEnd - user > USER_ROOM) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  // The older row may be over by now.
  if (older !== 0 && load<f64>(timesOf(older - 1), T_SERIAL) === 0) return SLOW;
  if (older !== 0 && (!isClaimable(older - 1) || !hasRoom(older - 1))) return SLOW;
  const row = begin(POSTFIX, idCheck, ARRIVED);
  if (row < 0) return SLOW;
  if (older !== 0) relate(older - 1, row, NAMED_PARENT);
  const n = numbersOf(row);
  const texts = TEXTS + row * TEXTS_SIZE;
  copy(texts + CLIENT_AT, open + 1, ipLength);
  let lengths = load<i32>(n, N_LENGTHS) | (ipLength << CLIENT_SHIFT);
  if (user !== 0) {
    copy(texts + USER_AT, user, userEnd - user);
    lengths |= (userEnd - user) << USER_SHIFT;
  }
  store<i32>(n, lengths, N_LENGTHS);
  recorded(POSTFIX);
  return TAKEN;
}

/** `uid=n from=<s>` */
function postfixPickup(at: i32, end: i32): i32 {
  if (!stands(at, W_UID_IS, 4) || load<i32>(NO_PICKUPS) !== 0) return SLOW;
  const uid = decimal(at + 4, end);
  const from = numberEnd;
  if (uid < 0 || !stands(from, W_FROM_IS, 7) || byte(end - 1) !== 0x3e) return SLOW;
  const path = from + 7;
  if (!isOrdinaryPath(path, end - 1) || findByte(path, end, 0x3e) !== end - 1) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = begin(POSTFIX, idCheck, ARRIVED | LOCAL_ORIGIN);
  if (row < 0) return SLOW;
  keepPath(row, path, end - 1);
  store<i32>(numbersOf(row), uid, N_UID);
  recorded(POSTFIX);
  return TAKEN;
}

function postfixMessageId(at: i32, end: i32): i32 {
  if (!stands(at, W_MESSAGE, 8) || !stands(at + 8, W_ID, 3)) return SLOW;
  const start = at + 11;
  if (start >= end) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  let row = findRow(idHash, idCheck);
  // cleanup(8) is the first to speak of what nobody handed in.
  if (row < 0) row = begin(POSTFIX, idCheck, HEAD_OTHER);
  else if (load<i32>(numbersOf(row), N_PLACE) !== place || !isClaimable(row)) return SLOW;
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  if ((flags & LINK_ONLY) !== 0) store<i32>(n, (flags & ~LINK_ONLY) | HEAD_OTHER, N_FLAGS);
  const t = timesOf(row);
  // As mayHaveMessageId (joiner.ts); a second one is not ordinary.
  if (
    load<f64>(t, T_MESSAGE_KEY) !== 0 ||
    load<i32>(n, N_SIZE) >= 0 ||
    load<i32>(n, N_RECIPIENTS) > 0 ||
    (load<i32>(n, N_FLAGS) & OVER) !== 0
  )
    return SLOW;
  touch(row);
  store<f64>(t, textKey(start, min(end, start + 32)) + <f64>(end - start), T_MESSAGE_KEY);
  recorded(POSTFIX);
  return TAKEN;
}

/** `from=<s>, size=n, nrcpt=n (queue active)` */
function postfixEnvelope(at: i32, end: i32): i32 {
  if (!stands(at, W_FROM, 4) || !stands(at + 4, W_, 2)) return SLOW;
  const value = at + 6;
  let close = end - 34;
  while (close >= value && byte(close) !== 0x3e) close--;
  if (close < value || !stands(close, W_SIZE, 8)) return postfixGivenUp(value, close, end);
  const size = decimal(close + 8, end);
  const tail = numberEnd;
  if (size < 0 || !stands(tail, W_NRCPT, 8)) return SLOW;
  const recipients = decimal(tail + 8, end);
  if (recipients < 0 || (close > value && !isOrdinaryPath(value, close))) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0) return SLOW;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  // What SPF said of a message waits for its envelope.
  if ((flags & OVER) !== 0 || load<i32>(NO_ARRIVALS) !== 0) return SLOW;
  if ((flags & TAKEN_OVER) === 0) {
    // A report that has a sender is none, and whom a message without one is for has to be known: the joiner knows what to do.
    if (close > value && ((flags & IS_REPORT) !== 0 || isNull(parentOf(row)))) return SLOW;
    if (close > value) {
      store<i32>(n, load<i32>(n, N_LENGTHS) & ~(255 << PATH_SHIFT), N_LENGTHS);
      keepPath(row, value, close);
    }
    store<i32>(n, flags | TAKEN_OVER | (close === value ? NULL_PATH : 0), N_FLAGS);
    store<i32>(n, size, N_SIZE);
    store<i32>(n, recipients, N_ENVELOPE_RECIPIENTS);
  }
  touch(row);
  recorded(POSTFIX);
  return TAKEN;
}

/** `from=<s>, status=expired, returned to sender`, also `force-expired` */
function postfixGivenUp(value: i32, close: i32, end: i32): i32 {
  if (close < value || !stands(close, W_STATUS, 8) || !stands(close + 8, W_S_IS, 2)) return SLOW;
  const word = close + 10;
  if (!stands(word, W_EXPIRED, 7) && !(stands(word, W_FORCE_EX, 8) && stands(word + 6, W_EXPIRED, 7)))
    return SLOW;
  if (findByte(value, end, 0x3e) !== close) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || (load<i32>(numbersOf(row), N_FLAGS) & (TAKEN_OVER | OVER)) !== TAKEN_OVER) return SLOW;
  const slot = keepLine(0, end);
  if (slot === 0) return SLOW;
  notice(row, slot);
  recorded(POSTFIX);
  return TAKEN;
}

/** `to=<r>, orig_to=<o>, relay=h[ip]:p, delay=s, delays=a/b/c/d, dsn=d.d.d, status=sent (text)` */
function postfixDelivery(at: i32, end: i32): i32 {
  if (!stands(at, W_TO, 4) || (tagFlags & TAG_DISCARD) !== 0 || byte(end - 1) !== 0x29) return SLOW;
  const value = at + 4;
  if (byte(value) === 0x22) return SLOW;
  const close = findByte(value, end, 0x3e);
  if (close + 12 > end) return SLOW;
  let relay: i32;
  let original = 0;
  let originalEnd = 0;
  if (stands(close, W_RELAY, 8) && byte(close + 8) === 0x3d) relay = close + 9;
  else if (stands(close, W_ORIG, 8) && stands(close + 8, W_TO, 4)) {
    original = close + 12;
    if (byte(original) === 0x22) return SLOW;
    originalEnd = findByte(original, end, 0x3e);
    if (originalEnd + 9 > end || !stands(originalEnd, W_RELAY, 8) || byte(originalEnd + 8) !== 0x3d)
      return SLOW;
    relay = originalEnd + 9;
  } else return SLOW;
  let i = findByte(relay, end, 0x2c);
  const relayEnd = i;
  // The rest is `, key=value` up to status.
  for (;;) {
    if (i + 16 > end) return SLOW;
    i += 2;
    const key = byte(i);
    if (key === 0x73) break;
    // dsn= | delays=a/b/c/d | delay=s: values have least lengths (parsers/postfix.ts).
    if (key === 0x64) i += byte(i + 1) === 0x73 ? 4 : byte(i + 5) === 0x73 ? 14 : 7;
    i = findByte(i, end, 0x2c);
  }
  const key = addressKey(value, close, original, originalEnd);
  if (!stands(i, W_STATUS_S, 8) || !stands(i + 8, W_ENT, 4)) {
    if (stands(i, W_STATUS_B, 8) && stands(i + 8, W_OUNCED, 8)) return postfixAttempt(key, FAILED_NOW, end);
    if (!stands(i, W_STATUS_D, 8) || !stands(i + 8, W_EFERRED, 8) || byte(i + 16) !== 0x28) return SLOW;
    return postfixAttempt(key, DEFERRED_YET, end);
  }
  const text = i + 12;
  if (byte(text - 1) !== 32 || byte(text) !== 0x28) return SLOW;
  const reply = text + 1;
  const replyEnd = end - 1;
  if (replyEnd < reply) return SLOW;
  if (relayEnd - relay === 4 && stands(relay, W_NONE, 4)) return SLOW;
  if (stands(reply, W_FORWARDE, 8)) {
    if (!stands(reply + 8, W_D_AS, 5)) return SLOW;
    return postfixHandOver(key, FORWARDED_ON, reply + 13, end);
  }
  // `delivered via C`
  if (stands(reply, W_DELIVERE, 8) && stands(reply + 10, W_VIA, 4)) return SLOW;
  const queued = queuedAs(reply, replyEnd);
  const isQueued = queued !== 0;
  let bracket = relayEnd - 1;
  while (bracket >= relay && byte(bracket) !== 0x5b) bracket--;
  if (bracket >= relay) {
    const ip = bracket + 1;
    if (stands(ip, W_127, 4) || stands(ip, W_1, 3) || stands(ip, W_IPV6, 4)) {
      // `Ok, discarded` is another outcome.
      if (!isQueued) return SLOW;
      for (let o = reply; o < queued; o++) if (byte(o) === 0x4f && stands(o, W_OK_DISC, 8)) return SLOW;
      return postfixHandOver(key, HANDED_OVER, queued, end);
    }
  }
  // Where any life has that id, the joiner looks closer.
  if (isQueued && mayBeOurs(queued, replyEnd)) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0) return SLOW;
  const flags = load<i32>(numbersOf(row), N_FLAGS);
  if ((flags & TAKEN_OVER) === 0) return SLOW;
  const number = recipient(row, key);
  if (number < 0) return SLOW;
  // As isOrdinary (joiner.ts); an id that may be ours is remembered of what nobody handed in.
  if ((flags & NULL_PATH) !== 0 || (isQueued && (flags & ARRIVED) === 0)) {
    if (!attemptKept(row, number, DELIVERED, end)) return SLOW;
  } else if (!delivered(row, number)) return SLOW;
  recorded(POSTFIX);
  return TAKEN;
}

/** Where C begins in a text that ends with `queued as C`; 0 for any other. */
export function queuedAs(reply: i32, replyEnd: i32): i32 {
  let queued = replyEnd;
  while (queued > reply && unchecked(ID_KINDS[byte(queued - 1)]) !== 0) queued--;
  const isQueued =
    replyEnd - queued >= 5 &&
    queued - 10 >= reply &&
    stands(queued - 10, W_QUEUED_A, 8) &&
    stands(queued - 2, W_S, 2);
  return isQueued ? queued : 0;
}

/** Whether any life has the id at [start, end). */
export function mayBeOurs(start: i32, end: i32): bool {
  const hash = idHash;
  const check = idCheck;
  hashId(start, end);
  const known = findRow(idHash, idCheck) >= 0 || isPresent(idHash, idCheck);
  idHash = hash;
  idCheck = check;
  return known;
}

/** An attempt that did not succeed. */
function postfixAttempt(key: f64, state: i32, end: i32): i32 {
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || (load<i32>(numbersOf(row), N_FLAGS) & TAKEN_OVER) === 0) return SLOW;
  const number = recipient(row, key);
  if (number < 0 || !attemptKept(row, number, state, end)) return SLOW;
  recorded(POSTFIX);
  return TAKEN;
}

/** Whether there is such a row, with a null reverse-path. */
function isNull(row: i32): bool {
  return row >= 0 && (load<i32>(numbersOf(row), N_FLAGS) & NULL_PATH) !== 0;
}

/** `queued as C)` by a filter on this host, `forwarded as C)`: the message goes on as C, which has to be known. */
function postfixHandOver(key: f64, state: i32, id: i32, end: i32): i32 {
  for (let i = id; i < end - 1; i++) if (unchecked(ID_KINDS[byte(i)]) === 0) return SLOW;
  if (end - 1 - id < 5) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  const row = claim(idCheck);
  if (row < 0 || (load<i32>(numbersOf(row), N_FLAGS) & TAKEN_OVER) === 0) return SLOW;
  let child = rowNamed(id, end - 1);
  const flags = child < 0 ? 0 : load<i32>(numbersOf(child), N_FLAGS);
  if (isNull(row) && (flags & (TAKEN_OVER | NULL_PATH)) === TAKEN_OVER) return SLOW;
  const known = child >= 0 && parentOf(child) === row && (flags & IS_REPORT) === 0;
  if (child < 0) {
    // The instance behind a filter is not known yet.
    if (state !== FORWARDED_ON || !hasRoom(row)) return SLOW;
  } else if (!known) {
    if (state === FORWARDED_ON) {
      if (!mayRelate(row, child) || (flags & ARRIVED) !== 0) return SLOW;
    } else if (!mayBeHandedOver(row, child)) return SLOW;
  }
  const number = recipient(row, key);
  if (number < 0 || !attemptKept(row, number, state, end)) return SLOW;
  if (child < 0) {
    hashId(id, end - 1);
    child = beginLinked(POSTFIX, id, end - 1);
    if (child < 0) return giveBack(row, number);
  }
  if (!known) relate(row, child, 0);
  recorded(POSTFIX);
  return TAKEN;
}

/** The attempt that was just kept is somebody else's to take: the line is slow. */
function giveBack(row: i32, number: i32): i32 {
  const kept = LINKS + row * LINKS_SIZE + L_KEPT + (number << 2);
  freeSlot(load<i32>(kept));
  store<i32>(kept, 0);
  const attempts = numbersOf(row) + N_ATTEMPTS + (number << 2);
  store<i32>(attempts, (load<i32>(attempts) & ~(STATE_BITS << STATE_SHIFT)) - 1);
  return SLOW;
}

function postfixRemoved(at: i32, end: i32): i32 {
  if (end - at !== 7 || (tagFlags & TAG_QMGR) === 0) return SLOW;
  if (!stands(at, W_REMO, 4) || !stands(at + 4, W_VED, 3)) return SLOW;
  const waiting = advance();
  if (waiting !== TAKEN) return waiting;
  return ends(POSTFIX, idCheck);
}
