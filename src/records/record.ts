/**
 * The record: what one log line says, in terms that all MTAs share.
 *
 * Owns the vocabulary between `parsers/` (who fill a record) and `chains/` (who join records to lives).
 * A record holds offsets into the line's bytes and small numbers, no strings: strings are made once per
 * message, by the joiner, for what it keeps. One object is reused for every line.
 */

export const SENDMAIL = 0;
export const POSTFIX = 1;
export const QMAIL = 2;
/** What the MTAs are called in output, by their numbers. */
export type MtaName = 'sendmail' | 'postfix' | 'qmail';
export const MTA_NAMES: readonly MtaName[] = ['sendmail', 'postfix', 'qmail'];
export type Mta = typeof SENDMAIL | typeof POSTFIX | typeof QMAIL;

/** What became of a line; the sum over a log is its number of lines. */
export const RECORDED = 0;
export const IGNORED = 1;
export const FOREIGN = 2;
export const UNRECOGNISED = 3;
export const MALFORMED = 4;
export type LineClass =
  | typeof RECORDED
  | typeof IGNORED
  | typeof FOREIGN
  | typeof UNRECOGNISED
  | typeof MALFORMED;

// Kinds of record. The comment names the fields that are set; all others are absent.
/** A client or user begins to hand in a message: origin, clientName, clientIp, authUser, uid, other (older id). */
export const ARRIVAL = 1;
/** messageId */
export const MESSAGE_ID = 2;
/** The queue manager took the message up, at first or again: reversePath, size, recipients. */
export const ENVELOPE = 3;
/** Arrival and envelope in one (sendmail's `from=`): all of the above; flag ACCEPTED if it was taken over. */
export const SUBMISSION = 4;
/** One attempt for one recipient (a list for sendmail): outcome, recipient, originalRecipient, relay, status, reply, other (next id). */
export const ATTEMPT = 5;
/** `id` has caused the DSN `other`: dsn, reply (reason). */
export const DSN = 6;
/** `id` goes on as `other` (a list separated by "; " where one was split). */
export const SPLIT = 7;
/** The life of `id` is over: end. */
export const END = 8;
/** All recipients of `id` that were still deferred are given up. */
export const EXPIRED = 9;
/** Taken, then dropped without a DSN: reversePath, recipient (all recipients when absent). */
export const DISCARD = 10;
/** Taken and kept back: reversePath, recipient. */
export const HOLD = 11;
/** DSNs of `id` are not wanted (the WIDE patch): reply is the cause, "spf=fail". */
export const MARK = 12;
/** Refused in the SMTP dialogue, nobody's responsibility passed: stage, status code class in `replyClass`. */
export const REJECT = 13;
/** A transaction that had an id was refused after all, nothing was accepted. */
export const REFUSAL = 14;
/** A before-queue filter took the message; `other` is its id behind the filter. Session facts by pid. */
export const PROXY_ACCEPT = 15;
/** A DSN of `id` could not be made or was thrown away. */
export const DSN_LOST = 16;
/** An authenticated user for `id` or, without id, for the session: authUser. */
export const AUTH = 17;
// qmail-send speaks in numbers: message N, delivery D, process qp.
/** `new msg N` */
export const QUEUE_NEW = 20;
/** `info msg N`: size, reversePath, qp, uid. */
export const QUEUE_INFO = 21;
/** `starting delivery D: msg N to local|remote R`: delivery, recipient, flags LOCAL_CHANNEL, FIRST_DELIVERY. */
export const DELIVERY_START = 22;
/** `delivery D: success|failure|deferral: T`: delivery, outcome, reply, status, forwards. */
export const DELIVERY_RESULT = 23;
/** `bounce msg N qp Q`: qp. */
export const BOUNCE = 24;
/** `double|triple bounce: discarding bounce/N` */
export const BOUNCE_DISCARDED = 25;
/** qmail-send stops or starts: deliveries under way are forgotten. */
export const RESTART = 26;
/** The rest of an over-long splogger record: reply. */
export const CONTINUATION = 27;
/** A part of a sendmail line that was too long for syslog: part, reply (text of this part). */
export const PART = 28;
/** The full reverse-path of a local submission that is refused: reversePath. */
export const SENDER_NAMED = 30;
/** A milter of sendmail's has added recipients, or taken them away: recipients. */
export const RECIPIENTS_CHANGED = 32;
/** What SPF says of a message: outcome (SPF_...), id or else clientIp and reversePath; without all a header passed over. */
export const SPF = 31;
/** The qmail SMTP side names the client of a qp: qp, clientIp, clientName, authUser. */
export const QP_CLIENT = 29;

// Outcomes of an attempt.
export const SENT = 1;
export const DEFERRED = 2;
export const FAILED = 3;
/** Failed because it stayed in the queue too long (qmail says so per recipient). */
export const GIVEN_UP = 4;
/** Handed to nobody on purpose. */
export const DROPPED = 5;
export const QUARANTINED = 6;
/** No attempt took place (`stat=queued`). */
export const QUEUED = 7;
/** An address probe's answer. */
export const PROBED = 8;
/** sendmail's `to=` of a transaction that was refused after all. */
export const NOT_TAKEN = 9;

