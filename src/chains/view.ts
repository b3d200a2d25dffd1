/**
 * What a tree of lives means: the message, its recipients' outcomes, its DSNs and what became of them.
 *
 * Owns the interpretation that contract sections 2 and 4 prescribe; everything that counts or prints goes through
 * here, so that the figures and the chains cannot disagree. Must not know formats.
 */
import { bounceAddress, domainOf } from '../dsn/address.ts';
import { replyStatus } from '../dsn/status.ts';
import {
  AUTH,
  DEFERRED,
  DROPPED,
  DSN_DELAY,
  DSN_DOUBLE,
  DSN_FAILURE,
  DSN_NOTIFY,
  DSN_POSTMASTER,
  DSN_SUCCESS,
  END_CANCELLED,
  END_DELETED,
  END_DONE,
  END_REQUEUED,
  FAILED,
  GIVEN_UP,
  MTA_NAMES,
  ORIGIN_LOCAL,
  ORIGIN_SMTP,
  POSTFIX,
  PROBED,
  QMAIL,
  QUARANTINED,
  SENDMAIL,
  SENT,
} from '../records/record.ts';
import type { Chain, ChainDsn, ChainRecipient, DsnKind, Outcome, Suspect } from './chain.ts';
import {
  CONTINUES,
  type DsnLink,
  type Life,
  type Recipient,
  recipientsLeft,
  rootOf,
  SAME_RUN,
} from './life.ts';

// What the figures ask of every chain goes down the tree itself, without lists and closures: see summary.ts tally.

/** The message's own lives: the root and what continues it. */
export function messageLives(root: Life, lives: Life[] = []): Life[] {
  lives.push(root);
  for (const next of root.next) messageLives(next, lives);
  return lives;
}

/** Every life of a chain: the message's own, its DSNs', and those about them. */
export function livesOf(root: Life, lives: Life[] = []): Life[] {
  lives.push(root);
  for (const next of root.next) livesOf(next, lives);
  for (const link of root.dsns) if (link.child !== null) livesOf(link.child, lives);
  return lives;
}

/** What a chain is about. */
export const MESSAGE = 1;
/** Came in with a null reverse-path: somebody else's DSN, an auto-reply. */
export const NULL_MESSAGE = 2;
/** Its beginning is not in the log. */
export const HEADLESS = 3;
/** An address probe: no mail. */
export const PROBE = 4;
/** Never became anybody's responsibility, or a notice without a parent. */
export const NOTHING = 0;

export function natureOf(root: Life): number {
  if (root.refused) return NOTHING;
  if (isProbe(root)) return PROBE;
  if (!root.arrived) return isHeadless(root) ? HEADLESS : NOTHING;
  if (!root.accepted) return NOTHING;
  if (root.reversePath === '') return NULL_MESSAGE;
  if (root.reversePath === null || root.reversePath === '#@[]') return NOTHING;
  return MESSAGE;
}

function isProbe(root: Life): boolean {
  // What a client hands in is another host's: a notice to its postmaster.
  const own = !root.arrived || root.origin !== ORIGIN_SMTP;
  if (own && root.reversePath !== null && root.reversePath.startsWith('double-bounce@')) return true;
  for (const r of root.recipients) if (r.outcome === PROBED) return true;
  return false;
}

/** Lines of a message whose arrival is missing; a DSN without its parent, and an id that was only named, are not. */
function isHeadless(root: Life): boolean {
  // Known from its next id only (`orig_id=`): the part before is missing.
  if (root.head === 0) return root.next.length > 0;
  if (root.head === AUTH) return false;
  if (root.begun && root.mta === POSTFIX && (root.reversePath === null || root.reversePath === ''))
    return false;
  return true;
}

/** A recipient of the whole message. */
export interface SeenRecipient {
  readonly life: Life;
  /** null where the log does not name it. */
  readonly recipient: Recipient | null;
  /** The address that it stands for, where an alias or an earlier id of the message had another one. */
  readonly original: string | null;
  readonly outcome: Outcome;
}

/** Every recipient once: where the message went on under another id, the later life speaks for the same address. */
export function recipientsOf(root: Life): SeenRecipient[] {
  const seen: SeenRecipient[] = [];
  collectRecipients(root, null, seen);
  return seen;
}

