/**
 * What a chain is apart from names and times: a message, under one id or going on under others, with its DSNs, three notices
 * at the most, and, where a DSN failed, the report about it; or a message with a null reverse-path. Chains with the same
 * outline differ in those only: what was found out about the first need not be found out about the others
 * (summary/facts.ts). Anything out of the ordinary has no outline.
 */
import {
  byte,
  CHECK_START,
  checked,
  findByte,
  HASH_START,
  hashed,
  isDigit,
  keyOf,
  says,
  stands,
  textKey,
  word,
  wordAt,
  words,
} from './bytes';
import { isToldUid } from './closing';
import {
  ARRIVED,
  CLIENT_SHIFT,
  CLOSED,
  DEFERRED_YET,
  DELIVERED,
  FAILED_NOW,
  FORWARDED_ON,
  GIVEN_UP_NOW,
  HANDED_OVER,
  HAS_FORWARD,
  HAS_LINKS,
  HAS_NOTICE,
  HEAD_OTHER,
  ID_AT,
  IS_REPORT,
  L_KEPT,
  L_NOTICES,
  LINK_ONLY,
  LINKS,
  LINKS_SIZE,
  LOCAL_ORIGIN,
  MTA_BITS,
  N_ATTEMPTS,
  N_ENVELOPE_RECIPIENTS,
  N_FLAGS,
  N_LENGTHS,
  N_RECIPIENTS,
  NAMED_PARENT,
  NULL_PATH,
  OUTLINE_AT,
  OUTLINE_KEY,
  OUTLINE_RECIPIENT,
  OUTLINE_RECIPIENT_LENGTH,
  OUTLINE_RELAY,
  OUTLINE_RELAY_LENGTH,
  OVER,
  PATH_AT,
  PATH_SHIFT,
  S_ADDRESS,
  S_INSTANT,
  S_LENGTH,
  S_NEXT,
  S_SEQUENCE,
  S_TAG,
  S_TEXT,
  SEAM,
  SHADOWED,
  T_FIRST,
  T_KEYS,
  TAKEN_OVER,
  TEXTS,
  TEXTS_SIZE,
  TO_LOCAL,
  UNDER_WAY,
  USER_SHIFT,
} from './layout';
import { POSTFIX, QMAIL, SENDMAIL } from './line';
import { sameBytes } from './names';
import { isAwaiting } from './outbox';
import { mayBeOurs, queuedAs } from './postfix';
import { firstChild, nextSibling, numbersOf, slotAt, stateOf, timesOf } from './rows';

const W_TO = word('to=<');
const W_RELAY = word('>, relay');
const W_ORIG = word('>, orig_');
const W_CLOSE = word('>, ');
const W_FROM = word('from=');
const W_MAILER = word(', mailer');
const W_COMMA_RELAY = word(', relay=');
const W_DSN = word(', dsn=');
const W_STATUS = word(', status');
const W_PORT = word(']:25');
const W_NONE = word('none');
const W_HOST = word('(host ');
const W_SAID = word(' said: ');
const W_DOES = word('_does');
const W_ON = word('_on_');
const W_DELIVERY = word('delivery');
const W_UNKNOWN = word('(unknown');
const W_NOT_GOING = word('not_goin');
const W_USER = word(' user: "');
const W_TYPE = word(' type=');
const SUSPENDED = words('delivery temporarily suspended: ');
const CONNECT_TO = words('connect to ');
const LOOKED_UP = words('Host or domain name not found. Name service error for name=');

// The outline so far.
let h: i32 = 0;
let c: i32 = 0;

function mix(value: i32): void {
  h = hashed(h, value);
  c = checked(c, value);
}

/** What stands for something: no length of a text is as large. */
function mark(sign: i32): void {
  mix((1 << 16) | sign);
}

function mixBytes(start: i32, end: i32): void {
  mix(end - start);
  for (let i = start; i < end; i += 4) mix(wordAt(i, end));
}

