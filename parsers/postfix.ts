/**
 * Postfix: the text of its daemons' log lines.
 *
 * Shapes and sources: log_adhoc.c (delivery), smtpd.c mail_open_stream, pickup.c, cleanup_message.c,
 * qmgr_active.c, opened.c, bounce_notify_service.c and its sisters, smtpd_check.c log_whatsup,
 * cleanup_milter.c, postscreen_smtpd.c, postsuper.c. Read by shape, with the daemon's name as a hint only:
 * rsyslog's RFC 5424 output cuts it off.
 *
 * Must not know other lines, joins or I/O.
 */
import type { LineHead } from '../src/lines/head.ts';
import {
  ascii,
  decimal,
  endsWith,
  find,
  findByte,
  findLast,
  skipDigits,
  startsWith,
} from '../src/records/bytes.ts';
import type { Parser } from '../src/records/contract.ts';
import {
  ARRIVAL,
  ATTEMPT,
  BY_QUEUE_MANAGER,
  DEFERRED,
  DISCARD,
  DROPPED,
  DSN,
  DSN_DELAY,
  DSN_FAILURE,
  DSN_LOST,
  DSN_POSTMASTER,
  DSN_SUCCESS,
  END,
  END_CANCELLED,
  END_DELETED,
  END_DISCARDED,
  END_DONE,
  END_REQUEUED,
  ENVELOPE,
  EXPIRED,
  FAILED,
  FORWARDED,
  HOLD,
  IGNORED,
  type LineClass,
  LOOPBACK,
  MALFORMED,
  MESSAGE_ID,
  ORIGIN_LOCAL,
  ORIGIN_SMTP,
  type ParsedRecord,
  PIPED,
  POSTFIX,
  PROBED,
  PROXY_ACCEPT,
  QUEUED_AS,
  RECORDED,
  REFUSAL,
  REJECT,
  RESENT,
  SENDER_NAMED,
  SENT,
  SESSION_ONLY,
  STAGE_MESSAGE,
  STAGE_RECIPIENT,
  STAGE_SESSION,
  SUSPENDED,
  TEMPORARY,
  UNRECOGNISED,
} from '../src/records/record.ts';
import { setId } from '../src/records/text.ts';

const SPACE = 32;
const QUOTE = 34;
const BACKSLASH = 92;
const PAREN_CLOSE = 41;
const COMMA = 44;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const BRACKET_OPEN = 91;
const BRACKET_CLOSE = 93;

// Bytes that queue ids are made of: mail_queue.h. Short ids are upper-case hex; logs whose ids were made
// longer by hand ("7D830C2C10FXXXX") still have capitals and digits only. Long ids have no vowels.
const ID_UPPER = 1;
const ID_LONG = 2;
const ID_BYTE = new Uint8Array(256);
for (const c of ascii('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ')) ID_BYTE[c] |= ID_UPPER;
for (const c of ascii('0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz')) ID_BYTE[c] |= ID_LONG;

