/**
 * Evidence -> the list: each address's state, and per domain whether there is enough of it for a map.
 * Keys are snake_case because this is the JSON (docs/recipients.md).
 */
import { isoTime } from '../chains/view.ts';
import { type Unfit, unfit } from './addresses.ts';
import type { AddressEvidence, Evidence } from './evidence.ts';

export interface ListedRecipient {
  readonly address: string;
  readonly domain: string;
  /** valid: delivered, and not refused for a day or longer since; unknown: only outcomes that prove nothing. */
  readonly state: 'valid' | 'invalid' | 'unknown';
  readonly deliveries: number;
  readonly refusals: number;
  readonly undecided: number;
  readonly first_seen: string | null;
  readonly last_delivered: string | null;
  readonly last_refused: string | null;
  readonly status: string | null;
  readonly relay: string | null;
  readonly reply: string | null;
  /** Why no map has it: characters that a map line cannot carry, or made for one message (SRS, BATV). */
  readonly unfit: Unfit | null;
}

export interface ListedDomain {
  readonly domain: string;
  readonly valid: number;
  readonly invalid: number;
  readonly unknown: number;
  readonly deliveries: number;
  readonly refusals: number;
  /** Valid addresses that one delivery only speaks for. */
  readonly seen_once: number;
  /** Part of the next mail to valid addresses that goes to one that is not listed (Good and Turing); null without mail. */
  readonly missing_share: number | null;
  /** Both delivered and refused. */
  readonly conflicting: number;
  /** Valid, but in no map. */
  readonly unfit: { readonly characters: number; readonly temporary: number };
  /** Valid, with a plus sign: extensions, perhaps. */
  readonly with_plus: number;
  /** Why there is too little for a map; empty where there is enough. */
  readonly too_little: readonly string[];
}

export interface RecipientList {
  readonly schema_version: 1;
  readonly kind: 'recipients';
  readonly complete: boolean;
  readonly generated_at: string;
  readonly period: { readonly from: string | null; readonly to: string | null };
  readonly domains: readonly ListedDomain[];
  /** By domain and address. */
  readonly recipients: readonly ListedRecipient[];
  /** Refusals of addresses beyond those that are kept. */
  readonly refusals_not_listed: number;
  /** qmail: refusals of addresses with `_`, of which the real spelling is unknown. */
  readonly refusals_ambiguous: number;
}

export interface ListOptions {
  readonly domains: readonly string[];
  /** First and last instant of the log within the window asked for; NaN or infinite without any. */
  readonly from: number;
  readonly to: number;
  readonly complete: boolean;
  readonly generatedAt: Date;
}

/** A week has every weekday; fewer deliveries have not seen the half of a small site. */
export const LEAST_DAYS = 7;
export const LEAST_DELIVERIES = 20;
/** More of the mail than this may not go to addresses that the list lacks. */
export const MOST_MISSING = 0.1;
const DAY = 24 * 3_600_000;

export function recipientList(evidence: Evidence, options: ListOptions): RecipientList {
  const all = [...evidence.addresses.values()];
  const order = new Map(options.domains.map((domain, i) => [domain, i]));
  const recipients = all.map(listed).sort((a, b) => {
    const apart = (order.get(a.domain) ?? 0) - (order.get(b.domain) ?? 0);
    return apart !== 0 ? apart : a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
  });
  return {
    schema_version: 1,
    kind: 'recipients',
    complete: options.complete,
    generated_at: options.generatedAt.toISOString(),
    period: { from: isoTime(options.from), to: isoTime(options.to) },
    domains: options.domains.map((domain) =>
      listedDomain(
        domain,
        recipients.filter((r) => r.domain === domain),
        options,
      ),
    ),
    recipients,
    refusals_not_listed: evidence.overflow,
    refusals_ambiguous: evidence.ambiguous,
  };
}

function listed(known: AddressEvidence): ListedRecipient {
  return {
    address: known.key,
    domain: known.domain,
    state: stateOf(known),
    deliveries: known.deliveries,
    refusals: known.refusals,
    undecided: known.undecided,
    first_seen: isoTime(known.first),
    last_delivered: isoTime(known.lastDelivered),
    last_refused: isoTime(known.lastRefused),
    status: known.status,
    relay: known.relay,
    reply: known.reply,
    unfit: unfit(known.key),
  };
}

/**
 * Whoever got mail is valid until he was refused for a day or longer: a store that loses its users for an hour answers
 * 5.1.1 for all of them, and a map without them would lose their mail for good.
 */
function stateOf({
  deliveries,
  refusals,
  refusedSince,
  refusedUntil,
}: AddressEvidence): ListedRecipient['state'] {
  if (deliveries > 0) return refusedUntil - refusedSince >= DAY ? 'invalid' : 'valid';
  return refusals > 0 ? 'invalid' : 'unknown';
}

function listedDomain(
  domain: string,
  recipients: readonly ListedRecipient[],
  { from, to, complete }: ListOptions,
): ListedDomain {
  const valid = recipients.filter((r) => r.state === 'valid');
  const deliveries = recipients.reduce((sum, r) => sum + r.deliveries, 0);
  const once = valid.filter((r) => r.deliveries === 1).length;
  const days = to > from ? (to - from) / DAY : 0;
  const tooLittle: string[] = [];
  if (deliveries < LEAST_DELIVERIES)
    tooLittle.push(`${deliveries} deliveries (at least ${LEAST_DELIVERIES})`);
  if (valid.length === 0 && deliveries >= LEAST_DELIVERIES) tooLittle.push('no valid address');
  if (days < LEAST_DAYS) tooLittle.push(`${days.toFixed(1)} days of log (at least ${LEAST_DAYS})`);
  if (once > deliveries * MOST_MISSING)
    tooLittle.push(
      `${once} addresses seen once only: about ${Math.round((once / deliveries) * 100)} % of the mail goes to addresses not seen yet (at most ${MOST_MISSING * 100} %)`,
    );
  if (!complete) tooLittle.push('not all of the log was read');
  return {
    domain,
    valid: valid.length,
    invalid: recipients.filter((r) => r.state === 'invalid').length,
    unknown: recipients.filter((r) => r.state === 'unknown').length,
    deliveries,
    refusals: recipients.reduce((sum, r) => sum + r.refusals, 0),
    seen_once: once,
    missing_share: deliveries === 0 ? null : once / deliveries,
    conflicting: recipients.filter((r) => r.deliveries > 0 && r.refusals > 0).length,
    unfit: {
      characters: valid.filter((r) => r.unfit === 'characters').length,
      temporary: valid.filter((r) => r.unfit === 'temporary').length,
    },
    with_plus: valid.filter((r) => r.address.includes('+')).length,
    too_little: tooLittle,
  };
}
