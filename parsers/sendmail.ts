/**
 * sendmail: the text of its log lines, 8.8 to 8.18, and the lines of the WIDE SPF patch.
 *
 * Shapes and sources: conf.c sm_syslog (framing, split lines), headers.c logsender (`from=`), deliver.c
 * logdelivery (`to=`), savemail.c returntosender (DSN), deliver.c sendall and queue.c split_by_recipient (clones),
 * parseaddr.c rscheck (rulesets), srvrsmtp.c and milter.c (refusals), strexit.c (words of `stat=`).
 * Values are not quoted and may hold commas: they are found by known keys in known order.
 *
 * Must not know other lines, joins or I/O. Parts of split lines are put together by the joiner and read again.
 */
import type { LineHead } from '../src/lines/head.ts';
import {
  ascii,
  decimal,
  endsWith,
  find,
  findByte,
  findLast,
  sameBytes,
  skipDigits,
  startsWith,
} from '../src/records/bytes.ts';
import type { Parser } from '../src/records/contract.ts';
import {
  ACCEPTED,
  ATTEMPT,
  AUTH,
  DEFERRED,
  DISCARD,
  DROPPED,
  DSN,
  DSN_DELAY,
  DSN_DOUBLE,
  DSN_FAILURE,
  DSN_LOST,
  DSN_NOTIFY,
  DSN_POSTMASTER,
  DSN_SUCCESS,
  END,
  END_DONE,
  FAILED,
  GIVEN_UP,
  HOLD,
  IGNORED,
  type LineClass,
  LOOPBACK,
  MALFORMED,
  MARK,
  MORE,
  NOT_TAKEN,
  ORIGIN_LOCAL,
  ORIGIN_SMTP,
  PART,
  type ParsedRecord,
  QUARANTINED,
  QUEUED,
  QUEUED_AS,
  RECIPIENTS_CHANGED,
  RECORDED,
  REFUSAL,
  REJECT,
  SENDER_NAMED,
  SENDMAIL,
  SENT,
  SPF,
  SPF_HEADER_IGNORED,
  SPLIT,
  STAGE_MESSAGE,
  STAGE_RECIPIENT,
  STAGE_SESSION,
  SUBMISSION,
  TEMPORARY,
  UNRECOGNISED,
  UNTRIED,
} from '../src/records/record.ts';
import { setId } from '../src/records/text.ts';
import { headerResult } from './spf.ts';

const SPACE = 32;
const PAREN_OPEN = 40;
const PAREN_CLOSE = 41;
const COMMA = 44;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const BRACKET_OPEN = 91;
const BRACKET_CLOSE = 93;

const ALNUM = new Uint8Array(256);
for (const c of ascii('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')) ALNUM[c] = 1;

const NOQUEUE = ascii('NOQUEUE: ');
const FROM = ascii('from=');
const SIZE = ascii(', size=');
const QUOTED = ascii('<"');
const QUOTE_END = ascii('"@');
const NRCPTS = ascii(', nrcpts=');
const MSGID = ascii(', msgid=');
const BODYTYPE = ascii(', bodytype=');
const PROTO = ascii(', proto=');
const DAEMON = ascii(', daemon=');
const RELAY = ascii(', relay=');
const TO = ascii('to=');
const MORE_TO_COME = ascii(', [more]');
const CTLADDR = ascii(', ctladdr=');
const DELAY = ascii(', delay=');
const XDELAY = ascii(', xdelay=');
const MAILER = ascii(', mailer=');
const PRI = ascii(', pri=');
const QUARANTINE = ascii(', quarantine=');
const DSN_IS = ascii('dsn=');
const REPLY = ascii(', reply=');
const STAT = ascii(', stat=');
const PART_END = ascii(' ...');
const CLEAR_FLAGS = ascii('clear DSN flags for suppressing (');
const DISCARDED = ascii('discarded');
const DONE = ascii('done;');
const RULESET = ascii('ruleset=');
const CHECK_RCPT = ascii('check_rcpt');
const CHECK_RELAY = ascii('check_relay');
const TRUST_AUTH = ascii('trust_auth');
const TLS_RULES = ascii('tls_');
const CHECK_COMPAT = ascii('check_compat');
const REJECT_IS = ascii(', reject=');
const DISCARD_IS = ascii(', discard');
const QUARANTINE_IS = ascii(', quarantine=');
const ARG1 = ascii(', arg1=');
const ARG2 = ascii(', arg2=');
const MILTER = ascii('Milter: ');
const MILTER_DOES = ascii('Milter ');
const MILTER_IS = ascii('milter=');
const MILTER_DATA = ascii('Milter: data, ');
const SPLIT_IS = ascii('split: ');
const IDS = ascii('ids=');
const ID_IS = ascii('id=');
const CLONE_OWNER = ascii('clone: owner=');
const OWNER = ascii('owner=');
const CLONE_OF = ascii('clone ');
const DSN_COLON = ascii('DSN: ');
const SENDER_NOTIFY = ascii('sender notify: ');
const RETURN_TO_SENDER = ascii('return to sender: ');
const POSTMASTER_NOTIFY = ascii('postmaster notify: ');
const WARNING = ascii('Warning:');
const POSTMASTER_WARNING = ascii('Postmaster warning:');
const RETURN_RECEIPT = ascii('Return receipt');
const SAVED_MESSAGE = ascii('Saved message in ');
const SPF_HOST_MISSING = ascii('SPF receiver host is not found');
const LOSING = ascii('Losing ');
const AUTH_SERVER = ascii('AUTH=server, ');
const AUTHID = ascii('authid=');
const ELLIPSIS = ascii('... ');
const ACCEPTED_FOR_DELIVERY = ascii(' Message accepted for delivery');
const QUEUED_AS_TEXT = ascii('queued as ');
const AT_LOCALHOST = ascii('@localhost');
const LOCALHOST = ascii('localhost');
const LOOPBACK_V4 = ascii('[127.');
const LOOPBACK_V6 = ascii('[IPv6:::1]');
const LOOPBACK_V6_LONG = ascii('[IPv6:0:0:0:0:0:0:0:1]');
const RESPONSE = ascii('[RESPONSE]');
const NONE_SENDER = ascii('<NONE>');