/** The reverse-path and the failed recipient: names that texts may repeat. */
let path: i32 = 0;
let pathEnd: i32 = 0;
let recipient: i32 = 0;
let recipientEnd: i32 = 0;
/** Postfix: whom the failed recipient was rewritten to; empty where it was not. */
let rewritten: i32 = 0;
let rewrittenEnd: i32 = 0;
/** The next hop that refused it; empty where none did, or where texts are read by its name. */
let relay: i32 = 0;
let relayEnd: i32 = 0;
/** Of the recipient that failed, the time of its line and when it was kept; whether the queue manager gave it up. */
let failedAt: f64 = Infinity;
let keptAt: i32 = 0;
let isExpired: bool = false;
/** Where the instant of the next notice goes, and that of the last one. */
let announcedAt: i32 = 0;
let lastAnnounced: f64 = -Infinity;

function standsAt(at: i32, end: i32, start: i32, stop: i32): bool {
  return stop - start <= end - at && sameBytes(at, start, stop - start);
}

function isSame(start: i32, end: i32, other: i32, otherEnd: i32): bool {
  return end - start === otherEnd - other && sameBytes(start, other, end - start);
}

/** Behind a kept line's text. */
function textEnd(s: i32): i32 {
  return s + S_TEXT + load<i32>(s, S_LENGTH);
}

/** Behind `QID: ` of a kept line. */
function behindId(s: i32): i32 {
  return findByte(s + S_TEXT, textEnd(s), 0x3a) + 2;
}

/** The `, key` at `at` or behind it; end where there is none. */
function field(at: i32, end: i32, key: u64, length: i32): i32 {
  while (at < end && !stands(at, key, length)) at = findByte(at + 1, end, 0x2c);
  return min(at, end);
}

/** A text; `<address>` counts as the name that it repeats, and a host that Postfix names as any other. */
function mixText(at: i32, end: i32): void {
  const host = hostIn(at, end);
  if (host !== 0) {
    mixBytes(at, host);
    mark(9);
    at = findByte(host, end, 32);
  }
  for (;;) {
    const open = findByte(at, end, 0x3c);
    mixBytes(at, open);
    if (open >= end) return;
    at = open + 1;
    if (isNamed(at, end, recipient, recipientEnd)) {
      mark(1);
      at += recipientEnd - recipient + 1;
    } else if (isNamed(at, end, path, pathEnd)) {
      mark(2);
      at += pathEnd - path + 1;
    } else if (isNamed(at, end, rewritten, rewrittenEnd)) {
      mark(10);
      at += rewrittenEnd - rewritten + 1;
    }
  }
}

/** Whether `name>` stands at `at`. */
function isNamed(at: i32, end: i32, start: i32, stop: i32): bool {
  const close = at + (stop - start);
  return stop > start && close < end && byte(close) === 0x3e && standsAt(at, end, start, stop);
}

/**
 * Postfix: where the host's name begins in `(connect to h[ip]:25: text)`, `(Host or domain name not found. Name service
 * error for name=h type=A: text)`, also behind `delivery temporarily suspended: `; 0 in any other text. Nothing is told by
 * that name (dsn/reasons.ts withoutHost), and a blank is behind it.
 */
function hostIn(at: i32, end: i32): i32 {
  if (byte(at) !== 0x28) return 0;
  at++;
  if (says(at, end, SUSPENDED, 32)) at += 32;
  const connects = says(at, end, CONNECT_TO, 11);
  if (!connects && !says(at, end, LOOKED_UP, 59)) return 0;
  at += connects ? 11 : 59;
  const stop = findByte(at, end, 32);
  if (stop === at || stop + 6 > end) return 0;
  return (connects ? byte(stop - 1) === 0x3a : stands(stop, W_TYPE, 6)) ? at : 0;
}

/**
 * An address that no text is read differently for: small letters, digits and `@ . _ + - =`, nothing like the number of a
 * status, and not qmail-send's words for giving up.
 */
function isTame(start: i32, end: i32): bool {
  let ats = 0;
  for (let i = start; i < end; i++) {
    const b = byte(i);
    if (<u32>(b - 97) < 26) continue;
    switch (b) {
      case 0x40:
        ats++;
        break;
      case 0x2e:
        if (isDigit(byte(i + 1)) && i + 1 < end && i > start && isDigit(byte(i - 1))) return false;
        break;
      case 0x2d:
      case 0x2b:
      case 0x3d:
        break;
      case 0x5f:
        if (stands(i - 3, W_NOT_GOING, 8)) return false;
        break;
      default:
        if (!isDigit(b)) return false;
    }
  }
  return ats === 1 && byte(start) !== 0x40 && byte(end - 1) !== 0x40;
}

