/**
 * The bytes of a source, decompressed, block by block, with bounded memory.
 *
 * Owns which decoder reads what and how a reading ends. Must not know newlines, syslog or mail.
 */
import { Damage, DamagedInput } from './errors.ts';
import { gunzip } from './gunzip.ts';
import { Input } from './input.ts';
import { type Compression, compressionOf, MAGIC_LENGTH } from './magic.ts';
import type { Part, Source } from './source.ts';
import { throughTool } from './tools.ts';
import { createZstd, unzstd } from './unzstd.ts';

export interface BlockOptions {
  /** Size of the reads from a file. */
  blockSize?: number;
  /** For the bytes of a file that is not compressed, all but the first block: nobody else may use it meanwhile. */
  memory?: Uint8Array;
  /** Told once, before the first block. */
  onCompression?: (compression: Compression) => void;
}

/**
 * A block is valid until the next one is asked for: its memory may be used again.
 *
 * Throws at the end, after everything that is good: `DamagedInput` (an archive that is broken or cut off) or
 * `UnreadableInput` (permission, disk, missing tool). Both have a message of one line.
 */
export async function* openBlocks(
  source: Source,
  options: BlockOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  source.delivered = 0;
  source.lent = null;
  for await (const block of blocksOf(source, options)) {
    source.delivered += block.length;
    yield block;
  }
}

async function* blocksOf(source: Source, options: BlockOptions): AsyncGenerator<Uint8Array, void, void> {
  const { ahead, part } = source;
  if (ahead === null) {
    if (part?.plain) {
      options.onCompression?.('none');
      source.lent = options.memory ?? null;
      yield* source.rawBlocks(options.blockSize);
    } else if (part !== null) yield* partOf(decompressed(source, options), part);
    else yield* decompressed(source, options);
    return;
  }
  source.ahead = null;
  options.onCompression?.(ahead.compression);
  try {
    yield* ahead.blocks;
    ahead.blocks.length = 0;
    if (ahead.pending !== null) {
      const { done, value } = await ahead.pending;
      if (done || !value) return;
      yield value;
    }
    yield* ahead.rest;
  } finally {
    source.letGo();
    await ahead.rest.return();
  }
}

/** What was read before is decompressed once more: archives have no places to begin at. */
async function* partOf(
  blocks: AsyncGenerator<Uint8Array, void, void>,
  { from, to }: Part,
): AsyncGenerator<Uint8Array, void, void> {
  let at = 0;
  for await (const block of blocks) {
    const start = Math.max(0, from - at);
    const end = to === null ? block.length : Math.min(block.length, to - at);
    at += block.length;
    if (start < end) yield block.subarray(start, end);
    if (to !== null && at >= to) return;
  }
}

async function* decompressed(source: Source, options: BlockOptions): AsyncGenerator<Uint8Array, void, void> {
  if (source.decoding !== null) {
    yield* source.decoding();
    return;
  }
  const raw = source.rawBlocks(options.blockSize);
  let compression: Compression = 'none';
  let delivered = 0;
  try {
    const first = await firstBytes(raw);
    compression = compressionOf(first);
    options.onCompression?.(compression);
    const whole = inFront(first, raw);
    if (compression === 'none') {
      source.lent = options.memory ?? null;
      yield* whole;
      return;
    }
    for await (const block of decoded(source.path, compression, whole)) {
      if (source.stopped) return;
      delivered += block.length;
      yield block;
    }
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    if (!source.stopped) throw new DamagedInput(source.path, compression, error.message, delivered);
  } finally {
    source.letGo();
    await raw.return();
  }
}

function decoded(
  path: string,
  compression: Exclude<Compression, 'none'>,
  raw: AsyncGenerator<Uint8Array, void, void>,
): AsyncGenerator<Uint8Array, void, void> {
  if (compression === 'gzip') return gunzip(new Input(raw));
  if (compression === 'zstd' && createZstd !== null) return unzstd(new Input(raw), createZstd);
  return throughTool(path, compression, raw);
}

/** Enough bytes to tell the compression by; a pipe may deliver them one at a time. */
async function firstBytes(raw: AsyncIterator<Uint8Array, void, void>): Promise<Uint8Array> {
  let first: Uint8Array = new Uint8Array(0);
  while (first.length < MAGIC_LENGTH) {
    const { done, value } = await raw.next();
    if (done || !value) break;
    first = first.length === 0 ? value : Buffer.concat([first, value]);
    // A copy, which Buffer's own slice is not: the memory is used again.
    if (first.length < MAGIC_LENGTH) first = new Uint8Array(first);
  }
  return first;
}

async function* inFront(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  if (first.length > 0) yield first;
  yield* rest;
}
