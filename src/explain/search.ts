/**
 * From an explanation to the chain in the logs that caused the bounce, while the logs stream by.
 *
 * Owns what counts as evidence, and the conclusion. Keeps the chains that match and nothing else; must not know files
 * or formats. A root is looked at inside the callback only: afterwards it is another chain's.
 */
import type { Chain } from '../chains/chain.ts';
import type { Life } from '../chains/life.ts';
import {
  chainOf,
  dsnsOf,
  messageLives,
  NOTHING,
  NULL_MESSAGE,
  natureOf,
  reversePathOf,
} from '../chains/view.ts';
import {
  BOUNCE_TYPES,
  type ChainMatch,
  type Conclusion,
  type ExplainedOriginal,
  type Explanation,
  type LogFindings,
  type MatchCertainty,
  type MatchEvidence,
} from './explanation.ts';
import { isoTime } from './received.ts';

/** Per mail. */
const MOST_MATCHES = 5;
const MOST_HOSTS = 20;
/** Clocks of one host, and a slow session. */
const NEARBY = 120_000;
/** So near to the ends of a log, its lines may be beyond them: clocks differ, and logs are cut between two lines. */
const EDGE = 60_000;
/** An id that stands in a log more than a day away from its time is another message's: ids come again. */
const SAME_ID = 26 * 3_600_000;
/** Longer than messages stay in queues as a rule. */
const LONGEST_IN_QUEUE = 7 * 24 * 3_600_000;

/** What a log could have of one mail. */
interface Wanted {
  /** Ids of the original, with the time at which it got them. */
  readonly ids: Map<string, number | null>;
  /** Of these, those that the maker of the bounce itself gave. */
  readonly makersIds: Set<string>;
  /** The bounce's own id. */
  readonly dsnId: string | null;
  readonly dsnAt: number | null;
  readonly messageIds: Set<string>;
  /** Message-ID of the bounce. */
  readonly ownMessageId: string | null;
  readonly senders: Set<string>;
  readonly recipients: Set<string>;
  readonly arrivedAt: number | null;
  readonly found: ChainMatch[];
  leftOut: number;
  madeHere: boolean;
}

/** Roots of chains go in (`take`), findings come out (`findings`), one per explanation and in their order. */
export class Search {
  readonly #explanations: readonly Explanation[];
  readonly #wanted: readonly Wanted[];
  /** What a chain must have to be worth a closer look. */
  readonly #byKey = new Map<string, Set<Wanted>>();

  constructor(explanations: readonly Explanation[]) {
    this.#explanations = explanations;
    this.#wanted = explanations.map(wantedOf);
    for (const wanted of this.#wanted) {
      for (const id of wanted.ids.keys()) this.#index(`id ${id}`, wanted);
      if (wanted.dsnId !== null) this.#index(`id ${wanted.dsnId}`, wanted);
      for (const id of wanted.messageIds) this.#index(`message ${id}`, wanted);
      if (wanted.ownMessageId !== null) this.#index(`message ${wanted.ownMessageId}`, wanted);
      for (const sender of wanted.senders) this.#index(`sender ${sender}`, wanted);
    }
  }

  #index(key: string, wanted: Wanted): void {
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, new Set([wanted]));
    else known.add(wanted);
  }

  take(root: Life, hostName: (host: number) => string): void {
    const facts = factsOf(root);
    const candidates = new Set<Wanted>();
    for (const key of facts.keys()) for (const wanted of this.#byKey.get(key) ?? []) candidates.add(wanted);
    if (candidates.size === 0) return;
    let chain: Chain | null = null;
    for (const wanted of candidates) {
      chain ??= chainOf(root, hostName);
      const match = matchOf(wanted, facts, chain, natureOf(root));
      if (match === null) continue;
      if (match.makersOwn) wanted.madeHere = true;
      keepBest(wanted, match.match);
    }
  }

  /**
   * `from` and `to`: times of the first and the last line, ms; not finite when there was none. What was not read
   * (`whole` is false) may have had the chain: then nothing is said to be missing.
   */
  findings(hosts: readonly string[], from: number, to: number, whole: boolean): LogFindings[] {
    return this.#wanted.map((wanted, i) => ({
      hosts: hosts.slice(0, MOST_HOSTS),
      from: Number.isFinite(from) ? isoTime(from) : null,
      to: Number.isFinite(to) ? isoTime(to) : null,
      conclusion: conclusionOf(wanted, this.#explanations[i], whole ? { from, to } : null),
      matches: wanted.found,
      matches_left_out: wanted.leftOut,
    }));
  }
}

