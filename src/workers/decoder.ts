/**
 * The decoding thread: reads archives and sends what they hold, a few blocks ahead of who wants it. Owns the messages;
 * the work is that of source/.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { openBlocks } from '../source/blocks.ts';
import { DamagedInput, UnreadableInput } from '../source/errors.ts';
import { fileAt, type Source } from '../source/source.ts';

/** An archive to be read; its blocks go through the port, and their memory comes back. */
export interface Wanted {
  readonly path: string;
  readonly port: MessagePort;
}

/** A block that is full; `bytesRead` of the archive were read for all so far. */
export interface Block {
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly bytesRead: number;
}

/** How it ended. */
export type Ending =
  | { readonly end: 'whole' }
  | {
      readonly end: 'damaged';
      readonly compression: string;
      readonly reason: string;
      readonly delivered: number;
    }
  | { readonly end: 'unreadable' | 'failed'; readonly reason: string };

/** One read of the kernel's at most. */
const BLOCK_SIZE = 1 << 20;
/** Blocks on their way or in use: a turn of another program's holds nobody up. */
const MOST_BLOCKS = 8;

parentPort?.on('message', ({ path, port }: Wanted) => void new Sending(port).send(path));

class Sending {
  readonly #port: MessagePort;
  readonly #free: ArrayBuffer[] = [];
  #made = 0;
  #block: Uint8Array | null = null;
  #length = 0;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (buffers: readonly ArrayBuffer[]) => {
      this.#free.push(...buffers);
      this.#wake();
    });
    port.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  async send(path: string): Promise<void> {
    let ending: Ending = { end: 'whole' };
    try {
      const source = fileAt(path);
      for await (const bytes of openBlocks(source)) {
        for (let at = 0; at < bytes.length && !this.#closed; ) at += await this.#put(bytes, at, source);
        if (this.#closed) return;
      }
      this.#flush(source.bytesRead);
    } catch (error) {
      this.#flush(0);
      ending = endingOf(error);
    }
    this.#port.postMessage(ending);
  }

  /** Copies what has room of bytes[at...]; how much that was. */
  async #put(bytes: Uint8Array, at: number, source: Source): Promise<number> {
    this.#block ??= await this.#room();
    if (this.#block === null) return 0;
    const length = Math.min(bytes.length - at, BLOCK_SIZE - this.#length);
    this.#block.set(bytes.subarray(at, at + length), this.#length);
    this.#length += length;
    if (this.#length === BLOCK_SIZE) this.#flush(source.bytesRead);
    return length;
  }

  /** Memory for a block; null when nobody wants any more. */
  async #room(): Promise<Uint8Array | null> {
    while (this.#free.length === 0 && this.#made === MOST_BLOCKS && !this.#closed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#closed) return null;
    const free = this.#free.pop();
    if (free === undefined) this.#made += 1;
    return new Uint8Array(free ?? new ArrayBuffer(BLOCK_SIZE));
  }

  #flush(bytesRead: number): void {
    if (this.#block === null) return;
    const buffer = this.#block.buffer as ArrayBuffer;
    const block: Block = { buffer, length: this.#length, bytesRead };
    this.#port.postMessage(block, [buffer]);
    this.#block = null;
    this.#length = 0;
  }
}

function endingOf(error: unknown): Ending {
  if (error instanceof DamagedInput) {
    const { compression, reason, delivered } = error;
    return { end: 'damaged', compression, reason, delivered };
  }
  if (error instanceof UnreadableInput) return { end: 'unreadable', reason: error.message };
  return { end: 'failed', reason: error instanceof Error ? error.message : String(error) };
}
