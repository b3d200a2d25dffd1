/**
 * Reads inputs with several workers into one analysis, exactly as one reader would.
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
import { inputOf, type Unit, type UnitResult } from './unit.ts';

export interface ParallelOptions {
  /** Bytes of a unit, about. */
  readonly piece: number;
  /** Units that are begun before the first of them is merged. */
  readonly ahead: number;
  readonly hosts: Names;
  readonly tags: Tags;
  /** Answers a unit; null where the work was stopped. */
  readonly run: (unit: Unit) => Promise<UnitResult | null>;
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
  const plan = planUnits(inputs, options.piece);
  const begun: { unit: PlannedUnit; answer: Promise<UnitResult | null> }[] = [];
  let planned = false;
  try {
    for (;;) {
      while (!planned && begun.length < options.ahead) {
        const { value, done } = await plan.next();
        if (done === true || value === undefined) planned = true;
        else begun.push({ unit: value, answer: options.run(value) });
      }
      const next = begun.shift();
      if (next === undefined) return true;
      const { unit } = next;
      let answer = await next.answer;
      if (answer === null) return false;
      if (answer.latest > unit.limit) return await readRest(inputs, unit, clocks, analysis, hooks, options);
      const told = unit.parts.map((part) => ({
        ...part,
        clock:
          part.part.from > baseOf(inputs[part.input])
            ? { ...part.clock, previous: clocks[part.input] }
            : part.clock,
      }));
      const wrong = unit.parts.some(
        (part, i) => !Object.is(part.clock.previous ?? Number.NaN, told[i].clock.previous ?? Number.NaN),
      );
      if (wrong) {
        const again = await options.run({ ...unit, parts: told });
        if (again === null) return false;
        answer = again;
        if (answer.latest > unit.limit) return await readRest(inputs, unit, clocks, analysis, hooks, options);
      }
      mergeAnswer(inputs, unit, answer, clocks, analysis, hooks, options);
      if (!answer.complete) return false;
    }
  } finally {
    await plan.return();
  }
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
async function readRest(
  inputs: readonly PreparedInput[],
  unit: PlannedUnit,
  clocks: readonly number[],
  analysis: Analysis,
  hooks: ReadingHooks,
  { hosts, tags }: ParallelOptions,
): Promise<boolean> {
  const numbers: number[] = [];
  const rest: PreparedInput[] = [];
  for (const [number, input] of inputs.entries()) {
    const from = number < unit.groupEnd ? unit.positions.get(number) : baseOf(input);
    if (from === undefined) continue;
    const part = partFrom(input, number, from, input.source.part?.to ?? null, clocks[number]);
    if (from > 0) analysis.summary.files -= 1;
    numbers.push(number);
    rest.push(inputOf(part, hosts, tags));
  }
  const read = await readInputs(rest, analysis, {
    ...hooks,
    onProblem: (error, input) => hooks.onProblem(error, inputs[numbers[rest.indexOf(input)]]),
  });
  for (const [i, { lines, ours, malformed, clock, source }] of rest.entries()) {
    const input = inputs[numbers[i]];
    input.lines += lines;
    input.ours += ours;
    input.malformed += malformed;
    input.previous = clock.previous;
    input.source.delivered += source.delivered;
  }
  return read;
}
