/**
 * Inputs -> units of work that give, merged in their order, what reading the inputs at once would give.
 *
 * Owns where is cut: plain files between lines, files that run side by side at one instant, archives not at all; and
 * what the clock remembers at a cut, as far as a look at the lines before it tells. Everything that is guessed here
 * (that a file goes no further than its end looks, that no line before a cut is later than the cut, what the clock
 * remembers) is checked when the answer of a unit is there (parallel.ts). Must not know threads.
 */
import { type PreparedInput, ROTATION_JITTER, spanOf } from '../analysis/reading.ts';
import { Clock, type ClockOptions } from '../lines/clock.ts';
import { HeadParser } from '../lines/head-parser.ts';
import { Names } from '../lines/names.ts';
import { Tags } from '../lines/tags.ts';
import { PlainFile } from '../source/windows.ts';
import type { Unit, UnitPart } from './unit.ts';

/** Looked at before a cut. */
const WINDOW = 1 << 16;
/** A bisection ends here; the rest is read line by line. */
const NEAR = 1 << 18;

export interface PlannedUnit extends Unit {
  /** Where every input of the group stands when the unit begins, those at their ends left out. */
  readonly positions: ReadonlyMap<number, number>;
  /** The first input of the groups behind. */
  readonly groupEnd: number;
}

/** The units, one at a time: each costs a few looks into files. `piece` is their size in bytes, about. */
export async function* planUnits(
  inputs: readonly PreparedInput[],
  piece: number,
): AsyncGenerator<PlannedUnit, void, void> {
  for (let start = 0; start < inputs.length; ) {
    const end = await groupEnd(inputs, start);
    const limit = end < inputs.length ? inputs[end].first + ROTATION_JITTER : Number.POSITIVE_INFINITY;
    const group = inputs.slice(start, end).map((input, i) => new Cutter(input, start + i));
    try {
      for (const cutter of group) await cutter.open();
      if (group.every((cutter) => cutter.isPlain)) yield* cutGroup(group, piece, limit, end);
      else yield unitOf(group, null, limit, end);
    } finally {
      for (const cutter of group) await cutter.close();
    }
    start = end;
  }
}

/** The inputs from `start` on that run side by side end before this one. */
async function groupEnd(inputs: readonly PreparedInput[], start: number): Promise<number> {
  let latest = await lastInstant(inputs[start]);
  let end = start + 1;
  for (; end < inputs.length && latest > inputs[end].first + ROTATION_JITTER; end += 1)
    latest = Math.max(latest, await lastInstant(inputs[end]));
  return end;
}

/** Latest instant that a look at both ends of an input shows. */
async function lastInstant(input: PreparedInput): Promise<number> {
  if (input.compression !== 'none') return input.goesTo;
  try {
    const file = await PlainFile.open(input.source.path);
    try {
      const to = input.source.part?.to ?? file.size;
      const clock = new Clock({ ...input.clockOptions, previous: finite(input.goesTo) });
      const { latest } = spanOf(await file.linesBefore(to, WINDOW), headsFor(clock));
      return Math.max(input.goesTo, latest);
    } finally {
      await file.close();
    }
  } catch {
    // Whoever reads it says what is wrong with it.
    return input.goesTo;
  }
}

function finite(instant: number): number | undefined {
  return Number.isFinite(instant) ? instant : undefined;
}

/** Hosts and tags are of no interest here. */
function headsFor(clock: Clock): HeadParser {
  return new HeadParser(clock, new Names(), new Tags());
}

async function* cutGroup(
  group: readonly Cutter[],
  piece: number,
  limit: number,
  end: number,
): AsyncGenerator<PlannedUnit, void, void> {
  for (;;) {
    const left = group.reduce((sum, cutter) => sum + cutter.left, 0);
    // No crumbs at the end.
    let cuts: Cuts | null = null;
    // Where the log says no other time for long, a larger piece.
    for (let share = piece / left; cuts === null && share < 0.67; share *= 2)
      cuts = await cutAt(group, share);
    yield unitOf(group, cuts, limit, end);
    if (cuts === null) return;
    for (const [i, cutter] of group.entries()) cutter.goTo(cuts.places[i]);
  }
}

interface Place {
  readonly at: number;
  /** The clock's memory there. */
  readonly previous: number;
}

interface Cuts {
  readonly places: readonly Place[];
  /** No line before the cut is later. */
  readonly until: number;
}

/** Cuts off about this share of what is left of the group; null where no good place is found. */
async function cutAt(group: readonly Cutter[], share: number): Promise<Cuts | null> {
  const longest = group.reduce((a, b) => (b.left > a.left ? b : a));
  const target = longest.at + Math.max(1, Math.floor(longest.left * share));
  if (group.length === 1) {
    const place = await longest.lineAt(target);
    return place.at >= longest.end || place.at <= longest.at
      ? null
      : { places: [place], until: Number.POSITIVE_INFINITY };
  }
  let until = await longest.latestBefore(target);
  // Where a file is about to begin, lines of the others may come before its own (reading.ts).
  for (const { input } of [...group].reverse())
    if (input.first >= until - ROTATION_JITTER && input.first <= until) until = input.first - 1;
  if (!Number.isFinite(until)) return null;
  const places: Place[] = [];
  for (const cutter of group) places.push(await cutter.firstAfter(until));
  return group.some((cutter, i) => places[i].at > cutter.at) ? { places, until } : null;
}

