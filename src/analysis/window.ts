/**
 * Which inputs --since and --until make superfluous.
 *
 * A message belongs to the time of its acceptance, and its lines may come days later; a line that belongs to an older
 * one must meet it, or it would count as a chain without a beginning. So a file is left out only if it lies further
 * outside of the window than any message lasts (chains/life.ts OPEN_HORIZON), and a day for clocks that differ.
 * Where nothing shows when a file ends, it is read.
 */
import { OPEN_HORIZON } from '../chains/life.ts';
import { Clock } from '../lines/clock.ts';
import { HeadParser } from '../lines/head-parser.ts';
import { Names } from '../lines/names.ts';
import { Tags } from '../lines/tags.ts';
import { PlainFile } from '../source/windows.ts';
import { type PreparedInput, spanOf } from './reading.ts';

const DAY = 86_400_000;
const MARGIN = OPEN_HORIZON + DAY;
const TAIL = 1 << 16;

/** The inputs that are to be read; all of them if that would leave none. */
export async function withinWindow(
  inputs: readonly PreparedInput[],
  { since, until }: { readonly since: number | null; readonly until: number | null },
): Promise<readonly PreparedInput[]> {
  if (since === null && until === null) return inputs;
  const kept: PreparedInput[] = [];
  for (const input of inputs) {
    const { source, first } = input;
    const isLater = until !== null && Number.isFinite(first) && first > until + MARGIN;
    const mayBeOlder = since !== null && first < since - MARGIN && source.rereadable;
    if (isLater || (mayBeOlder && (await endOf(input)) < since - MARGIN)) continue;
    kept.push(input);
  }
  return kept.length > 0 ? kept : inputs;
}

/** No line of it is later than this, as far as can be told; Infinity where it cannot. */
async function endOf({ source, compression, clockOptions, first, goesTo }: PreparedInput): Promise<number> {
  if (compression !== 'none') {
    // Archives keep the time at which the log was written last. One from before the log began is none.
    const { mtime } = source;
    return mtime !== null && mtime >= goesTo ? mtime : Number.POSITIVE_INFINITY;
  }
  try {
    const file = await PlainFile.open(source.path);
    try {
      const clock = new Clock({ ...clockOptions, previous: Number.isFinite(goesTo) ? goesTo : first });
      const { latest } = spanOf(
        await file.linesBefore(file.size, TAIL),
        new HeadParser(clock, new Names(), new Tags()),
      );
      return Number.isFinite(latest) ? Math.max(latest, goesTo) : Number.POSITIVE_INFINITY;
    } finally {
      await file.close();
    }
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
