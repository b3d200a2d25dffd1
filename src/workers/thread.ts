/**
 * A thread of this program: how one is started, and what is said when it dies.
 */
import { Worker } from 'node:worker_threads';

/** The thread died. */
export class WorkerFailure extends Error {
  override readonly name = 'WorkerFailure';
}

export interface ThreadOptions<Message> {
  /** `counter` for counter.ts of this folder. */
  readonly entry: string;
  /** What it does, behind `the thread that`. */
  readonly task: string;
  readonly workerData: unknown;
  /** Memory for young objects and for all others, in MB. */
  readonly young: number;
  readonly old: number;
  readonly onMessage: (message: Message) => void;
  /** It ended. Whoever ends it does not want to know. */
  readonly onFailure: (failure: WorkerFailure) => void;
}

export function startThread<Message>(options: ThreadOptions<Message>): Worker {
  const { entry, workerData, young, old } = options;
  const lost = (reason: string): void => options.onFailure(failureOf(options.task, reason));
  // The built one: tests run the others from their sources.
  const built = import.meta.url.endsWith('.ts') ? `../../dist/${entry}.js` : `./${entry}.js`;
  const worker = new Worker(new URL(built, import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: young, maxOldGenerationSizeMb: old },
    // What standard output gets is the result, and no thread has any to print.
    stdout: true,
  });
  worker.on('message', (message: Message) => options.onMessage(message));
  worker.on('error', (error: NodeJS.ErrnoException) => {
    lost(
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? 'it ran out of memory; use --jobs 1, which has all of the memory for itself'
        : reported(error.message),
    );
  });
  worker.on('exit', (status) => lost(`it ended with status ${status}; use --jobs 1`));
  return worker;
}

export function failureOf(task: string, reason: string): WorkerFailure {
  return new WorkerFailure(`the thread that ${task} failed: ${reason}`);
}

/** An error that is no input's fault. */
export function reported(message: string): string {
  return `${message.split('\n')[0]}; please report it, and use --jobs 1 until then`;
}
