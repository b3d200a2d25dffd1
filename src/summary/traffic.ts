/**
 * What findings need to know beside the suspects: who submits under which name, what comes in for nobody, what the
 * queue is filled with. Mergeable.
 *
 * Ordinary messages pass through `ordinary` in one comparison or two: it is called for every message.
 */
import { type Life, REPORTS } from '../chains/life.ts';
import type { Repeat, Submission } from '../chains/light.ts';
import type { SeenRecipient } from '../chains/view.ts';
import { domainOf } from '../dsn/address.ts';
import { ORIGIN_LOCAL, POSTFIX, QMAIL } from '../records/record.ts';
import type { Inside } from '../suspects/inside.ts';
import { AND, Counter, RowsBeside } from './counter.ts';
import { Evidence } from './evidence.ts';
import type { Counted, CountedDsn } from './facts.ts';

const HOUR = 3_600_000;
/** More DSNs than this about one message, or about each other: something answers itself. */
const STORM_OF_ONE = 10;
/** A DSN, the double bounce about it, and what a list or an alias makes of that one. */
const DEEPEST_USUAL = 2;
/** sendmail says that a client authenticated (`proto=ESMTPSA`), not as whom. */
const PROTOCOL_ONLY = /^E?SMTPS?A$/;

/** Web servers' accounts by distribution: Debian 33 (www-data), Red Hat 48 (apache), FreeBSD and macOS 80 and 70 (www, _www). */
export const WEB_UIDS: ReadonlySet<number> = new Set([33, 48, 70, 80]);

/** Nobody asks how many there were. */
const NOTHING: Repeat = { after: Number.NEGATIVE_INFINITY, count: () => undefined };

