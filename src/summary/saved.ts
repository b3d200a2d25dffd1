/**
 * A summary's figures as rows of plain JSON, and back.
 *
 * Owns the list of what is kept: FIELDS has every field of Summary, or it does not compile; a test compares the two once
 * more. A new field of a known form is one line there; a new form is one more Codec. Reading adds to what is there, so
 * that a table may come in many rows.
 */
import type { Json, JsonObject } from '../chains/saved.ts';
import type { Counter } from './counter.ts';
import { addTallyRow, type TallyRow, tallyRows } from './rows.ts';
import type { Figures, Summary } from './summary.ts';

/** One field: its value as one or more rows, and a row back into a summary that has not seen it yet. */
export interface Codec<T> {
  rows(value: T): Iterable<Json>;
  /** The value with the row added; objects are changed in place. */
  add(value: T, row: Json): T;
}

type DataOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? never : K }[keyof T];
type DataKey = DataOf<Summary>;

/** Rows of a table per line of a file. */
const CHUNK = 1000;

export const COUNT: Codec<number> = {
  rows: (value) => [value],
  add: (value, row) => value + (row as number),
};

/** Infinity until there is one. */
const EARLIEST: Codec<number> = {
  rows: (value) => [Number.isFinite(value) ? value : null],
  add: (value, row) => (row === null ? value : Math.min(value, row as number)),
};
const LATEST: Codec<number> = {
  rows: (value) => [Number.isFinite(value) ? value : null],
  add: (value, row) => (row === null ? value : Math.max(value, row as number)),
};

/** So many counts side by side. */
export function counts<T extends Float64Array>(): Codec<T> {
  return {
    rows: (value) => [[...value]],
    add: (value, row) => {
      for (const [i, n] of (row as readonly number[]).entries()) value[i] += n;
      return value;
    },
  };
}
const FIGURES = counts<Figures>();

const BY_MTA: Codec<Figures[]> = {
  rows: (value) => [value.map((figures) => [...figures])],
  add: (value, row) => {
    for (const [mta, figures] of (row as readonly Json[]).entries()) FIGURES.add(value[mta], figures);
    return value;
  },
};

const SEEN: Codec<boolean[]> = {
  rows: (value) => [[...value]],
  add: (value, row) => {
    for (const [i, seen] of (row as readonly boolean[]).entries()) value[i] ||= seen;
    return value;
  },
};

/** An object of counts. */
export function named<T extends Record<string, number>>(): Codec<T> {
  return {
    rows: (value) => [value],
    add: (value, row) => {
      const counts = value as Record<string, number>;
      for (const [key, n] of Object.entries(row as JsonObject))
        counts[key] = (counts[key] ?? 0) + (n as number);
      return value;
    },
  };
}

const HOURS: Codec<Map<number, Figures>> = {
  *rows(value) {
    yield* chunks([...value].map(([hour, figures]) => [hour, ...figures]));
  },
  add: (value, row) => {
    for (const [hour, ...figures] of row as readonly (readonly number[])[]) {
      const known = value.get(hour);
      if (known === undefined) value.set(hour, Float64Array.from(figures));
      else FIGURES.add(known, figures);
    }
    return value;
  },
};

/** Keys with their counts; what found no place stands behind them, under null. */
export const TABLE: Codec<Counter> = {
  *rows(value) {
    yield* chunks([...value]);
    if (value.overflow > 0) yield [[null, value.overflow]];
  },
  add: (value, row) => {
    for (const [key, n] of row as readonly (readonly [string | null, number])[]) {
      if (key === null) value.overflow += n;
      else value.add(key, n);
    }
    return value;
  },
};

/** What is made of counters and examples itself. */
function tally<T extends object>(): Codec<T> {
  return {
    rows: (value) => tallyRows(value) as Iterable<unknown> as Iterable<Json>,
    add: (value, row) => {
      if (!addTallyRow(value, row as unknown as TallyRow)) throw new Error('unknown part of a tally');
      return value;
    },
  };
}

function* chunks(rows: readonly Json[]): Generator<Json> {
  for (let at = 0; at < rows.length; at += CHUNK) yield rows.slice(at, at + CHUNK);
}

/** Every field of a summary, in the order in which they are written. */
export const FIELDS: { readonly [K in DataKey]: Codec<Summary[K]> } = {
  files: COUNT,
  bytes: COUNT,
  lines: counts(),
  from: EARLIEST,
  to: LATEST,
  figures: BY_MTA,
  seen: SEEN,
  accounting: named(),
  dsn: named(),
  dsnOutcomes: named(),
  recipients: named(),
  rejectedRecipients: COUNT,
  rejectedMessages: COUNT,
  rejectedForNow: COUNT,
  headless: COUNT,
  incomingNull: COUNT,
  evicted: COUNT,
  skippedFiles: COUNT,
  marked: COUNT,
  hours: HOURS,
  reasons: TABLE,
  dsnDomains: TABLE,
  refusingRelays: TABLE,
  suspects: tally(),
  spf: tally(),
  traffic: tally(),
};

const NAMES = Object.keys(FIELDS) as DataKey[];

/** `{"field": NAME, "value": ...}`; a field may come in several rows, or in none. */
export function* summaryRows(summary: Summary): Generator<JsonObject> {
  for (const field of NAMES) {
    const codec = FIELDS[field] as Codec<unknown>;
    for (const value of codec.rows(summary[field])) yield { field, value };
  }
}

/** Adds a row to a summary; false where it is none of a summary. */
export function addSummaryRow(summary: Summary, row: JsonObject): boolean {
  if (typeof row.field !== 'string') return false;
  const field = row.field as DataKey;
  if (!Object.hasOwn(FIELDS, field)) throw new Error(`unknown field ${field}`);
  const codec = FIELDS[field] as Codec<unknown>;
  (summary as unknown as Record<string, unknown>)[field] = codec.add(summary[field], row.value);
  return true;
}