const STAT_SENT = ascii('Sent');
const STAT_DEFERRED = ascii('Deferred');
const STAT_QUEUED = ascii('queued');
const STAT_QUARANTINED = ascii('quarantined');
const STAT_DISCARDED = ascii('discarded');
/** markfailure() keeps these in the queue although their text sounds final [deliver.c]. */
const STAT_TEMPORARY = [ascii('I/O error'), ascii('Operating system error')];
/** sm_sysexmsg's permanent classes [strexit.c]. */
const STAT_PERMANENT = [
  'User unknown',
  'Host unknown',
  'Service unavailable',
  'Data format error',
  'Remote protocol error',
  'Local configuration error',
  'Insufficient permission',
  'Command line usage error',
  'Cannot open input',
  'Internal error',
  'System file missing',
  "Can't create output",
  'unknown mailer error',
].map(ascii);

function parse(head: LineHead, record: ParsedRecord): LineClass {
  const { bytes, textStart: start, textEnd: end } = head;
  record.mta = SENDMAIL;
  let at = start;
  while (at < end && ALNUM[bytes[at]] === 1) at += 1;
  if (isQueueId(bytes, start, at)) {
    if (bytes[at] === COLON) {
      setId(record, bytes, start, at);
      return parseQueued(head, record, at + 2);
    }
    if (bytes[at] === BRACKET_OPEN) {
      // A line too long for syslog: `QID[2]: text ...` [conf.c sm_syslog].
      const close = skipDigits(bytes, at + 1, end);
      if (close > at + 1 && bytes[close] === BRACKET_CLOSE && bytes[close + 1] === COLON) {
        setId(record, bytes, start, at);
        record.kind = PART;
        record.part = decimal(bytes, at + 1, end);
        const text = close + 3;
        const more = endsWith(bytes, text, end, PART_END);
        if (more) record.flags = MORE;
        record.reply.set(text, more ? end - PART_END.length : end);
        return RECORDED;
      }
    }
  }
  return parseUnqueued(head, record, startsWith(bytes, start, end, NOQUEUE) ? start + NOQUEUE.length : start);
}

/** 8.12 and later: 14 to 18, 8.10: 12 to 14, 8.9: `NAA01234`; all end in the pid [queue.c assign_queueid]. */
function isQueueId(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 8 || length > 18) return false;
  for (let i = end - 5; i < end; i += 1) if (bytes[i] < 48 || bytes[i] > 57) return false;
  if (length >= 12) return true;
  return bytes[start] >= 65 && bytes[start] <= 88 && bytes[start + 1] >= 65 && bytes[start + 2] >= 65;
}

