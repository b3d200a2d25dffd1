/**
 * What findings rest on: how often something was seen, by MTA, and three chains that show it.
 *
 * Mergeable: counts add, and the examples are the three earliest, so that the order of the pieces changes nothing.
 */
import type { Life } from '../chains/life.ts';
import { isoTime } from '../chains/view.ts';
import { MTA_NAMES, type MtaName } from '../records/record.ts';

export const MOST_EXAMPLES = 3;
/** Different topics that are kept; those of findings are some dozens, those by client or address as many as a log has. */
const MOST_TOPICS = 20_000;

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

class Topic {
  readonly counts = [0, 0, 0];
  examples: Seen[] = [];

  add(seen: Seen): void {
    this.counts[seen.mta] += 1;
    this.keep(seen);
  }

  keep(seen: Seen): void {
    const { examples } = this;
    if (examples.length === MOST_EXAMPLES && compare(seen, examples[MOST_EXAMPLES - 1]) >= 0) return;
    examples.push(seen);
    examples.sort(compare);
    if (examples.length > MOST_EXAMPLES) examples.pop();
  }
}

function compare(a: Seen, b: Seen): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** A topic, its chains by MTA, and its examples (MTA, id, ms since the epoch). */
export type EvidenceRow = readonly [
  topic: string,
  counts: readonly number[],
  examples: readonly (readonly [mta: number, id: string, at: number])[],
];

export class Evidence {
  readonly #topics = new Map<string, Topic>();

  /** One chain that shows it. */
  add(topic: string, root: Pick<Life, 'mta' | 'id' | 'first'>): void {
    this.#topic(topic)?.add({ mta: root.mta, id: root.id, at: root.first });
  }

  /** Chains that showed it. */
  count(topic: string): number {
    return this.#topics.get(topic)?.counts.reduce((n, count) => n + count, 0) ?? 0;
  }

  countOf(topic: string, mta: MtaName): number {
    return this.#topics.get(topic)?.counts[MTA_NAMES.indexOf(mta)] ?? 0;
  }

  /** The MTAs that showed it, in the order of record.ts. */
  mtas(topic: string): MtaName[] {
    return MTA_NAMES.filter((mta) => this.countOf(topic, mta) > 0);
  }

  /** The earliest three. */
  examples(...topics: readonly string[]): Example[] {
    const all = new Topic();
    const known = new Set<string>();
    for (const topic of topics) {
      for (const seen of this.#topics.get(topic)?.examples ?? []) {
        const key = `${seen.mta} ${seen.id} ${seen.at}`;
        if (!known.has(key)) all.keep(seen);
        known.add(key);
      }
    }
    return all.examples.map(({ mta, id, at }) => ({ mta: MTA_NAMES[mta], queue_id: id, at: isoTime(at) }));
  }

  merge(other: Evidence): void {
    for (const [name, topic] of other.#topics) {
      const own = this.#topic(name);
      if (own === null) continue;
      for (let mta = 0; mta < 3; mta += 1) own.counts[mta] += topic.counts[mta];
      for (const seen of topic.examples) own.keep(seen);
    }
  }

  /** Everything as plain JSON: `addRow` of each to an empty one makes the same. */
  *rows(): Iterable<EvidenceRow> {
    for (const [topic, { counts, examples }] of this.#topics)
      yield [topic, [...counts], examples.map(({ mta, id, at }) => [mta, id, at])];
  }

  addRow([name, counts, examples]: EvidenceRow): void {
    const topic = this.#topic(name);
    if (topic === null) return;
    for (let mta = 0; mta < 3; mta += 1) topic.counts[mta] += counts[mta];
    for (const [mta, id, at] of examples) topic.keep({ mta, id, at });
  }

  #topic(name: string): Topic | null {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      if (this.#topics.size >= MOST_TOPICS) return null;
      topic = new Topic();
      this.#topics.set(name, topic);
    }
    return topic;
  }
}
