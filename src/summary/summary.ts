/**
 * The mergeable summary: the figures of chains that are over.
 *
 * One law, tested on real and random logs: summary(A ++ B) = merge(summary(A), summary(B)) for every cut between two
 * lines, where the pending lives of A and B are joined first (chains/merge.ts). Everything here is a sum, a minimum or
 * a maximum. The report (view.ts) is a pure view of it.
 *
 * Definitions: contract section 2. Must not know formats, terminals or log text.
 */
import type { Outcome } from '../chains/chain.ts';
import type { Life } from '../chains/life.ts';
import type { Outlined, Repeat, Submission } from '../chains/light.ts';
import {
  dsnsOf,
  HEADLESS,
  MESSAGE,
  NOTHING,
  NULL_MESSAGE,
  natureOf,
  PROBE,
  recipientsOf,
} from '../chains/view.ts';
import {
  FOREIGN,
  IGNORED,
  type LineClass,
  MALFORMED,
  type Mta,
  RECORDED,
  SENT,
  STAGE_MESSAGE,
  STAGE_RECIPIENT,
  UNRECOGNISED,
} from '../records/record.ts';
import { Inside } from '../suspects/inside.ts';
import { judge } from '../suspects/judge.ts';
import { Counter } from './counter.ts';
import { type Counted, type CountedDsn, type Facts, factsOf, Outlines, refusingOf } from './facts.ts';
import { SpfTallies, SuspectTallies } from './suspects.ts';
import { Traffic } from './traffic.ts';

// Places in a Figures array.
export const INCOMING = 0;
export const DELIVERED = 1;
export const ESTIMATED = 2;
export const ACTUAL = 3;
export const SUPPRESSED = 4;
/** The five figures, in the order of est_dsn.pl. */
export type Figures = Float64Array;

export const HOUR = 3_600_000;

const NOBODY: readonly string[] = [];

const newFigures = (): Figures => new Float64Array(5);

export type DsnCounts = {
  failure: number;
  delay: number;
  success: number;
  postmaster: number;
  double_bounce: number;
};
export type OutcomeCounts = Record<Outcome | 'unknown', number>;

const newOutcomes = (): OutcomeCounts => ({
  delivered: 0,
  failed: 0,
  expired: 0,
  deferred: 0,
  discarded: 0,
  held: 0,
  deleted: 0,
  expanded: 0,
  probe: 0,
  unknown: 0,
});

export class Summary {
  files = 0;
  bytes = 0;
  /** Lines by class (record.ts). */
  readonly lines = new Float64Array(5);
  from = Number.POSITIVE_INFINITY;
  to = Number.NEGATIVE_INFINITY;
  /** By MTA (record.ts). */
  readonly figures: Figures[] = [newFigures(), newFigures(), newFigures()];
  /** Whether an MTA wrote anything at all. */
  readonly seen: boolean[] = [false, false, false];
  readonly accounting = { with_dsn: 0, suppressed: 0, withheld: 0, open: 0 };
  readonly dsn: DsnCounts = { failure: 0, delay: 0, success: 0, postmaster: 0, double_bounce: 0 };
  readonly dsnOutcomes = newOutcomes();
  readonly recipients = newOutcomes();
  rejectedRecipients = 0;
  rejectedMessages = 0;
  /** 4xx refusals: the client may come again. */
  rejectedForNow = 0;
  headless = 0;
  incomingNull = 0;
  /** Chains that were counted as they stood, because more were pending than are kept. */
  evicted = 0;
  /** Files that lie outside of the window and were not read. */
  skippedFiles = 0;
  /** Marks of the WIDE patch, whatever became of the message. */
  marked = 0;
  /** The five figures by hour of acceptance (hours since the epoch). */
  readonly hours = new Map<number, Figures>();
  /** The hour counted last, and its figures: messages come in the order of time. */
  #hour = Number.NaN;
  #step: Figures | null = null;
  readonly reasons = new Counter(undefined, ' ');
  readonly dsnDomains = new Counter();
  readonly refusingRelays = new Counter();
  readonly suspects = new SuspectTallies();
  readonly spf = new SpfTallies();
  readonly traffic = new Traffic();
  /** What is not outside; not part of the sum, but every part must have been counted with the same. */
  readonly #inside: Inside;
  /** Likewise no part of the sum. */
  readonly #outlines: Outlines;

  constructor(inside: Inside = new Inside()) {
    this.#inside = inside;
    this.#outlines = new Outlines(inside);
  }

