/**
 * What the live view knows: figures by time, suspects in groups, the last chains; under a filter, too.
 *
 * A chain is counted for good when it is over; what is pending is counted anew at each look, so that a look equals the
 * report on the same bytes. A look goes in steps, because a million messages may be pending and somebody may press a
 * key; between its steps no line may be taken.
 *
 * Owns the bounds of what is kept. Must not know lines, files or screens.
 */
import type { Chain } from '../chains/chain.ts';
import type { Life } from '../chains/life.ts';
import type { JsonObject } from '../chains/saved.ts';
import { HEADLESS, hasFailed, MESSAGE, messageLives, NULL_MESSAGE, natureOf } from '../chains/view.ts';
import { Summary } from '../summary/summary.ts';
import { type Described, type Entry, entryOf, GROUPINGS, type Grouping } from './entry.ts';
import { Filter } from './filter.ts';
import { type GroupRow, Groups, type Verdict } from './groups.ts';
import { Ring } from './ring.ts';
import { type Five, lastSteps, STEPS_SHOWN, type Step, Timeline, ZOOMS, type Zoom } from './timeline.ts';

/** Chains with a DSN, a failure or a suspicion that can be listed. */
export const MOST_ENTRIES = 5_000;
/** Other messages that can be listed. */
export const MOST_PLAIN = 1_000;
/** Messages that a filter set later still finds. */
const MOST_WORDS = 50_000;

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Rows of a grouping in one line of a state. */
const ROWS_A_LINE = 1_000;
/** Pending lives between two steps of a look: under a millisecond. */
const LIVES_A_STEP = 1_000;

/** Everything that a screen or a snapshot shows, as it stood at one moment. Nothing in it changes afterwards. */
export interface View {
  /** Time of the newest line of an MTA, ms; -Infinity before the first. */
  readonly newest: number;
  /** Where the period begins, if it was reset; else of the oldest line. */
  readonly from: number;
  readonly whole: Five;
  /** Accepted in the last 60 minutes of log time, the minute at hand included. */
  readonly hour: Five;
  /** Steps up to the newest, each zoom. */
  readonly steps: Readonly<Record<Zoom, readonly Step[]>>;
  /** Chains suspected of backscatter. */
  readonly suspects: number;
  readonly groups: Readonly<Record<Grouping, readonly GroupRow[]>>;
  /** A grouping has more rows than are kept. */
  readonly bounded: boolean;
  /** Chains with a DSN, a failure or a suspicion, newest first; the last MOST_ENTRIES and those pending. */
  readonly entries: readonly Entry[];
  /** Messages without any trouble, newest first. */
  readonly plain: readonly Entry[];
  /** Messages that have not ended, of any kind. */
  readonly pending: number;
  readonly filter: string | null;
  /** With a filter: where its figures begin, because what came before has been forgotten; null when they are whole. */
  readonly filteredFrom: number | null;
}

/** A message that is over, small enough to remember many of. */
interface Remembered {
  readonly first: number;
  readonly figures: Five;
  readonly words: string;
}

/** Sums of a period; a filter has its own. */
class Sums {
  readonly whole = [0, 0, 0, 0, 0];
  readonly groups = new Groups();
  readonly timeline: Timeline;

  constructor(timeline = new Timeline()) {
    this.timeline = timeline;
  }

  add(first: number, figures: ArrayLike<number>, from: number): void {
    this.timeline.add(first, figures);
    if (first >= from) for (let i = 0; i < 5; i += 1) this.whole[i] += figures[i];
  }
}

/** Tells what each chain gave, from what it changed in a summary: whatever counts there counts here. */
class Meter {
  readonly #summary: Summary;
  readonly #before = [new Float64Array(5), new Float64Array(5), new Float64Array(5)];
  readonly given = [0, 0, 0, 0, 0];

  constructor(summary: Summary) {
    this.#summary = summary;
  }

