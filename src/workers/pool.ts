/**
 * A few worker threads and the units that wait for them.
 *
 * Owns the threads: they are started when there is work, and what kills one is told in a line. Must not know what a
 * unit means.
 */
import { Worker } from 'node:worker_threads';
import { kernelModule } from '../kernel/kernel.ts';
import type { Job, Unit, UnitResult } from './unit.ts';
import type { FromWorker, ToWorker, WorkerStart } from './worker.ts';

/** A worker died, or could not do its work. */
export class WorkerFailure extends Error {
  override readonly name = 'WorkerFailure';
}

/**
 * Megabytes. A worker's young objects are few; with V8's own choice each thread would keep some 50 MB of them. The old
 * ones are what is pending: far more than this is a log that no piece can be told from.
 */
const YOUNG = 24;
const OLD = 768;

interface Task {
  readonly unit: Unit;
  readonly resolve: (result: UnitResult | null) => void;
  readonly reject: (error: Error) => void;
}

export class Pool {
  readonly #size: number;
  readonly #job: Job;
  readonly #onBytes: (bytes: number) => void;
  readonly #old: number;
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  readonly #waiting: Task[] = [];
  #stopped = false;
  #closed = false;

  constructor(size: number, job: Job, onBytes: (bytes: number) => void, megabytes: number = OLD) {
    this.#size = size;
    this.#job = job;
    this.#onBytes = onBytes;
    this.#old = megabytes;
  }

  /** The unit's answer; null when the pool was stopped before the unit was begun. Rejects with WorkerFailure. */
  run(unit: Unit): Promise<UnitResult | null> {
    if (this.#stopped) return Promise.resolve(null);
    const answer = new Promise<UnitResult | null>((resolve, reject) => {
      this.#waiting.push({ unit, resolve, reject });
    });
    // Awaited in the order of units: until then an error is not an unhandled one.
    answer.catch(() => null);
    this.#next();
    return answer;
  }

  /** Units at hand end at the next block, those that wait are not begun. */
  stop(): void {
    this.#stopped = true;
    for (const task of this.#waiting.splice(0)) task.resolve(null);
    for (const worker of this.#busy.keys()) worker.postMessage({ stop: true } satisfies ToWorker);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      let worker = this.#idle.pop();
      if (worker === undefined) {
        if (this.#workers.length >= this.#size) return;
        worker = this.#start();
      }
      const task = this.#waiting.shift()!;
      this.#busy.set(worker, task);
      worker.postMessage({ unit: task.unit } satisfies ToWorker);
    }
  }

  #start(): Worker {
    const worker = new Worker(ENTRY, {
      workerData: { job: this.#job, kernel: kernelModule() } satisfies WorkerStart,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG, maxOldGenerationSizeMb: this.#old },
      // What standard output gets is the result, and a worker has none to print.
      stdout: true,
    });
    this.#workers.push(worker);
    worker.on('message', (message: FromWorker) => this.#heard(worker, message));
    worker.on('error', (error: NodeJS.ErrnoException) => {
      this.#lost(
        worker,
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? 'it ran out of memory; use --jobs 1, which has all of the memory for itself'
          : `${error.message}; please report it, and use --jobs 1 until then`,
      );
    });
    worker.on('exit', (status) => this.#lost(worker, `it ended with status ${status}; use --jobs 1`));
    return worker;
  }

  #heard(worker: Worker, message: FromWorker): void {
    if ('bytes' in message) {
      this.#onBytes(message.bytes);
      return;
    }
    const task = this.#busy.get(worker);
    if (task === undefined) return;
    if ('failed' in message) {
      this.#lost(worker, `${message.failed.split('\n')[0]}; please report it, and use --jobs 1 until then`);
      return;
    }
    this.#busy.delete(worker);
    this.#idle.push(worker);
    task.resolve(message.result);
    this.#next();
  }

  #lost(worker: Worker, reason: string): void {
    if (this.#closed) return;
    const task = this.#busy.get(worker);
    this.#busy.delete(worker);
    const { path } = task?.unit.parts[0] ?? { path: 'nothing' };
    const failure = new WorkerFailure(`a worker failed while it read ${path}: ${reason}`);
    task?.reject(failure);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(failure);
    // Nothing more is begun: the answer could not be complete.
    this.#stopped = true;
  }
}

/** The built one: tests run the others from their sources. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/src/workers/worker.js' : './worker.js',
  import.meta.url,
);
