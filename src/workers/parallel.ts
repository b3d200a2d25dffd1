/**
 * Reads inputs in this thread and in workers into one analysis, exactly as one reader would.
 *
 * This thread reads units from the left, straight into the analysis; workers take them from the right, and where the
 * two meet, their answers are merged in order. So one part of the log needs no merging, and nobody waits for a cut
 * that was made in the wrong place. A log of any size goes by in windows of some units.
 *
 * Owns the order of merging and the proof that a unit was cut right: no line of it is later than what is read after
 * it, and its clock began where the one before ended. A unit whose clock began elsewhere is read again; one that was
 * cut wrong is given up, and the rest is read together in this thread.
 */
import type { Analysis } from '../analysis/analysis.ts';
import { type PreparedInput, type ReadingHooks, readInputs } from '../analysis/reading.ts';
import { SavedReader } from '../analysis/saved.ts';
import type { Names } from '../lines/names.ts';
import type { Tags } from '../lines/tags.ts';
import { UnreadableInput } from '../source/errors.ts';
import { type PlannedUnit, partFrom, planUnits } from './plan.ts';
import { inputOf, type Unit, type UnitPart, type UnitResult } from './unit.ts';

export interface ParallelOptions {
  /** Bytes of a unit, about. */
  readonly piece: number;
  /** Workers beside this thread. */
  readonly workers: number;
  /** Units of a window; answers of two windows may wait to be merged. */
  readonly window: number;
  readonly hosts: Names;
  readonly tags: Tags;
  /** A worker's answer to a unit; null where the work was stopped. */
  readonly run: (unit: Unit) => Promise<UnitResult | null>;
  /** The same by this thread. */
  readonly runHere: (unit: Unit) => Promise<UnitResult>;
}

/** A unit on its way: nobody has it while `answer` is null. */
interface Begun {
  readonly unit: PlannedUnit;
  answer: Promise<UnitResult | null> | null;
}

/** Units in the order of the log. This thread takes the first of them, workers the last that nobody has. */
class Units {
  readonly #plan: AsyncGenerator<PlannedUnit, void, void>;
  readonly #window: number;
  readonly #begun: Begun[] = [];
  #planning: Promise<void> | null = null;
  #planned = false;
  #over = false;

  constructor(plan: AsyncGenerator<PlannedUnit, void, void>, window: number) {
    this.#plan = plan;
    this.#window = window;
  }

  /** The first unit, undefined when all have been taken. */
  async first(): Promise<Begun | undefined> {
    while (this.#begun.length === 0 && !this.#planned) await this.#planMore();
    return this.#begun.shift();
  }

  /** The last unit that nobody has; undefined where too many wait to be merged, or there is none. */
  async last(): Promise<Begun | undefined> {
    const free = (): Begun | undefined => this.#begun.findLast(({ answer }) => answer === null);
    if (free() === undefined && !this.#planned && this.#begun.length <= this.#window) await this.#planMore();
    return this.#over ? undefined : free();
  }

  /** Nobody gets another one. */
  async close(): Promise<void> {
    this.#over = true;
    this.#planned = true;
    await this.#planning;
    await this.#plan.return();
  }

  /** One window more; who asks meanwhile waits for the same. */
  #planMore(): Promise<void> {
    this.#planning ??= (async () => {
      for (let n = 0; n < this.#window && !this.#planned; n += 1) {
        const { value, done } = await this.#plan.next();
        if (done === true || value === undefined) this.#planned = true;
        else this.#begun.push({ unit: value, answer: null });
      }
      this.#planning = null;
    })();
    return this.#planning;
  }
}

/** Gives units to one worker until there are none. */
async function employ(units: Units, merged: Merged, { run }: ParallelOptions): Promise<void> {
  for (;;) {
    const next = await units.last();
    if (next === undefined) {
      if (merged.over) return;
      // Too many wait: something is merged soon.
      await merged.next();
      continue;
    }
    next.answer = run(next.unit);
    try {
      if ((await next.answer) === null) return;
    } catch (error) {
      merged.failed = error as Error;
      return;
    }
  }
}