const NOQUEUE = ascii('NOQUEUE: ');
const CLIENT = ascii('client=');
const MESSAGE_ID_IS = ascii('message-id=');
const RESENT_MESSAGE_ID_IS = ascii('resent-message-id=');
const FROM = ascii('from=');
const FROM_OPEN = ascii('from=<');
const GREATER_ONLY = ascii('>');
const CLOSE_SIZE = ascii('>, size=');
const BARE_SIZE = ascii(', size=');
const NRCPT = ascii(', nrcpt=');
const CLOSE_STATUS = ascii('>, status=');
const TO = ascii('to=');
const CLOSE_ORIG = ascii('>, orig_to=');
const CLOSE_RELAY = ascii('>, relay=');
const BARE_ORIG = ascii(', orig_to=');
const BARE_RELAY = ascii(', relay=');
const UID = ascii('uid=');
const ORIG_ID = ascii('orig_id=');
const REMOVED = ascii('removed');
const REMOVED_CANCELED = ascii('removed (canceled)');
const REMOVED_DISCARDED = ascii('removed (discarded)');
const REQUEUED = ascii('requeued');
const PLACED_ON_HOLD = ascii('placed on hold');
const SENDER = ascii('sender ');
const POSTMASTER = ascii('postmaster ');
const NON_DELIVERY = ascii('non-delivery notification');
const DELAY_NOTIFICATION = ascii('delay notification');
const STATUS_NOTIFICATION = ascii('delivery status notification');
const NOTIFICATION_FAILED = ascii('notification failed');
const UNDELIVERABLE_NOTICE = ascii('undeliverable postmaster notification discarded');
const SASL_USERNAME = ascii(', sasl_username=');
const SASL_SENDER = ascii(', sasl_sender=');
const ORIG_QUEUE_ID = ascii(', orig_queue_id=');
const ORIG_CLIENT = ascii(', orig_client=');
const FORWARDED_AS = ascii('forwarded as ');
const QUEUED_AS_TEXT = ascii('queued as ');
const DELIVERED_VIA = ascii('delivered via ');
const OK_DISCARDED = ascii(' Ok, discarded');
const TEMPORARILY_SUSPENDED = ascii('delivery temporarily suspended');
const PROXY_ACCEPT_TEXT = ascii('proxy-accept: ');
const PROXY_REJECT_TEXT = ascii('proxy-reject: ');
const REJECT_TEXT = ascii('reject: ');
const MILTER_REJECT = ascii('milter-reject: ');
const MILTER_DISCARD = ascii('milter-discard: ');
const MILTER_HOLD = ascii('milter-hold: ');
const DISCARD_TEXT = ascii('discard: ');
const HOLD_TEXT = ascii('hold: ');
const RCPT = ascii('RCPT ');
const CONNECT_STAGES = [
  ascii('CONNECT '),
  ascii('HELO '),
  ascii('EHLO '),
  ascii('VRFY '),
  ascii('ETRN '),
  ascii('XFORWARD '),
  ascii('XCLIENT '),
  ascii('STARTTLS '),
];
const SEMI_FROM = ascii('; from=<');
const CLOSE_TO = ascii('> to=<');
const CLOSE_COMMA_TO = ascii('>, to=<');
const CLOSE_PROTO = ascii('> proto=');
const FROM_LOCAL = ascii(' from local;');
const STATUS_SENT = ascii('sent');
const STATUS_BOUNCED = ascii('bounced');
const STATUS_DEFERRED = ascii('deferred');
const STATUS_SOFTBOUNCE = ascii('SOFTBOUNCE');
const STATUS_DELIVERABLE = ascii('deliverable');
const STATUS_UNDELIVERABLE = ascii('undeliverable');
const STATUS_EXPIRED = ascii('expired');
const STATUS_FORCE_EXPIRED = ascii('force-expired');
const NONE = ascii('none');
const LOOPBACK_V4 = ascii('[127.');
const LOOPBACK_V6 = ascii('[::1]');
const LOOPBACK_V6_TAGGED = ascii('[IPv6:::1]');
const SEVERITIES = [ascii('warning: '), ascii('error: '), ascii('fatal: '), ascii('panic: ')];

/** Text after a queue id that says how things go on but decides nothing: the `to=` line does (smtp_trouble.c). */
const PASSING_NEWS = [
  'host ',
  'lost connection',
  'connect to ',
  'conversation with ',
  'enabling PIX',
  'Cannot start TLS',
  'TLS is required',
  'Server certificate',
  'certificate verification',
  'passing <',
  'timeout after ',
  'too many errors',
  'improper command',
  'warning: ',
  'info: ',
  'filter: ',
  'pass: ',
  'prepend: ',
  'replace: ',
  'strip: ',
  'redirect: ',
  'bcc: ',
  'delay: ',
  'permit: ',
  'dunno: ',
  'warn: ',
  'reject_warning: ',
  'milter-header',
  'milter-body',
  'milter-info',
  'milter-quarantine',
  'released from hold',
  'not sending ',
  'skipped, ',
  'SASL authentication',
  'defer_if_permit',
  'breaking ',
  'smtp_connection_reuse',
  'removing ',
  'deleting ',
  'expired',
  'non-SMTP',
  'SMTPUTF8',
  'header ',
  'sender address',
  'mail_addr',
  'client ',
  'mail for ',
  'queue file size',
  'using ',
  'Untrusted ',
  'Trusted ',
  'Verified ',
  'Anonymous ',
  'to=<>',
  'smtp_tls',
  'tls',
  'TLS',
  'Host offered',
  'DANE',
  'dane',
  'sts',
  'STS',
  'premature ',
  'broken ',
  'flush ',
].map(ascii);

function parse(head: LineHead, record: ParsedRecord): LineClass {
  const { bytes, textStart: start, textEnd: end } = head;
  record.mta = POSTFIX;
  // Scan the queue id: `0896221A872: `
  //                                 ^ at
  let at = start;
  let kinds = ID_UPPER | ID_LONG;
  while (at < end) {
    const k = ID_BYTE[bytes[at]];
    if (k === 0) break;
    kinds &= k;
    at += 1;
  }
  if (at < end && bytes[at] === COLON && kinds !== 0 && at - start >= 5) {
    if (startsWith(bytes, start, end, NOQUEUE)) return parseSession(head, record, start + 9);
    setId(record, bytes, start, at);
    at += 1;
    while (at < end && bytes[at] === SPACE) at += 1;
    return parseQueued(head, record, at);
  }
  return parseUnqueued(head, record);
}