/** Whom the line that addressOf looked at is about. */
let address: i32 = 0;
let addressStop: i32 = 0;
/** Whom that one was rewritten to; empty where it was not. */
let target: i32 = 0;
let targetStop: i32 = 0;

/** Finds the recipient's address; what is behind it, 0 for another line. */
function addressOf(s: i32, mta: i32): i32 {
  const start = s + S_TEXT;
  const end = textEnd(s);
  targetStop = target;
  if (mta === QMAIL) {
    address = end;
    addressStop = end + load<i32>(s, S_ADDRESS);
    // `delivery D: `
    return stands(start, W_DELIVERY, 8) ? findByte(start, end, 0x3a) : 0;
  }
  const at = behindId(s);
  if (at + 4 > end || !stands(at, W_TO, 4)) return 0;
  address = at + 4;
  addressStop = findByte(address, end, 0x3e);
  let close = addressStop;
  // `, orig_to=<o>`: the one that the client gave.
  if (mta === POSTFIX && stands(close, W_ORIG, 8) && stands(close + 8, W_TO, 4)) {
    target = address;
    targetStop = close;
    address = close + 12;
    addressStop = findByte(address, end, 0x3e);
    close = addressStop;
    mark(5);
  }
  return close + 9 < end && stands(close, W_CLOSE, 3) ? close : 0;
}

/** As wasLocal (suspects/locality.ts): a relay that is surely none of this host's. */
function isRemote(relay: i32, stop: i32, mta: i32): bool {
  const open = findByte(relay, stop, 0x5b);
  if (open >= stop || byte(open + 1) === 0x70 || findByte(relay, stop, 0x2f) !== stop) return false;
  return mta === POSTFIX ? stands(stop - 4, W_PORT, 4) : byte(stop - 1) === 0x5d;
}

/** The line about a recipient that failed; `at` is behind the address. */
function mixFailure(s: i32, at: i32, mta: i32): bool {
  const end = textEnd(s);
  mix(load<i32>(s, S_TAG));
  return mta === POSTFIX
    ? postfixFailure(at, end)
    : mta === QMAIL
      ? qmailFailure(at, end)
      : sendmailFailure(at, end);
}

/** `>, relay=h[ip]:p, delay=s, delays=a/b/c/d, dsn=d.d.d, status=bounced (text)` */
function postfixFailure(at: i32, end: i32): bool {
  if (!stands(at, W_RELAY, 8) || byte(at + 8) !== 0x3d) return false;
  at += 9;
  const stop = findByte(at, end, 0x2c);
  mixRelay(at, stop, POSTFIX);
  at = stop;
  at = field(at, end, W_DSN, 6);
  const status = findByte(at + 1, end, 0x2c);
  let said = findByte(status, end, 0x28);
  mixBytes(at, said);
  if (said >= end || !stands(status, W_STATUS, 8)) return false;
  // `(unknown user: "r")`: what such a text means is clear, whatever the name.
  const local = findByte(recipient, recipientEnd, 0x40);
  const close = said + 16 + (local - recipient);
  if (
    stands(said, W_UNKNOWN, 8) &&
    stands(said + 8, W_USER, 8) &&
    close + 2 === end &&
    byte(close) === 0x22 &&
    standsAt(said + 16, end, recipient, local)
  ) {
    mark(3);
    return true;
  }
  // `(host h[ip] said: text)`: what it said is the same whoever said it (dsn/reasons.ts).
  const name = relayEnd - relay - 3;
  if (
    name > 0 &&
    stands(said, W_HOST, 6) &&
    standsAt(said + 6, end, relay, relay + name) &&
    stands(said + 6 + name, W_SAID, 7)
  ) {
    mark(7);
    said += 13 + name;
  }
  mixText(said, end);
  return true;
}