function parseQueued(head: LineHead, record: ParsedRecord, at: number): LineClass {
  const { bytes, textEnd: end } = head;
  // A line that is cut off behind its id: what stands behind the end is not of it.
  if (at >= end) return MALFORMED;
  switch (bytes[at]) {
    case 0x66: // from=
      if (startsWith(bytes, at, end, FROM)) return parseSender(bytes, at + FROM.length, end, record);
      break;
    case 0x74: // to=
      if (startsWith(bytes, at, end, TO)) return parseDelivery(bytes, at + TO.length, end, record);
      break;
    case 0x63: // clear DSN flags | clone P, owner=
      if (startsWith(bytes, at, end, CLEAR_FLAGS)) {
        const cause = at + CLEAR_FLAGS.length;
        const close = findByte(bytes, cause, end, PAREN_CLOSE);
        record.kind = MARK;
        record.reply.set(cause, close < 0 ? end : close);
        return RECORDED;
      }
      if (startsWith(bytes, at, end, CLONE_OF))
        return parseOldClone(bytes, at + CLONE_OF.length, end, record);
      break;
    case 0x64: // discarded | done;
      if (startsWith(bytes, at, end, DISCARDED) && end - at === DISCARDED.length) {
        record.kind = DISCARD;
        return RECORDED;
      }
      if (startsWith(bytes, at, end, DONE)) {
        record.kind = END;
        record.end = END_DONE;
        return RECORDED;
      }
      break;
    case 0x72:
      if (startsWith(bytes, at, end, RULESET)) return parseRuleset(bytes, at + RULESET.length, end, record);
      break;
    case 0x4d:
      if (startsWith(bytes, at, end, MILTER)) return parseMilter(bytes, at, end, record);
      if (startsWith(bytes, at, end, MILTER_DOES)) return parseChange(bytes, at, end, record);
      break;
    case 0x6d:
      if (startsWith(bytes, at, end, MILTER_IS)) return parseMilter(bytes, at, end, record);
      break;
    case 0x73:
      if (startsWith(bytes, at, end, SPLIT_IS)) return parseSplit(bytes, at, end, record);
      break;
    case 0x41:
      if (startsWith(bytes, at, end, AUTH_SERVER)) return parseAuth(bytes, at, end, record);
      break;
    case 0x53:
      if (startsWith(bytes, at, end, SAVED_MESSAGE)) {
        record.kind = DSN_LOST;
        return RECORDED;
      }
      if (startsWith(bytes, at, end, SPF_HOST_MISSING)) {
        record.kind = SPF;
        record.outcome = SPF_HEADER_IGNORED;
        return RECORDED;
      }
      break;
    case 0x4c:
      if (startsWith(bytes, at, end, LOSING)) {
        record.kind = DSN_LOST;
        return RECORDED;
      }
      break;
    case LESS: {
      // `<x@example.org>... User unknown`: usrerr() in the SMTP dialogue.
      const dots = find(bytes, at, end, ELLIPSIS);
      if (dots > at && bytes[dots - 1] === GREATER) {
        record.kind = REJECT;
        record.stage = STAGE_RECIPIENT;
        record.recipient.set(at + 1, dots - 1);
        return RECORDED;
      }
      return IGNORED;
    }
    default:
  }
  // `P: C: KIND: text`
  let i = at;
  while (i < end && ALNUM[bytes[i]] === 1) i += 1;
  if (bytes[i] === COLON && isQueueId(bytes, at, i)) return parseChild(bytes, at, i, end, record);
  if (at >= end) return MALFORMED;
  return looksLikeFields(bytes, at, end) ? UNRECOGNISED : IGNORED;
}

/**
 * `key=value, ...` that no rule above knows is new to us; anything else under an id is prose for the SMTP client
 * (usrerr, "Sorry, NOTIFY not supported, we do not allow DSN") or news without consequence.
 */
function looksLikeFields(bytes: Uint8Array, at: number, end: number): boolean {
  let i = at;
  while (i < end && ((bytes[i] >= 0x61 && bytes[i] <= 0x7a) || bytes[i] === 0x5f)) i += 1;
  if (i === at || i >= end || bytes[i] !== 0x3d) return false;
  return !KNOWN_FIELDS.some((field) => startsWith(bytes, at, end, field));
}

const KNOWN_FIELDS = [
  'version=',
  'auth=',
  'tls_version=',
  'size=',
  'msgid=',
  'relay=',
  'class=',
  'engine=',
  'grew=',
  'len=',
  'quarantine=',
].map(ascii);

