/**
 * What the figures ask of a chain that is over, apart from names and times. Chains with the same outline
 * (chains/light.ts) have the same facts, so those of the first stand for all of them.
 *
 * Definitions: contract section 2. Must not count.
 */
import type { DsnKind, Outcome } from '../chains/chain.ts';
import type { Life } from '../chains/life.ts';
import type { Outlined } from '../chains/light.ts';
import {
  hasEnded,
  hasFailed,
  MESSAGE,
  type SeenDsn,
  type SeenRecipient,
  senderChecked,
  statusOf,
  suppressionCause,
  wasAttempted,
} from '../chains/view.ts';
import { domainOf } from '../dsn/address.ts';
import { reasonClass } from '../dsn/reasons.ts';
import type { Inside } from '../suspects/inside.ts';
import { isAnybodys, type Judged } from '../suspects/judge.ts';

export interface Facts {
  /** chains/view.ts. */
  readonly nature: number;
  /** Of every recipient. */
  readonly outcomes: readonly Outcome[];
  /** Failure DSNs. */
  readonly failures: number;
  readonly attempted: boolean;
  readonly failed: boolean;
  readonly ended: boolean;
  /** Of a suppression. */
  readonly cause: string | null;
  /** SPF's result. */
  readonly checked: string | null;
  /** Of its first failed recipient, when a DSN told of it. */
  readonly reason: { readonly status: string; readonly text: string } | null;
}

/** A DSN as it is counted. */
export type CountedDsn = Pick<SeenDsn, 'kind' | 'outcome' | 'to' | 'domain' | 'at' | 'answered'> &
  Partial<Pick<SeenDsn, 'about'>>;

/** A chain as it is counted: names and times. */
export interface Counted {
  readonly root: Pick<Life, 'mta' | 'id' | 'first' | 'clientIp'>;
  readonly dsns: readonly CountedDsn[];
  /** null where it is no suspect. */
  readonly judged: Judged | null;
  /** Next hops that refused a recipient. */
  readonly refusing: readonly string[];
  /** Whom a stranger's message with a null reverse-path is for. */
  readonly nullRecipients: readonly string[];
}

export function factsOf(
  root: Life,
  nature: number,
  dsns: readonly SeenDsn[],
  recipients: readonly SeenRecipient[],
): Facts {
  let failures = 0;
  for (const { kind } of dsns) if (kind === 'failure') failures += 1;
  const outcomes = recipients.map(({ outcome }) => outcome);
  // Of others, nothing else is counted.
  const isMessage = nature === MESSAGE;
  const failed = isMessage && (failures > 0 || hasFailed(root));
  return {
    nature,
    outcomes,
    failures,
    attempted: isMessage && wasAttempted(root),
    failed,
    ended: failed && hasEnded(root),
    cause: isMessage ? suppressionCause(root) : null,
    checked: isMessage ? senderChecked(root) : null,
    reason: isMessage && failures > 0 ? reasonOf(recipients) : null,
  };
}

const NOBODY: readonly string[] = [];

/** Next hops that refused a recipient. */
export function refusingOf(recipients: readonly SeenRecipient[]): readonly string[] {
  const relays: string[] = [];
  for (const { recipient: r, outcome } of recipients) {
    if (r === null || outcome !== 'failed' || r.relay === null || !r.relay.includes('[')) continue;
    relays.push(r.relay);
  }
  return relays;
}

/** One reason per message that got a DSN: its first failed recipient's. */
function reasonOf(recipients: readonly SeenRecipient[]): Facts['reason'] {
  for (const { life, recipient: r, outcome } of recipients) {
    if (r === null || (outcome !== 'failed' && outcome !== 'expired')) continue;
    const status = statusOf(life, r) ?? (outcome === 'expired' ? '4.4.7' : '5.0.0');
    return { status, text: reasonClass(r.reply, status, outcome === 'expired') };
  }
  return null;
}

/** Outlines that are remembered: 1 GB has some thousands, a hostile log as many as it likes. */
const MOST_OUTLINES = 4096;

/** What was found out about the first chain of an outline. */
interface Known {
  readonly facts: Facts;
  readonly dsns: readonly KnownDsn[];
  readonly judged: Judged | null;
  readonly refusing: readonly string[];
  /** How often its recipient is among nullRecipients: twice behind an alias. */
  readonly nullRecipients: number;
}

interface KnownDsn {
  readonly kind: DsnKind;
  readonly outcome: SeenDsn['outcome'];
  /** It is about the message, for its sender. */
  readonly isForSender: boolean;
}

/** Facts by outline. null: its chains differ in more than names. */
export class Outlines {
  readonly #known = new Map<number, Known | null>();
  readonly #inside: Inside;
  /** The chain that is about to be counted as lives, for want of facts, and its place. */
  #sought: Outlined | null = null;
  #place = 0;