/** `[, ctladdr=c], delay=t, xdelay=t, mailer=m, [pri=n,] [relay=h [ip],] dsn=d.d.d, [reply=r,] stat=s` */
function sendmailFailure(at: i32, end: i32): bool {
  at = field(at, end, W_MAILER, 8);
  const pri = findByte(at + 1, end, 0x2c);
  mixBytes(at, pri);
  const dsn = field(pri, end, W_DSN, 6);
  at = field(pri, dsn, W_COMMA_RELAY, 8);
  if (at < dsn) {
    const stop = findByte(at + 8, end, 0x2c);
    mixRelay(at + 8, stop, SENDMAIL);
    at = stop;
  }
  mixText(at, end);
  return at < end;
}

/** `: failure: ip_does_not_like_recipient./Remote_host_said:_text/Giving_up_on_ip./` */
function qmailFailure(at: i32, end: i32): bool {
  const ip = at + 11;
  const stop = addressEnd(ip, end);
  let again = end;
  if (stop > ip && stands(stop, W_DOES, 5)) {
    again = stop;
    while (again < end && !(stands(again, W_ON, 4) && standsAt(again + 4, end, ip, stop))) again++;
  }
  if (again >= end) {
    mixText(at, end);
    return true;
  }
  relay = ip;
  relayEnd = stop;
  mark(4);
  mixText(stop, again);
  mixText(again + 4 + (stop - ip), end);
  return true;
}

/** Behind the IPv4 address at `at`; `at` where there is none. */
function addressEnd(at: i32, end: i32): i32 {
  let i = at;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && byte(i++) !== 0x2e) return at;
    const start = i;
    while (i < end && isDigit(byte(i))) i++;
    if (i === start || i - start > 3) return at;
  }
  return i;
}

/** Where it was sent: a name where that is elsewhere. */
function mixRelay(start: i32, stop: i32, mta: i32): void {
  // With a blank in it, texts are not read without it (dsn/reasons.ts).
  if (!isRemote(start, stop, mta) || (mta === POSTFIX && findByte(start, stop, 32) !== stop)) {
    mixBytes(start, stop);
    return;
  }
  mark(4);
  relay = start;
  relayEnd = stop;
}

/** Whether the line says `queued as C`, and C may be ours. */
function leadsHome(s: i32, mta: i32): bool {
  if (mta !== POSTFIX) return false;
  const start = s + S_TEXT;
  const end = textEnd(s) - 1;
  const queued = queuedAs(start, end);
  return queued !== 0 && mayBeOurs(queued, end);
}

/** The line about what became of the report: whether it stayed here. How it ended is in the numbers. */
function mixReport(s: i32, mta: i32): bool {
  const at = addressOf(s, mta);
  if (at === 0 || leadsHome(s, mta)) return false;
  const end = textEnd(s);
  if (mta !== QMAIL) return mixPlace(at, end, mta);
  // A number tells the channels apart, a few words those that qmail-send gave up.
  for (let i = at; i < end; i++) if (stands(i, W_NOT_GOING, 8)) return false;
  return true;
}

/** Behind the address: what tells whether it was this host (wasLocal). */
function mixPlace(at: i32, end: i32, mta: i32): bool {
  const dsn = field(at + 1, end, W_DSN, 6);
  at = field(at + 1, dsn, W_COMMA_RELAY, 8);
  if (at === dsn) {
    // sendmail's local mailer; then it is told by how it ended.
    mark(6);
    return mta !== POSTFIX;
  }
  at += 8;
  const stop = findByte(at, end, 0x2c);
  if (isRemote(at, stop, mta)) {
    mark(4);
    return true;
  }
  mixBytes(at, stop);
  // Nobody was asked: the rest tells who should know.
  if (mta !== POSTFIX || stop - at !== 4 || !stands(at, W_NONE, 4)) return true;
  at = field(stop, end, W_DSN, 6);
  const said = findByte(at, end, 0x28);
  mixBytes(at, said);
  mixText(said, end);
  return at < end;
}

/** What says nothing of the message. */
const ASIDE: i32 = CLOSED | SHADOWED | HAS_LINKS;
/** A message that came in here, and is over; and what makes a root another one. */
const OWN: i32 = ARRIVED | TAKEN_OVER | OVER;
const ODD: i32 = LINK_ONLY | HEAD_OTHER | NAMED_PARENT | UNDER_WAY | HAS_FORWARD | IS_REPORT;

function mixNumbers(n: i32): void {
  mix(load<i32>(n, N_FLAGS) & ~ASIDE);
  mix(load<i32>(n, N_RECIPIENTS));
  mix(load<i32>(n, N_ENVELOPE_RECIPIENTS));
}

