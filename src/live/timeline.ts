/**
 * The five figures by minute, hour and day of acceptance, for the last so many of each.
 *
 * Sums only, so that what is over and what is pending add up. Owns the steps and their bounds. Must not know chains.
 */
export const ZOOMS = ['minute', 'hour', 'day'] as const;
export type Zoom = (typeof ZOOMS)[number];

const MINUTE = 60_000;
/** Milliseconds of a step; days are days of UTC. */
export const STEP: Readonly<Record<Zoom, number>> = { minute: MINUTE, hour: 60 * MINUTE, day: 1440 * MINUTE };
/** Steps that a view shows at the most: the columns of a wide terminal. */
export const STEPS_SHOWN = 240;
/** Steps kept: a message that ends late is counted where it was accepted, up to two days before. */
const MOST: Readonly<Record<Zoom, number>> = { minute: 2880, hour: 2160, day: 1100 };

/** incoming, delivered, estimated, actual, suppressed: the places of a summary's figures. */
export type Five = readonly number[];
export const ZERO: Five = [0, 0, 0, 0, 0];

export interface Step {
  /** Beginning of the minute, hour or day, ms since the epoch. */
  readonly at: number;
  readonly figures: Five;
}

export class Timeline {
  readonly #steps: Record<Zoom, Map<number, number[]>> = {
    minute: new Map(),
    hour: new Map(),
    day: new Map(),
  };

  /** A message accepted at `at` (ms) gave these. */
  add(at: number, figures: ArrayLike<number>): void {
    for (const zoom of ZOOMS) this.#add(zoom, Math.floor(at / STEP[zoom]), figures);
  }

  #add(zoom: Zoom, key: number, figures: ArrayLike<number>): void {
    const steps = this.#steps[zoom];
    let step = steps.get(key);
    if (step === undefined) {
      step = [0, 0, 0, 0, 0];
      steps.set(key, step);
      if (steps.size > 2 * MOST[zoom]) forgetOldest(steps, MOST[zoom]);
    }
    for (let i = 0; i < 5; i += 1) step[i] += figures[i];
  }

  /** Sums of an earlier run: by hour, and by minute as far as they are known. */
  restore(
    hours: Iterable<readonly [number, ArrayLike<number>]>,
    minutes: Iterable<readonly [number, ArrayLike<number>]>,
  ): void {
    for (const [hour, figures] of hours) {
      this.#add('hour', hour, figures);
      this.#add('day', Math.floor((hour * STEP.hour) / STEP.day), figures);
    }
    for (const [minute, figures] of minutes) this.#add('minute', minute, figures);
  }

  /** The minutes from that of `from` (ms) on, by number since the epoch. */
  *minutes(from: number): IterableIterator<readonly [number, readonly number[]]> {
    const first = Math.floor(from / MINUTE);
    for (const entry of this.#steps.minute) if (entry[0] >= first) yield entry;
  }

  /** Sum of the minutes from the one of `from` on. */
  since(from: number, into: number[] = [0, 0, 0, 0, 0]): number[] {
    const first = Math.floor(from / MINUTE);
    for (const [key, step] of this.#steps.minute) {
      if (key >= first) for (let i = 0; i < 5; i += 1) into[i] += step[i];
    }
    return into;
  }

  step(zoom: Zoom, key: number): readonly number[] | undefined {
    return this.#steps[zoom].get(key);
  }
}

/** The last steps up to `newest` (ms), silent ones included, of several timelines together. */
export function lastSteps(timelines: readonly Timeline[], zoom: Zoom, newest: number): Step[] {
  if (!Number.isFinite(newest)) return [];
  const last = Math.floor(newest / STEP[zoom]);
  const steps: Step[] = [];
  for (let key = last - STEPS_SHOWN + 1; key <= last; key += 1) {
    let figures: number[] | null = null;
    for (const timeline of timelines) {
      const step = timeline.step(zoom, key);
      if (step === undefined) continue;
      figures ??= [0, 0, 0, 0, 0];
      for (let i = 0; i < 5; i += 1) figures[i] += step[i];
    }
    steps.push({ at: key * STEP[zoom], figures: figures ?? ZERO });
  }
  return steps;
}

function forgetOldest(steps: Map<number, number[]>, most: number): void {
  const keys = [...steps.keys()].sort((a, b) => a - b);
  for (const key of keys.slice(0, keys.length - most)) steps.delete(key);
}
