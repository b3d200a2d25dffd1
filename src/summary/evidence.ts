/**
 * What findings rest on: how often something was seen, by MTA, and three chains that show it.
 *
 * Mergeable: counts add, and the examples are the three earliest, so that the order of the pieces changes nothing.
 */
import type { Life } from '../chains/life.ts';
import { isoTime } from '../chains/view.ts';
import { MTA_NAMES, type Mta, type MtaName } from '../records/record.ts';
import { grown, Keys } from './keys.ts';

export const MOST_EXAMPLES = 3;
/** Different topics that are kept; those of findings are some dozens, those by client or address as many as a log has. */
const MOST_TOPICS = 20_000;
const MTAS = MTA_NAMES.length;

/** A chain that shows something: enough to find it in the log or by `dsnstat chains --queue-id`. */
export interface Example {
  readonly mta: MtaName;
  readonly queue_id: string;
  /** When it was first seen; null where the log has no times. */
  readonly at: string | null;
}

interface Seen {
  readonly mta: number;
  readonly id: string;
  readonly at: number;
}

/** The earlier one first; negative, 0 or positive as for sorting. */
function compare(atA: number, idA: string, atB: number, idB: string): number {
  if (atA !== atB) return atA < atB ? -1 : 1;
  return idA < idB ? -1 : idA > idB ? 1 : 0;
}

/** A topic, its chains by MTA, and its examples (MTA, id, ms since the epoch). */
export type EvidenceRow = readonly [
  topic: string,
  counts: readonly number[],
  examples: readonly (readonly [mta: number, id: string, at: number])[],
];

/**
 * Topics as rows of plain arrays: 20,000 of them take 3 MB, and to count one makes nothing. Topics may be the keys of a
 * table; then they have its rows.
 */
export class Evidence {
  readonly #topics: Keys;
  /** Rows of the program's own topics, some dozens. */
  readonly #own = new Map<string, number>();
  /** By row and MTA. */
  #counts = new Float64Array(0);
  /** Examples of each row. */
  #kept = new Uint8Array(0);
  /** By row and place, the earliest first. */
  #mtas = new Uint8Array(0);
  #ats = new Float64Array(0);
  readonly #ids: string[] = [];

  constructor(topics = new Keys(MOST_TOPICS)) {
    this.#topics = topics;
  }

  /** One chain that shows it: a topic of the program's own, whose row is remembered. Others: `rowOf`, `addAt`. */
  add(topic: string, root: Pick<Life, 'mta' | 'id' | 'first'>): void {
    let row = this.#own.get(topic);
    if (row === undefined) {
      row = this.#topics.place(topic);
      this.#own.set(topic, row);
    }
    this.addAt(row, root);
  }

  /** A topic's row, for `addAt`. */
  rowOf(topic: string): number {
    return this.#topics.place(topic);
  }