/** How an attempt ended, where, and whether there was any. */
function mixAttempts(n: i32, row: i32, number: i32): void {
  const attempts = load<i32>(n + (number << 2), N_ATTEMPTS);
  mix(stateOf(row, number) | (attempts & TO_LOCAL) | ((attempts & (TO_LOCAL - 1)) !== 0 ? 256 : 0));
}

/** Finds the outline of a chain that is over (layout.ts OUTLINE_KEY); false where it has none. */
export function outline(root: i32): bool {
  const n = numbersOf(root);
  const flags = load<i32>(n, N_FLAGS);
  const mta = flags & MTA_BITS;
  const lengths = load<i32>(n, N_LENGTHS);
  if ((flags & (OWN | ODD | HAS_LINKS)) !== (OWN | HAS_LINKS)) return false;
  // Of a user of this host, sendmail logs a bare name.
  const isLocal = (flags & LOCAL_ORIGIN) !== 0;
  if (mta === QMAIL ? isToldUid(n) : isLocal ? mta === SENDMAIL : ((lengths >>> CLIENT_SHIFT) & 255) === 0)
    return false;
  if (load<f64>(timesOf(root), T_FIRST) <= load<f64>(SEAM)) return false;
  h = HASH_START;
  c = CHECK_START;
  path = TEXTS + root * TEXTS_SIZE + PATH_AT;
  pathEnd = path;
  if ((flags & NULL_PATH) === 0) {
    pathEnd += lengths >>> PATH_SHIFT;
    if (!isTame(path, pathEnd)) return false;
    // qmail: `#@[]`, nobody's message.
  } else if (lengths >>> PATH_SHIFT !== 0) return false;
  recipient = path;
  recipientEnd = pathEnd;
  rewrittenEnd = rewritten;
  relay = 0;
  relayEnd = 0;
  mixNumbers(n);
  mix(((lengths >>> USER_SHIFT) & 255) !== 0 ? 1 : 0);
  const row = lastOf(root, mta);
  if (row < 0 || !message(row, mta) || (recipient !== path && !isTame(recipient, recipientEnd))) return false;
  store<f64>(OUTLINE_KEY, keyOf(h, c));
  store<i32>(OUTLINE_RECIPIENT, recipient);
  store<i32>(OUTLINE_RECIPIENT_LENGTH, recipientEnd - recipient);
  store<i32>(OUTLINE_RELAY, relay);
  store<i32>(OUTLINE_RELAY_LENGTH, relayEnd - relay);
  return true;
}

/** Ids that a message may have one after the other. */
const MOST_IDS: i32 = 4;
/** Whom the alias stands for that forwarded the message; empty without one. */
let alias: i32 = 0;
let aliasEnd: i32 = 0;

/**
 * Postfix: the row that a message went on as in the end, through filters or an alias, with all its recipients; the row
 * itself where it did not go on, -1 where it did otherwise.
 */
function lastOf(row: i32, mta: i32): i32 {
  aliasEnd = alias;
  for (let ids = 1; ids < MOST_IDS; ids++) {
    const n = numbersOf(row);
    const count = load<i32>(n, N_RECIPIENTS);
    const state = count > 0 ? stateOf(row, 0) : DELIVERED;
    if (mta !== POSTFIX || (state !== HANDED_OVER && state !== FORWARDED_ON)) return row;
    const next = firstChild(row);
    if (next < 0 || nextSibling(next) >= 0 || (load<i32>(n, N_FLAGS) & HAS_NOTICE) !== 0) return -1;
    // An alias leads its own recipient elsewhere; to a filter go all, as they are.
    if (state === FORWARDED_ON && (count !== 1 || aliasEnd > alias)) return -1;
    for (let i = 0; i < count; i++) {
      const kept = load<i32>(LINKS + row * LINKS_SIZE + (i << 2), L_KEPT);
      if (stateOf(row, i) !== state || kept === 0) return -1;
      const s = slotAt(kept);
      const at = addressOf(s, mta);
      if (at === 0 || !mixPlace(at, textEnd(s), mta)) return -1;
      mix(load<i32>(s, S_TAG));
      if (state === FORWARDED_ON) {
        alias = address;
        aliasEnd = addressStop;
      } else if (targetStop > target) return -1;
      mixAttempts(n, row, i);
    }
    const m = numbersOf(next);
    if ((load<i32>(m, N_FLAGS) & GOES_ON) !== (TAKEN_OVER | OVER | HAS_LINKS) || !hasPath(next)) return -1;
    mixNumbers(m);
    row = next;
  }
  return -1;
}