/** Lines that name a queue id; `at` is the first byte after it. */
function parseQueued(head: LineHead, record: ParsedRecord, at: number): LineClass {
  const { bytes, textEnd: end } = head;
  switch (bytes[at]) {
    case 0x66: // from=<...>, size=... | filter: ...
      if (startsWith(bytes, at, end, FROM)) return parseQueueManager(bytes, at, end, record);
      break;
    case 0x74: // to=<...>
      if (startsWith(bytes, at, end, TO)) return parseDelivery(head, record, at);
      break;
    case 0x72: // removed | requeued | resent-message-id= | reject:
      if (startsWith(bytes, at, end, REMOVED)) return parseRemoved(head, record, at);
      if (startsWith(bytes, at, end, RESENT_MESSAGE_ID_IS)) {
        record.flags = RESENT;
        return parseMessageId(record, at + RESENT_MESSAGE_ID_IS.length, end);
      }
      if (startsWith(bytes, at, end, REQUEUED)) return ended(record, END_REQUEUED);
      if (startsWith(bytes, at, end, REJECT_TEXT)) return parseReject(head, record, at + REJECT_TEXT.length);
      break;
    case 0x63: // client=
      if (startsWith(bytes, at, end, CLIENT)) return parseClient(bytes, at + CLIENT.length, end, record);
      break;
    case 0x6d: // message-id= | milter-...
      if (startsWith(bytes, at, end, MESSAGE_ID_IS))
        return parseMessageId(record, at + MESSAGE_ID_IS.length, end);
      if (startsWith(bytes, at, end, MILTER_REJECT))
        return parseReject(head, record, at + MILTER_REJECT.length);
      if (startsWith(bytes, at, end, MILTER_DISCARD)) return parseAction(bytes, at, end, record, DISCARD);
      if (startsWith(bytes, at, end, MILTER_HOLD)) return parseAction(bytes, at, end, record, HOLD);
      break;
    case 0x73: // sender (non-delivery|delay|delivery status) notification
      if (startsWith(bytes, at, end, SENDER))
        return parseNotification(bytes, at + SENDER.length, end, record, false);
      break;
    case 0x70: // postmaster ... notification | placed on hold | proxy-...
      if (startsWith(bytes, at, end, POSTMASTER)) {
        return parseNotification(bytes, at + POSTMASTER.length, end, record, true);
      }
      if (startsWith(bytes, at, end, PLACED_ON_HOLD)) {
        record.kind = HOLD;
        return RECORDED;
      }
      if (startsWith(bytes, at, end, PROXY_REJECT_TEXT))
        return parseReject(head, record, at + PROXY_REJECT_TEXT.length);
      break;
    case 0x75: // uid=
      if (startsWith(bytes, at, end, UID)) return parsePickup(bytes, at + UID.length, end, record);
      if (startsWith(bytes, at, end, UNDELIVERABLE_NOTICE)) {
        record.kind = DSN_LOST;
        return RECORDED;
      }
      break;
    case 0x64: // discard:
      if (startsWith(bytes, at, end, DISCARD_TEXT)) return parseAction(bytes, at, end, record, DISCARD);
      break;
    case 0x68: // hold: | host ... said
      if (startsWith(bytes, at, end, HOLD_TEXT)) return parseAction(bytes, at, end, record, HOLD);
      break;
    default:
  }
  for (const news of PASSING_NEWS) if (startsWith(bytes, at, end, news)) return IGNORED;
  if (head.tag.daemon === 'smtpd' && at >= end) return IGNORED;
  return at >= end ? MALFORMED : UNRECOGNISED;
}

/** `>, size=1, nrcpt=1 (queue active)` */
const SHORTEST_SIZE_TAIL = 34;

