/**
 * qmail: the lines of qmail-send (1.03, netqmail, notqmail and the patched ones), and of the SMTP-side programs
 * that name a client for a qp.
 *
 * Shapes and sources: qmail-send.c todo_do, del_start, del_dochan, injectbounce, messdone; qmail-local.c (did_A+B+C);
 * splogger.c (stamps, continuation records); qsutil.c logsafe: blanks are `_`, newlines `/`, so texts are lossy.
 *
 * Must not know other lines, joins or I/O.
 */
import type { LineHead } from '../src/lines/head.ts';
import {
  ascii,
  decimal,
  find,
  findByte,
  findLast,
  sameBytes,
  skipDigits,
  startsWith,
} from '../src/records/bytes.ts';
import type { Parser } from '../src/records/contract.ts';
import {
  BOUNCE,
  BOUNCE_DISCARDED,
  CONTINUATION,
  DEFERRED,
  DELIVERY_RESULT,
  DELIVERY_START,
  DROPPED,
  END,
  END_DONE,
  FAILED,
  FIRST_DELIVERY,
  GIVEN_UP,
  IGNORED,
  KEPT_TOO,
  type LineClass,
  LOCAL_CHANNEL,
  MALFORMED,
  type ParsedRecord,
  QMAIL,
  QP_CLIENT,
  QUEUE_INFO,
  QUEUE_NEW,
  RECORDED,
  REJECT,
  RESTART,
  SENT,
  STAGE_RECIPIENT,
  UNRECOGNISED,
} from '../src/records/record.ts';
import { setId } from '../src/records/text.ts';

const SPACE = 32;
const DASH = 45;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const LESS = 60;
const AT = 64;

const STARTING_DELIVERY = ascii('starting delivery ');
const MSG = ascii('msg ');
const TO_LOCAL = ascii('to local ');
const TO_REMOTE = ascii('to remote ');
const STATUS = ascii('status: ');
const EXITING = ascii('status: exiting');
const DELIVERY = ascii('delivery ');
const SUCCESS = ascii(': success: ');
const FAILURE = ascii(': failure: ');
const DEFERRAL = ascii(': deferral: ');
const SUCCESS_BARE = ascii(': success:');
const FAILURE_BARE = ascii(': failure:');
const DEFERRAL_BARE = ascii(': deferral:');
const MANGLED = ascii(': report mangled');
const LOG_TEXT = ascii(': log:');
const NEW_MSG = ascii('new msg ');
const INFO_MSG = ascii('info msg ');
const BYTES = ascii(': bytes ');
const FROM = ascii(' from <');
const CLOSE_QP = ascii('> qp ');
const QP = ascii(' qp ');
const QP_FIELD = ascii('qp=');
const UID = ascii(' uid ');
const BOUNCE_MSG = ascii('bounce msg ');
const END_MSG = ascii('end msg ');
const DOUBLE_BOUNCE = ascii('double bounce: discarding ');
const TRIPLE_BOUNCE = ascii('triple bounce: discarding ');
const BOUNCE_FILE = ascii('bounce/');
const WARNING = ascii('warning: ');
const ALERT = ascii('alert: ');
const QUEUE_TOO_LONG = ascii('not_going_to_try_again');
const DID = ascii('did_');
const DID_NOTHING = ascii('did_0+0+0/');
const QP_TEXT = ascii('/qp_');
const QP_OF_PROGRAM = ascii(':_qp_');
const SAID = ascii('said:_');
const REMOTE_SAID = ascii('Remote_host_said:_');
const HASH = ascii('(#');
const RUNNING = ascii('running');
const LOCAL_EXTRA = ascii('local: ');
const REMOTE_EXTRA = ascii('remote: ');

const QLOG_RECEIVED = ascii('qlogreceived: ');
const QLOG_ENVELOPE = ascii('qlogenvelope: ');
const REMOTE_IP = ascii('remoteip=');
const REMOTE_HOST = ascii('remotehost=');
const AUTH_USER = ascii('authuser=');
const RESULT_REJECTED = ascii('result=rejected');
const CHKUSER_REJECTED = ascii('CHKUSER rejected ');
const VALIDRCPTTO = ascii('validrcptto ');
const DENIED = ascii('DENIED_');
const REJECT_RCPT = ascii('Reject::RCPT');

/**
 * Programs that a .qmail may name, which put the message into the queue again [forward.c, condredirect.c, fastforward.c,
 * dot-forward.c]. What ezmlm's say in the same way is an answer.
 */