/** `from=<s>, size=n, class=n, nrcpts=n, msgid=<m>, bodytype=t, proto=p, daemon=d, relay=h [ip]` [headers.c logsender]. */
function parseSender(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  // A quoted local part may look like the rest of the line.
  const quoted = startsWith(bytes, at, end, QUOTED) ? find(bytes, at, end, QUOTE_END) : -1;
  const size = find(bytes, Math.max(at, quoted), end, SIZE);
  if (size < 0) {
    // A syslog buffer below 256 bytes: the sender alone, the rest on further lines.
    setSender(bytes, at, end, record);
    record.kind = SUBMISSION;
    return RECORDED;
  }
  setSender(bytes, at, size, record);
  record.kind = SUBMISSION;
  record.size = decimal(bytes, size + SIZE.length, end);
  const nrcpts = find(bytes, size, end, NRCPTS);
  if (nrcpts >= 0) record.recipients = decimal(bytes, nrcpts + NRCPTS.length, end);
  const from = nrcpts >= 0 ? nrcpts : size;
  // msgid is raw header text: the keys after it are looked for from the end.
  const relay = findLast(bytes, from, end, RELAY);
  const tail = relay < 0 ? end : relay;
  const proto = findLast(bytes, from, tail, PROTO);
  const daemon = findLast(bytes, from, tail, DAEMON);
  const msgid = find(bytes, from, tail, MSGID);
  if (msgid >= 0) {
    let stop = tail;
    if (daemon > msgid) stop = daemon;
    if (proto > msgid && proto < stop) stop = proto;
    const bodytype = findLast(bytes, msgid, stop, BODYTYPE);
    if (bodytype > msgid) stop = bodytype;
    record.messageId.set(msgid + MSGID.length, stop);
    // No msgid, no message: a refused or abandoned transaction is logged, too [collect.c, envelope.c dropenvelope].
    if (record.recipients !== 0) record.flags |= ACCEPTED;
  }
  if (proto >= 0) {
    const protoEnd = findByte(bytes, proto + PROTO.length, tail, COMMA);
    const last = (protoEnd < 0 ? tail : protoEnd) - 1;
    // ESMTPA, ESMTPSA: authenticated; the name is in another line, if anywhere [srvrsmtp.c GET_PROTOCOL].
    if (bytes[last] === 0x41) record.authUser.set(proto + PROTO.length, last + 1);
  }
  if (relay >= 0) parseRelayOf(bytes, relay + RELAY.length, end, record);
  return RECORDED;
}

function setSender(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): void {
  record.hasReversePath = true;
  if (startsWith(bytes, at, end, NONE_SENDER)) {
    record.hasReversePath = false;
    return;
  }
  const open = bytes[at] === LESS ? 1 : 0;
  // The address is cut at 200 characters: the closing bracket may be lost.
  const close = end > at && bytes[end - 1] === GREATER ? 1 : 0;
  record.reversePath.set(at + open, Math.max(at + open, end - close));
}

/** `host [ip]`, `host [ip] (may be forged)`, `[ip]`, `user@localhost`, `localhost`, `[RESPONSE]` [daemon.c getauthinfo]. */
function parseRelayOf(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): void {
  record.relay.set(at, end);
  const open = findLast(bytes, at, end, BRACKET);
  if (startsWith(bytes, at, end, RESPONSE)) {
    record.origin = ORIGIN_LOCAL;
    return;
  }
  if (open < 0) {
    const local = findLast(bytes, at, end, AT_LOCALHOST) >= 0 || startsWith(bytes, at, end, LOCALHOST);
    record.origin = local ? ORIGIN_LOCAL : ORIGIN_SMTP;
    if (!local) record.clientName.set(at, end);
    return;
  }
  record.origin = ORIGIN_SMTP;
  const close = findByte(bytes, open, end, BRACKET_CLOSE);
  const ip = startsWith(bytes, open, end, IPV6_OPEN) ? open + IPV6_OPEN.length : open + 1;
  record.clientIp.set(ip, close < 0 ? end : close);
  if (open > at + 1) record.clientName.set(at, open - 1);
  if (isLoopback(bytes, open, end)) record.flags |= LOOPBACK;
}

const BRACKET = ascii('[');
const IPV6_OPEN = ascii('[IPv6:');

function isLoopback(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    startsWith(bytes, at, end, LOOPBACK_V4) ||
    startsWith(bytes, at, end, LOOPBACK_V6) ||
    startsWith(bytes, at, end, LOOPBACK_V6_LONG)
  );
}

/**
 * One attempt for a list of recipients [deliver.c logdelivery]:
 * `to=a,b, [more], ctladdr=c (u/g), delay=t, xdelay=t, mailer=m, pri=n, relay=h [ip], dsn=d.d.d, ntries=n, reply=r, stat=s`
 */