  line(lineClass: LineClass, times = 1): void {
    this.lines[lineClass] += times;
  }

  time(instant: number): void {
    if (instant < this.from) this.from = instant;
    if (instant > this.to) this.to = instant;
  }

  rejected(stage: number, temporary: boolean): void {
    if (temporary) this.rejectedForNow += 1;
    else if (stage === STAGE_RECIPIENT) this.rejectedRecipients += 1;
    else if (stage === STAGE_MESSAGE) this.rejectedMessages += 1;
  }

  /**
   * Counts messages accepted in this hour (since the epoch), delivered to so many, aliases of whom so many were expanded
   * before; nothing else is to be told of them.
   */
  plain(mta: Mta, hour: number, messages: number, delivered: number, expanded: number): void {
    this.seen[mta] = true;
    this.#message(mta, hour, messages, messages, 0, 0, 0);
    this.recipients.delivered += delivered;
    this.recipients.expanded += expanded;
  }

  /** The same for one message, with its submission: it may be one of ours. */
  submitted(submission: Submission, delivered: number, expanded: number): Repeat | null {
    this.plain(submission.mta, Math.floor(submission.first / HOUR), 1, delivered, expanded);
    return this.traffic.submission(submission, this.#inside);
  }

  /** Counts one chain, given the life at its root. */
  tally(root: Life): void {
    if (isPlain(root)) {
      // 8 of 10 messages: accepted, one try each, delivered, no DSN, no second id. Same result as below, without
      // the lists (measured: 0.1 against 0.9 us a message).
      this.plain(root.mta, Math.floor(root.first / HOUR), 1, root.recipients.length, 0);
      if (root.mark !== null) {
        this.marked += 1;
        this.suspects.evidence.add('spf_marked', root);
      }
      if (root.spf !== null) this.spf.results.add(root.spf);
      this.traffic.message(root, this.#inside);
      return;
    }
    this.seen[root.mta] = true;
    const nature = natureOf(root);
    // A probe's answer (`sendmail -bv`) and a notice without a parent are nobody's DSN.
    if (nature === PROBE || nature === NOTHING) return;
    const dsns = dsnsOf(root);
    if (nature === HEADLESS) {
      this.#dsns(root, dsns);
      this.headless += 1;
      return;
    }
    const recipients = recipientsOf(root);
    const isMessage = nature === MESSAGE;
    if (isMessage) this.traffic.message(root, this.#inside);
    const facts = factsOf(root, nature, dsns, recipients);
    const judged = isMessage ? judge(root, dsns, recipients, this.#inside) : null;
    const nullRecipients = isMessage ? NOBODY : this.traffic.nullRecipientsOf(root, recipients, this.#inside);
    const refusing = facts.failed ? refusingOf(recipients) : NOBODY;
    const counted: Counted = { root, dsns, judged, refusing, nullRecipients };
    this.#count(facts, counted);
    this.#outlines.learn(root, facts, counted);
  }

  /** Counts a chain by the facts of another one with its outline; false where it has to be tallied. */
  repeated(chain: Outlined): boolean {
    const found = this.#outlines.find(chain);
    if (found === null) return false;
    this.seen[chain.submission.mta] = true;
    if (found.facts.nature === MESSAGE) this.traffic.submission(chain.submission, this.#inside);
    this.#count(found.facts, found.counted);
    return true;
  }

  #count(facts: Facts, { root, dsns, judged, refusing, nullRecipients }: Counted): void {
    this.#dsns(root, dsns);
    for (const outcome of facts.outcomes) this.recipients[outcome] += 1;
    if (facts.nature === NULL_MESSAGE) {
      this.incomingNull += 1;
      for (const recipient of nullRecipients) this.traffic.nullMessage(root, recipient);
    }
    if (facts.nature !== MESSAGE) return;
    const { failures, failed, cause, checked } = facts;
    if (checked !== null) this.spf.results.add(checked);
    if (dsns.length > 0) {
      const result = checked ?? cause?.replace('spf=', '') ?? null;
      if (result !== null) this.spf.tally(result, failures);
      if (judged !== null) this.suspects.tally(root, judged);
    }
    if (cause !== null) {
      this.marked += 1;
      this.suspects.evidence.add('spf_marked', root);
    }
    const suppressed = failed && failures === 0 && cause !== null;
    this.#message(
      root.mta,
      Math.floor(root.first / HOUR),
      1,
      facts.attempted ? 1 : 0,
      failed ? 1 : 0,
      failures,
      suppressed ? 1 : 0,
    );
    if (!failed) return;
    if (failures > 0) this.accounting.with_dsn += 1;
    else if (suppressed) this.accounting.suppressed += 1;
    else if (facts.ended) this.accounting.withheld += 1;
    else this.accounting.open += 1;
    for (const relay of refusing) this.refusingRelays.add(relay);
    if (facts.reason !== null) this.reasons.addParts(facts.reason.status, facts.reason.text);
  }

  #dsns(root: Counted['root'], dsns: readonly CountedDsn[]): void {
    if (dsns.length === 0) return;
    for (const dsn of dsns) {
      const { kind } = dsn;
      this.dsn[kind] += 1;
      this.dsnOutcomes[dsn.outcome] += 1;
      if (kind !== 'failure' && kind !== 'delay' && kind !== 'success') continue;
      if (dsn.to !== null) this.dsnDomains.add(dsn.domain || '(local)');
    }
    this.traffic.dsns(root, dsns);
  }

  #message(
    mta: Mta,
    hour: number,
    incoming: number,
    delivered: number,
    estimated: number,
    actual: number,
    suppressed: number,
  ): void {
    if (hour !== this.#hour || this.#step === null) {
      this.#hour = hour;
      this.#step = this.hours.get(hour) ?? null;
      if (this.#step === null) {
        this.#step = newFigures();
        this.hours.set(hour, this.#step);
      }
    }
    for (let n = 0; n < 2; n += 1) {
      const figures = n === 0 ? this.figures[mta] : this.#step;
      figures[INCOMING] += incoming;
      figures[DELIVERED] += delivered;
      figures[ESTIMATED] += estimated;
      figures[ACTUAL] += actual;
      figures[SUPPRESSED] += suppressed;
    }
  }

  merge(other: Summary): void {
    this.files += other.files;
    this.bytes += other.bytes;
    for (const c of [RECORDED, IGNORED, FOREIGN, UNRECOGNISED, MALFORMED]) this.lines[c] += other.lines[c];
    this.from = Math.min(this.from, other.from);
    this.to = Math.max(this.to, other.to);
    for (let mta = 0; mta < 3; mta += 1) {
      addFigures(this.figures[mta], other.figures[mta]);
      if (other.seen[mta]) this.seen[mta] = true;
    }
    addCounts(this.accounting, other.accounting);
    addCounts(this.dsn, other.dsn);
    addCounts(this.dsnOutcomes, other.dsnOutcomes);
    addCounts(this.recipients, other.recipients);
    this.rejectedRecipients += other.rejectedRecipients;
    this.rejectedMessages += other.rejectedMessages;
    this.rejectedForNow += other.rejectedForNow;
    this.headless += other.headless;
    this.incomingNull += other.incomingNull;
    this.marked += other.marked;
    this.evicted += other.evicted;
    this.skippedFiles += other.skippedFiles;
    for (const [hour, figures] of other.hours) {
      const step = this.hours.get(hour);
      if (step === undefined) this.hours.set(hour, figures.slice());
      else addFigures(step, figures);
    }
    this.reasons.merge(other.reasons);
    this.dsnDomains.merge(other.dsnDomains);
    this.refusingRelays.merge(other.refusingRelays);
    this.suspects.merge(other.suspects);
    this.spf.merge(other.spf);
    this.traffic.merge(other.traffic);
  }

  clone(): Summary {
    const copy = new Summary(this.#inside);
    copy.merge(this);
    return copy;
  }
}

/** One life, handed in by somebody with a reverse-path, every recipient delivered, nothing else to tell. */
function isPlain(root: Life): boolean {
  if (!root.accepted || !root.arrived || root.refused || root.discarded || root.held) return false;
  if (root.dsns.length > 0 || root.next.length > 0) return false;
  const path = root.reversePath;
  if (path === null || path === '' || path === '#@[]' || path.startsWith('double-bounce@')) return false;
  const recipients = root.recipients;
  if (recipients.length === 0) return false;
  for (const r of recipients) if (r.outcome !== SENT) return false;
  return true;
}

function addFigures(to: Figures, from: Figures): void {
  for (let i = 0; i < 5; i += 1) to[i] += from[i];
}

function addCounts<T extends Record<string, number>>(to: T, from: T): void {
  for (const key of Object.keys(from) as (keyof T)[]) to[key] = (to[key] + from[key]) as T[keyof T];
}