const FORWARDERS = ['forward', 'condredirect', 'fastforward', 'dot-forward'].map(ascii);

const SIGHUP = ascii('sighup response: ');
const INDIMAIL_INFO = ascii('info: qmail-');
const INDIMAIL_WARN = ascii('warn: qmail-');

const SIDE_PROGRAMS = [
  'tcpserver',
  'rblsmtpd',
  'spamdyke',
  'qmail-smtpd',
  'CHKUSER',
  'qlog',
  'sslserver',
  'qmail-pop3d',
  'fixcrio',
  'simscan',
  'qmail-inject',
  'ucspi',
  'pid ',
  'cannot ',
  'number of ',
].map(ascii);

/** About qmail-send itself; the last two are indimail's, the one before qmail-ldap's [del_dochan]. */
const NEWS = [WARNING, ALERT, SIGHUP, INDIMAIL_INFO, INDIMAIL_WARN];

/** indimail's queues count for themselves; above what tags add. */
const QUEUE_DELIVERIES = 2 ** 44;
/** Of one delivery. */
const MOST_FORWARDS = 100;

function parse(head: LineHead, record: ParsedRecord): LineClass {
  const { bytes, textStart: start, textEnd: end } = head;
  record.mta = QMAIL;
  if (head.continuation) {
    record.kind = CONTINUATION;
    record.reply.set(start, end);
    if (find(bytes, start, end, QUEUE_TOO_LONG) >= 0) record.outcome = GIVEN_UP;
    return RECORDED;
  }
  switch (bytes[start]) {
    case 0x73: // status: | starting delivery
      if (startsWith(bytes, start, end, STARTING_DELIVERY)) return parseStart(head, record);
      if (startsWith(bytes, start, end, STATUS)) {
        if (!startsWith(bytes, start, end, EXITING)) return IGNORED;
        record.kind = RESTART;
        record.delivery = head.tag.deliveries;
        return RECORDED;
      }
      break;
    case 0x64: // delivery | double bounce
      if (startsWith(bytes, start, end, DELIVERY)) return parseResult(head, record);
      if (startsWith(bytes, start, end, DOUBLE_BOUNCE)) return parseDiscarded(bytes, start, end, record);
      break;
    case 0x6e:
      if (startsWith(bytes, start, end, NEW_MSG))
        return number(bytes, start + NEW_MSG.length, end, record, QUEUE_NEW);
      break;
    case 0x69:
      if (startsWith(bytes, start, end, INFO_MSG)) return parseInfo(bytes, start, end, record);
      break;
    case 0x62:
      if (startsWith(bytes, start, end, BOUNCE_MSG)) return parseBounce(bytes, start, end, record);
      break;
    case 0x65:
      if (startsWith(bytes, start, end, END_MSG)) {
        record.end = END_DONE;
        return number(bytes, start + END_MSG.length, end, record, END);
      }
      break;
    case 0x74:
      if (startsWith(bytes, start, end, TRIPLE_BOUNCE)) return parseDiscarded(bytes, start, end, record);
      break;
    case 0x72:
      if (startsWith(bytes, start, end, RUNNING)) return IGNORED;
      break;
    default:
  }
  return parseSide(head, record);
}

/** The message number at `at`, as the record's id. */
function number(bytes: Uint8Array, at: number, end: number, record: ParsedRecord, kind: number): LineClass {
  const stop = skipDigits(bytes, at, end);
  if (stop === at) return MALFORMED;
  setId(record, bytes, at, stop);
  record.kind = kind;
  return RECORDED;
}

/** D of `delivery D:`, or with indimail's queue `delivery D.Q:` [its del_start], into the record; the byte behind it. */
function deliveryNumber(head: LineHead, at: number, record: ParsedRecord): number {
  const { bytes, textEnd: end } = head;
  const own = decimal(bytes, at, end);
  if (own < 0) return at;
  // qmail-send counts from 1 when it starts, and has forgotten what was under way.
  if (own === 1) record.flags |= FIRST_DELIVERY;
  record.delivery = own + head.tag.deliveries;
  const stop = skipDigits(bytes, at, end);
  if (bytes[stop] !== DOT) return stop;
  record.delivery += (decimal(bytes, stop + 1, end) & 0xff) * QUEUE_DELIVERIES;
  return skipDigits(bytes, stop + 1, end);
}