function parseDelivery(bytes: Uint8Array, from: number, end: number, record: ParsedRecord): LineClass {
  const delay = find(bytes, from, end, DELAY);
  if (delay < 0) return MALFORMED;
  let list = delay;
  const control = find(bytes, from, delay, CTLADDR);
  if (control >= 0) list = control;
  const more = find(bytes, from, list, MORE_TO_COME);
  if (more >= 0) {
    list = more;
    record.flags |= MORE;
  }
  record.recipient.set(from, list);
  // Walk the fixed order from the delay on; only what stands in its place is a key.
  let at = nextField(bytes, delay + DELAY.length, end);
  const attempted = startsWith(bytes, at, end, XDELAY);
  if (attempted) at = nextField(bytes, at + XDELAY.length, end);
  const mailer = startsWith(bytes, at, end, MAILER);
  if (mailer) at = nextField(bytes, at + MAILER.length, end);
  if (startsWith(bytes, at, end, PRI)) at = nextField(bytes, at + PRI.length, end);
  let loopback = false;
  if (startsWith(bytes, at, end, RELAY)) {
    const relay = at + RELAY.length;
    at = nextField(bytes, relay, end);
    // `relay=relay_id dsn=4.0.0`: some builds lose the comma.
    const glued = find(bytes, relay, at, GLUED_DSN);
    if (glued >= 0) at = glued;
    record.relay.set(relay, at);
    for (let i = relay; i < at; i += 1) {
      if (bytes[i] === BRACKET_OPEN && isLoopback(bytes, i, at)) loopback = true;
    }
    if (loopback) record.flags |= LOOPBACK;
  }
  const quarantined = startsWith(bytes, at, end, QUARANTINE);
  if (quarantined) at = nextField(bytes, at + QUARANTINE.length, end);
  const dsn = startsWith(bytes, at + 2, end, DSN_IS)
    ? at + 2
    : startsWith(bytes, at + 1, end, DSN_IS)
      ? at + 1
      : -1;
  if (dsn >= 0) {
    at = nextField(bytes, dsn + DSN_IS.length, end);
    record.status.set(dsn + DSN_IS.length, at);
  }
  // `reply=` runs to the last `, stat=`; without one the first `, stat=` begins the rest of the line.
  const reply = find(bytes, at, end, REPLY);
  const stat =
    reply >= 0 && reply < indexOr(find(bytes, at, end, STAT), end)
      ? statBehind(bytes, reply, end)
      : quarantined
        ? findLast(bytes, at, end, STAT)
        : find(bytes, at, end, STAT);
  if (stat < 0) return MALFORMED;
  const value = stat + STAT.length;
  if (reply >= 0 && reply < stat) record.reply.set(reply + REPLY.length, stat);
  else record.reply.set(value, end);
  record.kind = ATTEMPT;
  if (!attempted) record.flags |= UNTRIED;
  record.outcome = outcomeOf(bytes, value, end, record, mailer, attempted);
  if (record.outcome === SENT && record.reply.present) afterSent(bytes, value, end, record);
  return RECORDED;
}

const GLUED_DSN = ascii(' dsn=');
const STAT_DEFERRED_BY = ascii('Deferred: ');
const STAT_UNAVAILABLE_BY = ascii('Service unavailable (');

/**
 * The `, stat=` behind `reply=`: the last one, but where it says what the reply does, the text of the next hop stands twice
 * [deliver.c giveresponse], and whatever that text may hold.
 */
function statBehind(bytes: Uint8Array, reply: number, end: number): number {
  const from = reply + REPLY.length;
  let last = -1;
  for (let at = find(bytes, from, end, STAT); at >= 0; at = find(bytes, at + 1, end, STAT)) {
    if (repeatsReply(bytes, from, at, end)) return at;
    last = at;
  }
  return last;
}

/** Whether the text behind the `, stat=` at `to` is that of the reply at [from, to), which may be cut. */
function repeatsReply(bytes: Uint8Array, from: number, to: number, end: number): boolean {
  const value = to + STAT.length;
  if (startsWith(bytes, value, end, STAT_DEFERRED_BY)) {
    const again = value + STAT_DEFERRED_BY.length;
    const length = Math.min(to - from, end - again);
    return length > 0 && sameBytes(bytes, from, again, length);
  }
  if (!startsWith(bytes, value, end, STAT_UNAVAILABLE_BY) || bytes[end - 1] !== PAREN_CLOSE) return false;
  // Without the codes.
  const again = value + STAT_UNAVAILABLE_BY.length;
  const length = end - 1 - again;
  return length > 0 && to - from >= length && sameBytes(bytes, to - length, again, length);
}

function indexOr(index: number, otherwise: number): number {
  return index < 0 ? otherwise : index;
}

/** The `, ` that begins the next `key=`: values before `reply=` hold no `, ` followed by a key of ours. */
function nextField(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end - 1; i += 1) {
    if (bytes[i] === COMMA && bytes[i + 1] === SPACE) return i;
  }
  return end;
}

/** [strexit.c sm_sysexmsg; deliver.c giveresponse, markfailure; srvrsmtp.c logundelrcpts] */
function outcomeOf(
  bytes: Uint8Array,
  at: number,
  end: number,
  record: ParsedRecord,
  mailer: boolean,
  attempted: boolean,
): number {
  if (startsWith(bytes, at, end, STAT_SENT)) return SENT;
  if (startsWith(bytes, at, end, STAT_DEFERRED)) return DEFERRED;
  if (startsWith(bytes, at, end, STAT_QUEUED)) return QUEUED;
  if (startsWith(bytes, at, end, STAT_QUARANTINED)) return QUARANTINED;
  if (startsWith(bytes, at, end, STAT_DISCARDED)) return DROPPED;
  // No mailer and no attempt: logundelrcpts() for a transaction that was refused, with the reply as its text.
  if (!mailer && !attempted) return NOT_TAKEN;
  for (const text of STAT_TEMPORARY) if (startsWith(bytes, at, end, text)) return DEFERRED;
  for (const text of STAT_PERMANENT) if (startsWith(bytes, at, end, text)) return FAILED;
  const dsnClass = record.status.present ? bytes[record.status.start] : 0;
  if (dsnClass === 0x32) return SENT;
  if (dsnClass === 0x34) return DEFERRED;
  return FAILED;
}

