/**
 * A unit of work: parts of inputs that are read as one piece of the log, by a worker or by the main thread.
 *
 * Owns what a unit is and how it is run; plain data goes in and comes out, so that both can cross threads. Must not
 * know threads, or how units are cut (plan.ts).
 */
import { Analysis } from '../analysis/analysis.ts';
import { type PreparedInput, preparedInput, type ReadingHooks, readInputs } from '../analysis/reading.ts';
import { savedLines } from '../analysis/saved.ts';
import type { ClockOptions } from '../lines/clock.ts';
import { Names } from '../lines/names.ts';
import { Tags } from '../lines/tags.ts';
import type { Mta } from '../records/record.ts';
import { fileSource, type Part } from '../source/source.ts';
import { boundTables } from '../summary/counter.ts';
import { Inside, type InsideEntry } from '../suspects/inside.ts';

/** What all units of a run have in common. */
export interface Job {
  readonly mta: Mta | null;
  readonly since: number | null;
  readonly until: number | null;
  /** What belongs to us (`--inside`). */
  readonly inside: readonly InsideEntry[];
  /** Bounds: pending lives, keys of a table. */
  readonly mostPending: number;
  readonly mostKeys: number;
}

/** A part of one input; `input` is its place in the run's list. */
export interface UnitPart {
  readonly input: number;
  readonly path: string;
  readonly size: number;
  readonly part: Part;
  /** With the clock's memory at the part's beginning, as far as it could be told. */
  readonly clock: ClockOptions;
  /** Instant of the input's first line; -Infinity where the part begins behind it. */
  readonly first: number;
}

export interface Unit {
  readonly parts: readonly UnitPart[];
  /** A line later than this belongs behind lines of other units: the unit was cut wrong, and its answer is none. */
  readonly limit: number;
}

export interface PartResult {
  readonly lines: number;
  readonly ours: number;
  readonly malformed: number;
  /** The clock's memory behind the part. */
  readonly previous: number;
  /** Decompressed bytes that were read. */
  readonly bytes: number;
}

export interface UnitResult {
  readonly parts: readonly PartResult[];
  /** What could not be read to its end, with its place among the parts. */
  readonly problems: readonly { readonly part: number; readonly message: string }[];
  readonly latest: number;
  /** False when it was interrupted, or went beyond its limit. */
  readonly complete: boolean;
  /** The analysis (analysis/saved.ts), in pieces of about a megabyte. */
  readonly saved: readonly string[];
}

export interface UnitHooks {
  readonly onBytes?: (bytes: number) => void;
  readonly interrupted?: () => boolean;
}

const PIECE = 1 << 20;

export function inputOf(part: UnitPart, hosts: Names, tags: Tags): PreparedInput {
  const file = fileSource(part.path, { size: part.size, mtimeMs: part.clock.reference, dev: 0, ino: 0 });
  return preparedInput(file.only(part.part), part.clock, part.first, { hosts, tags });
}

export async function runUnit(unit: Unit, job: Job, hooks: UnitHooks = {}): Promise<UnitResult> {
  const hosts = new Names();
  const tags = new Tags();
  const inputs = unit.parts.map((part) => inputOf(part, hosts, tags));
  boundTables(job.mostKeys);
  const inside = new Inside(job.inside);
  const analysis = new Analysis({ ...job, inside, lean: true, leftOpen: true });
  const problems: { part: number; message: string }[] = [];
  const reading: ReadingHooks = {
    onBytes: hooks.onBytes,
    onProblem: (error, input) => problems.push({ part: inputs.indexOf(input), message: error.message }),
    interrupted: () => hooks.interrupted?.() === true || analysis.latest > unit.limit,
  };
  const read = await readInputs(inputs, analysis, reading);
  const complete = read && analysis.latest <= unit.limit;
  // A file counts where it begins.
  for (const { part } of unit.parts) if (part.from > 0) analysis.summary.files -= 1;
  const saved = pieces(savedLines(analysis, hosts, { kind: 'summary', program: '', complete, options: {} }));
  analysis.joiner.light?.end();
  return {
    parts: inputs.map(({ lines, ours, malformed, clock, source }) => {
      return { lines, ours, malformed, previous: clock.previous, bytes: source.delivered };
    }),
    problems,
    latest: analysis.latest,
    complete,
    saved,
  };
}

function pieces(lines: Iterable<string>): string[] {
  const made: string[] = [];
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE) continue;
    made.push(piece);
    piece = '';
  }
  if (piece !== '') made.push(piece);
  return made;
}