/** `starting delivery D: msg N to local R` */
function parseStart(head: LineHead, record: ParsedRecord): LineClass {
  const { bytes, textStart: start, textEnd: end } = head;
  const colon = deliveryNumber(head, start + STARTING_DELIVERY.length, record);
  if (record.delivery < 0 || bytes[colon] !== COLON || !startsWith(bytes, colon + 2, end, MSG))
    return MALFORMED;
  const result = number(bytes, colon + 2 + MSG.length, end, record, DELIVERY_START);
  const to = record.id.end + 1;
  if (startsWith(bytes, to, end, TO_LOCAL)) {
    record.flags |= LOCAL_CHANNEL;
    const stop = recipientEnd(bytes, to + TO_LOCAL.length, end);
    record.recipient.set(withoutDomain(bytes, to + TO_LOCAL.length, stop), stop);
  } else if (startsWith(bytes, to, end, TO_REMOTE)) {
    record.recipient.set(to + TO_REMOTE.length, recipientEnd(bytes, to + TO_REMOTE.length, end));
  } else return MALFORMED;
  return result;
}

/**
 * `example.org-bob@example.org`: what control/virtualdomains puts before the addresses of a domain of vpopmail's
 * [qmail-send.c rewrite; stripvdomprepend takes it off in bounces]. Another prefix than the domain cannot be told from the
 * address. As in src/kernel/.
 */
function withoutDomain(bytes: Uint8Array, at: number, end: number): number {
  let domain = end;
  while (domain > at && bytes[domain - 1] !== AT) domain -= 1;
  const length = end - domain;
  // There is a local part behind it.
  if (domain === at || length === 0 || at + length + 1 >= domain - 1 || bytes[at + length] !== DASH)
    return at;
  return sameBytes(bytes, at, domain, length) ? at + length + 1 : at;
}

/** Addresses have no blanks here (logsafe makes them `_`); indimail adds a queue name after one. */
function recipientEnd(bytes: Uint8Array, at: number, end: number): number {
  const blank = findByte(bytes, at, end, SPACE);
  return blank < 0 ? end : blank;
}

/** `delivery D: success|failure|deferral: T`; T may be empty [del_dochan]. */
function parseResult(head: LineHead, record: ParsedRecord): LineClass {
  const { bytes, textStart: start, textEnd: end } = head;
  const colon = deliveryNumber(head, start + DELIVERY.length, record);
  if (record.delivery < 0) return MALFORMED;
  let text = end;
  if (startsWith(bytes, colon, end, SUCCESS_BARE)) {
    record.outcome = SENT;
    text = colon + SUCCESS.length;
  } else if (startsWith(bytes, colon, end, FAILURE_BARE)) {
    record.outcome = FAILED;
    text = colon + FAILURE.length;
  } else if (startsWith(bytes, colon, end, DEFERRAL_BARE)) {
    record.outcome = DEFERRED;
    text = colon + DEFERRAL.length;
  } else if (startsWith(bytes, colon, end, MANGLED)) {
    record.outcome = DEFERRED;
    text = colon + 2;
  } else if (startsWith(bytes, colon, end, LOG_TEXT)) return IGNORED;
  else return UNRECOGNISED;
  record.kind = DELIVERY_RESULT;
  if (text >= end) {
    // A remote success always quotes the host; a local one without a word did nothing [qmail-local.c count_print].
    if (record.outcome === SENT) record.outcome = DROPPED;
    return RECORDED;
  }
  // Texts have no blanks; indimail adds a queue name after one.
  const blank = findByte(bytes, text, end, SPACE);
  const textEnd = blank < 0 ? end : blank;
  record.reply.set(text, textEnd);
  // What a next hop says means nothing here [qmail-remote.c quit].
  const isRemote = find(bytes, text, textEnd, REMOTE_SAID) >= 0;
  if (!isRemote) programsForwards(bytes, text, textEnd, record);
  if (record.outcome === SENT) {
    if (isRemote) return RECORDED;
    // `did_A+B+C/qp_Q/`: B forwards went into the queue through process Q [qmail-local.c]. Programs may write before it.
    const did = findLast(bytes, text, textEnd, DID);
    if (did >= 0) {
      const programs = record.forwards.length;
      const qp = find(bytes, did, textEnd, QP_TEXT);
      if (qp >= 0) record.forwards.push(decimal(bytes, qp + QP_TEXT.length, textEnd));
      // Nothing done: the instructions held comments only, nobody got the mail.
      if (startsWith(bytes, did, textEnd, DID_NOTHING)) record.outcome = DROPPED;
      if (record.forwards.length > 0 && !onlyForwards(bytes, did + DID.length, textEnd, programs))
        record.flags |= KEPT_TOO;
    }
    return RECORDED;
  }
  if (record.outcome === FAILED && find(bytes, text, end, QUEUE_TOO_LONG) >= 0) record.outcome = GIVEN_UP;
  enhancedStatus(bytes, text, end, record);
  return RECORDED;
}