/** `from=<s>, size=n, nrcpt=n (queue active)` [opened.c vopened] or `from=<s>, status=expired, ...` [qmgr_active.c]. */
function parseQueueManager(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  const open = startsWith(bytes, at, end, FROM_OPEN);
  const value = open ? at + FROM_OPEN.length : at + FROM.length;
  // The last `>, size=`: a quoted local part may hold one of its own. Behind it stand 34 bytes or so.
  let close = -1;
  if (open) {
    close = end - SHORTEST_SIZE_TAIL;
    while (close >= value && bytes[close] !== GREATER) close -= 1;
    if (close < value || !startsWith(bytes, close, end, CLOSE_SIZE))
      close = findLast(bytes, value, end, CLOSE_SIZE);
  } else close = findLast(bytes, value, end, BARE_SIZE);
  if (close >= 0) {
    const size = close + (open ? CLOSE_SIZE.length : BARE_SIZE.length);
    record.kind = ENVELOPE;
    record.reversePath.set(value, close);
    record.hasReversePath = true;
    record.size = decimal(bytes, size, end);
    const nrcpt = skipDigits(bytes, size, end);
    if (startsWith(bytes, nrcpt, end, NRCPT)) record.recipients = decimal(bytes, nrcpt + NRCPT.length, end);
    return record.size < 0 ? MALFORMED : RECORDED;
  }
  close = findLast(bytes, value, end, CLOSE_STATUS);
  if (close >= 0) {
    const word = close + CLOSE_STATUS.length;
    if (startsWith(bytes, word, end, STATUS_EXPIRED) || startsWith(bytes, word, end, STATUS_FORCE_EXPIRED)) {
      record.kind = EXPIRED;
      record.reversePath.set(value, close);
      record.hasReversePath = true;
      return RECORDED;
    }
  }
  return MALFORMED;
}

/**
 * One attempt for one recipient [log_adhoc.c]:
 * `to=<r>, orig_to=<o>, relay=h[ip]:p, conn_use=n, delay=s, delays=a/b/c/d, tls=f, dsn=d.d.d, status=word (text)`
 */
function parseDelivery(head: LineHead, record: ParsedRecord, from: number): LineClass {
  const { bytes, textEnd: end } = head;
  let at = from + TO.length;
  const open = bytes[at] === LESS;
  if (open) at += 1;
  // A quoted local part may hold `>` and `,`: the address ends where the next key begins.
  const value = at;
  const stop = open ? GREATER : COMMA;
  let comma = -1;
  let original = false;
  if (bytes[at] === QUOTE) at = quotedEnd(bytes, at, end);
  for (;;) {
    while (at < end && bytes[at] !== stop) at += 1;
    if (at >= end) return MALFORMED;
    if (startsWith(bytes, at, end, open ? CLOSE_RELAY : BARE_RELAY)) {
      comma = at + (open ? CLOSE_RELAY.length : BARE_RELAY.length);
      break;
    }
    if (startsWith(bytes, at, end, open ? CLOSE_ORIG : BARE_ORIG)) {
      comma = at + (open ? CLOSE_ORIG.length : BARE_ORIG.length);
      original = true;
      break;
    }
    at += 1;
  }
  record.recipient.set(value, at);
  at = comma;
  if (original) {
    const originalOpen = bytes[at] === LESS;
    if (originalOpen) at += 1;
    const from = bytes[at] === QUOTE ? quotedEnd(bytes, at, end) : at;
    const close = find(bytes, from, end, originalOpen ? CLOSE_RELAY : BARE_RELAY);
    if (close < 0) return MALFORMED;
    record.originalRecipient.set(at, close);
    at = close + (originalOpen ? CLOSE_RELAY.length : BARE_RELAY.length);
  }
  const relay = at;
  at = nextByte(bytes, at, end, COMMA);
  record.relay.set(relay, at);
  // The rest is `, key=value`: only dsn and status matter, told apart by two bytes; values have least lengths.
  while (at < end) {
    at += 2;
    const c = bytes[at];
    if (c === 0x73) {
      at += 7; // status=
      break;
    }
    if (c === 0x64) {
      if (bytes[at + 1] === 0x73) {
        at += 4; // dsn=
        const dsn = at;
        while (at < end && bytes[at] !== COMMA) at += 1;
        record.status.set(dsn, at);
        continue;
      }
      at += bytes[at + 5] === 0x73 ? 14 : 7; // delays=a/b/c/d | delay=s
    }
    while (at < end && bytes[at] !== COMMA) at += 1;
  }
  if (at >= end) return MALFORMED;
  const word = at;
  while (at < end && bytes[at] !== SPACE) at += 1;
  if (!statusWord(bytes, word, at, record)) return MALFORMED;
  record.kind = ATTEMPT;
  // `(text)` runs to the last parenthesis of the line; a cut line may have lost it.
  let textEnd = end;
  while (textEnd > at && bytes[textEnd - 1] !== PAREN_CLOSE) textEnd -= 1;
  if (textEnd <= at) textEnd = end + 1;
  const text = at + 2;
  record.reply.set(text, Math.max(text, textEnd - 1));
  if (record.outcome === SENT) afterSent(head, record);
  else if (record.outcome === DEFERRED && startsWith(bytes, text, end, TEMPORARILY_SUSPENDED))
    record.flags |= SUSPENDED;
  return RECORDED;
}

