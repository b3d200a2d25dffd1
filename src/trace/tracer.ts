/**
 * Chains that are what is looked for -> traces: the chain, its lives, their events, and what the log does not tell.
 *
 * Owns the gaps and the order of lives. One per run: give it every line and every chain. Must not know formats or files.
 */
import type { TakenLine } from '../analysis/analysis.ts';
import type { Chain, Suspect } from '../chains/chain.ts';
import type { Joiner } from '../chains/joiner.ts';
import { CONTINUES, isFinal, type Life, REPORTS, recipientsLeft } from '../chains/life.ts';
import {
  type ChainJudge,
  chainOf,
  dsnsOf,
  HEADLESS,
  isoTime,
  livesOf,
  MESSAGE,
  NOTHING,
  NULL_MESSAGE,
  natureOf,
  outcomeOf,
  PROBE,
  recipientsOf,
} from '../chains/view.ts';
import {
  END_REQUEUED,
  MTA_NAMES,
  ORIGIN_UNKNOWN,
  POSTFIX,
  QMAIL,
  RECORDED,
  REFUSAL,
  REJECT,
  SENDMAIL,
} from '../records/record.ts';
import { asciiText } from '../records/text.ts';
import { eventsOf, unlatin } from './events.ts';
import { Keeper, type KeeperOptions } from './keeper.ts';
import type { Gap, GapKind, Trace, TraceLife, TraceRefusals } from './trace.ts';
import { dsnKinds, matchesOf, namesAddress, type What } from './what.ts';

export interface TracerOptions extends KeeperOptions {
  /** Chains that were accepted from here on (ms since the epoch), and before `until`. */
  readonly since: number | null;
  readonly until: number | null;
  /** Asked once about every chain within that time: what a chain is suspected of may depend on those before it. */
  readonly judged: ChainJudge;
}

/** A chain that is what was looked for. */
export interface Found {
  readonly root: Life;
  readonly suspect: Suspect | null;
  readonly matchedBy: Trace['matched_by'];
  /** The number of the root in order of beginning, and whether lines of the chain were dropped for want of room. */
  readonly number: number;
  readonly lossy: boolean;
}

const NATURES: Readonly<Record<number, Trace['nature']>> = {
  [MESSAGE]: 'message',
  [NULL_MESSAGE]: 'null_message',
  [HEADLESS]: 'headless',
  [PROBE]: 'probe',
  [NOTHING]: 'nothing',
};

/** Refusals that are kept with their texts: the last ones. */
const MOST_REFUSALS = 10;

export class Tracer {
  readonly #what: What;
  readonly #since: number;
  readonly #until: number;
  readonly #judged: ChainJudge;
  readonly #keeper: Keeper;
  readonly #refusals: { at: number; host: number; text: string }[] = [];
  #refusalCount = 0;
  #firstRefusal = Number.NaN;
  #lastRefusal = Number.NaN;
  /** End of the log so far. */
  #now = Number.NEGATIVE_INFINITY;

  constructor(what: What, options: TracerOptions) {
    this.#what = what;
    this.#since = options.since ?? Number.NEGATIVE_INFINITY;
    this.#until = options.until ?? Number.POSITIVE_INFINITY;
    this.#judged = options.judged;
    this.#keeper = new Keeper(options);
  }