function collectRecipients(life: Life, behind: string | null, seen: SeenRecipient[]): void {
  const goneOn = goesOn(life);
  let failed = false;
  for (const recipient of life.recipients) {
    if (isReportAddress(life, recipient)) continue;
    const outcome = outcomeOf(life, recipient);
    if (outcome === 'failed' || outcome === 'expired') failed = true;
    // Handed to a filter or to the daemon as it was: whatever is behind it speaks.
    if (outcome === 'expanded' && recipient.forwardedTo === null) continue;
    // Through a pipe or XFORWARD and back: the later life has the same recipient.
    if (outcome === 'delivered' && goneOn && recipient.forwardedTo === null && hasLater(life, recipient.key))
      continue;
    // Put back into the queue under a new id: that one goes on with whoever was not done.
    if (goneOn && life.end === END_REQUEUED && (outcome === 'deferred' || outcome === 'held')) continue;
    seen.push({ life, recipient, original: recipient.original ?? behind, outcome });
  }
  const unnamed = Math.max(1, recipientsLeft(life)) - life.recipients.length;
  if (life.recipients.length === 0 && (life.discarded || life.held || life.end === END_DELETED) && !goneOn) {
    const outcome = life.end === END_DELETED ? 'deleted' : life.discarded ? 'discarded' : 'held';
    for (let n = unnamed; n > 0; n -= 1) seen.push({ life, recipient: null, original: behind, outcome });
  } else if (!failed && unnamed > 0 && hasFailureDsn(life)) {
    // A failure DSN went out, yet no failure was seen: the line about that recipient is missing or unreadable.
    const outcome = life.dsns.some(({ reason }) => reason !== null && EXPIRED.test(reason))
      ? 'expired'
      : 'failed';
    seen.push({ life, recipient: null, original: behind, outcome });
  }
  for (const next of life.next) {
    const before = seen.length;
    collectRecipients(next, forwarderOf(life, next) ?? behind, seen);
    if (life.recipients.length > 0) keepOriginals(life, seen, before);
  }
}

/** [envelope.c dropenvelope] */
const EXPIRED = /^(?:Cannot send message |delivery time expired)/;

function hasFailureDsn(life: Life): boolean {
  for (const link of life.dsns) if (link.kind === DSN_FAILURE && wasMade(link, life)) return true;
  return false;
}

/**
 * sendmail logs a report that cannot be addressed under the message, as an untried failure to reach its sender, or the
 * owner of the list [savemail.c]: not one of the message's recipients.
 */
function isReportAddress(life: Life, r: Recipient): boolean {
  if (life.mta !== SENDMAIL || r.attempts > 0 || r.outcome !== FAILED) return false;
  return r.address === life.reversePath && (life.recipients.length > 1 || life.parent !== null);
}

function hasLater(life: Life, key: number): boolean {
  for (const next of life.next) if (next.findRecipient(key) !== null || hasLater(next, key)) return true;
  return false;
}

/** The alias or .forward that sent the message on as `next`. */
function forwarderOf(life: Life, next: Life): string | null {
  for (const r of life.recipients) if (r.forwardedTo === next) return r.original ?? r.address;
  // qmail: one of several forwards by one recipient.
  if (life.mta !== QMAIL) return null;
  const forwarders = life.recipients.filter((r) => r.forwardedTo !== null);
  return forwarders.length === 1 ? forwarders[0].address : null;
}

/** A filter's second life does not know that an address came from an alias; the first one did. */
function keepOriginals(life: Life, seen: SeenRecipient[], from: number): void {
  for (let i = from; i < seen.length; i += 1) {
    const { recipient, original } = seen[i];
    if (recipient === null || original !== null) continue;
    for (const hop of life.recipients) {
      if (hop.handedOn && hop.original !== null && hop.address === recipient.address) {
        seen[i] = { ...seen[i], original: hop.original };
      }
    }
  }
}