/** Behind a quoted local part, which may hold anything, `>, relay=` included (info_log_addr_form.c quotes it so). */
function quotedEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i += 1) {
    if (bytes[i] === BACKSLASH) i += 1;
    else if (bytes[i] === QUOTE) return i + 1;
  }
  return at;
}

/** First place of the byte, or the end. Native search: 26 ns, where a loop takes 2 ns a byte; for long values only. */
function nextByte(bytes: Uint8Array, at: number, end: number, byte: number): number {
  const found = bytes.indexOf(byte, at);
  return found < 0 || found > end ? end : found;
}

function statusWord(bytes: Uint8Array, start: number, end: number, record: ParsedRecord): boolean {
  switch (bytes[start]) {
    case 0x73:
      record.outcome = SENT;
      return startsWith(bytes, start, end, STATUS_SENT);
    case 0x62:
      record.outcome = FAILED;
      return startsWith(bytes, start, end, STATUS_BOUNCED);
    case 0x64:
      record.outcome = DEFERRED;
      if (startsWith(bytes, start, end, STATUS_DEFERRED)) return true;
      record.outcome = PROBED;
      return startsWith(bytes, start, end, STATUS_DELIVERABLE);
    case 0x53:
      // soft_bounce = yes: stays in the queue whatever the reply said [bounce.c].
      record.outcome = DEFERRED;
      return startsWith(bytes, start, end, STATUS_SOFTBOUNCE);
    case 0x75:
      record.outcome = PROBED;
      return startsWith(bytes, start, end, STATUS_UNDELIVERABLE);
    default:
      return false;
  }
}

/** A sent recipient may go on under another id of this host, or may have been dropped. */
function afterSent(head: LineHead, record: ParsedRecord): void {
  const { bytes } = head;
  const { start, end } = record.reply;
  const relay = record.relay;
  const nobody = relay.end - relay.start === 4 && startsWith(bytes, relay.start, relay.end, NONE);
  if (nobody || head.tag.daemon === 'discard') {
    // discard(8) and `undeliverable postmaster notification discarded` are the only "sent" without a relay.
    record.outcome = DROPPED;
    return;
  }
  if (startsWith(bytes, start, end, FORWARDED_AS)) {
    record.flags |= FORWARDED;
    record.other.set(start + FORWARDED_AS.length, end);
    return;
  }
  // `name[ip]:port`: from the end, the address is shorter than the name.
  let bracket = relay.end - 1;
  while (bracket >= relay.start && bytes[bracket] !== BRACKET_OPEN) bracket -= 1;
  if (
    bracket >= relay.start &&
    (startsWith(bytes, bracket, relay.end, LOOPBACK_V4) ||
      startsWith(bytes, bracket, relay.end, LOOPBACK_V6) ||
      startsWith(bytes, bracket, relay.end, LOOPBACK_V6_TAGGED))
  ) {
    record.flags |= LOOPBACK;
    if (find(bytes, start, end, OK_DISCARDED) >= 0) {
      record.outcome = DROPPED;
      return;
    }
  }
  // `... queued as C)`: the id is the last word, so look backwards from the end.
  let word = end;
  while (word > start && ID_BYTE[bytes[word - 1]] !== 0) word -= 1;
  if (end - word >= 5 && endsWith(bytes, start, word, QUEUED_AS_TEXT)) {
    record.flags |= QUEUED_AS;
    record.other.set(word, end);
  } else if (startsWith(bytes, start, end, DELIVERED_VIA)) {
    record.flags |= PIPED;
  }
}

/** [qmgr_active.c; postsuper.c; 3.10+: cleanup_api.c] */
function parseRemoved(head: LineHead, record: ParsedRecord, at: number): LineClass {
  const { bytes, textEnd: end } = head;
  if (startsWith(bytes, at, end, REMOVED_CANCELED)) return ended(record, END_CANCELLED);
  if (startsWith(bytes, at, end, REMOVED_DISCARDED)) return ended(record, END_DISCARDED);
  if (head.tag.daemon === 'postsuper') return ended(record, END_DELETED);
  if (isQueueManager(head.tag.daemon)) record.flags = BY_QUEUE_MANAGER;
  return ended(record, END_DONE);
}

function ended(record: ParsedRecord, end: number): LineClass {
  record.kind = END;
  record.end = end;
  return RECORDED;
}

