/**
 * A worker thread: takes units, gives their answers. Owns the messages; the work is unit.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { shareKernelModule } from '../kernel/kernel.ts';
import { type Job, runUnit, type Unit, type UnitResult } from './unit.ts';

/** What a worker begins with. */
export interface WorkerStart {
  readonly job: Job;
  readonly kernel: WebAssembly.Module | null;
}

export type ToWorker =
  | { readonly unit: Unit }
  /** End the unit at hand after its block. */
  | { readonly stop: true };

export type FromWorker =
  | { readonly bytes: number }
  | { readonly result: UnitResult }
  /** An error that is no input's fault. */
  | { readonly failed: string };

/** Progress is told in steps of this many bytes. */
const STEP = 1 << 22;

const { job, kernel } = workerData as WorkerStart;
shareKernelModule(kernel);
let stopped = false;
let untold = 0;

parentPort?.on('message', (message: ToWorker) => {
  if ('stop' in message) {
    stopped = true;
    return;
  }
  runUnit(message.unit, job, {
    interrupted: () => stopped,
    onBytes: (bytes) => {
      untold += bytes;
      if (untold < STEP) return;
      tell({ bytes: untold });
      untold = 0;
    },
  }).then(
    (result) => {
      tell({ bytes: untold });
      untold = 0;
      tell({ result });
    },
    (error: unknown) =>
      tell({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}