  line(taken: TakenLine, joiner: Joiner): void {
    this.#now = joiner.state.now;
    this.#keeper.line(taken, joiner);
    if (taken.lineClass !== RECORDED || this.#what.address === null) return;
    const { kind } = taken.record;
    if (kind === REJECT || (kind === REFUSAL && taken.life === null)) this.#refused(taken);
  }

  /** The log goes on to here (ms), without a line for this tracer. */
  endsAt(now: number): void {
    if (now > this.#now) this.#now = now;
  }

  /** To be asked about every chain, and then to be told to forget it. */
  look(root: Life): Found | null {
    if (root.first < this.#since || root.first >= this.#until) return null;
    const suspect = this.#suspectOf(root);
    const matchedBy = matchesOf(root, this.#what);
    if (matchedBy.length === 0) return null;
    return {
      root,
      suspect,
      matchedBy,
      number: this.#keeper.numberOf(root),
      lossy: livesOf(root).some((life) => this.#keeper.of(life).lost > 0),
    };
  }

  /** Numbers of the lives of a chain, for reading the input once more. */
  numbersOf(root: Life): number[] {
    return livesOf(root).map((life) => this.#keeper.numberOf(life));
  }

  forget(root: Life): void {
    this.#keeper.forget(root);
  }

  trace({ root, suspect, matchedBy }: Found, hostName: (host: number) => string): Trace {
    const chain = chainOf(root, hostName, () => suspect);
    const kinds = dsnKinds(root);
    const lives: TraceLife[] = [];
    for (const life of livesOf(root)) lives.push(this.#lifeOf(life, kinds, hostName));
    return {
      schema_version: 1,
      kind: 'trace',
      what: this.#what.text,
      matched_by: matchedBy,
      nature: NATURES[natureOf(root)],
      chain,
      lives,
    };
  }

  /** What was refused in the SMTP dialogue and names the address; null where nothing was. */
  refusals(hostName: (host: number) => string): TraceRefusals | null {
    if (this.#refusalCount === 0) return null;
    return {
      schema_version: 1,
      kind: 'refusals',
      what: this.#what.text,
      count: this.#refusalCount,
      first_at: isoTime(this.#firstRefusal),
      last_at: isoTime(this.#lastRefusal),
      last: this.#refusals.map(({ at, host, text }) => ({
        at: isoTime(at),
        host: hostName(host) || null,
        text,
      })),
    };
  }

  #suspectOf(root: Life): Suspect | null {
    const nature = natureOf(root);
    if (nature !== MESSAGE && nature !== NULL_MESSAGE && nature !== HEADLESS) return null;
    const dsns = dsnsOf(root);
    return dsns.length === 0 ? null : this.#judged(root, dsns, recipientsOf(root));
  }

  #refused({ head }: TakenLine): void {
    const { instant } = head;
    if (!Number.isNaN(instant) && (instant < this.#since || instant >= this.#until)) return;
    const text = unlatin(asciiText(head.bytes, head.textStart, head.textEnd));
    if (!namesAddress(text.toLowerCase(), this.#what)) return;
    this.#refusalCount += 1;
    if (Number.isNaN(this.#firstRefusal)) this.#firstRefusal = instant;
    this.#lastRefusal = instant;
    this.#refusals.push({ at: instant, host: head.host, text });
    if (this.#refusals.length > MOST_REFUSALS) this.#refusals.shift();
  }

  #lifeOf(life: Life, kinds: ReturnType<typeof dsnKinds>, hostName: (host: number) => string): TraceLife {
    const kept = this.#keeper.of(life);
    return {
      mta: MTA_NAMES[life.mta],
      host: hostName(life.host) || null,
      queue_id: life.id,
      ...(life.mta === QMAIL ? { qp: life.qp < 0 ? null : life.qp } : {}),
      relation: life.relation === CONTINUES ? 'continues' : life.relation === REPORTS ? 'dsn' : 'message',
      parent_queue_id: life.parent?.id ?? null,
      first_seen: isoTime(life.first),
      last_seen: isoTime(life.last),
      ended: life.end !== 0,
      events: eventsOf(life, kept.lines, kinds),
      gaps: [...this.#gapsOf(life, kinds, kept.lost)],
    };
  }

  *#gapsOf(life: Life, kinds: ReturnType<typeof dsnKinds>, lost: number): IterableIterator<Gap> {
    const gap = (kind: GapKind, text: string): Gap => ({ gap: kind, text });
    if (lost > 0)
      yield gap(
        'lines_not_kept',
        `${lost} lines of it were not kept, for want of memory, and this input cannot be read twice`,
      );
    if (life.head === 0) {
      yield gap('no_line', 'named by another id, but no line of its own is in the log');
      return;
    }
    if (life.parent === null && natureOf(life) === HEADLESS)
      yield gap('beginning_missing', 'its beginning is not in the log');
    else if (life.parent === null && life.mta === QMAIL && life.origin === ORIGIN_UNKNOWN)
      yield gap(
        'client_missing',
        `client unknown: qmail-send logs none, and no line of the SMTP side names qp ${life.qp}`,
      );
    const unnamed = recipientsLeft(life) - life.recipients.length;
    if (unnamed > 0 && life.recipients.length > 0 && life.next.length === 0 && !life.discarded && !life.held)
      yield gap(
        'recipients_missing',
        `${unnamed} of ${recipientsLeft(life)} recipients are named by no line${life.end === 0 ? ' yet' : ''}`,
      );
    for (const r of life.recipients) {
      if (isFinal(r.outcome) || life.end === 0 || life.impliedEnd || life.end === END_REQUEUED) continue;
      const outcome = outcomeOf(life, r);
      if (outcome !== 'deferred' && outcome !== 'deleted') continue;
      if (life.mta === POSTFIX && !life.endByQueueManager && outcome === 'deleted') continue;
      yield gap('outcome_missing', `it is over, but the log does not say what became of <${r.address}>`);
    }
    for (const link of life.dsns) {
      if (link.child === null)
        yield gap('dsn_missing', 'a DSN was announced, but which message it is cannot be told from the log');
      else if (!kinds.has(link))
        yield gap('dsn_missing', `${link.child.id} was announced as a DSN, but none was made of it`);
    }
    const failed = life.recipients.some((r) => isFailure(outcomeOf(life, r)));
    if (
      failed &&
      life.dsns.length === 0 &&
      life.mark === null &&
      !life.dsnLost &&
      life.reversePath !== '#@[]' &&
      life.reversePath !== '' &&
      life.reversePath !== null
    )
      yield gap(
        'dsn_missing',
        life.end === 0 && !life.closed
          ? 'a recipient failed and no DSN is in the log so far'
          : 'a recipient failed and no DSN is in the log: not wanted (NOTIFY), or its lines are missing',
      );
    if (life.end !== 0 || !mayGoOn(life)) return;
    yield life.closed
      ? gap('went_silent', `its end is not in the log: nothing was heard of it after ${isoTime(life.last)}`)
      : gap('not_ended', `not ended when the log does, at ${isoTime(this.#now)}`);
  }
}

function isFailure(outcome: Chain['recipients'][number]['outcome']): boolean {
  return outcome === 'failed' || outcome === 'expired';
}

/** Whether an end is to be expected at all. */
function mayGoOn(life: Life): boolean {
  if (life.refused) return false;
  // Handed over, and what comes back under another id says the rest.
  if (life.mta === SENDMAIL && life.next.length > 0 && life.allRecipientsDone()) return false;
  return !(life.mta === POSTFIX && life.size < 0 && life.recipients.length > 0 && life.allRecipientsDone());
}