/** The header's own text: may lack brackets, hold blanks, be empty [cleanup_message.c]. */
function parseMessageId(record: ParsedRecord, start: number, end: number): LineClass {
  record.kind = MESSAGE_ID;
  record.messageId.set(start, end);
  return RECORDED;
}

/** `client=name[ip]:port, sasl_method=m, sasl_username=u, orig_queue_id=Q, orig_client=n[ip]` [smtpd.c mail_open_stream]. */
function parseClient(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  record.kind = ARRIVAL;
  record.origin = ORIGIN_SMTP;
  const after = nameAndIp(bytes, at, end, record);
  if (after < 0) return MALFORMED;
  if (after < end) {
    const user = find(bytes, after, end, SASL_USERNAME);
    if (user >= 0) record.authUser.set(user + SASL_USERNAME.length, userEnd(bytes, user + 1, end));
    const older = find(bytes, after, end, ORIG_QUEUE_ID);
    if (older >= 0)
      record.other.set(older + ORIG_QUEUE_ID.length, valueEnd(bytes, older + ORIG_QUEUE_ID.length, end));
    const client = find(bytes, after, end, ORIG_CLIENT);
    if (client >= 0) nameAndIp(bytes, client + ORIG_CLIENT.length, end, record);
  }
  return RECORDED;
}

/** A name may have commas of its own. */
function userEnd(bytes: Uint8Array, at: number, end: number): number {
  for (const next of [SASL_SENDER, ORIG_QUEUE_ID, ORIG_CLIENT]) {
    const stop = find(bytes, at, end, next);
    if (stop >= 0) return stop;
  }
  return end;
}

function valueEnd(bytes: Uint8Array, at: number, end: number): number {
  const comma = findByte(bytes, at, end, COMMA);
  return comma < 0 ? end : comma;
}

/** `name[ip]`, as smtpd prints clients; returns the byte after the bracket, or -1. */
function nameAndIp(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): number {
  let open = at;
  while (open < end && bytes[open] !== BRACKET_OPEN) open += 1;
  let close = open + 1;
  while (close < end && bytes[close] !== BRACKET_CLOSE) close += 1;
  if (close >= end) return -1;
  record.clientName.set(at, open);
  record.clientIp.set(open + 1, close);
  return close + 1;
}

/** `uid=n from=<s>`, and ` orig_id=Q` for mail that postsuper -r put back [pickup.c]. */
function parsePickup(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  record.kind = ARRIVAL;
  record.origin = ORIGIN_LOCAL;
  record.uid = decimal(bytes, at, end);
  const from = find(bytes, at, end, FROM_OPEN);
  const close = from < 0 ? -1 : findLast(bytes, from, end, GREATER_ONLY);
  if (close >= 0) {
    record.reversePath.set(from + FROM_OPEN.length, close);
    record.hasReversePath = true;
  }
  const older = findLast(bytes, at, end, ORIG_ID);
  if (older >= 0) record.other.set(older + ORIG_ID.length, end);
  return RECORDED;
}

/** `sender non-delivery notification: C` [bounce_notify_service.c, bounce_warn_service.c, bounce_trace_service.c]. */
function parseNotification(
  bytes: Uint8Array,
  at: number,
  end: number,
  record: ParsedRecord,
  postmaster: boolean,
): LineClass {
  if (startsWith(bytes, at, end, NON_DELIVERY)) record.dsn = DSN_FAILURE;
  else if (startsWith(bytes, at, end, DELAY_NOTIFICATION)) record.dsn = DSN_DELAY;
  else if (startsWith(bytes, at, end, STATUS_NOTIFICATION)) record.dsn = DSN_SUCCESS;
  else if (startsWith(bytes, at, end, NOTIFICATION_FAILED)) {
    record.kind = DSN_LOST;
    return RECORDED;
  } else return UNRECOGNISED;
  if (postmaster) record.dsn = DSN_POSTMASTER;
  // The child's id is the last word, whatever was glued to "notification".
  let word = end;
  while (word > at && ID_BYTE[bytes[word - 1]] !== 0) word -= 1;
  if (word === end || bytes[word - 1] !== SPACE) return MALFORMED;
  record.kind = DSN;
  record.other.set(word, end);
  return RECORDED;
}

/**
 * `discard: header ... from n[ip]; from=<s> to=<r> proto=p helo=<h>: text` and hold, by cleanup, milter or smtpd.
 * Header text comes before it and may hold anything: the last `; from=<` is Postfix's own.
 */
function parseAction(
  bytes: Uint8Array,
  at: number,
  end: number,
  record: ParsedRecord,
  kind: number,
): LineClass {
  record.kind = kind;
  envelopeOf(bytes, at, end, record);
  return RECORDED;
}

