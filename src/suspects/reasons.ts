/**
 * Why a chain is suspect: the reasons, what each weighs, and what they mean in words.
 *
 * Pure data, one row per reason, strongest first. docs/backscatter.md explains them to postmasters.
 */

/** What a reason does to the verdict. */
export type Strength = 'confirms' | 'likely' | 'possible' | 'adds' | 'lowers';

export interface ReasonEntry {
  readonly name: string;
  readonly strength: Strength;
  /** The score that it stands for by itself; for `adds` and `lowers`, what it changes. */
  readonly points: number;
  /** A few words for tables. */
  readonly words: string;
}

export const REASONS = [
  {
    name: 'dsn_undeliverable',
    strength: 'confirms',
    points: 90,
    words: 'the DSN itself could not be delivered',
  },
  {
    name: 'spf_fail',
    strength: 'likely',
    points: 75,
    words: 'SPF fail: the client may not send for the reverse-path',
  },
  { name: 'spf_softfail', strength: 'likely', points: 65, words: 'SPF softfail' },
  {
    name: 'content_refused_after_accept',
    strength: 'likely',
    points: 65,
    words: 'the next hop refused the content after that',
  },
  {
    name: 'accepted_then_refused_by_next_hop',
    strength: 'likely',
    points: 60,
    words: 'the next hop refused after we had accepted',
  },
  {
    name: 'accepted_then_failed_locally',
    strength: 'likely',
    points: 55,
    words: 'accepted, then failed on this host',
  },
  { name: 'return_receipt', strength: 'likely', points: 55, words: 'a return receipt to a stranger' },
  { name: 'loop', strength: 'likely', points: 50, words: 'a mail loop (Delivered-To, too many hops)' },
  {
    name: 'accepted_then_failed',
    strength: 'possible',
    points: 30,
    words: 'failed, and no next hop answered',
  },
  {
    name: 'accepted_then_expired',
    strength: 'possible',
    points: 30,
    words: 'given up after too long in the queue',
  },
  { name: 'delay_warning', strength: 'possible', points: 25, words: 'a delay warning to a stranger' },
  {
    name: 'dsn_stuck',
    strength: 'possible',
    points: 35,
    words: 'the DSN is stuck in the queue',
  },
  {
    name: 'burst_from_client',
    strength: 'adds',
    points: 10,
    words: 'the client is behind ten suspects or more',
  },
  {
    name: 'many_dsns_to_one_address',
    strength: 'adds',
    points: 10,
    words: 'the address gets ten DSNs of suspects or more',
  },
  { name: 'client_unknown', strength: 'lowers', points: -15, words: 'the log does not name the client' },
  { name: 'spf_pass', strength: 'lowers', points: -30, words: 'SPF pass: the reverse-path is not forged' },
] as const satisfies readonly ReasonEntry[];

export type Reason = (typeof REASONS)[number]['name'];

const BITS = new Map<Reason, number>(REASONS.map(({ name }, i) => [name, 1 << i]));

/** Sets of reasons are numbers, a bit for each. */
export function bitOf(name: Reason): number {
  return BITS.get(name)!;
}

const BY_NAME: ReadonlyMap<string, ReasonEntry> = new Map(REASONS.map((entry) => [entry.name, entry]));

export function reasonEntry(name: Reason): ReasonEntry {
  return BY_NAME.get(name)!;
}

/** What a reason means, in words; the name itself for one that we do not know (a newer summary's). */
export function reasonWords(name: string): string {
  return BY_NAME.get(name)?.words ?? name;
}
