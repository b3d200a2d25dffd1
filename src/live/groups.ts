/**
 * Suspects counted by what they have in common: client, victim's domain, refusing next hop, reason.
 *
 * Owns the rows and their bound. Must not know how a suspect is found.
 */
import type { Suspect } from '../chains/chain.ts';
import { type Entry, GROUPINGS, type Grouping, groupKeys } from './entry.ts';

export type Verdict = Suspect['verdict'];
export const VERDICTS: readonly Verdict[] = ['possible', 'likely', 'confirmed'];

export interface GroupRow {
  readonly key: string;
  readonly count: number;
  /** ms since the epoch. */
  readonly lastSeen: number;
  /** The worst of the group. */
  readonly verdict: Verdict;
}

type Growing = { -readonly [K in keyof GroupRow]: GroupRow[K] };

/** Rows of one grouping; more would be a table that nobody reads. */
const MOST_ROWS = 20_000;

export class Groups {
  readonly #rows: Record<Grouping, Map<string, Growing>> = {
    client: new Map(),
    victim: new Map(),
    hop: new Map(),
    reason: new Map(),
  };
  /** Suspects counted. */
  count = 0;
  /** A row found no place. */
  bounded = false;

  add(entry: Entry, suspect: Suspect): void {
    const { at } = entry;
    this.count += 1;
    for (const grouping of GROUPINGS) {
      const rows = this.#rows[grouping];
      for (const key of groupKeys(entry, suspect, grouping)) {
        const row = rows.get(key);
        if (row !== undefined) {
          row.count += 1;
          row.lastSeen = Math.max(row.lastSeen, at);
          row.verdict = worse(row.verdict, suspect.verdict);
        } else if (rows.size < MOST_ROWS) {
          rows.set(key, { key, count: 1, lastSeen: at, verdict: suspect.verdict });
        } else this.bounded = true;
      }
    }
  }

  /** Adds rows of the same kind; what they are of is not counted once more. */
  addRows(grouping: Grouping, rows: Iterable<GroupRow>): void {
    const own = this.#rows[grouping];
    for (const row of rows) {
      const known = own.get(row.key);
      if (known !== undefined) own.set(row.key, together(known, row));
      else if (own.size < MOST_ROWS) own.set(row.key, { ...row });
      else this.bounded = true;
    }
  }

  /** The rows of these groups and of those together, in no order that means anything. */
  rows(grouping: Grouping, more: Groups): GroupRow[] {
    const others = more.#rows[grouping];
    const all: GroupRow[] = [];
    for (const [key, row] of this.#rows[grouping]) {
      const other = others.get(key);
      all.push(other === undefined ? { ...row } : together(row, other));
    }
    for (const [key, row] of others) if (!this.#rows[grouping].has(key)) all.push(row);
    return all;
  }
}

function together(a: GroupRow, b: GroupRow): GroupRow {
  return {
    key: a.key,
    count: a.count + b.count,
    lastSeen: Math.max(a.lastSeen, b.lastSeen),
    verdict: worse(a.verdict, b.verdict),
  };
}

function worse(a: Verdict, b: Verdict): Verdict {
  return VERDICTS.indexOf(a) > VERDICTS.indexOf(b) ? a : b;
}