/** Reads `; from=<s> to=<r> proto=`, also with postscreen's commas. */
function envelopeOf(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): void {
  const from = findLast(bytes, at, end, SEMI_FROM);
  if (from < 0) return;
  const value = from + SEMI_FROM.length;
  let to = find(bytes, value, end, CLOSE_TO);
  let toLength = CLOSE_TO.length;
  if (to < 0) {
    to = find(bytes, value, end, CLOSE_COMMA_TO);
    toLength = CLOSE_COMMA_TO.length;
  }
  const close = to >= 0 ? to : findByte(bytes, value, end, GREATER);
  if (close < 0) return;
  record.reversePath.set(value, close);
  record.hasReversePath = true;
  if (to < 0) return;
  const recipient = to + toLength;
  let recipientEnd = find(bytes, recipient, end, CLOSE_PROTO);
  if (recipientEnd < 0) recipientEnd = findByte(bytes, recipient, end, GREATER);
  if (recipientEnd > recipient) record.recipient.set(recipient, recipientEnd);
}

/**
 * `reject: RCPT from n[ip]: 550 5.1.1 text; from=<s> to=<r> ...` [smtpd_check.c log_whatsup], also by cleanup
 * for headers and by milters. With an id: an earlier recipient of the transaction was taken, or all is refused now.
 */
function parseReject(head: LineHead, record: ParsedRecord, at: number): LineClass {
  const { bytes, textEnd: end } = head;
  // `RCPT from name[ip]: 550 ...`: the reply code stands behind the first `]: `.
  const bracket = findByte(bytes, at, end, BRACKET_CLOSE);
  if (bracket >= 0 && bytes[bracket + 1] === COLON) {
    let code = bracket + 3;
    // postscreen: `RCPT from [ip]:port: 550 ...`
    if (bytes[bracket + 2] !== SPACE) code = skipDigits(bytes, bracket + 2, end) + 2;
    if (code < end && bytes[code] === 0x34) record.flags |= TEMPORARY;
  }
  record.kind = REJECT;
  if (startsWith(bytes, at, end, RCPT)) {
    record.stage = STAGE_RECIPIENT;
    return RECORDED;
  }
  record.stage = STAGE_MESSAGE;
  for (const stage of CONNECT_STAGES) if (startsWith(bytes, at, end, stage)) record.stage = STAGE_SESSION;
  if (!record.id.present) return RECORDED;
  // Mail from pickup has nobody to refuse: it bounces, and the `to=` line says so.
  if (find(bytes, at, end, FROM_LOCAL) >= 0) {
    record.kind = SENDER_NAMED;
    envelopeOf(bytes, at, end, record);
    return record.hasReversePath ? RECORDED : IGNORED;
  }
  if (record.stage === STAGE_MESSAGE) record.kind = REFUSAL;
  return RECORDED;
}

/** After `NOQUEUE: `. */
function parseSession(head: LineHead, record: ParsedRecord, at: number): LineClass {
  const { bytes, textEnd: end } = head;
  if (startsWith(bytes, at, end, REJECT_TEXT)) return parseReject(head, record, at + REJECT_TEXT.length);
  if (startsWith(bytes, at, end, MILTER_REJECT)) return parseReject(head, record, at + MILTER_REJECT.length);
  if (startsWith(bytes, at, end, PROXY_REJECT_TEXT))
    return parseReject(head, record, at + PROXY_REJECT_TEXT.length);
  if (startsWith(bytes, at, end, DISCARD_TEXT)) return parseAction(bytes, at, end, record, DISCARD);
  if (startsWith(bytes, at, end, HOLD_TEXT)) return parseAction(bytes, at, end, record, HOLD);
  if (startsWith(bytes, at, end, CLIENT)) {
    record.flags = SESSION_ONLY;
    return parseClient(bytes, at + CLIENT.length, end, record);
  }
  if (startsWith(bytes, at, end, PROXY_ACCEPT_TEXT)) return parseProxyAccept(bytes, at, end, record);
  for (const news of PASSING_NEWS) if (startsWith(bytes, at, end, news)) return IGNORED;
  return UNRECOGNISED;
}

/** `proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as C; from=<s> to=<r> ...` [smtpd_proxy.c]. */
function parseProxyAccept(bytes: Uint8Array, at: number, end: number, record: ParsedRecord): LineClass {
  const from = findLast(bytes, at, end, SEMI_FROM);
  const stop = from < 0 ? end : from;
  const queued = findLast(bytes, at, stop, QUEUED_AS_TEXT);
  if (queued < 0) return IGNORED;
  let word = queued + QUEUED_AS_TEXT.length;
  const id = word;
  while (word < stop && ID_BYTE[bytes[word]] !== 0) word += 1;
  record.kind = PROXY_ACCEPT;
  record.other.set(id, word);
  return word > id ? RECORDED : IGNORED;
}

