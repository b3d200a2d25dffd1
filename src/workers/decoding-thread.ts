/**
 * A thread that reads and decompresses archives, while this one reads the lines.
 *
 * Owns the thread and what of its blocks is here. Measured on a GB of log in four archives: 4.4 s, where node's own threads,
 * each half megabyte asked for and heard of here, took 5.2 s.
 */
import { setImmediate } from 'node:timers/promises';
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { DamagedInput, UnreadableInput } from '../source/errors.ts';
import type { Source } from '../source/source.ts';
import type { Block, Ending, Wanted } from './decoder.ts';
import { failureOf, reported, startThread, type WorkerFailure } from './thread.ts';

const TASK = 'decompresses';
/** Memory for its objects, in MB: the blocks are not among them. */
const YOUNG = 4;
const OLD = 64;
/** Blocks that go back at once: a message costs 0.3 ms where all processors are busy. */
const TOGETHER = 4;

/** It is started with the first archive. */
export class DecodingThread {
  readonly #megabytes: number;
  #worker: Worker | null = null;
  #failure: WorkerFailure | null = null;
  #closed = false;
  /** Who waits for a block. */
  readonly #waiting = new Set<() => void>();

  constructor(megabytes = OLD) {
    this.#megabytes = megabytes;
  }

  /** As openBlocks (source/blocks.ts), of a file that is an archive. */
  async *blocks(source: Source): AsyncGenerator<Uint8Array, void, void> {
    this.#worker ??= this.#start();
    const { port1: port, port2 } = new MessageChannel();
    this.#worker.postMessage({ path: source.path, port: port2 } satisfies Wanted, [port2]);
    const heard: (Block | Ending)[] = [];
    const used: ArrayBuffer[] = [];
    let wake: () => void = () => undefined;
    port.on('message', (message: Block | Ending) => {
      heard.push(message);
      wake();
    });
    try {
      while (!source.stopped) {
        if (this.#failure !== null) throw this.#failure;
        const message = heard.shift() ?? next(port);
        if (message === null) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            this.#waiting.add(wake);
          });
          this.#waiting.delete(wake);
          continue;
        }
        if ('end' in message) return ended(source, message);
        const { buffer, length } = message;
        source.bytesRead = Math.max(source.bytesRead, message.bytesRead);
        yield new Uint8Array(buffer, 0, length);
        used.push(buffer);
        if (used.length === TOGETHER) port.postMessage([...used], used.splice(0));
        // Keys, signals and other threads are heard.
        await setImmediate();
      }
    } finally {
      port.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    return startThread({
      entry: 'decoder',
      task: TASK,
      workerData: null,
      young: YOUNG,
      old: this.#megabytes,
      onMessage: () => undefined,
      onFailure: (failure) => {
        if (this.#closed) return;
        this.#failure ??= failure;
        for (const wake of this.#waiting) wake();
      },
    });
  }
}

/** What has come, without a turn of the event loop. */
function next(port: MessagePort): Block | Ending | null {
  return (receiveMessageOnPort(port)?.message as Block | Ending | undefined) ?? null;
}

function ended({ path }: Source, ending: Ending): void {
  switch (ending.end) {
    case 'damaged':
      throw new DamagedInput(path, ending.compression, ending.reason, ending.delivered);
    case 'unreadable':
      throw new UnreadableInput(path, ending.reason);
    case 'failed':
      throw failureOf(TASK, reported(ending.reason));
    default:
  }
}