/** `Sent (6AL21YPZ000185 Message accepted for delivery)`, `Sent (Ok: queued as 4XyZ)`: what the next hop calls it. */
function afterSent(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): void {
  const accepted = find(bytes, at, end, ACCEPTED_FOR_DELIVERY);
  if (accepted > 0) {
    let word = accepted;
    while (word > at && ALNUM[bytes[word - 1]] === 1) word -= 1;
    if (word < accepted) {
      record.other.set(word, accepted);
      record.flags |= QUEUED_AS;
    }
    return;
  }
  const queued = findLast(bytes, at, end, QUEUED_AS_TEXT);
  if (queued < 0) return;
  const id = queued + QUEUED_AS_TEXT.length;
  let word = id;
  while (word < end && ALNUM[bytes[word]] === 1) word += 1;
  if (word - id >= 5) {
    record.other.set(id, word);
    record.flags |= QUEUED_AS;
  }
}

/** `P: C: KIND: text` [savemail.c returntosender] or `P: C: clone: owner=a` [deliver.c sendall]. */
function parseChild(
  bytes: Uint8Array,
  id: number,
  idEnd: number,
  end: number,
  record: ParsedRecord,
): LineClass {
  const at = idEnd + 2;
  record.other.set(id, idEnd);
  let text = at;
  if (startsWith(bytes, at, end, CLONE_OWNER)) {
    record.kind = SPLIT;
    record.reversePath.set(at + CLONE_OWNER.length, end);
    record.hasReversePath = true;
    return RECORDED;
  }
  if (startsWith(bytes, at, end, DSN_COLON)) {
    text = at + DSN_COLON.length;
    record.dsn = DSN_FAILURE;
  } else if (startsWith(bytes, at, end, SENDER_NOTIFY)) {
    // After a warning every later report says so, the final failure as well [savemail.c].
    text = at + SENDER_NOTIFY.length;
    record.dsn = DSN_NOTIFY;
  } else if (startsWith(bytes, at, end, RETURN_TO_SENDER)) {
    text = at + RETURN_TO_SENDER.length;
    record.dsn = DSN_DOUBLE;
  } else if (startsWith(bytes, at, end, POSTMASTER_NOTIFY)) {
    text = at + POSTMASTER_NOTIFY.length;
    record.dsn = DSN_POSTMASTER;
  } else return UNRECOGNISED;
  if (record.dsn !== DSN_POSTMASTER) {
    if (startsWith(bytes, text, end, WARNING)) record.dsn = DSN_DELAY;
    else if (startsWith(bytes, text, end, RETURN_RECEIPT) && end - text === RETURN_RECEIPT.length)
      record.dsn = DSN_SUCCESS;
    else if (startsWith(bytes, text, end, POSTMASTER_WARNING)) record.dsn = DSN_POSTMASTER;
  }
  record.kind = DSN;
  record.reply.set(text, end);
  // Expiry has no fatal `stat=`: only the report says so.
  if (startsWith(bytes, text, end, CANNOT_SEND) || startsWith(bytes, text, end, TIME_EXPIRED))
    record.outcome = GIVEN_UP;
  if (startsWith(bytes, text, end, TOO_MANY_HOPS)) {
    // `... via host, to <r>`, `to r` of the command line: the only place where the recipient is named.
    const to = findLast(bytes, text, end, LAST_TO);
    const value = to + LAST_TO.length;
    if (to >= 0 && bytes[value] !== LESS) record.recipient.set(value, end);
    else if (to >= 0 && bytes[end - 1] === GREATER) record.recipient.set(value + 1, end - 1);
  }
  return RECORDED;
}

const CANNOT_SEND = ascii('Cannot send message ');
const TIME_EXPIRED = ascii('delivery time expired');
const TOO_MANY_HOPS = ascii('Too many hops');
const LAST_TO = ascii(', to ');

/** Up to 8.11 the new id came first: `C: clone P, owner=a`. */
function parseOldClone(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  let i = at;
  while (i < end && ALNUM[bytes[i]] === 1) i += 1;
  if (!isQueueId(bytes, at, i)) return UNRECOGNISED;
  record.other.set(record.id.start, record.id.end);
  setId(record, bytes, at, i);
  record.kind = SPLIT;
  const owner = find(bytes, i, end, OWNER);
  if (owner >= 0) {
    record.reversePath.set(owner + OWNER.length, end);
    record.hasReversePath = true;
  }
  return RECORDED;
}

