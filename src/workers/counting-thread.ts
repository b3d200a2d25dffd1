/**
 * A second thread that counts the chains which are over, while this one reads on.
 *
 * Owns the thread: what it is sent, how far it may lag behind, and what is said when it dies. The chains are bytes of
 * the kernel's (chains/light.ts); what they come to is a summary, which adds to that of the reader.
 */
import type { Worker } from 'node:worker_threads';
import type { JsonObject } from '../chains/saved.ts';
import { type Chains, giveBack, kernelModule } from '../kernel/kernel.ts';
import { addSummaryRow } from '../summary/saved.ts';
import type { Summary } from '../summary/summary.ts';
import type { InsideEntry } from '../suspects/inside.ts';
import type { CounterStart, FromCounter, ToCounter } from './counter.ts';
import { failureOf, reported, startThread, type WorkerFailure } from './thread.ts';

const TASK = 'counts chains';

/** What counting goes by. */
export interface CountingOptions {
  /** What belongs to us (`--inside`). */
  readonly inside: readonly InsideEntry[];
  /** Keys of a table (`--max-keys`). */
  readonly mostKeys: number;
  /** Memory for its lives and tables of text, in MB. */
  readonly megabytes?: number;
}

/** Young objects, in MB: lives that are counted at once. With V8's own choice the thread would keep some 50. */
const YOUNG = 16;
const OLD = 128;
/** Batches (of 512 KB) that may wait for the thread. */
const MOST_WAITING = 16;

/** It is started with the first chains. */
export class CountingThread {
  readonly #options: CountingOptions;
  #worker: Worker | null = null;
  #waiting = 0;
  #failure: WorkerFailure | null = null;
  #closed = false;
  /** What the chains add up in. */
  #summary: Summary | null = null;
  #finished = false;
  /** Those who wait for something to happen. */
  #waiters: (() => void)[] = [];

  constructor(options: CountingOptions) {
    this.#options = options;
  }

  #start(): Worker {
    const { inside, mostKeys, megabytes = OLD } = this.#options;
    return startThread({
      entry: 'counter',
      task: TASK,
      workerData: { inside, mostKeys, kernel: kernelModule() } satisfies CounterStart,
      young: YOUNG,
      old: megabytes,
      onMessage: (message: FromCounter) => this.#heard(message),
      onFailure: (failure) => this.#lost(failure),
    });
  }

  send(chains: Chains): void {
    this.#waiting += 1;
    this.#worker ??= this.#start();
    this.#worker.postMessage({ chains } satisfies ToCounter, [chains.buffer]);
  }

  /** What to wait for before more is sent; null where nothing is in the way. Rejects with WorkerFailure. */
  ready(): Promise<void> | null {
    if (this.#failure === null && this.#waiting <= MOST_WAITING) return null;
    return this.#until(() => this.#waiting <= MOST_WAITING / 2);
  }

  /** Adds what all chains came to. Rejects with WorkerFailure. */
  async finish(summary: Summary): Promise<void> {
    if (this.#worker === null) return;
    this.#summary = summary;
    this.#worker.postMessage({ finish: true } satisfies ToCounter);
    await this.#until(() => this.#finished);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (this.#failure === null && !isDone())
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    if (this.#failure !== null) throw this.#failure;
  }

  #heard(message: FromCounter): void {
    if ('counted' in message) {
      this.#waiting -= 1;
      giveBack(message.counted);
    } else if ('rows' in message) {
      this.#add(message.rows);
      this.#worker?.postMessage({ finish: true } satisfies ToCounter);
    } else if ('finished' in message) this.#finished = true;
    else this.#lost(failureOf(TASK, reported(message.failed)));
    this.#tell();
  }

  #add(rows: string): void {
    for (const row of rows.split('\n')) addSummaryRow(this.#summary!, JSON.parse(row) as JsonObject);
  }

  #lost(failure: WorkerFailure): void {
    if (this.#closed) return;
    this.#failure ??= failure;
    this.#tell();
  }

  #tell(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