  constructor(inside: Inside) {
    this.#inside = inside;
  }

  /** Facts and names of this chain; null where it has to become lives. */
  find(chain: Outlined): { readonly facts: Facts; readonly counted: Counted } | null {
    this.#sought = null;
    const { reversePath, clientIp } = chain.submission;
    const domain = domainOf(reversePath);
    if (!isAnybodys(reversePath, domain, this.#inside)) return null;
    // An outline has 52 bits; one is left for whose client it was.
    const place = 2 * chain.outline + (clientIp !== null && this.#inside.hasNetwork(clientIp) ? 1 : 0);
    const known = this.#known.get(place);
    if (known === undefined) {
      this.#sought = chain;
      this.#place = place;
    }
    return known === undefined || known === null
      ? null
      : { facts: known.facts, counted: countedAs(known, chain, domain) };
  }

  /** A chain has become lives and is counted: it may be the one that was sought. */
  learn(root: Life, facts: Facts, counted: Counted): void {
    const sought = this.#sought;
    if (sought === null) return;
    this.#sought = null;
    const { id, first } = sought.submission;
    if (root.id !== id || root.first !== first) return;
    if (this.#known.size >= MOST_OUTLINES) this.#known.clear();
    this.#known.set(this.#place, knownOf(root, facts, counted, sought));
  }
}

function countedAs(
  { dsns, judged, refusing, nullRecipients }: Known,
  chain: Outlined,
  domain: string,
): Counted {
  const { submission, announced } = chain;
  return {
    root: submission,
    dsns: dsns.map((dsn, i) => dsnAs(dsn, announced[i], submission.reversePath, domain)),
    judged: judged === null ? null : judgedAs(judged, chain, domain),
    refusing: refusing.map((hop) => hopAs(hop, chain)),
    nullRecipients: nullRecipients === 0 ? NOBODY : Array<string>(nullRecipients).fill(chain.recipient),
  };
}

function dsnAs(
  { kind, outcome, isForSender }: KnownDsn,
  at: number,
  sender: string,
  domain: string,
): CountedDsn {
  if (isForSender) return { kind, outcome, to: sender, domain, at, answered: sender };
  return { kind, outcome, to: null, domain: '', at, answered: '' };
}

/** A next hop that is none of the chain's names is one of its facts. */
function hopAs(hop: string, { relay }: Outlined): string {
  return relay === '' ? hop : relay;
}

function judgedAs({ suspect, reasons, victims, failed }: Judged, chain: Outlined, domain: string): Judged {
  const { recipient, submission } = chain;
  const { clientIp, reversePath } = submission;
  return {
    suspect,
    reasons,
    clientIp,
    victims: victims.map(() => reversePath),
    domain,
    failed: failed.map(({ reason, failure, hop, agent }) => ({
      address: recipient,
      reason,
      failure,
      hop: hop === null ? null : hopAs(hop, chain),
      agent,
    })),
  };
}

/** Nothing is taken for granted: the names that the lives have are those of the row, in their places. */
function knownOf(root: Life, facts: Facts, counted: Counted, chain: Outlined): Known | null {
  const { dsns, judged, refusing, nullRecipients } = counted;
  const { submission, recipient } = chain;
  const { reversePath } = submission;
  if (facts.cause !== null || facts.checked !== null || root.passes.length > 0) return null;
  if (
    root.reversePath !== reversePath ||
    root.clientIp !== submission.clientIp ||
    root.authUser !== submission.authUser
  )
    return null;
  if (nullRecipients.some((address) => address !== recipient)) return null;
  if (refusing.length > 1 || refusing.some((hop) => hop !== hopAs(hop, chain))) return null;
  const known: KnownDsn[] = [];
  for (const [i, { kind, outcome, to, at, answered }] of dsns.entries()) {
    // Only of what tells a sender anything is it counted whom it went to.
    const isForSender = kind === 'failure' || kind === 'delay' || kind === 'success';
    if (isForSender ? to !== reversePath || answered !== reversePath : kind !== 'double_bounce' || answered)
      return null;
    if (at !== chain.announced[i]) return null;
    known.push({ kind, outcome, isForSender });
  }
  if (judged !== null) {
    const { victims, failed } = judged;
    if (victims.some((victim) => victim !== reversePath) || failed.length > 1) return null;
    if (
      failed.some(({ address, hop }) => address !== recipient || (hop !== null && hop !== hopAs(hop, chain)))
    )
      return null;
  }
  return {
    facts,
    dsns: known,
    judged,
    refusing,
    nullRecipients: nullRecipients.length,
  };
}