  /** What was counted so far is nothing that a chain gave. */
  begin(): void {
    for (const [mta, figures] of this.#summary.figures.entries()) this.#before[mta].set(figures);
  }

  /** Reads what the chain of `root`, counted since the last reading, gave; false when nothing. */
  read(root: Life): boolean {
    const now = this.#summary.figures[root.mta];
    const before = this.#before[root.mta];
    let any = false;
    for (let i = 0; i < 5; i += 1) {
      this.given[i] = now[i] - before[i];
      if (this.given[i] !== 0) any = true;
      before[i] = now[i];
    }
    return any;
  }
}

export interface BoardOptions {
  readonly summary: Summary;
  /** What is kept and shown of a chain, its suspicion included; `over` when nothing can change any more. */
  readonly describe: (root: Life, over: boolean) => Described;
  /** Names in chains are stand-ins: a filter looks for those. */
  readonly disguised?: boolean;
  /** Messages that a filter set later still finds; MOST_WORDS by default. */
  readonly remembered?: number;
  /** The chain of this root is over, and is listed as this entry for a while. */
  readonly onListed?: (entry: Entry, root: Life, trouble: boolean) => void;
}

export class Board {
  readonly #summary: Summary;
  readonly #describe: (root: Life, over: boolean) => Described;
  readonly #disguised: boolean;
  readonly #onListed: BoardOptions['onListed'];
  readonly #meter: Meter;
  #all = new Sums();
  /** Suspects of before the period; only their rows. */
  readonly #older = new Groups();
  /** Runs before this one had chains, of which only sums are known. */
  #wentOn = false;
  #filter: Filter | null = null;
  #filtered: Sums | null = null;
  #filteredFrom: number | null = null;
  #from = Number.NEGATIVE_INFINITY;
  readonly #entries = new Ring<Entry>(MOST_ENTRIES);
  readonly #plain = new Ring<Entry>(MOST_PLAIN);
  readonly #words: Ring<Remembered>;
  /** Entries of pending chains, as long as their facts stay the same. */
  readonly #made = new WeakMap<
    Life,
    { readonly serial: number; readonly stamp: number; readonly entry: Entry }
  >();

  constructor({ summary, describe, disguised, remembered, onListed }: BoardOptions) {
    this.#summary = summary;
    this.#describe = describe;
    this.#disguised = disguised ?? false;
    this.#onListed = onListed;
    this.#words = new Ring(remembered ?? MOST_WORDS);
    this.#meter = new Meter(summary);
  }