/** What a message went on as: what is asked of its flags. */
const GOES_ON: i32 =
  TAKEN_OVER | OVER | HAS_LINKS | LINK_ONLY | LOCAL_ORIGIN | UNDER_WAY | HAS_FORWARD | IS_REPORT;

/** Whether the row's reverse-path is that of its root. */
function hasPath(row: i32): bool {
  const own = TEXTS + row * TEXTS_SIZE + PATH_AT;
  return isSame(own, own + (load<i32>(numbersOf(row), N_LENGTHS) >>> PATH_SHIFT), path, pathEnd);
}

/**
 * A message, in its last row, that its recipients have but for one, and what was reported, if anything; with a null
 * reverse-path, one recipient only.
 */
function message(row: i32, mta: i32): bool {
  const n = numbersOf(row);
  const isNull = (load<i32>(n, N_FLAGS) & NULL_PATH) !== 0;
  const l = LINKS + row * LINKS_SIZE;
  const count = load<i32>(n, N_RECIPIENTS);
  // Its last line, and how that ended.
  let kept = 0;
  let state = DELIVERED;
  if (isNull && count !== 1) return false;
  for (let i = 0; i < count; i++) {
    const now = stateOf(row, i);
    // Who has it is only counted.
    if (now === DELIVERED && !isNull) continue;
    mixAttempts(n, row, i);
    if (kept !== 0 || (now !== DELIVERED && now !== DEFERRED_YET && !hasFailed(now))) return false;
    state = now;
    kept = load<i32>(l + (i << 2), L_KEPT);
    if (kept === 0) return false;
  }
  failedAt = Infinity;
  keptAt = 0;
  isExpired = false;
  if (kept !== 0) {
    const s = slotAt(kept);
    const at = addressOf(s, mta);
    if (at === 0) return false;
    recipient = address;
    recipientEnd = addressStop;
    if (isTame(target, targetStop)) {
      rewritten = target;
      rewrittenEnd = targetStop;
    }
    if (aliasEnd > alias) {
      // Without its own word for it, it is known by the alias, and with a null reverse-path by both.
      if (targetStop === target) return false;
      mix(isSame(alias, aliasEnd, address, addressStop) ? 1 : 0);
    }
    keptAt = load<i32>(s, S_SEQUENCE);
    if (state === DELIVERED) {
      if (leadsHome(s, mta)) return false;
    } else {
      if (hasFailed(state) ? !mixFailure(s, at, mta) : !mixWait(s, at, mta)) return false;
      failedAt = load<f64>(s, S_INSTANT);
    }
    // sendmail has reports for the sender that look like recipients.
    mix(isSame(recipient, recipientEnd, path, pathEnd) ? 1 : 0);
  }
  announcedAt = OUTLINE_AT;
  for (let i = 0; i < 24; i += 8) store<f64>(OUTLINE_AT + i, NaN);
  lastAnnounced = -Infinity;
  if (!isNull && kept === 0 && firstChild(row) < 0) return false;
  return reports(row, mta, isNull) && isExpired === (state === DEFERRED_YET);
}

function hasFailed(state: i32): bool {
  return state === FAILED_NOW || state === GIVEN_UP_NOW;
}

/** Postfix: an attempt that was the last, for the time in the queue was over: what was said of it counts for nothing. */
function mixWait(s: i32, at: i32, mta: i32): bool {
  const end = textEnd(s);
  if (mta !== POSTFIX || !mixPlace(at, end, mta)) return false;
  at = field(at, end, W_DSN, 6);
  mixBytes(at, findByte(at + 1, end, 0x2c));
  return at < end;
}