/** `split: maxrcpts=25, rcpts=60, count=3, ids=a; b; c` or `id=a` [queue.c]. */
function parseSplit(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  let ids = find(bytes, at, end, IDS);
  if (ids >= 0) ids += IDS.length;
  else {
    ids = find(bytes, at, end, ID_IS);
    if (ids < 0) return UNRECOGNISED;
    ids += ID_IS.length;
  }
  record.kind = SPLIT;
  record.other.set(ids, end);
  return RECORDED;
}

/** `ruleset=check_rcpt, arg1=<a>, arg2=b, relay=r, reject=550 5.7.1 ...|discard|quarantine=why` [parseaddr.c rscheck]. */
function parseRuleset(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  if (startsWith(bytes, at, end, TRUST_AUTH) || startsWith(bytes, at, end, TLS_RULES)) return IGNORED;
  const reject = find(bytes, at, end, REJECT_IS);
  if (reject >= 0) {
    // check_compat runs after acceptance: the recipient's `to=` line says that it failed.
    if (startsWith(bytes, at, end, CHECK_COMPAT)) return IGNORED;
    record.kind = REJECT;
    record.stage = startsWith(bytes, at, end, CHECK_RCPT)
      ? STAGE_RECIPIENT
      : startsWith(bytes, at, end, CHECK_RELAY)
        ? STAGE_SESSION
        : STAGE_MESSAGE;
    if (bytes[reject + REJECT_IS.length] === 0x34) record.flags |= TEMPORARY;
    relayOfRuleset(bytes, at, reject, record);
    if (record.stage === STAGE_MESSAGE && record.id.present) record.kind = REFUSAL;
    return RECORDED;
  }
  if (endsWith(bytes, at, end, DISCARD_IS)) {
    if (!record.id.present) return IGNORED;
    record.kind = DISCARD;
    if (startsWith(bytes, at, end, CHECK_RCPT)) argument(bytes, at, end, ARG1, record);
    if (startsWith(bytes, at, end, CHECK_COMPAT)) {
      // This recipient only [deliver.c deliver].
      record.kind = ATTEMPT;
      record.outcome = DROPPED;
      record.flags |= UNTRIED;
      argument(bytes, at, end, ARG2, record);
    }
    return RECORDED;
  }
  if (find(bytes, at, end, QUARANTINE_IS) >= 0) {
    record.kind = HOLD;
    return record.id.present ? RECORDED : IGNORED;
  }
  return IGNORED;
}

function argument(bytes: Uint8Array, at: number, end: number, name: Uint8Array, record: ParsedRecord): void {
  const arg = find(bytes, at, end, name);
  if (arg < 0) return;
  const value = arg + name.length;
  const stop = nextField(bytes, value, end);
  if (bytes[value] === LESS && bytes[stop - 1] === GREATER) record.recipient.set(value + 1, stop - 1);
  else record.recipient.set(value, stop);
}

function relayOfRuleset(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): void {
  const relay = findLast(bytes, at, end, RELAY);
  if (relay >= 0) {
    const flags = record.flags;
    parseRelayOf(bytes, relay + RELAY.length, end, record);
    record.flags = flags;
  }
}

/** `Milter: data, reject=550 ...`, `Milter: to=<r>, reject=...`, `milter=n, action=data, reject=...|discard` [srvrsmtp.c, milter.c]. */
function parseMilter(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  const reject = find(bytes, at, end, REJECT_IS);
  const recipient = find(bytes, at, end, MILTER_TO) >= 0 || find(bytes, at, end, ACTION_RCPT) >= 0;
  const data =
    startsWith(bytes, at, end, MILTER_DATA) ||
    find(bytes, at, end, ACTION_EOM) >= 0 ||
    find(bytes, at, end, CMD_DATA) >= 0;
  if (reject >= 0) {
    if (bytes[reject + REJECT_IS.length] === 0x34) record.flags |= TEMPORARY;
    record.kind = data ? REFUSAL : REJECT;
    record.stage = recipient
      ? STAGE_RECIPIENT
      : data || find(bytes, at, end, MILTER_FROM) >= 0
        ? STAGE_MESSAGE
        : STAGE_SESSION;
    return RECORDED;
  }
  if (endsWith(bytes, at, end, DISCARD_IS)) {
    if (recipient || !record.id.present) return IGNORED;
    record.kind = DISCARD;
    return RECORDED;
  }
  if (find(bytes, at, end, QUARANTINE_IS) >= 0 && record.id.present) {
    record.kind = HOLD;
    return RECORDED;
  }
  return IGNORED;
}

