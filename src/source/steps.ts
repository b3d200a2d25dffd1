/**
 * Drives a decoder of node:zlib step by step: so many compressed bytes in, what they gave out.
 *
 * Why not `pipe`: when a stream fails, node drops what the failing write had decoded and what nobody had
 * fetched yet, and it does not say where a member ended. Here everything before the failing step is kept.
 */
import type { Transform } from 'node:stream';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Damage } from './errors.ts';
import type { Input } from './input.ts';

/** Output of one step stays in one chunk as a rule: the event loop turns once for each chunk. */
export const DECODER_CHUNK = 1 << 20;

const SMALLEST_STEP = 512;
const LARGEST_STEP = 1 << 16;

/**
 * How much to feed at once: a sixteenth of what was fed. A step that fails takes its output with it, so damage
 * costs at most that share of the file, and 64 KiB of archive at the end; large steps are for speed.
 */
export function stepSize(fed: number): number {
  return Math.min(LARGEST_STEP, Math.max(SMALLEST_STEP, fed >>> 4));
}

/** What both zlib and zstd streams of node have. */
export type ZlibStream = Transform & { readonly bytesWritten: number };

export interface Step {
  readonly chunks: Uint8Array[];
  /** Bytes of the input that were used. */
  readonly used: number;
  /** The compressed data ended by itself; the rest of the input is something else. */
  readonly ended: boolean;
  readonly error: Error | null;
}

export class Stepper {
  #stream: ZlibStream;
  #chunks: Uint8Array[] = [];
  #done: ((ended: boolean, error: Error | null) => void) | null = null;

  constructor(stream: ZlibStream) {
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => this.#chunks.push(chunk));
    stream.on('end', () => this.#done?.(true, null));
    stream.on('error', (error) => this.#done?.(false, error));
  }

  /** The input must stay untouched until the promise settles. */
  feed(input: Uint8Array): Promise<Step> {
    return this.#step(() => {
      this.#stream.write(input, (error) => {
        if (!error) this.#done?.(false, null); // errors come as an event
      });
    });
  }

  /** Says that no input follows; an error means that the data was cut off. */
  finish(): Promise<Step> {
    return this.#step(() => this.#stream.end());
  }

  close(): void {
    this.#stream.destroy();
  }

  #step(start: () => void): Promise<Step> {
    const before = this.#stream.bytesWritten;
    return new Promise((resolve) => {
      this.#done = (ended, error) => {
        this.#done = null;
        const chunks = this.#chunks;
        this.#chunks = [];
        resolve({ chunks, used: this.#stream.bytesWritten - before, ended, error });
      };
      start();
    });
  }
}

/**
 * Decodes until the compressed data ends by itself (returns true) or the input is over (false).
 * One step ahead: node's thread decodes while the caller works on what the last step gave.
 */
export async function* decode(decoder: Stepper, input: Input): AsyncGenerator<Uint8Array, boolean, void> {
  const feed = async (): Promise<Step | null> =>
    (await input.more()) ? decoder.feed(input.peek(stepSize(input.taken))) : null;
  // The decoder fills one buffer after the other, and chunks come in order.
  let before: ArrayBufferLike | null = null;
  let step = await feed();
  while (step !== null) {
    input.take(step.used);
    const next: Promise<Step | null> | null = step.ended || step.error ? null : feed();
    next?.catch(() => null); // awaited after the chunks: until then an error is not an unhandled one
    for (const chunk of step.chunks) {
      if (before !== null && chunk.buffer !== before) free(before);
      before = chunk.buffer;
      yield chunk;
    }
    if (step.error) throw new Damage(step.error.message);
    if (next === null) return true;
    step = await next;
  }
  return false;
}

let nowhere: MessagePort | null = null;

/**
 * Gives memory back that nobody will look at any more. Left to the collector, a GB costs 0.6 s here and 1.2 s in V8's own
 * threads: it looks through everything after each 64 MB of such buffers.
 */
function free(buffer: ArrayBufferLike): void {
  if (nowhere === null) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    nowhere = port1;
  }
  // What is sent to a port that is closed is gone. Node 20 has no ArrayBuffer.prototype.transfer.
  if (buffer instanceof ArrayBuffer) nowhere.postMessage(null, [buffer]);
}