/** The notices about a row, three at the most, each with the report that it announces. */
function reports(row: i32, mta: i32, areLast: bool): bool {
  if (isAwaiting(row)) return false;
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  const first = LINKS + row * LINKS_SIZE + L_NOTICES;
  let count = 0;
  for (let slot = load<i32>(first); slot !== 0; slot = load<i32>(slotAt(slot), S_NEXT)) count++;
  if (count > 3) return false;
  let child = firstChild(row);
  // The newest comes first.
  for (let k = count; k > 0; k--) {
    let slot = load<i32>(first);
    for (let i = 1; i < k; i++) slot = load<i32>(slotAt(slot), S_NEXT);
    const s = slotAt(slot);
    // sendmail's line of a null reverse-path is kept before any other.
    if (k === count && mta === SENDMAIL && (flags & (NULL_PATH | ARRIVED)) === (NULL_PATH | ARRIVED))
      continue;
    if (mta === POSTFIX && saysExpired(s)) {
      // Of the message, and an attempt behind it would have been another one.
      if ((flags & IS_REPORT) !== 0 || load<i32>(s, S_SEQUENCE) < keptAt) return false;
      mark(8);
      isExpired = true;
      continue;
    }
    if (child < 0 || (load<i32>(numbersOf(child), N_FLAGS) & IS_REPORT) === 0) return false;
    if (!mixNotice(s, mta, child) || !(areLast ? lastReport(child, mta) : report(child, mta))) return false;
    child = nextSibling(child);
  }
  return child < 0;
}

/** `QID: from=<s>, status=expired, returned to sender` */
function saysExpired(s: i32): bool {
  return stands(behindId(s), W_FROM, 5);
}

/** A notice of this report. */
function mixNotice(s: i32, mta: i32, child: i32): bool {
  const end = textEnd(s);
  const at = load<f64>(s, S_INSTANT);
  if (announcedAt > OUTLINE_AT + 16 || at < lastAnnounced) return false;
  store<f64>(announcedAt, at);
  announcedAt += 8;
  // A warning of sendmail's may tell of a failure, too, by the order of time (chains/view.ts reportsFailureToo).
  mix((failedAt <= at ? 1 : 0) | (at > lastAnnounced ? 2 : 0));
  lastAnnounced = at;
  if (mta === QMAIL) return true;
  const id = TEXTS + child * TEXTS_SIZE + ID_AT;
  const idStop = id + (load<i32>(numbersOf(child), N_LENGTHS) & 255);
  const text = behindId(s);
  if (mta === POSTFIX) {
    // `sender non-delivery notification: C`
    const close = findByte(text, end, 0x3a);
    mixBytes(text, close);
    return isSame(close + 2, end, id, idStop);
  }
  // `C: DSN: text`
  const said = findByte(text, end, 0x3a);
  mixText(said, end);
  return isSame(text, said, id, idStop);
}

/** A DSN, which went to the reverse-path and to nobody else; where it failed, with the report about that. */
function report(row: i32, mta: i32): bool {
  const n = numbersOf(row);
  if ((load<i32>(n, N_FLAGS) & HAS_LINKS) === 0 || load<i32>(n, N_RECIPIENTS) !== 1) return false;
  if (load<f64>(timesOf(row), T_KEYS) !== textKey(path, pathEnd)) return false;
  const slot = load<i32>(LINKS + row * LINKS_SIZE, L_KEPT);
  const state = stateOf(row, 0);
  if (slot === 0 || (state !== DELIVERED && !hasFailed(state))) return false;
  mixNumbers(n);
  mixAttempts(n, row, 0);
  return mixReport(slotAt(slot), mta) && reports(row, mta, true);
}

/** A report about which there is none, and of which nobody asks whom it went to. */
function lastReport(row: i32, mta: i32): bool {
  const n = numbersOf(row);
  const flags = load<i32>(n, N_FLAGS);
  const count = load<i32>(n, N_RECIPIENTS);
  if ((flags & (HAS_NOTICE | HAS_LINKS)) !== HAS_LINKS || firstChild(row) >= 0 || count === 0) return false;
  if (isAwaiting(row)) return false;
  mixNumbers(n);
  for (let i = 0; i < count; i++) {
    mixAttempts(n, row, i);
    const slot = load<i32>(LINKS + row * LINKS_SIZE + (i << 2), L_KEPT);
    if (stateOf(row, i) !== DELIVERED || slot === 0 || leadsHome(slotAt(slot), mta)) return false;
  }
  return true;
}