/**
 * `Milter (NAME) chgfrom: <a>`: the reverse-path from now on; `Milter (NAME) add: rcpt: <a>`, `Milter (NAME) delete: rcpt <a>,
 * naddrs=n` [milter.c].
 */
function parseChange(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  const close = findByte(bytes, at, end, PAREN_CLOSE);
  if (bytes[at + MILTER_DOES.length] !== PAREN_OPEN || close < 0)
    return parseAddedHeader(bytes, at, end, record);
  const isAdded = startsWith(bytes, close, end, ADDED_RECIPIENT);
  if (isAdded || startsWith(bytes, close, end, DELETED_RECIPIENT)) {
    const count = findLast(bytes, close, end, NADDRS);
    const deleted = count < 0 ? 1 : Math.max(0, decimal(bytes, count + NADDRS.length, end));
    record.kind = RECIPIENTS_CHANGED;
    record.recipients = isAdded ? 1 : -deleted;
    return RECORDED;
  }
  if (!startsWith(bytes, close, end, CHGFROM)) return parseAddedHeader(bytes, at, end, record);
  record.kind = SENDER_NAMED;
  setSender(bytes, close + CHGFROM.length, end, record);
  return RECORDED;
}

const CHGFROM = ascii(') chgfrom: ');
const ADDED_RECIPIENT = ascii(') add: rcpt');
const DELETED_RECIPIENT = ascii(') delete: rcpt ');
const NADDRS = ascii(', naddrs=');

/** `Milter insert (1): header: Authentication-Results: mx; spf=fail ...`: only SPF's result is of interest. */
function parseAddedHeader(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  if (find(bytes, at, end, HEADER) < 0) return IGNORED;
  const result = headerResult(bytes, at, end);
  if (result === 0) return IGNORED;
  record.kind = SPF;
  record.outcome = result;
  return RECORDED;
}

const HEADER = ascii(': header: ');
const MILTER_TO = ascii('Milter: to=');
const MILTER_FROM = ascii('Milter: from=');
const ACTION_RCPT = ascii('action=rcpt');
const ACTION_EOM = ascii('action=eom');
const CMD_DATA = ascii('cmd=data');

/** `AUTH=server, relay=h [ip], authid=alice, mech=PLAIN, bits=0` [srvrsmtp.c]. */
function parseAuth(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  const user = find(bytes, at, end, AUTHID);
  if (user < 0) return IGNORED;
  const value = user + AUTHID.length;
  record.kind = AUTH;
  record.authUser.set(value, nextField(bytes, value, end));
  return RECORDED;
}

/** No id: rulesets at connect, authentication, the daemon's own news. */
function parseUnqueued(head: LineHead, record: ParsedRecord, at: number): LineClass {
  const { bytes, textEnd: end } = head;
  if (startsWith(bytes, at, end, RULESET)) return parseRuleset(bytes, at + RULESET.length, end, record);
  if (startsWith(bytes, at, end, AUTH_SERVER)) return parseAuth(bytes, at, end, record);
  if (startsWith(bytes, at, end, MILTER)) return parseMilter(bytes, at, end, record);
  return IGNORED;
}

function claims(head: LineHead): boolean {
  const { bytes, textStart: start, textEnd: end } = head;
  let at = start;
  while (at < end && ALNUM[bytes[at]] === 1) at += 1;
  if (!isQueueId(bytes, start, at)) return false;
  if (bytes[at] === BRACKET_OPEN) {
    const close = skipDigits(bytes, at + 1, end);
    return close > at + 1 && bytes[close] === BRACKET_CLOSE && startsWith(bytes, close + 1, end, COLON_TO);
  }
  if (bytes[at] !== COLON || bytes[at + 1] !== SPACE) return false;
  const text = at + 2;
  if (startsWith(bytes, text, end, FROM))
    return find(bytes, text, end, SIZE) > 0 && find(bytes, text, end, NRCPTS) > 0;
  if (startsWith(bytes, text, end, TO))
    return find(bytes, text, end, DELAY) > 0 && find(bytes, text, end, STAT) > 0;
  if (startsWith(bytes, text, end, CLEAR_FLAGS)) return true;
  let i = text;
  while (i < end && ALNUM[bytes[i]] === 1) i += 1;
  if (bytes[i] !== COLON || !isQueueId(bytes, text, i)) return false;
  const kind = i + 2;
  return (
    startsWith(bytes, kind, end, DSN_COLON) ||
    startsWith(bytes, kind, end, SENDER_NOTIFY) ||
    startsWith(bytes, kind, end, RETURN_TO_SENDER) ||
    startsWith(bytes, kind, end, POSTMASTER_NOTIFY) ||
    startsWith(bytes, kind, end, CLONE_OWNER)
  );
}

const COLON_TO = ascii(': to=');

export const sendmail: Parser = { mta: SENDMAIL, parse, claims };