function wantedOf(explanation: Explanation): Wanted {
  const { original, reporter, mail } = explanation;
  const wanted: Wanted = {
    ids: new Map(),
    makersIds: new Set(),
    dsnId: idOf(reporter?.queue_id ?? null, reporter?.qp ?? null),
    dsnAt: timeOf(reporter?.at ?? null),
    messageIds: new Set(),
    ownMessageId: messageKey(mail.message_id),
    senders: new Set(),
    recipients: new Set(),
    arrivedAt: timeOf(innermost(original)?.arrived_at ?? innermost(original)?.date ?? null),
    found: [],
    leftOut: 0,
    madeHere: false,
  };
  for (let level = original; level !== null; level = level.original) {
    const own = idOf(level.queue_id, level.qp);
    if (own !== null) {
      wanted.ids.set(own, timeOf(level.arrived_at));
      wanted.makersIds.add(own);
    }
    for (const hop of level.hops) {
      const id = idOf(hop.queue_id, hop.qp);
      if (id !== null && !wanted.ids.has(id)) wanted.ids.set(id, timeOf(hop.at));
    }
    const message = messageKey(level.message_id);
    if (message !== null) wanted.messageIds.add(message);
    if (level.reverse_path) wanted.senders.add(level.reverse_path.toLowerCase());
  }
  for (const { recipient, original_recipient } of explanation.recipients) {
    if (recipient !== null) wanted.recipients.add(recipient.toLowerCase());
    if (original_recipient !== null) wanted.recipients.add(original_recipient.toLowerCase());
  }
  return wanted;
}

function innermost(original: ExplainedOriginal | null): ExplainedOriginal | null {
  let level = original;
  while (level !== null && level.original !== null) level = level.original;
  return level;
}

/** qmail's process numbers stand apart from queue ids. */
function idOf(queueId: string | null, qp: number | null): string | null {
  if (queueId !== null) return queueId;
  return qp === null ? null : `qp ${qp}`;
}

/** An empty one (`message-id=<>`) stands for nothing. */
function messageKey(messageId: string | null): string | null {
  return messageId?.trim().replace(/^<|>$/g, '') || null;
}

function timeOf(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso);
}

/** What a chain has that a mail may want. */
class Facts {
  readonly ids = new Map<string, number>();
  readonly dsnIds = new Map<string, number>();
  readonly messageIds = new Set<string>();
  sender: string | null = null;

  *keys(): IterableIterator<string> {
    for (const id of this.ids.keys()) yield `id ${id}`;
    for (const id of this.dsnIds.keys()) yield `id ${id}`;
    for (const id of this.messageIds) yield `message ${id}`;
    if (this.sender !== null) yield `sender ${this.sender}`;
  }
}

function factsOf(root: Life): Facts {
  const facts = new Facts();
  for (const life of messageLives(root)) {
    facts.ids.set(life.id, life.first);
    if (life.qp >= 0) facts.ids.set(`qp ${life.qp}`, life.first);
    const message = messageKey(life.messageId);
    if (message !== null) facts.messageIds.add(message);
  }
  for (const { link } of dsnsOf(root)) {
    if (link.qp >= 0) facts.dsnIds.set(`qp ${link.qp}`, link.at);
    if (link.child === null) continue;
    for (const life of messageLives(link.child)) {
      facts.dsnIds.set(life.id, life.first);
      if (life.qp >= 0) facts.dsnIds.set(`qp ${life.qp}`, life.first);
    }
  }
  facts.sender = reversePathOf(root)?.toLowerCase() || null;
  return facts;
}

interface Match {
  readonly match: ChainMatch;
  /** By an id that only the maker of the bounce can have given. */
  readonly makersOwn: boolean;
}

function matchOf(wanted: Wanted, facts: Facts, chain: Chain, nature: number): Match | null {
  const by = new Set<MatchEvidence>();
  const sameSender = facts.sender !== null && wanted.senders.has(facts.sender);
  const sameRecipient = [...chain.recipients, ...chain.dsns].some((r) => {
    const names = [r.recipient, 'original_recipient' in r ? r.original_recipient : null];
    return names.some((name) => name !== null && wanted.recipients.has(name.toLowerCase()));
  });
  const agreed = sameSender && sameRecipient;
  let makersOwn = false;
  for (const [id, at] of facts.ids) {
    if (!wanted.ids.has(id) || !isSameId(id, at, wanted.ids.get(id) ?? null, agreed)) continue;
    by.add('queue_id');
    if (wanted.makersIds.has(id)) makersOwn = true;
  }
  for (const [id, at] of facts.dsnIds) {
    // A DSN that is the original of this bounce is a part of the chain that is looked for.
    if (wanted.ids.has(id) && isSameId(id, at, wanted.ids.get(id) ?? null, agreed)) by.add('queue_id');
    if (wanted.dsnId !== id || !isSameId(id, at, wanted.dsnAt, agreed)) continue;
    by.add('dsn_queue_id');
    makersOwn = true;
  }
  const wasReturned = wanted.messageIds.size > 0 && facts.messageIds.size > 0;
  if ([...facts.messageIds].some((id) => wanted.messageIds.has(id))) by.add('message_id');
  const isOther = wasReturned && !by.has('message_id') && !by.has('dsn_queue_id');
  if (sameSender) by.add('reverse_path');
  if (sameRecipient) by.add('recipient');
  const first = timeOf(chain.first_seen);
  const last = timeOf(chain.last_seen);
  if (isNear(wanted.arrivedAt, first, first) || isNear(wanted.dsnAt, first, last)) by.add('time');
  const certainty = certaintyOf(by, isOther, wanted, first);
  if (certainty !== null && (nature !== NOTHING || by.has('queue_id') || by.has('dsn_queue_id'))) {
    return { match: { certainty, by: order(by), role: 'cause', chain }, makersOwn };
  }
  return arrivalOf(wanted, facts, chain, nature);
}

