/**
 * A chain as the live view keeps it: what can be listed, grouped and searched.
 *
 * Owns the grouping keys of suspects and the text that a filter looks in. Must not know screens.
 */
import type { Chain, ChainDsn, Suspect } from '../chains/chain.ts';
import { domainOf } from '../dsn/address.ts';

/** What suspects are grouped by. */
export const GROUPINGS = ['client', 'victim', 'hop', 'reason'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** A chain with what its printed form leaves out. */
export interface Described {
  readonly chain: Chain;
  /** Next hops that refused, as far as a detector told; null leaves it to the relays of the failed recipients. */
  readonly hops: readonly string[] | null;
}

export interface Entry extends Described {
  /** Tells the chain from all others, and is the same at each look. */
  readonly key: string;
  /** When it was accepted, ms; NaN where the log does not tell. */
  readonly first: number;
  /** Its newest DSN; null for a chain without. */
  readonly dsn: ChainDsn | null;
  /** When the DSN was made, or else the chain's last line; ms. */
  readonly at: number;
  /** Lower-case words that a filter may find. */
  readonly words: string;
}

export function entryOf({ chain, hops }: Described): Entry {
  let dsn: ChainDsn | null = null;
  for (const one of chain.dsns) if (dsn === null || (one.at ?? '') >= (dsn.at ?? '')) dsn = one;
  const at = Date.parse(dsn?.at ?? chain.last_seen ?? '');
  const key = `${chain.host}/${chain.queue_id}/${chain.qp ?? ''}/${chain.first_seen}`;
  const first = Date.parse(chain.first_seen ?? '');
  return { chain, hops, key, first, dsn, at: Number.isNaN(at) ? 0 : at, words: wordsOf(chain) };
}

/** Addresses, hosts, networks' addresses and ids of a chain, for a search without regard to case. */
export function wordsOf(chain: Chain): string {
  const { client_ip, client_name, auth_user } = chain.origin;
  let words = chain.queue_ids.join(' ');
  const add = (word: string | null | undefined): void => {
    if (word) words += ` ${word}`;
  };
  if (typeof chain.qp === 'number') add(String(chain.qp));
  add(chain.reverse_path === '' ? '<>' : chain.reverse_path);
  add(client_ip);
  add(client_name);
  add(auth_user);
  add(chain.message_id);
  for (const { recipient, original_recipient, relay } of chain.recipients) {
    add(recipient);
    if (original_recipient !== recipient) add(original_recipient);
    add(relay);
  }
  for (const dsn of chain.dsns) {
    add(dsn.queue_id);
    if (dsn.recipient !== chain.reverse_path) add(dsn.recipient);
  }
  return words.toLowerCase();
}

/** The rows that a suspect belongs to, by grouping. */
export function groupKeys(
  { chain, hops }: Described,
  suspect: Suspect,
  grouping: Grouping,
): readonly string[] {
  switch (grouping) {
    case 'client':
      return [chain.origin.client_ip ?? chain.origin.client_name ?? '(unknown client)'];
    case 'victim':
      return unique(
        chain.dsns
          .filter(({ kind }) => kind === 'failure' || kind === 'delay' || kind === 'success')
          .map(({ recipient }) => (recipient === null ? '(unknown)' : domainOf(recipient) || '(local)')),
      );
    case 'hop':
      if (hops !== null) return hops.length === 0 ? ['(this host)'] : unique(hops);
      return unique(
        chain.recipients
          .filter(({ outcome }) => outcome === 'failed' || outcome === 'expired')
          .map(({ relay }) => (relay !== null && /[[\d]/.test(relay) ? relay : '(this host)')),
      );
    default:
      return suspect.reasons;
  }
}

function unique(keys: readonly string[]): readonly string[] {
  return keys.length < 2 ? keys : [...new Set(keys)];
}
