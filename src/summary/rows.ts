/**
 * Tallies of the summary as rows of plain JSON, and back: for whoever keeps a summary or sends it elsewhere.
 *
 * Owns the forms of the parts that tallies are made of. Adding rows to what is there merges, as everything here does.
 */
import { Counter } from './counter.ts';
import { Evidence, type EvidenceRow } from './evidence.ts';

/** The part's name, and some of its value. */
export type TallyRow = readonly [part: string, value: unknown];

/** What a tally may be made of; counts by name are objects. */
type Part = number | Counter | Evidence | Map<number, number> | Record<string, number>;

/** Rows of a table per row of JSON. */
const CHUNK = 1000;

/** Every part of a tally, whatever it is called; parts that are empty have no row. */
export function* tallyRows(tally: object): Generator<TallyRow> {
  for (const [name, part] of Object.entries(tally) as [string, Part][]) {
    if (typeof part === 'number') yield [name, part];
    else if (part instanceof Counter) {
      yield* chunks(name, [...part]);
      if (part.overflow > 0) yield [name, [[null, part.overflow]]];
    } else if (part instanceof Evidence) yield* chunks(name, [...part.rows()]);
    else if (part instanceof Map) yield* chunks(name, [...part]);
    else yield [name, { ...part }];
  }
}

function* chunks(name: string, rows: readonly unknown[]): Generator<TallyRow> {
  for (let at = 0; at < rows.length; at += CHUNK) yield [name, rows.slice(at, at + CHUNK)];
}

/** Adds a row to a tally of the same class; false where it has no such part. */
export function addTallyRow(tally: object, [name, value]: TallyRow): boolean {
  const parts = tally as Record<string, Part>;
  if (!Object.hasOwn(parts, name)) return false;
  const part = parts[name];
  if (typeof part === 'number') parts[name] = part + (value as number);
  else if (part instanceof Counter) {
    for (const [key, n] of value as [string | null, number][]) {
      if (key === null) part.overflow += n;
      else part.add(key, n);
    }
  } else if (part instanceof Evidence) for (const row of value as EvidenceRow[]) part.addRow(row);
  else if (part instanceof Map)
    for (const [key, n] of value as [number, number][]) part.set(key, (part.get(key) ?? 0) + n);
  else
    for (const [key, n] of Object.entries(value as Record<string, number>)) part[key] = (part[key] ?? 0) + n;
  return true;
}