export function outcomeOf(life: Life, r: Recipient): Outcome {
  switch (r.outcome) {
    case SENT:
      return r.handedOn && goesOn(life) ? 'expanded' : 'delivered';
    case FAILED:
      return 'failed';
    case GIVEN_UP:
      return 'expired';
    case DROPPED:
      return 'discarded';
    case QUARANTINED:
      return life.end === END_DELETED ? 'deleted' : 'held';
    case PROBED:
      return 'probe';
    default:
  }
  if (life.discarded) return 'discarded';
  // Removed although this recipient was not done: an operator's word. The queue manager's own removal means that
  // the line about this recipient is missing.
  if (life.end === END_DELETED || (life.end === END_DONE && life.mta === POSTFIX && !life.endByQueueManager))
    return 'deleted';
  if (life.held) return 'held';
  return 'deferred';
}

/** The id it was handed to belongs to this MTA: lines of it were seen. */
function goesOn(life: Life): boolean {
  for (const next of life.next) if (next.head !== 0) return true;
  return false;
}

/** A DSN that was really made. A look at it as it is now: what was asked once is remembered. */
export class SeenDsn {
  readonly kind: DsnKind;
  readonly link: DsnLink;
  /** The life that it reports on. */
  readonly about: Life;
  #recipients: readonly SeenRecipient[] | null = null;
  #outcome: Outcome | 'unknown' | null = null;
  #status: string | null = null;
  #to: string | null | undefined = undefined;
  #domain: string | null = null;

  constructor(kind: DsnKind, link: DsnLink, about: Life) {
    this.kind = kind;
    this.link = link;
    this.about = about;
  }

  /** When it was announced. */
  get at(): number {
    return this.link.at;
  }

  /** The reverse-path of what it reports on. */
  get answered(): string | null {
    return this.about.reversePath;
  }