/** The bounce itself came in through here, or is a notice that is nobody's DSN. */
function arrivalOf(wanted: Wanted, facts: Facts, chain: Chain, nature: number): Match | null {
  const byMessage = wanted.ownMessageId !== null && facts.messageIds.has(wanted.ownMessageId);
  const at = wanted.dsnId === null ? undefined : facts.ids.get(wanted.dsnId);
  const byId = at !== undefined && wanted.dsnId !== null && isSameId(wanted.dsnId, at, wanted.dsnAt, false);
  if (!byMessage && !byId) return null;
  const certainty = byId || nature === NULL_MESSAGE ? 'certain' : 'likely';
  const by: MatchEvidence[] = [
    ...(byId ? (['dsn_queue_id'] as const) : []),
    ...(byMessage ? (['message_id'] as const) : []),
  ];
  return { match: { certainty, by, role: 'arrival', chain }, makersOwn: byId };
}

/** qmail's process numbers come again within hours: without agreeing addresses, only the minute counts. */
function isSameId(id: string, at: number, expected: number | null, addressesAgree: boolean): boolean {
  const isProcess = id.startsWith('qp ');
  if (expected === null || Number.isNaN(at)) return !isProcess || addressesAgree;
  return Math.abs(at - expected) <= (isProcess && !addressesAgree ? NEARBY : SAME_ID);
}

function isNear(at: number | null, first: number | null, last: number | null): boolean {
  return at !== null && first !== null && last !== null && at >= first - NEARBY && at <= last + NEARBY;
}

function certaintyOf(
  by: ReadonlySet<MatchEvidence>,
  isOther: boolean,
  wanted: Wanted,
  first: number | null,
): MatchCertainty | null {
  const addresses = by.has('reverse_path') && by.has('recipient');
  const byId = by.has('queue_id') || by.has('dsn_queue_id');
  if (by.has('message_id')) {
    return byId || by.has('time') || by.has('reverse_path') || by.has('recipient') ? 'certain' : 'likely';
  }
  if (byId && !isOther) {
    if (by.has('time') || addresses) return 'certain';
    return by.has('reverse_path') || by.has('recipient') ? 'likely' : 'possible';
  }
  // Another Message-ID: the same people, another message.
  if (isOther || !addresses) return null;
  if (by.has('time')) return 'likely';
  const at = wanted.arrivedAt ?? wanted.dsnAt;
  return at !== null && first !== null && Math.abs(at - first) <= LONGEST_IN_QUEUE ? 'possible' : null;
}

const ORDER: readonly MatchEvidence[] = [
  'queue_id',
  'dsn_queue_id',
  'message_id',
  'reverse_path',
  'recipient',
  'time',
];

function order(by: ReadonlySet<MatchEvidence>): MatchEvidence[] {
  return ORDER.filter((evidence) => by.has(evidence));
}

const RANK: Readonly<Record<MatchCertainty, number>> = { certain: 3, likely: 2, possible: 1 };

function weightOf(match: ChainMatch): number {
  return RANK[match.certainty] * 100 + (match.role === 'cause' ? 50 : 0) + match.by.length;
}

/** Sorted, the best first; of equals the earlier one. */
function keepBest(wanted: Wanted, match: ChainMatch): void {
  const at = wanted.found.findIndex((other) => weightOf(other) < weightOf(match));
  wanted.found.splice(at < 0 ? wanted.found.length : at, 0, match);
  if (wanted.found.length <= MOST_MATCHES) return;
  wanted.found.pop();
  wanted.leftOut += 1;
}

function conclusionOf(
  wanted: Wanted,
  explanation: Explanation,
  covered: { from: number; to: number } | null,
): Conclusion {
  if (wanted.madeHere) return 'made_here';
  if (wanted.found.some((match) => match.role === 'cause')) return 'passed_here';
  if (!BOUNCE_TYPES.has(explanation.type)) return 'nothing_to_look_for';
  const { ids, messageIds, senders, recipients, dsnId } = wanted;
  const named =
    ids.size > 0 || messageIds.size > 0 || dsnId !== null || (senders.size > 0 && recipients.size > 0);
  if (!named) return 'nothing_to_look_for';
  const at = wanted.arrivedAt ?? wanted.dsnAt;
  if (at === null || covered === null) return 'not_covered';
  return at >= covered.from + EDGE && at <= covered.to - EDGE ? 'not_here' : 'not_covered';
}