/** `forward:_qp_Q/`: in failures and deferrals, too, where another instruction did not succeed. */
function programsForwards(bytes: Uint8Array, text: number, end: number, record: ParsedRecord): void {
  for (
    let at = find(bytes, text, end, QP_OF_PROGRAM);
    at >= 0;
    at = find(bytes, at + 1, end, QP_OF_PROGRAM)
  ) {
    const value = at + QP_OF_PROGRAM.length;
    const qp = decimal(bytes, value, end);
    if (qp < 0 || bytes[skipDigits(bytes, value, end)] !== SLASH) continue;
    const isForwarder = FORWARDERS.some((name) => {
      const from = at - name.length;
      return (
        from >= text && startsWith(bytes, from, end, name) && (from === text || bytes[from - 1] === SLASH)
      );
    });
    if (isForwarder && record.forwards.length < MOST_FORWARDS) record.forwards.push(qp);
  }
}

/** `0+B+C`: neither files nor other programs than the `forwarders` took it. */
function onlyForwards(bytes: Uint8Array, at: number, end: number, forwarders: number): boolean {
  const forwards = skipDigits(bytes, at, end) + 1;
  const programs = skipDigits(bytes, forwards, end) + 1;
  return decimal(bytes, at, end) === 0 && decimal(bytes, programs, end) <= forwarders;
}

/** `said:_550_5.1.1_... or `...(#5.1.1)/`. */
function enhancedStatus(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): void {
  const said = find(bytes, at, end, SAID);
  if (said >= 0) {
    const code = said + SAID.length + 4;
    const stop = statusEnd(bytes, code, end);
    if (stop > 0) {
      record.status.set(code, stop);
      return;
    }
  }
  const hash = findLast(bytes, at, end, HASH);
  if (hash >= 0) {
    const stop = statusEnd(bytes, hash + 2, end);
    if (stop > 0) record.status.set(hash + 2, stop);
  }
}

/** The byte after `d.d.d` at `at`, or 0. */
function statusEnd(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at];
  if (first !== 0x32 && first !== 0x34 && first !== 0x35) return 0;
  if (bytes[at + 1] !== 0x2e) return 0;
  const second = skipDigits(bytes, at + 2, end);
  if (second === at + 2 || bytes[second] !== 0x2e) return 0;
  const third = skipDigits(bytes, second + 1, end);
  return third === second + 1 || third > end ? 0 : third;
}

/** `info msg N: bytes B from <S> qp Q uid U`; S may hold `>` and blanks were made `_` [todo_do]. */
function parseInfo(bytes: Uint8Array, start: number, end: number, record: ParsedRecord): LineClass {
  const result = number(bytes, start + INFO_MSG.length, end, record, QUEUE_INFO);
  if (result !== RECORDED || !startsWith(bytes, record.id.end, end, BYTES)) return MALFORMED;
  const size = record.id.end + BYTES.length;
  record.size = decimal(bytes, size, end);
  const from = skipDigits(bytes, size, end);
  const qp = findLast(bytes, from, end, CLOSE_QP);
  if (!startsWith(bytes, from, end, FROM) || qp < 0) return MALFORMED;
  record.reversePath.set(from + FROM.length, qp);
  record.hasReversePath = true;
  const value = qp + CLOSE_QP.length;
  record.qp = decimal(bytes, value, end);
  const uid = skipDigits(bytes, value, end);
  if (startsWith(bytes, uid, end, UID)) record.uid = decimal(bytes, uid + UID.length, end);
  return record.qp < 0 ? MALFORMED : RECORDED;
}

/** `bounce msg N qp Q` [injectbounce] */
function parseBounce(bytes: Uint8Array, start: number, end: number, record: ParsedRecord): LineClass {
  const result = number(bytes, start + BOUNCE_MSG.length, end, record, BOUNCE);
  if (result !== RECORDED || !startsWith(bytes, record.id.end, end, QP)) return MALFORMED;
  record.qp = decimal(bytes, record.id.end + QP.length, end);
  return record.qp < 0 ? MALFORMED : RECORDED;
}

