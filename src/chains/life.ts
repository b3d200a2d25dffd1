/**
 * The life of one queue id, and the links between lives.
 *
 * A life is a bag of facts whose parts combine: facts are collected here and interpreted only when the chain is
 * looked at (view.ts), so that a life that was cut in two by the end of a file becomes one again (merge.ts).
 * Must not know log text or outputs.
 */
import { AUTH, DSN_FAILURE, DSN_NOTIFY, type Mta, POSTFIX, SENDMAIL } from '../records/record.ts';

/** Namespaces of ids: qmail's message numbers are not queue ids. */
export const QUEUE_ID = 0;
export const MESSAGE_NUMBER = 1;

/** What a space does to an id's second hash. */
export function checkOf(idCheck: number, space: number): number {
  return idCheck ^ (space * 0x5a5a5a5a);
}

/** How a life hangs on its parent. */
export const NO_PARENT = 0;
/** The same message under another id. */
export const CONTINUES = 1;
/** A DSN that the parent caused. */
export const REPORTS = 2;

/** What became of one recipient of one life, so far. */
export class Recipient {
  /** Stands for address and original recipient: what tells recipients of one life apart. */
  key = 0;
  /** "" in a lean run while nothing has gone wrong (joiner.ts). */
  address = '';
  original: string | null = null;
  /** Outcome of the last attempt (record.ts); 0 while the first is under way. */
  outcome = 0;
  attempts = 0;
  status: string | null = null;
  relay: string | null = null;
  reply: string | null = null;
  at = Number.NaN;
  /** The last success handed the message to another id of this MTA. */
  handedOn = false;
  /** qmail: put into a mailbox or program as well as forwarded. */
  keptToo = false;
  /** qmail: by the local channel. */
  local = false;
  /** The life that an alias or .forward made of it. */
  forwardedTo: Life | null = null;

  begin(key: number, address: string, original: string | null): void {
    this.key = key;
    this.address = address;
    this.original = original;
    this.outcome = 0;
    this.attempts = 0;
    this.status = null;
    this.relay = null;
    this.reply = null;
    this.at = Number.NaN;
    this.handedOn = false;
    this.keptToo = false;
    this.local = false;
    this.forwardedTo = null;
  }
}

export interface DsnLink {
  /** DSN_FAILURE, ... (record.ts). */
  readonly kind: number;
  /** The DSN's own life; null for qmail until its number is known. */
  child: Life | null;
  readonly reason: string | null;
  readonly at: number;
  /** qmail: the process that put the DSN into the queue; -1 otherwise. */
  readonly qp: number;
}

export class Life {
  mta: Mta = POSTFIX;
  host = 0;
  instance = '';
  space: typeof QUEUE_ID | typeof MESSAGE_NUMBER = QUEUE_ID;
  id = '';
  /** Hashes of the id; the second one also tells the spaces apart. */
  hash = 0;
  check = 0;
  /** Kind of the first record (record.ts); 0 for a life that is known from a link only. */
  head = 0;
  /** Its first line was the first line of its life: it is not the rest of something. */
  begun = false;
  /** A client or user handed it in, the line that says so was seen. */
  arrived = false;
  /** Responsibility was taken. */
  accepted = false;
  /** The transaction was refused after all. */
  refused = false;
  discarded = false;
  held = false;
  /** When all that was still deferred was given up; NaN if it was not. */
  expiredAt = Number.NaN;
  /** A notice about it was lost or thrown away. */
  dsnLost = false;
  origin = 0;
  clientName: string | null = null;
  clientIp: string | null = null;
  authUser: string | null = null;
  uid = -1;
  messageId: string | null = null;
  /** Stands for the Message-ID (text.ts textKey), 0 when none was seen. */
  messageKey = 0;
  reversePath: string | null = null;
  size = -1;
  /** Recipients according to the envelope, -1 when unknown. */
  envelopeRecipients = -1;
  recipients: Recipient[] = NO_RECIPIENTS;
  /** END_... (record.ts), 0 while it lasts. */
  end = 0;
  /** The queue manager itself said the end. */
  endByQueueManager = false;
  /** No end line exists (sendmail): every recipient seen is done. */
  impliedEnd = false;
  /** Cause of a suppression mark, "spf=fail". */
  mark: string | null = null;
  /** SPF result that a milter or policy daemon logged for it, "softfail". */
  spf: string | null = null;
  qp = -1;
  /** pid of the process that took it in, for facts of the session that come on other lines. */
  pid = 0;
  /** Deliveries through pipe(8), by process and moment: it may come back with the same Message-ID (pipes.ts). */
  passes: string[] = NO_PASSES;
  /** sendmail: how many recipients milters have added, less those that they took away. */
  recipientsChanged = 0;
  /** sendmail: a milter has given it another reverse-path. */
  senderChanged = false;
  /** Its client is the one that a proxy told of, whatever its own lines say. */
  proxied = false;
  /** pid of a proxy whose session, with the client, may stand on the left of this piece; 0 otherwise. */
  proxyPid = 0;
  dsns: DsnLink[] = NO_DSNS;
  /** The same message under further ids. */
  next: Life[] = NO_LIVES;
  parent: Life | null = null;
  relation: typeof NO_PARENT | typeof CONTINUES | typeof REPORTS = NO_PARENT;
  first = 0;
  last = 0;
  /** Older life with the same id that is still pending, under this one in the table. */
  older: Life | null = null;
  /** Its own time is over: nothing can join it any more. */
  closed = false;
  /** Lives of the tree under this root that are not closed; kept at roots only. */
  pendingInTree = 1;
  /** Counted and gone. */
  retired = false;
  /** The second until which it waits to be closed (ClosingTimes). */
  waitsUntil = Number.POSITIVE_INFINITY;
  /** qmail: has ended, its number is free for another message. */
  numberFree = false;