// Results of SPF (RFC 7208 section 2.6), the outcome of an SPF record.
export const SPF_NONE = 1;
export const SPF_NEUTRAL = 2;
export const SPF_PASS = 3;
export const SPF_FAIL = 4;
export const SPF_SOFTFAIL = 5;
export const SPF_TEMPERROR = 6;
export const SPF_PERMERROR = 7;
/** The WIDE patch: the header's host is not in the map. */
export const SPF_HEADER_IGNORED = 8;
/** What the results are called, by their numbers. */
export const SPF_NAMES: readonly string[] = [
  '',
  'none',
  'neutral',
  'pass',
  'fail',
  'softfail',
  'temperror',
  'permerror',
];

// Kinds of DSN.
export const DSN_FAILURE = 1;
export const DSN_DELAY = 2;
export const DSN_SUCCESS = 3;
export const DSN_POSTMASTER = 4;
/** sendmail's `return to sender`: a report on a report. */
export const DSN_DOUBLE = 5;
/** sendmail's `sender notify` failure: to the sender, or a second one to postmaster. */
export const DSN_NOTIFY = 6;

// Ends of a life.
export const END_DONE = 1;
/** Never became a message. */
export const END_CANCELLED = 2;
export const END_DISCARDED = 3;
export const END_DELETED = 4;
/** Goes on under another id that names this one. */
export const END_REQUEUED = 5;

// Origins.
export const ORIGIN_UNKNOWN = 0;
export const ORIGIN_SMTP = 1;
export const ORIGIN_LOCAL = 2;

// Stages of a reject.
export const STAGE_SESSION = 0;
export const STAGE_RECIPIENT = 1;
export const STAGE_MESSAGE = 2;

// Flags.
/** SUBMISSION: the MTA took responsibility. */
export const ACCEPTED = 1;
/** ATTEMPT: `other` is an alias's or .forward's new id. */
export const FORWARDED = 2;
/** ATTEMPT: `other` is what the next hop called it; ours only if the next hop is this host. */
export const QUEUED_AS = 4;
/** ATTEMPT: by pipe(8); the message may come back through sendmail(1) with the same Message-ID. */
export const PIPED = 8;
/** DELIVERY_START: to a local address. */
export const LOCAL_CHANNEL = 16;
/** ATTEMPT: the relay is this host (loopback address or socket). */
export const LOOPBACK = 32;
/** END: the queue manager's own word, all recipients are done (and not an operator's). */
export const BY_QUEUE_MANAGER = 64;
/** ATTEMPT: no connection was made because the destination is being avoided; EXPIRED etc. do not set it. */
export const SUSPENDED = 128;
/** ATTEMPT: part of a list that goes on in the next line (`[more]`). */
export const MORE = 256;
/** ARRIVAL: the session speaks for another id behind it (NOQUEUE: client=). */
export const SESSION_ONLY = 512;
/** MESSAGE_ID: from a Resent- header, a second name of the same message. */
export const RESENT = 1024;
/** REJECT and REFUSAL: for now (4xx). */
export const TEMPORARY = 2048;

/** ATTEMPT: an outcome without a try (sendmail's `to=` without `xdelay=`). */
export const UNTRIED = 4096;

/** DELIVERY_RESULT: delivered here as well as forwarded. */
export const KEPT_TOO = 8192;
/** DELIVERY_START: qmail-send began to count. */
export const FIRST_DELIVERY = 16384;

/** A range of bytes of the line: absent when empty, or when it was set for an earlier line. */
export class Span {
  start = 0;
  end = 0;
  /** The record that owns the span, and the line it was set for: forgetting all spans is one addition. */
  readonly #record: ParsedRecord;
  #line = 0;

  constructor(record: ParsedRecord) {
    this.#record = record;
  }

  set(start: number, end: number): void {
    this.start = start;
    this.end = end;
    this.#line = this.#record.line;
  }

  /** Not empty. */
  get present(): boolean {
    return this.#line === this.#record.line && this.end > this.start;
  }
}

export class ParsedRecord {
  /** Counts up with every line. */
  line = 1;
  kind = 0;
  mta: Mta = POSTFIX;
  flags = 0;
  readonly id = new Span(this);
  /** Two hashes of the id (text.ts), made while it was scanned. */
  idHash = 0;
  idCheck = 0;
  readonly other = new Span(this);
  /** Without angle brackets; only with hasReversePath, as the null reverse-path is empty. */
  readonly reversePath = new Span(this);
  hasReversePath = false;
  readonly recipient = new Span(this);
  readonly originalRecipient = new Span(this);
  readonly relay = new Span(this);
  readonly status = new Span(this);
  readonly reply = new Span(this);
  readonly messageId = new Span(this);
  readonly clientName = new Span(this);
  readonly clientIp = new Span(this);
  readonly authUser = new Span(this);
  origin = ORIGIN_UNKNOWN;
  outcome = 0;
  dsn = 0;
  end = 0;
  stage = 0;
  size = -1;
  recipients = -1;
  uid = -1;
  qp = -1;
  /** Processes that put the message into the queue again. */
  readonly forwards: number[] = [];
  /** qmail: number of the delivery; apart for each qmail-send and queue that counts for itself. */
  delivery = -1;
  part = 0;

  /** Forgets everything: about 10 ns, where setting every span back cost 75. */
  clear(): void {
    this.line += 1;
    this.kind = 0;
    this.flags = 0;
    this.hasReversePath = false;
    this.origin = ORIGIN_UNKNOWN;
    this.outcome = 0;
    this.dsn = 0;
    this.end = 0;
    this.stage = 0;
    this.size = -1;
    this.recipients = -1;
    this.uid = -1;
    this.qp = -1;
    if (this.forwards.length > 0) this.forwards.length = 0;
    this.delivery = -1;
    this.part = 0;
  }
}