export class Traffic {
  readonly evidence = new Evidence();
  /** Messages that a named user handed in, and the pairs of user and reverse-path that do not belong together. */
  authenticated = 0;
  readonly foreignSenders = new Counter();
  /** Local submissions by uid, and by uid and reverse-path. */
  readonly uids = new Counter();
  readonly uidSenders = new Counter();
  /** Deliveries by pipe(8) of addresses that were rewritten before, by relay. */
  readonly rewritten = new Counter();
  /** Recipients of null-sender mail from outside, with the client; and whoever sent mail from here. */
  readonly nullRecipients = new Counter();
  /** Examples by such a recipient: apart, since whoever writes to us chooses how many there are. */
  readonly byNullRecipient = new Evidence();
  /** Seen or not; the numbers mean nothing. */
  readonly senders = new Counter();
  /** DSNs that could not be delivered or wait, by their domain; DSNs by hour. */
  readonly undeliverable = new Counter();
  readonly waiting = new Counter();
  readonly dsnHours = new Map<number, number>();
  /** Topics of `evidence` by uid: found once for each. */
  readonly #uidTopics = new RowsBeside();
  /** One who uses his own name. */
  readonly #authenticated: Repeat = {
    after: Number.NEGATIVE_INFINITY,
    count: (messages) => {
      this.authenticated += messages;
    },
  };

  /** Every message: what costs nothing for those that a stranger sent to a mailbox. */
  message(root: Life, inside: Inside): void {
    this.submission(root, inside);
    if (root.passes.length > 0) this.#piped(root);
  }

  /** What concerns the submission only; light lives (chains/light.ts) have no more. */
  submission(root: Submission, inside: Inside): Repeat | null {
    if (root.authUser !== null) return this.#submitted(root, root.authUser);
    if (root.origin === ORIGIN_LOCAL) return this.#local(root);
    if (root.clientIp !== null && inside.hasNetwork(root.clientIp)) return this.#sent(root) ? NOTHING : null;
    if (root.mta === QMAIL && WEB_UIDS.has(root.uid)) return this.#local(root);
    return NOTHING;
  }

  /** False where its reverse-path found no place, which is counted each time. */
  #sent(root: Submission): boolean {
    if (root.reversePath === null || root.reversePath === '') return true;
    return this.senders.see(root.reversePath.toLowerCase());
  }

  #submitted(root: Submission, user: string): Repeat | null {
    const placed = this.#sent(root);
    const path = root.reversePath?.toLowerCase() ?? '';
    if (path === '' || PROTOCOL_ONLY.test(user)) return placed ? NOTHING : null;
    this.authenticated += 1;
    if (belongTogether(user.toLowerCase(), path)) return placed ? this.#authenticated : null;
    const pair = this.foreignSenders.add(`${user}${AND}${path}`);
    const topic = this.evidence.rowOf('foreign_sender');
    this.evidence.addAt(topic, root);
    if (!placed || pair < 0) return null;
    return {
      after: this.evidence.fullAfter(topic),
      count: (messages) => {
        this.authenticated += messages;
        this.foreignSenders.addAt(pair, messages);
        this.evidence.countAt(topic, root.mta, messages);
      },
    };
  }

  #local(root: Submission): Repeat | null {
    const placed = this.#sent(root);
    if (root.uid < 0) return placed ? NOTHING : null;
    const uid = String(root.uid);
    const row = this.uids.add(uid);
    let topic = this.#uidTopics.get(row);
    if (topic < 0) {
      topic = this.evidence.rowOf(`uid ${uid}`);
      this.#uidTopics.set(row, topic);
    }
    this.evidence.addAt(topic, root);
    const pair = this.uidSenders.add(`${uid}${AND}${(root.reversePath ?? '').toLowerCase()}`);
    if (!placed || row < 0 || pair < 0) return null;
    return {
      after: this.evidence.fullAfter(topic),
      count: (messages) => {
        this.uids.addAt(row, messages);
        this.uidSenders.addAt(pair, messages);
        this.evidence.countAt(topic, root.mta, messages);
      },
    };
  }

  /** The alias or the extension that was written to is known here, but the delivery agent is given the address only. */
  #piped(root: Life): void {
    let lost = false;
    for (const r of root.recipients) {
      if (r.original === null || r.relay === null || r.relay.includes('[') || r.relay === 'local') continue;
      if (root.mta !== POSTFIX || r.original.toLowerCase() === r.address.toLowerCase()) continue;
      this.rewritten.add(r.relay);
      lost = true;
    }
    if (lost) this.evidence.add('original_lost', root);
  }

  /** Whom a message with a null reverse-path is for, if its client is not ours. */
  nullRecipientsOf(root: Life, recipients: readonly SeenRecipient[], inside: Inside): string[] {
    const addresses: string[] = [];
    if (root.authUser !== null || root.origin === ORIGIN_LOCAL) return addresses;
    if (root.clientIp !== null && inside.hasNetwork(root.clientIp)) return addresses;
    for (const { recipient: r, original } of recipients) {
      const address = original ?? r?.address;
      if (address) addresses.push(address);
    }
    return addresses;
  }

  /** One of them. */
  nullMessage(root: Counted['root'], address: string): void {
    const recipient = address.toLowerCase();
    this.nullRecipients.add(`${recipient}${AND}${root.clientIp ?? ''}`);
    this.byNullRecipient.addAt(this.byNullRecipient.rowOf(recipient), root);
  }

  /** All DSNs of a chain that has any. */
  dsns(root: Counted['root'], dsns: readonly CountedDsn[]): void {
    if (dsns.length > STORM_OF_ONE && isStorm(dsns)) this.evidence.add('dsn_storm', root);
    let failed = false;
    let waits = false;
    for (const dsn of dsns) {
      const hour = Math.floor(dsn.at / HOUR);
      this.dsnHours.set(hour, (this.dsnHours.get(hour) ?? 0) + 1);
      const { outcome } = dsn;
      if (outcome === 'failed' || outcome === 'expired') failed = true;
      else if (outcome === 'deferred') waits = true;
      else continue;
      const table = outcome === 'deferred' ? this.waiting : this.undeliverable;
      table.add(domainOf(dsn.answered ?? '') || '(unknown)');
    }
    if (failed) this.evidence.add('dsn_failed', root);
    if (waits) this.evidence.add('dsn_waits', root);
  }

  merge(other: Traffic): void {
    this.evidence.merge(other.evidence);
    this.byNullRecipient.merge(other.byNullRecipient);
    this.authenticated += other.authenticated;
    for (const table of TRAFFIC_TABLES) this[table].merge(other[table]);
    for (const [hour, n] of other.dsnHours) this.dsnHours.set(hour, (this.dsnHours.get(hour) ?? 0) + n);
  }
}

/** The counters, by name. */
export const TRAFFIC_TABLES = [
  'foreignSenders',
  'uids',
  'uidSenders',
  'rewritten',
  'nullRecipients',
  'senders',
  'undeliverable',
  'waiting',
] as const;

/** `joe` may be joe@, joe@example.org may be joe+list@example.org; more is not known from a log. Lower case both. */
function belongTogether(user: string, sender: string): boolean {
  if (user === sender) return true;
  const at = sender.lastIndexOf('@');
  const local = (at < 0 ? sender : sender.slice(0, at)).replace(/\+.*$/, '');
  const userAt = user.lastIndexOf('@');
  if (userAt < 0) return user === local;
  return user.slice(0, userAt) === local && user.slice(userAt) === sender.slice(at);
}

/** More than so many DSNs about one of its envelopes, or DSNs about DSNs: a message that was split has one for each part. */
function isStorm(dsns: readonly CountedDsn[]): boolean {
  const about = new Map<Life | undefined, number>();
  let deepest = 0;
  for (const dsn of dsns) {
    about.set(dsn.about, (about.get(dsn.about) ?? 0) + 1);
    let depth = 0;
    for (let life: Life | null = dsn.about ?? null; life !== null; life = life.parent)
      if (life.relation === REPORTS) depth += 1;
    if (depth > deepest) deepest = depth;
  }
  return deepest > DEEPEST_USUAL || Math.max(...about.values()) > STORM_OF_ONE;
}