  /** The same by the topic's row in the table; nothing for those behind the last that are kept. */
  addAt(row: number, root: Pick<Life, 'mta' | 'id' | 'first'>): void {
    if (!this.#hasRoom(row)) return;
    this.#counts[row * MTAS + root.mta] += 1;
    this.#keep(row, root.mta, root.id, root.first);
  }

  /** Counts chains that show it, accepted later than `fullAfter`. */
  countAt(row: number, mta: Mta, chains: number): void {
    if (this.#hasRoom(row)) this.#counts[row * MTAS + mta] += chains;
  }

  /** Chains accepted later than this are no examples of the topic any more; infinitely late while it has room for some. */
  fullAfter(row: number): number {
    if (!this.#hasRoom(row)) return Number.NEGATIVE_INFINITY;
    if (this.#kept[row] < MOST_EXAMPLES) return Number.POSITIVE_INFINITY;
    return this.#ats[(row + 1) * MOST_EXAMPLES - 1];
  }

  /** Chains that showed it. */
  count(topic: string): number {
    return MTA_NAMES.reduce((n, mta) => n + this.countOf(topic, mta), 0);
  }

  countOf(topic: string, mta: MtaName): number {
    const row = this.#known(topic);
    return row < 0 ? 0 : this.#counts[row * MTAS + MTA_NAMES.indexOf(mta)];
  }

  /** The MTAs that showed it, in the order of record.ts. */
  mtas(topic: string): MtaName[] {
    return MTA_NAMES.filter((mta) => this.countOf(topic, mta) > 0);
  }

  /** The earliest three. */
  examples(...topics: readonly string[]): Example[] {
    const all = new Evidence();
    const known = new Set<string>();
    all.#hasRoom(0);
    for (const topic of topics) {
      for (const { mta, id, at } of this.#seen(this.#known(topic))) {
        const key = `${mta} ${id} ${at}`;
        if (!known.has(key)) all.#keep(0, mta, id, at);
        known.add(key);
      }
    }
    return all.#seen(0).map(({ mta, id, at }) => ({ mta: MTA_NAMES[mta], queue_id: id, at: isoTime(at) }));
  }

  merge(other: Evidence): void {
    for (const row of other.rows()) this.addRow(row);
  }

  /** Everything as plain JSON: `addRow` of each to an empty one makes the same. */
  *rows(): Iterable<EvidenceRow> {
    const end = Math.min(this.#topics.size, this.#kept.length);
    for (let row = 0; row < end; row += 1) {
      // A key of the table that was never a topic.
      if (this.#kept[row] === 0) continue;
      const counts = [...this.#counts.subarray(row * MTAS, (row + 1) * MTAS)];
      yield [this.#topics.text(row), counts, this.#seen(row).map(({ mta, id, at }) => [mta, id, at])];
    }
  }

  addRow([topic, counts, examples]: EvidenceRow): void {
    const row = this.#topics.place(topic);
    if (!this.#hasRoom(row)) return;
    for (let mta = 0; mta < MTAS; mta += 1) this.#counts[row * MTAS + mta] += counts[mta];
    for (const [mta, id, at] of examples) this.#keep(row, mta, id, at);
  }

  /** -1 for a topic without examples. */
  #known(topic: string): number {
    const row = this.#topics.find(topic);
    return row < this.#kept.length ? row : -1;
  }

  #seen(row: number): Seen[] {
    const seen: Seen[] = [];
    if (row < 0) return seen;
    const from = row * MOST_EXAMPLES;
    for (let i = from; i < from + this.#kept[row]; i += 1)
      seen.push({ mta: this.#mtas[i], id: this.#ids[i], at: this.#ats[i] });
    return seen;
  }

  /** Among the examples of a row, if it is early enough. */
  #keep(row: number, mta: number, id: string, at: number): void {
    const from = row * MOST_EXAMPLES;
    const kept = this.#kept[row];
    const ats = this.#ats;
    const ids = this.#ids;
    let place = from + kept;
    if (kept === MOST_EXAMPLES) {
      place -= 1;
      if (compare(at, id, ats[place], ids[place]) >= 0) return;
    } else this.#kept[row] = kept + 1;
    for (; place > from && compare(at, id, ats[place - 1], ids[place - 1]) < 0; place -= 1) {
      ats[place] = ats[place - 1];
      ids[place] = ids[place - 1];
      this.#mtas[place] = this.#mtas[place - 1];
    }
    ats[place] = at;
    ids[place] = id;
    this.#mtas[place] = mta;
  }

  /** Whether such a row is kept; makes room for it. */
  #hasRoom(row: number): boolean {
    if (row < 0 || row >= MOST_TOPICS) return false;
    if (row < this.#kept.length) return true;
    this.#kept = grown(this.#kept, row + 1);
    const rows = this.#kept.length;
    this.#counts = grown(this.#counts, rows * MTAS);
    this.#mtas = grown(this.#mtas, rows * MOST_EXAMPLES);
    this.#ats = grown(this.#ats, rows * MOST_EXAMPLES);
    while (this.#ids.length < rows * MOST_EXAMPLES) this.#ids.push('');
    return true;
  }
}