/** `triple bounce: discarding bounce/N`; N is the last component, whatever the split. */
function parseDiscarded(bytes: Uint8Array, start: number, end: number, record: ParsedRecord): LineClass {
  const file = find(bytes, start, end, BOUNCE_FILE);
  if (file < 0) return UNRECOGNISED;
  let at = file + BOUNCE_FILE.length;
  for (let i = at; i < end; i += 1) if (bytes[i] === SLASH) at = i + 1;
  return number(bytes, at, end, record, BOUNCE_DISCARDED);
}

function isNews(bytes: Uint8Array, start: number, end: number): boolean {
  return NEWS.some((word) => startsWith(bytes, start, end, word));
}

/** What runs around qmail-smtpd [log-side patches]: clients of a qp, refusals; the rest is news. */
function parseSide(head: LineHead, record: ParsedRecord): LineClass {
  const { bytes, textStart: start, textEnd: end } = head;
  if (isNews(bytes, start, end)) return IGNORED;
  if (startsWith(bytes, start, end, LOCAL_EXTRA) || startsWith(bytes, start, end, REMOTE_EXTRA))
    return IGNORED;
  const received = find(bytes, start, end, QLOG_RECEIVED);
  const envelope = received < 0 ? find(bytes, start, end, QLOG_ENVELOPE) : -1;
  if (received >= 0) {
    const qp = find(bytes, received, end, QP_FIELD);
    if (qp >= 0) record.qp = decimal(bytes, qp + QP_FIELD.length, end);
    field(bytes, received, end, REMOTE_IP, record.clientIp);
    field(bytes, received, end, REMOTE_HOST, record.clientName);
    field(bytes, received, end, AUTH_USER, record.authUser);
    if (record.qp < 0) return IGNORED;
    record.kind = QP_CLIENT;
    return RECORDED;
  }
  if (
    (envelope >= 0 && find(bytes, envelope, end, RESULT_REJECTED) >= 0) ||
    find(bytes, start, end, CHKUSER_REJECTED) >= 0 ||
    startsWith(bytes, start, end, DENIED) ||
    find(bytes, start, end, REJECT_RCPT) >= 0 ||
    (startsWith(bytes, start, end, VALIDRCPTTO) && find(bytes, start, end, ascii('] reject: ')) >= 0)
  ) {
    record.kind = REJECT;
    record.stage = STAGE_RECIPIENT;
    return RECORDED;
  }
  if (envelope >= 0) return IGNORED;
  for (const program of SIDE_PROGRAMS) if (startsWith(bytes, start, end, program)) return IGNORED;
  if (head.tag.program === 'qmail' && head.tag.text !== 'qmail' && head.tag.text !== 'qmail-send')
    return IGNORED;
  if (end === start) return IGNORED;
  return UNRECOGNISED;
}

function field(
  bytes: Uint8Array,
  at: number,
  end: number,
  key: Uint8Array,
  into: { set(s: number, e: number): void },
): void {
  const value = find(bytes, at, end, key);
  if (value < 0) return;
  const from = value + key.length;
  const blank = findByte(bytes, from, end, SPACE);
  into.set(from, blank < 0 ? end : blank);
}

/** Bare qmail-send text, as multilog writes it. */
function claims(head: LineHead): boolean {
  const { bytes, textStart: start, textEnd: end } = head;
  return (
    head.continuation ||
    // Another program may write such a stamp, too.
    (head.sploggerStamp !== 0 && head.tag.program !== 'other') ||
    (startsWith(bytes, start, end, STATUS) && bytes[start + 8] !== LESS) ||
    startsWith(bytes, start, end, STARTING_DELIVERY) ||
    (startsWith(bytes, start, end, DELIVERY) &&
      skipDigits(bytes, start + DELIVERY.length, end) > start + DELIVERY.length) ||
    startsWith(bytes, start, end, NEW_MSG) ||
    startsWith(bytes, start, end, INFO_MSG) ||
    startsWith(bytes, start, end, BOUNCE_MSG) ||
    startsWith(bytes, start, end, END_MSG) ||
    startsWith(bytes, start, end, TRIPLE_BOUNCE) ||
    startsWith(bytes, start, end, DOUBLE_BOUNCE) ||
    isNews(bytes, start, end) ||
    SIDE_PROGRAMS.some((program) => startsWith(bytes, start, end, program))
  );
}

export const qmail: Parser = { mta: QMAIL, parse, claims };