/** Tells those who wait for it that a unit was merged. */
class Merged {
  over = false;
  /** What ended a worker: no answer can be complete any more. */
  failed: Error | null = null;
  #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.over) resolve();
      else this.#waiting.push(resolve);
    });
  }

  tell(over = false): void {
    this.over ||= over;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Returns false when it was interrupted; what was read until then has been merged. */
export async function readParallel(
  inputs: readonly PreparedInput[],
  analysis: Analysis,
  hooks: ReadingHooks,
  options: ParallelOptions,
): Promise<boolean> {
  /** What the clock of each input remembers behind what was merged. */
  const clocks = inputs.map(({ clockOptions }) => clockOptions.previous ?? Number.NaN);
  // Looking into an input counted, too.
  for (const { source } of inputs) source.delivered = 0;
  const units = new Units(planUnits(inputs, options.piece), options.window);
  const merged = new Merged();
  const workers: Promise<void>[] = [];
  try {
    for (;;) {
      const next = await units.first();
      // From now on, so that this thread has the first one.
      while (workers.length < options.workers) workers.push(employ(units, merged, options));
      if (next === undefined) return true;
      const { unit } = next;
      const parts = unit.parts.map((part) => toldBy(clocks[part.input], part, inputs[part.input]));
      if (next.answer === null && unit.limit === Number.POSITIVE_INFINITY) {
        // Nothing comes after it that it could be too late for.
        const interrupted = (): boolean => merged.failed !== null || hooks.interrupted?.() === true;
        const complete = await readHere(inputs, parts, clocks, analysis, { ...hooks, interrupted }, options);
        if (merged.failed !== null) throw merged.failed;
        if (!complete) return false;
        merged.tell();
        continue;
      }
      let answer = await (next.answer ?? options.runHere({ ...unit, parts }));
      if (answer === null) return false;
      if (answer.latest > unit.limit) return await readRest(inputs, unit, clocks, analysis, hooks, options);
      const wrong = unit.parts.some(
        (part, i) => !Object.is(part.clock.previous ?? Number.NaN, parts[i].clock.previous ?? Number.NaN),
      );
      if (wrong && next.answer !== null) {
        answer = await options.runHere({ ...unit, parts });
        if (answer.latest > unit.limit) return await readRest(inputs, unit, clocks, analysis, hooks, options);
      }
      mergeAnswer(inputs, unit, answer, clocks, analysis, hooks, options);
      if (!answer.complete) return false;
      merged.tell();
    }
  } finally {
    await units.close();
    merged.tell(true);
  }
}

/** A part as its clock is known by now. */
function toldBy(previous: number, part: UnitPart, input: PreparedInput): UnitPart {
  return part.part.from > baseOf(input) ? { ...part, clock: { ...part.clock, previous } } : part;
}

function baseOf(input: PreparedInput): number {
  return input.source.part?.from ?? 0;
}

function mergeAnswer(
  inputs: readonly PreparedInput[],
  unit: Unit,
  answer: UnitResult,
  clocks: number[],
  analysis: Analysis,
  hooks: ReadingHooks,
  { hosts, tags }: ParallelOptions,
): void {
  for (const [i, { input }] of unit.parts.entries()) {
    const { lines, ours, malformed, previous, bytes } = answer.parts[i];
    inputs[input].lines += lines;
    inputs[input].ours += ours;
    inputs[input].malformed += malformed;
    inputs[input].previous = previous;
    inputs[input].source.delivered += bytes;
    clocks[input] = previous;
  }
  for (const { part, message } of answer.problems) {
    const input = inputs[unit.parts[part].input];
    hooks.onProblem(new UnreadableInput(input.source.path, message), input);
  }
  const reader = new SavedReader(hosts, tags, (loaded) => analysis.merge(loaded.analysis));
  let rest = '';
  for (const piece of answer.saved) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    for (const line of lines) reader.take(line);
  }
  reader.finish();
}

/** Everything from the beginning of a unit on, in this thread. */
function readRest(
  inputs: readonly PreparedInput[],
  unit: PlannedUnit,
  clocks: number[],
  analysis: Analysis,
  hooks: ReadingHooks,
  options: ParallelOptions,
): Promise<boolean> {
  const rest: UnitPart[] = [];
  for (const [number, input] of inputs.entries()) {
    const from = number < unit.groupEnd ? unit.positions.get(number) : baseOf(input);
    if (from !== undefined)
      rest.push(partFrom(input, number, from, input.source.part?.to ?? null, clocks[number]));
  }
  return readHere(inputs, rest, clocks, analysis, hooks, options);
}

/** Reads parts of inputs straight into the analysis. */
async function readHere(
  inputs: readonly PreparedInput[],
  parts: readonly UnitPart[],
  clocks: number[],
  analysis: Analysis,
  hooks: ReadingHooks,
  { hosts, tags }: ParallelOptions,
): Promise<boolean> {
  const read = parts.map((part) => inputOf(part, hosts, tags));
  const whole = (input: PreparedInput): PreparedInput => inputs[parts[read.indexOf(input)].input];
  // A file counts where it begins.
  for (const { part } of parts) if (part.from > 0) analysis.summary.files -= 1;
  const complete = await readInputs(read, analysis, {
    ...hooks,
    onProblem: (error, input) => hooks.onProblem(error, whole(input)),
  });
  for (const [i, { lines, ours, malformed, clock, source }] of read.entries()) {
    const input = whole(read[i]);
    input.lines += lines;
    input.ours += ours;
    input.malformed += malformed;
    input.previous = clock.previous;
    input.source.delivered += source.delivered;
    clocks[parts[i].input] = clock.previous;
  }
  return complete;
}