  /** What became of the DSN itself: delivered to anybody counts as delivered. */
  get outcome(): Outcome | 'unknown' {
    if (this.#outcome === null) this.#judge();
    return this.#outcome as Outcome | 'unknown';
  }

  /** The status code that goes with it. */
  get status(): string | null {
    if (this.#outcome === null) this.#judge();
    return this.#status;
  }

  /** Whom it is for: its own envelope recipient, or the reverse-path that it answers. */
  get to(): string | null {
    if (this.#to === undefined) this.#to = dsnRecipient(this);
    return this.#to;
  }

  /** The domain of `to` in lower case; "" where it has none. */
  get domain(): string {
    this.#domain ??= domainOf(this.to ?? '');
    return this.#domain;
  }

  /** Recipients of the DSN's own message; none where its id is not known. */
  get recipients(): readonly SeenRecipient[] {
    const { child } = this.link;
    this.#recipients ??= child === null ? NOBODY : recipientsOf(child);
    return this.#recipients;
  }

  /** Of its recipients, those that stand for `to`: sendmail sends reports on its own faults to the postmaster as well [savemail.c]. */
  get addressees(): readonly SeenRecipient[] {
    const { recipients, to } = this;
    if (recipients.length < 2 || this.about.mta !== SENDMAIL || to === null) return recipients;
    const own = recipients.filter(({ recipient: r, original }) => r?.address === to || original === to);
    return own.length > 0 ? own : recipients;
  }

  #judge(): void {
    let best: SeenRecipient | null = null;
    for (const seen of this.addressees) {
      if (seen.outcome === 'expanded') continue;
      if (best === null || RANK[seen.outcome] > RANK[best.outcome]) best = seen;
    }
    this.#outcome = best === null ? 'unknown' : best.outcome;
    // Only the report about it says that sendmail has given it up.
    if (this.#outcome === 'deferred' && this.link.child?.dsns.some(({ kind }) => kind === DSN_DOUBLE))
      this.#outcome = 'expired';
    if (best !== null && best.recipient !== null) this.#status = statusOf(best.life, best.recipient);
  }
}

const NOBODY: readonly SeenRecipient[] = [];

/** All DSNs of the chain, those about its DSNs included. */
export function dsnsOf(root: Life): readonly SeenDsn[] {
  return collectDsns(root, null) ?? NO_DSN;
}

const NO_DSN: readonly SeenDsn[] = [];

/** Adds those of a message to a list, which is made with the first one. */
function collectDsns(about: Life, list: SeenDsn[] | null): SeenDsn[] | null {
  let seen = list;
  for (const link of about.dsns) {
    if (!wasMade(link, about)) continue;
    seen ??= [];
    if (reportsFailureToo(link, about)) seen.push(new SeenDsn('failure', link, about));
    seen.push(new SeenDsn(kindOf(link, about), link, about));
    if (link.child !== null) collectDsns(link.child, seen);
  }
  for (const next of about.next) seen = collectDsns(next, seen);
  return seen;
}

/**
 * sendmail: a run with a failure and an overdue recipient makes one report, whose line speaks of the warning only
 * [envelope.c dropenvelope].
 */
function reportsFailureToo(link: DsnLink, about: Life): boolean {
  if (about.mta !== SENDMAIL || link.kind !== DSN_DELAY) return false;
  let before = Number.NEGATIVE_INFINITY;
  for (const other of about.dsns) {
    if (other === link) break;
    before = other.at;
  }
  for (const other of about.dsns) if (other !== link && other.at === link.at) return false;
  for (const r of about.recipients)
    if (r.outcome === FAILED && r.attempts > 0 && r.at > before && r.at <= link.at) return true;
  return false;
}

/**
 * Postfix writes its line also for a DSN that NOTIFY cancels: one was made if it reached the queue manager.
 * The others write a line for what they sent.
 */
function wasMade(link: DsnLink, about: Life): boolean {
  if (about.mta !== POSTFIX) return true;
  return link.child !== null && link.child.accepted && link.child.end !== END_CANCELLED;
}

function kindOf(link: DsnLink, about: Life): DsnKind {
  switch (link.kind) {
    case DSN_DELAY:
      return 'delay';
    case DSN_SUCCESS:
      return 'success';
    case DSN_POSTMASTER:
      // Of two in one run, the second one is PostmasterCopy's.
      return (about.reversePath === '' || isReport(about)) && !isSecondNotice(link, about)
        ? 'double_bounce'
        : 'postmaster';
    case DSN_DOUBLE:
      // Up to 8.9 also what follows a warning.
      return about.reversePath === '' || isReport(about) ? 'double_bounce' : 'failure';
    case DSN_NOTIFY:
      return isPostmasterCopy(link, about) ? 'postmaster' : 'failure';
    default:
      return about.reversePath === '' || about.reversePath === '#@[]' ? 'double_bounce' : 'failure';
  }
}

function isSecondNotice(link: DsnLink, about: Life): boolean {
  if (about.mta !== SENDMAIL) return false;
  for (const other of about.dsns) {
    if (other === link) return false;
    if (other.kind === DSN_POSTMASTER && Math.abs(other.at - link.at) <= SAME_RUN) return true;
  }
  return false;
}

function isReport(life: Life): boolean {
  for (let l: Life | null = life; l !== null; l = l.parent)
    if (l.parent !== null && l.relation !== CONTINUES) return true;
  return false;
}

/** sendmail with PostmasterCopy after a warning: a second `sender notify` of the same moment, to somebody else. */
function isPostmasterCopy(link: DsnLink, about: Life): boolean {
  const to = link.child === null ? null : (link.child.recipients[0]?.address ?? null);
  if (to === null || to === about.reversePath) return false;
  for (const other of about.dsns) {
    if (other === link || other.kind !== DSN_NOTIFY || Math.abs(other.at - link.at) > SAME_RUN) continue;
    if (other.child?.recipients[0]?.address === about.reversePath) return true;
  }
  return false;
}

function dsnRecipient(dsn: SeenDsn): string | null {
  const path = dsn.about.parent === null ? reversePathOf(dsn.about) : dsn.about.reversePath;
  const child = dsn.link.child;
  // qmail logs the envelope's recipient, before any forward.
  if (child !== null && child.mta === QMAIL && child.recipients.length > 0)
    return child.recipients[0].address;
  if (child !== null) {
    const sender = reversePathOf(rootOf(dsn.about));
    let last: string | null = null;
    // sendmail logs the aliases behind the sender only; the envelope's recipient is the sender all the same.
    const own = dsn.kind !== 'postmaster' && dsn.kind !== 'double_bounce' && child.mta === SENDMAIL;
    for (const { recipient: r, original, outcome } of dsn.recipients) {
      if (r === null || outcome === 'expanded') continue;
      // The sender behind an alias is the sender; a list owner's alias leads to whoever gets the DSN.
      if (
        sender !== null &&
        (r.address === sender || original === sender || isLocalNameOf(r.address, sender))
      )
        return sender;
      last ??= own ? qualified(r.address, dsn.about) : r.address;
    }
    if (last !== null) {
      return own && path !== null && path !== '' ? qualified(path, dsn.about) : last;
    }
  }
  if (dsn.kind === 'postmaster' || dsn.kind === 'double_bounce') return null;
  return path === null || path === '' ? null : bounceAddress(path);
}

/** `gerda` or `\\gerda` for gerda@example.org, as sendmail prints local users. */
function isLocalNameOf(name: string, address: string): boolean {
  if (name.includes('@')) return false;
  const bare = name.startsWith('\\') ? name.slice(1) : name;
  return bare !== '' && address.startsWith(`${bare}@`);
}

/**
 * A bare local user gets the domain under which the same message was delivered here: sendmail qualifies users for the
 * mail, not for its log. Left bare where the log does not tell.
 */
function qualified(name: string, about: Life): string {
  if (name.includes('@') || about.mta !== SENDMAIL) return name;
  const bare = name.startsWith('\\') ? name.slice(1) : name;
  for (const { recipient: r } of recipientsOf(rootOf(about))) {
    if (r === null || (r.relay !== null && r.relay !== 'local')) continue;
    const at = r.address.lastIndexOf('@');
    if (at > 0) return bare + r.address.slice(at);
  }
  return name;
}

/**
 * The message's reverse-path. A command-line submission logs a bare user; the daemon that it is handed to, or the
 * envelope of a DSN to it, has the full address.
 */
export function reversePathOf(root: Life): string | null {
  const path = root.reversePath;
  if (path === null || path === '' || path.includes('@') || root.mta !== SENDMAIL) return path;
  const prefix = `${path}@`;
  for (const life of messageLives(root)) if (life.reversePath?.startsWith(prefix)) return life.reversePath;
  for (const link of root.dsns) {
    if (link.child === null) continue;
    for (const { recipient: r } of recipientsOf(link.child))
      if (r?.address.startsWith(prefix)) return r.address;
  }
  const host = ownHost(root);
  return host === null ? path : prefix + host;
}

/** The host's own name ($j), from a Message-ID that sendmail made itself: `<YYYYMMDDhhmm.QID@host>` [envelope.c settime]. */
function ownHost(root: Life): string | null {
  const lives = messageLives(root);
  for (const link of root.dsns) if (link.child !== null) messageLives(link.child, lives);
  for (const { messageId } of lives) {
    const made = messageId === null ? null : /^<\d{12}\.([0-9A-Za-z]{8,18})@([\w.-]+)>$/.exec(messageId);
    if (made !== null && lives.some((life) => life.id === made[1])) return made[2];
  }
  return null;
}

const RANK: Record<Outcome, number> = {
  delivered: 9,
  failed: 8,
  expired: 7,
  deferred: 6,
  held: 5,
  discarded: 4,
  deleted: 3,
  expanded: 2,
  probe: 1,
};

/** Enhanced status code (RFC 3463), from the reply where the log's own field is missing. */
export function statusOf(life: Life, r: Recipient): string | null {
  // sendmail makes a code of its own for servers without ENHANCEDSTATUSCODES: the reply's is better.
  const said = r.reply !== null && (r.status === null || life.mta === SENDMAIL) ? replyStatus(r.reply) : null;
  return said ?? r.status;
}

export function hasEnded(root: Life): boolean {
  if (!isOver(root)) return false;
  for (const next of root.next) if (!hasEnded(next)) return false;
  return true;
}

function isOver(life: Life): boolean {
  if (life.end !== 0 || life.closed) return true;
  // What cleanup(8) itself bounced never reached the queue manager, and nobody says `removed` before 3.10.
  return life.mta === POSTFIX && life.size < 0 && life.recipients.length > 0 && life.allRecipientsDone();
}

/** At least one attempt was logged that was not a mere drop. */
export function wasAttempted(root: Life): boolean {
  for (const r of root.recipients) {
    if ((r.attempts === 0 && r.outcome !== FAILED) || isReportAddress(root, r)) continue;
    const outcome = outcomeOf(root, r);
    if (outcome !== 'discarded' && outcome !== 'held') return true;
  }
  for (const next of root.next) if (wasAttempted(next)) return true;
  return false;
}

export function suppressionCause(root: Life): string | null {
  if (root.mark !== null) return root.mark;
  for (const next of root.next) {
    const cause = suppressionCause(next);
    if (cause !== null) return cause;
  }
  return null;
}

/** What SPF said of the client and the reverse-path ("fail", "pass", ...), where a milter or policy daemon logged it. */
export function senderChecked(root: Life): string | null {
  if (root.spf !== null) return root.spf;
  for (const next of root.next) {
    const result = senderChecked(next);
    if (result !== null) return result;
  }
  return null;
}

export function hasFailed(root: Life): boolean {
  for (const r of root.recipients)
    if ((r.outcome === FAILED || r.outcome === GIVEN_UP) && !isReportAddress(root, r)) return true;
  for (const next of root.next) if (hasFailed(next)) return true;
  return false;
}

/** Says whether a message's chain is suspect; the rules are not this folder's (suspects/judge.ts). */
export type ChainJudge = (
  root: Life,
  dsns: readonly SeenDsn[],
  recipients: readonly SeenRecipient[],
) => Suspect | null;

/** The chain as the contract prints it. */
export function chainOf(
  root: Life,
  hostName: (host: number) => string,
  judged: ChainJudge = noSuspect,
): Chain {
  const dsns = dsnsOf(root);
  const recipients = recipientsOf(root);
  const failures = dsns.filter((d) => d.kind === 'failure').length;
  const cause = failures === 0 && hasFailed(root) ? suppressionCause(root) : null;
  const ids: string[] = [];
  let last = root.last;
  let messageId = root.messageId;
  for (const life of messageLives(root)) {
    ids.push(life.id);
    if (life.last > last) last = life.last;
    messageId ??= life.messageId;
  }
  return {
    schema_version: 1,
    kind: 'chain',
    mta: MTA_NAMES[root.mta],
    host: hostName(root.host) || null,
    queue_id: root.id,
    queue_ids: ids,
    ...(root.mta === QMAIL ? { qp: root.qp < 0 ? null : root.qp } : {}),
    message_id: messageId,
    reverse_path: reversePathOf(root),
    size: root.size < 0 ? null : root.size,
    origin: {
      kind: root.origin === ORIGIN_SMTP ? 'smtp' : root.origin === ORIGIN_LOCAL ? 'local' : 'unknown',
      client_ip: root.clientIp,
      client_name: root.clientName,
      auth_user: root.authUser,
    },
    first_seen: isoTime(root.first),
    last_seen: isoTime(last),
    ended: hasEnded(root),
    headless: natureOf(root) === HEADLESS,
    recipients: recipients.map(printRecipient),
    dsns: dsns.map(printDsn),
    suppressed: cause === null ? null : { cause },
    suspect: natureOf(root) === MESSAGE ? judged(root, dsns, recipients) : null,
  };
}

const noSuspect = (): null => null;

function printRecipient({ life, recipient: r, original, outcome }: SeenRecipient): ChainRecipient {
  if (r === null) {
    return {
      recipient: null,
      original_recipient: original,
      outcome,
      status: null,
      relay: null,
      attempts: 0,
      reply: null,
      at: null,
    };
  }
  return {
    recipient: r.address,
    original_recipient: original,
    outcome,
    status: statusOf(life, r),
    relay: r.relay,
    attempts: r.attempts,
    reply: r.reply,
    at: isoTime(r.at),
  };
}

function printDsn(dsn: SeenDsn): ChainDsn {
  return {
    kind: dsn.kind,
    queue_id: dsn.link.child?.id ?? null,
    parent_queue_id: dsn.about.id,
    recipient: dsn.to,
    reason: dsn.link.reason ?? reasonText(dsn.about),
    outcome: dsn.outcome,
    status: dsn.status,
    at: isoTime(dsn.link.at),
  };
}

/** Postfix and qmail give no reason with the DSN: the last failed recipient's reply is one. */
function reasonText(life: Life): string | null {
  for (const r of life.recipients) if (r.outcome === FAILED || r.outcome === GIVEN_UP) return r.reply;
  for (const r of life.recipients) if (r.outcome === DEFERRED) return r.reply;
  return null;
}

export function isoTime(at: number): string | null {
  if (Number.isNaN(at) || Math.abs(at) > 8.64e15) return null;
  return new Date(Math.floor(at)).toISOString();
}