function unitOf(group: readonly Cutter[], cuts: Cuts | null, limit: number, groupEnd: number): PlannedUnit {
  const parts: UnitPart[] = [];
  const positions = new Map<number, number>();
  for (const [i, cutter] of group.entries()) {
    if (!cutter.isOver) positions.set(cutter.number, cutter.at);
    const to = cuts === null ? cutter.endOrNull : cuts.places[i].at;
    if (cutter.isOver || (cuts !== null && to === cutter.at)) continue;
    parts.push(cutter.part(to));
  }
  return { parts, limit: cuts === null ? limit : Math.min(limit, cuts.until), positions, groupEnd };
}

/** An input from a position on. */
export function partFrom(
  input: PreparedInput,
  number: number,
  from: number,
  to: number | null,
  previous: number,
): UnitPart {
  const base = input.source.part?.from ?? 0;
  const clock: ClockOptions = from > base ? { ...input.clockOptions, previous } : input.clockOptions;
  return {
    input: number,
    path: input.source.path,
    size: input.source.size ?? 0,
    part: { from, to, plain: input.compression === 'none' },
    clock,
    first: from > base ? Number.NEGATIVE_INFINITY : input.first,
  };
}

/** An input on its way through the cuts. */
class Cutter {
  readonly input: PreparedInput;
  readonly number: number;
  at: number;
  end = 0;
  #file: PlainFile | null = null;
  #previous: number;
  #wholeRead = false;

  constructor(input: PreparedInput, number: number) {
    this.input = input;
    this.number = number;
    this.at = input.source.part?.from ?? 0;
    this.#previous = input.clockOptions.previous ?? Number.NaN;
  }

  get isPlain(): boolean {
    return this.#file !== null;
  }

  get left(): number {
    return Math.max(0, this.end - this.at);
  }

  /** What was begun and cut to its end; an empty file has not been begun. */
  get isOver(): boolean {
    return this.#wholeRead;
  }

  /** Where nothing was said, a file may grow: up to wherever it ends by then. */
  get endOrNull(): number | null {
    return this.input.source.part?.to ?? null;
  }

  async open(): Promise<void> {
    const { source, compression } = this.input;
    if (compression !== 'none') return;
    try {
      this.#file = await PlainFile.open(source.path);
      this.end = source.part?.to ?? this.#file.size;
    } catch {
      // Whoever reads it says what is wrong with it.
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  goTo({ at, previous }: Place): void {
    this.at = at;
    this.#previous = previous;
    if (at >= this.end && at > 0) this.#wholeRead = true;
  }

  part(to: number | null): UnitPart {
    return partFrom(this.input, this.number, this.at, to, this.#previous);
  }

  #clock(): Clock {
    const { clockOptions, goesTo } = this.input;
    const previous = Number.isNaN(this.#previous) ? finite(goesTo) : this.#previous;
    return new Clock({ ...clockOptions, previous });
  }

  /** The line that begins next at or behind a place. */
  async lineAt(target: number): Promise<Place> {
    const at = await this.#file!.lineStart(target);
    const clock = this.#clock();
    const before = await this.#file!.linesBefore(at, WINDOW);
    spanOf(before, headsFor(clock));
    // Without any stamp that needs it, the clock remembers nothing.
    const seen = new Clock({ ...this.input.clockOptions });
    spanOf(before, headsFor(seen));
    return { at, previous: Number.isNaN(seen.previous) ? this.#previous : clock.previous };
  }

  /** Latest instant in the lines before a place. */
  async latestBefore(target: number): Promise<number> {
    const at = await this.#file!.lineStart(target);
    return spanOf(await this.#file!.linesBefore(at, WINDOW), headsFor(this.#clock())).latest;
  }

  /** The first line with a later instant. */
  async firstAfter(instant: number): Promise<Place> {
    const file = this.#file!;
    let low = this.at;
    let high = this.end;
    while (high - low > NEAR) {
      const middle = await file.lineStart(low + Math.floor((high - low) / 2));
      if (middle >= high) break;
      const { first } = spanOf(await file.read(middle, WINDOW), headsFor(this.#clock()));
      if (first > instant) high = middle;
      else low = middle;
    }
    low = await file.lineStart(Math.max(this.at, low - NEAR));
    return this.#scan(Math.max(low, this.at), instant);
  }

  async #scan(from: number, instant: number): Promise<Place> {
    const file = this.#file!;
    const clock = this.#clock();
    const heads = headsFor(clock);
    let stamped = false;
    const seen = new Clock({ ...this.input.clockOptions });
    const seenHeads = headsFor(seen);
    for (let at = from; at < this.end; ) {
      const bytes = await file.read(at, Math.min(4 * NEAR, this.end - at));
      let start = 0;
      for (;;) {
        const newline = bytes.indexOf(10, start);
        const end = newline >= 0 ? newline : bytes.length;
        if (newline < 0 && (at + bytes.length < this.end || start >= end)) break;
        const before = clock.previous;
        if (heads.parse(bytes, start, end) && heads.head.instant > instant)
          return { at: at + start, previous: stamped ? before : this.#previous };
        seenHeads.parse(bytes, start, end);
        stamped ||= !Number.isNaN(seen.previous);
        start = end + 1;
        if (newline < 0) break;
      }
      // A line longer than what was read: leave it to the last unit.
      if (start === 0) break;
      at += start;
    }
    return { at: this.end, previous: this.#previous };
  }
}
