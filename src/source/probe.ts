/**
 * A look at the beginning of a source without losing it, and the order of sources by what is found there.
 *
 * Owns the looking ahead. Must not know what a time in a log looks like: the caller reads the head.
 */
import { openBlocks } from './blocks.ts';
import { DamagedInput, UnreadableInput } from './errors.ts';
import type { Compression } from './magic.ts';
import type { Source } from './source.ts';

export const HEAD_SIZE = 256 << 10;

export interface Probe {
  compression: Compression;
  /** Up to 256 KiB of the decompressed beginning; shorter, or empty, when no more can be read. */
  head: Uint8Array;
  /** Milliseconds since the epoch; null for a stream. */
  mtime: number | null;
  /** Bytes on disk; null when unknown. */
  size: number | null;
}

export interface ProbeOptions {
  /**
   * How long to wait for the next bytes of a stream, for a live view of a pipe that speaks rarely. Without it the
   * head is complete, and so the same in every run.
   */
  patienceMs?: number;
}

/**
 * Does not throw for what is wrong with the input: whoever reads it is told by `openBlocks`, once.
 * A stream gets its head back: `openBlocks` begins with it.
 */
export async function probe(source: Source, options: ProbeOptions = {}): Promise<Probe> {
  let compression: Compression = 'none';
  const blocks = openBlocks(source, {
    blockSize: HEAD_SIZE,
    onCompression: (found) => {
      compression = found;
    },
  });
  const taken: Uint8Array[] = [];
  let length = 0;
  let pending: Promise<IteratorResult<Uint8Array, void>> | null = null;
  let failure: unknown = null;
  try {
    while (length < HEAD_SIZE) {
      pending = blocks.next();
      pending.catch(() => null); // it may be awaited much later
      const result = await within(pending, source.rereadable ? undefined : options.patienceMs);
      if (result === null) break;
      pending = null;
      if (result.done || !result.value) break;
      taken.push(new Uint8Array(result.value)); // its memory is used again
      length += result.value.length;
    }
  } catch (error) {
    pending = null;
    failure = error;
  }
  if (source.rereadable) {
    await blocks.return();
    source.bytesRead = 0;
  } else {
    source.ahead = {
      compression,
      blocks: [...taken],
      pending,
      rest: failure === null ? blocks : failing(failure),
    };
  }
  if (failure !== null && !(failure instanceof DamagedInput) && !(failure instanceof UnreadableInput))
    throw failure;
  const head = new Uint8Array(Math.min(length, HEAD_SIZE));
  let at = 0;
  for (const block of taken) {
    head.set(block.subarray(0, head.length - at), at);
    at += Math.min(block.length, head.length - at);
  }
  return { compression, head, mtime: source.mtime, size: source.size };
}

/**
 * The sources by their first times; equal times keep their order, and sources without a time come after the
 * others, in the order given. One head at a time is in memory; `firstTime` may read other things from it.
 */
export async function orderByFirstTime(
  sources: readonly Source[],
  firstTime: (head: Uint8Array, mtime: number | null, source: Source) => number | null,
  options: ProbeOptions = {},
): Promise<Source[]> {
  const timed: { source: Source; time: number }[] = [];
  for (const source of sources) {
    const { head, mtime } = await probe(source, options);
    const time = firstTime(head, mtime, source);
    timed.push({ source, time: time === null || Number.isNaN(time) ? Number.POSITIVE_INFINITY : time });
  }
  // Not by subtraction: two missing times would give NaN.
  return timed.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map((entry) => entry.source);
}

async function within<T>(promise: Promise<T>, ms: number | undefined): Promise<T | null> {
  if (ms === undefined) return promise;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// biome-ignore lint/correctness/useYield: a sequence of no blocks, and then the error
async function* failing(error: unknown): AsyncGenerator<Uint8Array, void, void> {
  throw error;
}