  /** Unlike that of any other life, and growing: a retired object is another life later (giveBack). */
  serial = 0;

  begin(
    mta: Mta,
    host: number,
    instance: string,
    space: typeof QUEUE_ID | typeof MESSAGE_NUMBER,
    id: string,
    hash: number,
    check: number,
    head: number,
    at: number,
  ): void {
    this.mta = mta;
    this.host = host;
    this.instance = instance;
    this.space = space;
    this.id = id;
    this.hash = hash;
    this.check = check;
    this.head = head;
    this.first = at;
    this.last = at;
    this.begun = false;
    this.arrived = false;
    this.accepted = false;
    this.refused = false;
    this.discarded = false;
    this.held = false;
    this.expiredAt = Number.NaN;
    this.dsnLost = false;
    this.origin = 0;
    this.clientName = null;
    this.clientIp = null;
    this.authUser = null;
    this.uid = -1;
    this.messageId = null;
    this.messageKey = 0;
    this.reversePath = null;
    this.size = -1;
    this.envelopeRecipients = -1;
    this.recipients = NO_RECIPIENTS;
    this.end = 0;
    this.endByQueueManager = false;
    this.impliedEnd = false;
    this.mark = null;
    this.spf = null;
    this.qp = -1;
    this.pid = 0;
    this.passes = NO_PASSES;
    this.recipientsChanged = 0;
    this.senderChanged = false;
    this.proxied = false;
    this.proxyPid = 0;
    this.dsns = NO_DSNS;
    this.next = NO_LIVES;
    this.parent = null;
    this.relation = NO_PARENT;
    this.older = null;
    this.closed = false;
    this.pendingInTree = 1;
    this.retired = false;
    this.waitsUntil = Number.POSITIVE_INFINITY;
    this.numberFree = false;
    this.serial = ++serials;
  }

  /** The recipient with this key, or null. */
  findRecipient(key: number): Recipient | null {
    const list = this.recipients;
    const length = list.length;
    if (length === 0) return null;
    // Attempts for many recipients come in the order in which they were added, again and again: the one asked for
    // next stands behind the last one found.
    let i = lookFrom < length ? lookFrom : 0;
    for (let n = length; n > 0; n -= 1) {
      const r = list[i];
      i = i + 1 < length ? i + 1 : 0;
      if (r.key === key) {
        lookFrom = i;
        return r;
      }
    }
    return null;
  }

  addRecipient(key: number, address: string, original: string | null): Recipient {
    const made = spareRecipients.pop() ?? new Recipient();
    made.begin(key, address, original);
    if (this.recipients === NO_RECIPIENTS) {
      const list = spareLists.pop();
      if (list === undefined) this.recipients = [made];
      else {
        list[0] = made;
        this.recipients = list;
      }
    } else this.recipients.push(made);
    return made;
  }

  addDsn(link: DsnLink): void {
    if (this.dsns === NO_DSNS) this.dsns = [link];
    else this.dsns.push(link);
  }

  /** Nothing is under way: every recipient seen has a final outcome. */
  allRecipientsDone(): boolean {
    for (const r of this.recipients) if (!isFinal(r.outcome)) return false;
    return true;
  }
}

let lookFrom = 0;
let serials = 0;

export function lastSerial(): number {
  return serials;
}

/** The kernel has begun lives of its own. */
export function setLastSerial(serial: number): void {
  serials = serial;
}

// Most lives are alike: one recipient, no DSN, gone after minutes of log. Made anew each time, they were half of a
// run's time in the garbage collector, since they outlive its young generation; used again they cost nothing.
const spareRecipients: Recipient[] = [];
const spareLists: Recipient[][] = [];
const spareLives: Life[] = [];
const MOST_SPARES = 50_000;

/** A life to begin. */
export function takeLife(): Life {
  return spareLives.pop() ?? new Life();
}

