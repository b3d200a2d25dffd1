/**
 * A list of recipients as CSV: one row per address; new columns go to the end. Give the rows to `csvFormatter`.
 */
import type { ListedRecipient, RecipientList } from '../recipients/list.ts';
import type { CsvRow } from './csv.ts';

const COLUMNS: readonly (keyof ListedRecipient)[] = [
  'address',
  'domain',
  'state',
  'deliveries',
  'refusals',
  'undecided',
  'first_seen',
  'last_delivered',
  'last_refused',
  'status',
  'relay',
  'reply',
  'unfit',
];

export function recipientsCsvRows(list: RecipientList): CsvRow[] {
  return [COLUMNS, ...list.recipients.map((recipient) => COLUMNS.map((column) => recipient[column]))];
}
