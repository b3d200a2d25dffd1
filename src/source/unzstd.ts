/**
 * zstd (RFC 8878) by node:zlib, where node has it (22.15): frames one after another, some of them skippable.
 *
 * Node's stream stops after the first frame when the next one is in the same write; so a new stream goes on there.
 * Must not know files or logs.
 */
import * as zlib from 'node:zlib';
import { Damage } from './errors.ts';
import type { Input } from './input.ts';
import { DECODER_CHUNK, decode, Stepper, type ZlibStream } from './steps.ts';

type CreateZstd = (options: { chunkSize: number }) => ZlibStream;

/** Null on a node without zstd. */
export const createZstd: CreateZstd | null =
  (zlib as unknown as { createZstdDecompress?: CreateZstd }).createZstdDecompress ?? null;

export async function* unzstd(input: Input, create: CreateZstd): AsyncGenerator<Uint8Array, void, void> {
  while (await input.more()) {
    const start = input.taken;
    const decoder = new Stepper(create({ chunkSize: DECODER_CHUNK }));
    try {
      const ended = yield* decode(decoder, input);
      if (ended && input.taken === start) throw new Damage('a frame without data');
      if (!ended) {
        const last = await decoder.finish();
        yield* last.chunks;
        if (last.error) throw new Damage(last.error.message);
      }
    } finally {
      decoder.close();
    }
  }
}