/** A retired life that nothing hangs on may be another one later; who remembers it must compare serials. */
export function giveBack(life: Life): void {
  if (
    spareLives.length >= MOST_SPARES ||
    life.parent !== null ||
    life.next.length > 0 ||
    life.dsns.length > 0
  )
    return;
  const { recipients } = life;
  if (recipients.length === 1) {
    spareRecipients.push(recipients[0]);
    spareLists.push(recipients);
    life.recipients = NO_RECIPIENTS;
  }
  spareLives.push(life);
}

/** Shared empties: most lives have one recipient list, no DSN and no further id. */
export const NO_RECIPIENTS: Recipient[] = [];
export const NO_DSNS: DsnLink[] = [];
export const NO_LIVES: Life[] = [];
const NO_PASSES: string[] = [];

/** SENT, FAILED, GIVEN_UP, DROPPED, PROBED: nothing more will be tried. */
export function isFinal(outcome: number): boolean {
  return FINAL[outcome] === 1;
}
const FINAL = Uint8Array.of(0, 1, 0, 1, 1, 1, 0, 0, 1, 1);

export function rootOf(life: Life): Life {
  let root = life;
  while (root.parent !== null) root = root.parent;
  return root;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How long after its last line a life can still be joined by another line; then it is closed. Log time, never
 * wall time. Postfix and qmail say when a life ends, and stragglers come within seconds; sendmail does not, and a
 * recipient behind an alias may be tried long after the first; nothing lasts longer than the queue lifetime (7 days).
 */
export const ENDED_GRACE = 2 * MINUTE;
export const IMPLIED_END_GRACE = 5 * MINUTE;
export const LINK_ONLY_GRACE = 2 * MINUTE;
export const NEVER_QUEUED_GRACE = HOUR;
export const OPEN_HORIZON = 8 * DAY;

/** Lines of one life that come in a burst may be out of order by this much. */
export const OUT_OF_ORDER = 10 * SECOND;

/** What goes through a command, or into qmail's queue again, comes back within this time. */
export const COMES_BACK_WITHIN = 10 * MINUTE;

/** Between what sendmail does at the end of one run over a message. */
export const SAME_RUN = 2 * SECOND;

/** END_... (record.ts) that no line says: sendmail, all recipients done. */
export const END_IMPLIED = 6;

export function graceOf(life: Life): number {
  if (life.end !== 0) return life.impliedEnd ? IMPLIED_END_GRACE : ENDED_GRACE;
  if (life.head === 0) return LINK_ONLY_GRACE;
  // A session that authenticated and has not sent anything.
  if (life.head === AUTH && !life.arrived) return NEVER_QUEUED_GRACE;
  if (life.mta === POSTFIX && life.begun && !life.accepted && life.relation !== REPORTS)
    return NEVER_QUEUED_GRACE;
  if (life.mta === SENDMAIL && (life.refused || (life.arrived && !life.accepted))) return ENDED_GRACE;
  return OPEN_HORIZON;
}

export function secondOf(time: number): number {
  return Math.floor(time / 1000);
}

/** The last second in which it may be joined by another line. */
export function lastSecondOf(life: Life): number {
  return secondOf(life.last + graceOf(life));
}

/** Whether a line of time `at` may belong to this life. */
export function claimable(life: Life, at: number): boolean {
  // The usual case first: a message under way.
  const grace =
    life.end === 0 && life.accepted && !life.refused && life.head !== 0 ? OPEN_HORIZON : graceOf(life);
  return !life.retired && !(at > life.last + grace);
}

function hasEnvelope(life: Life): boolean {
  return life.envelopeRecipients >= 0;
}

/** Those that the envelope had, and what milters made of them. */
export function recipientsLeft(life: Life): number {
  return life.envelopeRecipients + life.recipientsChanged;
}

/** 1 where a failure has been reported. */
function reportsOf(life: Life): number {
  return life.dsns.some(({ kind }) => kind === DSN_FAILURE || kind === DSN_NOTIFY) ? 1 : 0;
}

/** sendmail ends without a word: when as many recipients are done as the envelope had. */
export function impliesEnd(life: Life): boolean {
  if (life.mta !== SENDMAIL) return false;
  // Split or cloned before any attempt: the others speak for it. Of a single one, the report may be all that is said.
  if (life.recipients.length === 0)
    return (
      life.next.length > 0 || (life.accepted && hasEnvelope(life) && recipientsLeft(life) <= reportsOf(life))
    );
  if (!life.allRecipientsDone()) return false;
  // What was split off is not waited for here.
  return life.next.length > 0 || !hasEnvelope(life) || life.recipients.length >= recipientsLeft(life);
}

/** Lives of the tree under this one that are not closed. */
export function openIn(life: Life): number {
  let open = life.closed ? 0 : 1;
  for (const next of life.next) open += openIn(next);
  for (const link of life.dsns) if (link.child !== null) open += openIn(link.child);
  return open;
}
