/**
 * A chain as CSV: one row per recipient, with the chain's columns repeated; new columns go to the end.
 *
 * Give the rows to `csvFormatter`. The null reverse-path is `<>`, an unknown one is empty.
 */
import type { Chain, ChainRecipient } from '../chains/chain.ts';
import type { CsvCell, CsvRow } from './csv.ts';

type Column<T> = readonly [name: string, cell: (of: T) => CsvCell];

const CHAIN: readonly Column<Chain>[] = [
  ['mta', (chain) => chain.mta],
  ['host', (chain) => chain.host],
  ['queue_id', (chain) => chain.queue_id],
  ['queue_ids', (chain) => chain.queue_ids.join(' ')],
  ['qp', (chain) => chain.qp ?? null],
  ['message_id', (chain) => chain.message_id],
  ['reverse_path', (chain) => (chain.reverse_path === '' ? '<>' : chain.reverse_path)],
  ['size', (chain) => chain.size],
  ['origin', (chain) => chain.origin.kind],
  ['client_ip', (chain) => chain.origin.client_ip],
  ['client_name', (chain) => chain.origin.client_name],
  ['auth_user', (chain) => chain.origin.auth_user],
  ['first_seen', (chain) => chain.first_seen],
  ['last_seen', (chain) => chain.last_seen],
  ['ended', (chain) => chain.ended],
  ['headless', (chain) => chain.headless],
  ['dsns', (chain) => chain.dsns.length],
  ['dsn_kinds', (chain) => chain.dsns.map((dsn) => dsn.kind).join(' ')],
  ['dsn_outcomes', (chain) => chain.dsns.map((dsn) => dsn.outcome).join(' ')],
  ['suppressed', (chain) => chain.suppressed?.cause ?? null],
  ['suspect_verdict', (chain) => chain.suspect?.verdict ?? null],
  ['suspect_score', (chain) => chain.suspect?.score ?? null],
];

const RECIPIENT: readonly Column<ChainRecipient>[] = [
  ['recipient', (recipient) => recipient.recipient],
  ['original_recipient', (recipient) => recipient.original_recipient],
  ['outcome', (recipient) => recipient.outcome],
  ['status', (recipient) => recipient.status],
  ['relay', (recipient) => recipient.relay],
  ['attempts', (recipient) => recipient.attempts],
  ['reply', (recipient) => recipient.reply],
  ['at', (recipient) => recipient.at],
];

/** What came later: of the chain, behind the recipient. */
const LATER: readonly Column<Chain>[] = [
  ['suspect_reasons', (chain) => chain.suspect?.reasons.join(' ') ?? null],
];

export function chainCsvHeader(): CsvRow {
  return [...CHAIN, ...RECIPIENT, ...LATER].map(([name]) => name);
}

/** A chain without known recipients has one row. */
export function chainCsvRows(chain: Chain): CsvRow[] {
  const ours = CHAIN.map(([, cell]) => cell(chain));
  const later = LATER.map(([, cell]) => cell(chain));
  if (chain.recipients.length === 0) return [[...ours, ...RECIPIENT.map(() => null), ...later]];
  return chain.recipients.map((recipient) => [
    ...ours,
    ...RECIPIENT.map(([, cell]) => cell(recipient)),
    ...later,
  ]);
}