  /** A chain is over and the summary has counted it. */
  over(root: Life): void {
    const counted = this.#meter.read(root);
    const { given } = this.#meter;
    if (counted) this.#all.add(root.first, given, this.#from);
    if (!isListed(root)) return;
    const entry = entryOf(this.#describe(root, true));
    const { chain } = entry;
    const fits = this.#filter?.fits(entry.words) === true;
    if (counted) {
      this.#words.push({ first: root.first, figures: given.slice(), words: entry.words });
      if (fits) this.#filtered?.add(root.first, given, this.#from);
    }
    const trouble = isTrouble(chain);
    if (trouble) this.#entries.push(entry);
    else this.#plain.push(entry);
    this.#onListed?.(entry, root, trouble);
    if (chain.suspect !== null && root.first < this.#from) this.#older.add(entry, chain.suspect);
    else if (chain.suspect !== null) {
      this.#all.groups.add(entry, chain.suspect);
      if (fits) this.#filtered?.groups.add(entry, chain.suspect);
    }
  }

  /**
   * The summary holds what runs before this one counted: goes on from there. `rows` are what `rows` gave then; without
   * them the minutes and the groups of suspects begin now. Returns whether all goes on.
   */
  goOn(rows: readonly JsonObject[]): boolean {
    const summary = this.#summary;
    this.#wentOn = true;
    this.#meter.begin();
    const { whole, groups, timeline } = this.#all;
    for (const figures of summary.figures) for (let i = 0; i < 5; i += 1) whole[i] += figures[i];
    groups.count += summary.suspects.suspects;
    timeline.restore(summary.hours, minutesOf(rows));
    if (this.#disguised) return false;
    for (const row of rows) {
      const grouping = GROUPINGS.find((name) => name === row.grouping);
      if (grouping !== undefined) groups.addRows(grouping, groupRowsOf(row));
    }
    return rows.length > 0;
  }

  /** What is known here and not in the summary, for `goOn`. */
  *rows(): Generator<JsonObject> {
    // Stand-ins mean nothing to another run.
    if (this.#disguised) return;
    const minutes = [...this.#all.timeline.minutes(this.#summary.to - STEPS_SHOWN * MINUTE)];
    yield { minutes: minutes.map(([minute, figures]) => [minute, ...figures]) };
    for (const grouping of GROUPINGS) {
      const rows = this.#all.groups.rows(grouping, this.#older);
      for (let at = 0; at < rows.length; at += ROWS_A_LINE) {
        const part = rows.slice(at, at + ROWS_A_LINE);
        yield {
          grouping,
          rows: part.map(({ key, count, lastSeen, verdict }) => [key, count, lastSeen, verdict]),
        };
      }
    }
  }

  /** The period begins anew: messages accepted from here on count. The chart and the lists stay. */
  reset(): void {
    for (const grouping of GROUPINGS)
      this.#older.addRows(grouping, this.#all.groups.rows(grouping, new Groups()));
    // Behind the newest line: what was accepted in its second is of the old period.
    this.#from = this.#summary.to + 1;
    this.#all = new Sums(this.#all.timeline);
    if (this.#filter !== null) this.setFilter(this.#filter.text);
  }

  /** Null or "" shows everything. */
  setFilter(text: string | null): void {
    this.#filtered = null;
    this.#filteredFrom = null;
    this.#filter = text === null || text === '' ? null : new Filter(text);
    const filter = this.#filter;
    if (filter === null) return;
    const sums = new Sums();
    let oldest = Number.POSITIVE_INFINITY;
    for (const { first, figures, words } of this.#words) {
      if (first < oldest) oldest = first;
      if (filter.fits(words)) sums.add(first, figures, this.#from);
    }
    for (const entry of this.#entries) {
      const { chain, first, words } = entry;
      if (chain.suspect !== null && filter.fits(words) && first >= this.#from)
        sums.groups.add(entry, chain.suspect);
    }
    if (this.#words.overflowed || this.#wentOn) this.#filteredFrom = Math.min(oldest, this.#summary.to);
    this.#filtered = sums;
  }

  /** How things stand, given all roots that are pending. Yields now and then; returns the view. */
  *look(pending: Iterable<Life>): Generator<void, View, void> {
    const filter = this.#filter;
    const sums = this.#filtered ?? this.#all;
    const more = new Sums();
    const delta = new Summary();
    const meter = new Meter(delta);
    const entries: Entry[] = [];
    const plain = new Newest(MOST_PLAIN / 4);
    let count = 0;
    for (const root of pending) {
      count += 1;
      if (count % LIVES_A_STEP === 0) yield;
      delta.tally(root);
      const counted = meter.read(root);
      const fits = filter === null || this.#fits(filter, root);
      if (counted && fits) more.add(root.first, meter.given, this.#from);
      if (!fits || !isListed(root)) continue;
      if (!mayBeTrouble(root)) {
        plain.add(root);
        continue;
      }
      const entry = this.#remade(root);
      const { chain } = entry;
      if (!isTrouble(chain)) continue;
      entries.push(entry);
      if (chain.suspect !== null && root.first >= this.#from) more.groups.add(entry, chain.suspect);
    }
    yield;
    for (const entry of this.#entries) if (filter === null || filter.fits(entry.words)) entries.push(entry);
    entries.sort(newestFirst);
    yield;
    const plainEntries = plain.roots().map((root) => this.#remade(root));
    for (const entry of this.#plain) {
      if (filter === null || filter.fits(entry.words)) plainEntries.push(entry);
    }
    plainEntries.sort(newestFirst);
    yield;
    const newest = this.#summary.to;
    const timelines = [sums.timeline, more.timeline];
    const groups = {} as Record<Grouping, readonly GroupRow[]>;
    for (const grouping of GROUPINGS) {
      groups[grouping] = sums.groups.rows(grouping, more.groups);
      yield;
    }
    const steps = {} as Record<Zoom, readonly Step[]>;
    for (const zoom of ZOOMS) steps[zoom] = lastSteps(timelines, zoom, newest);
    return {
      newest,
      from: Math.max(this.#from, this.#summary.from),
      whole: sums.whole.map((n, i) => n + more.whole[i]),
      hour: more.timeline.since(newest - HOUR + MINUTE, sums.timeline.since(newest - HOUR + MINUTE)),
      steps,
      suspects: sums.groups.count + more.groups.count,
      groups,
      bounded: sums.groups.bounded,
      entries,
      plain: plainEntries,
      pending: count,
      filter: filter?.text ?? null,
      filteredFrom: this.#filteredFrom,
    };
  }

  #fits(filter: Filter, root: Life): boolean {
    // Stand-ins are what the user sees and types.
    if (this.#disguised) return filter.fits(this.#remade(root).words);
    return filter.fitsLife(root);
  }

  /** The entry of a pending chain: the one made before, unless a line has come for it since. */
  #remade(root: Life): Entry {
    const stamp = stampOf(root);
    const made = this.#made.get(root);
    if (made !== undefined && made.serial === root.serial && made.stamp === stamp) return made.entry;
    const entry = entryOf(this.#describe(root, false));
    this.#made.set(root, { serial: root.serial, stamp, entry });
    return entry;
  }
}

function minutesOf(rows: readonly JsonObject[]): [number, readonly number[]][] {
  return rows.flatMap(({ minutes }) =>
    ((minutes ?? []) as readonly (readonly number[])[]).map(
      ([minute, ...figures]): [number, readonly number[]] => [minute, figures],
    ),
  );
}

function groupRowsOf({ rows }: JsonObject): GroupRow[] {
  return (rows as readonly (readonly [string, number, number, Verdict])[]).map(
    ([key, count, lastSeen, verdict]) => ({ key, count, lastSeen, verdict }),
  );
}

function isListed(root: Life): boolean {
  const nature = natureOf(root);
  return nature === MESSAGE || nature === NULL_MESSAGE || nature === HEADLESS;
}

/** Cheap, and never false for what `isTrouble` finds. */
function mayBeTrouble(root: Life): boolean {
  for (const life of messageLives(root)) if (life.dsns.length > 0) return true;
  return hasFailed(root);
}

function isTrouble(chain: Chain): boolean {
  if (chain.dsns.length > 0 || chain.suppressed !== null || chain.suspect !== null) return true;
  return chain.recipients.some(({ outcome }) => outcome === 'failed' || outcome === 'expired');
}

/** Changes, as far as 32 bits can tell, whenever a fact of the tree does. */
function stampOf(life: Life, seed = 17): number {
  let stamp = mix(seed, Math.round((life.last % 1e6) * 1000));
  stamp = mix(stamp, life.end * 8 + (life.closed ? 4 : 0) + (life.accepted ? 2 : 0) + (life.refused ? 1 : 0));
  for (const r of life.recipients) stamp = mix(stamp, r.attempts * 16 + r.outcome);
  for (const { child } of life.dsns) stamp = child === null ? mix(stamp, 1) : stampOf(child, mix(stamp, 2));
  for (const next of life.next) stamp = stampOf(next, mix(stamp, 3));
  return stamp;
}

function mix(stamp: number, value: number): number {
  return Math.imul(stamp ^ value, 0x01000193) ^ (stamp >>> 15);
}

function newestFirst(a: Entry, b: Entry): number {
  return b.at - a.at;
}

/** The roots accepted last, of any number. */
class Newest {
  #roots: Life[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(root: Life): void {
    this.#roots.push(root);
    if (this.#roots.length >= 4 * this.#limit) this.#roots = this.roots();
  }

  roots(): Life[] {
    return this.#roots.sort((a, b) => b.first - a.first).slice(0, this.#limit);
  }
}