/** Lines without an id at their beginning: sessions, daemons' own news, warnings about an id. */
function parseUnqueued(head: LineHead, record: ParsedRecord): LineClass {
  const { bytes, textStart: start, textEnd: end } = head;
  switch (bytes[start]) {
    case 0x70:
      if (startsWith(bytes, start, end, PROXY_ACCEPT_TEXT))
        return parseProxyAccept(bytes, start, end, record);
      if (startsWith(bytes, start, end, PROXY_REJECT_TEXT)) {
        return parseReject(head, record, start + PROXY_REJECT_TEXT.length);
      }
      break;
    case 0x72: // before 2.1 without NOQUEUE
      if (startsWith(bytes, start, end, REJECT_TEXT))
        return parseReject(head, record, start + REJECT_TEXT.length);
      break;
    default:
  }
  for (const severity of SEVERITIES) {
    if (startsWith(bytes, start, end, severity)) return parseWarning(head, record, start + severity.length);
  }
  return speaksOfItself(head.tag.daemon) ? IGNORED : UNRECOGNISED;
}

/** What this daemon says without a queue id is about itself or its session. */
export function speaksOfItself(daemon: string): boolean {
  return daemon === '' || DAEMONS.has(daemon);
}

export function isQueueManager(daemon: string): boolean {
  return daemon === 'qmgr' || daemon === 'oqmgr' || daemon === 'nqmgr';
}

/** Programs of Postfix 2.3 to 3.11: what they say without an id is about themselves or a session. */
const DAEMONS = new Set(
  (
    'anvil bounce cleanup cleanup-out defer discard dnsblog error flush lmtp local master nbdb_reindexd nqmgr oqmgr ' +
    'pickup pipe postalias postcat postconf postdrop postfix postfix-script post-install postkick postlock postlog ' +
    'postlogd postmap postmulti postqueue postscreen postsuper posttls-finger proxymap proxywrite qmgr qmqpd ' +
    'relay retry scache sendmail showq smtp smtpd smtps smtp-out submission submissions spawn tlsmgr tlsproxy trace ' +
    'trivial-rewrite verify virtual mailq newaliases set-permissions'
  ).split(' '),
);

/** `warning: QID: text`: only what became of a notice matters. */
function parseWarning(head: LineHead, record: ParsedRecord, at: number): LineClass {
  const { bytes, textEnd: end } = head;
  let i = at;
  while (i < end && ID_BYTE[bytes[i]] !== 0) i += 1;
  if (i - at < 5 || bytes[i] !== COLON) return IGNORED;
  setId(record, bytes, at, i);
  const text = i + 2;
  if (startsWith(bytes, text, end, UNDELIVERABLE_NOTICE) || startsWith(bytes, text, end, SENDER)) {
    record.kind = DSN_LOST;
    return RECORDED;
  }
  return IGNORED;
}

/** An id, a colon and one of the words that only Postfix says after it. */
function claims(head: LineHead): boolean {
  const { bytes, textStart: start, textEnd: end } = head;
  let at = start;
  let kinds = ID_UPPER | ID_LONG;
  while (at < end && ID_BYTE[bytes[at]] !== 0) {
    kinds &= ID_BYTE[bytes[at]];
    at += 1;
  }
  if (kinds === 0 || at - start < 6 || bytes[at] !== COLON || bytes[at + 1] !== SPACE) return false;
  const text = at + 2;
  return (
    (startsWith(bytes, text, end, TO) &&
      bytes[text + 3] === LESS &&
      find(bytes, text, end, ascii(', status=')) > 0) ||
    (startsWith(bytes, text, end, FROM_OPEN) &&
      (find(bytes, text, end, NRCPT) > 0 || find(bytes, text, end, CLOSE_STATUS) > 0)) ||
    startsWith(bytes, text, end, CLIENT) ||
    startsWith(bytes, text, end, MESSAGE_ID_IS) ||
    startsWith(bytes, text, end, REQUEUED) ||
    (startsWith(bytes, text, end, SENDER) && find(bytes, text, end, ascii('notification')) > 0) ||
    startsWith(bytes, text, end, REJECT_TEXT) ||
    (startsWith(bytes, text, end, REMOVED) &&
      (end === text + REMOVED.length || bytes[text + REMOVED.length] === SPACE))
  );
}

export const postfix: Parser = { mta: POSTFIX, parse, claims };
