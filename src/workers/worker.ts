/**
 * The counting thread: takes chains, and says in the end what they come to. Owns the messages; the work is the
 * analysis's.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Analysis } from '../analysis/analysis.ts';
import { type Chains, shareKernelModule } from '../kernel/kernel.ts';
import { boundTables } from '../summary/counter.ts';
import { summaryRows } from '../summary/saved.ts';
import { Inside, type InsideEntry } from '../suspects/inside.ts';

export interface WorkerStart {
  readonly inside: readonly InsideEntry[];
  readonly mostKeys: number;
  readonly kernel: WebAssembly.Module | null;
}

export type ToWorker = { readonly chains: Chains } | { readonly finish: true };

export type FromWorker =
  /** A batch of chains was counted. */
  | { readonly counted: true }
  /** The rows of the summary (summary/saved.ts), a line each. */
  | { readonly summary: string }
  /** An error that is no input's fault. */
  | { readonly failed: string };

const { inside, mostKeys, kernel } = workerData as WorkerStart;
shareKernelModule(kernel);
boundTables(mostKeys);
const analysis = new Analysis({ lean: true, inside: new Inside(inside) });

parentPort?.on('message', (message: ToWorker) => {
  try {
    if ('chains' in message) {
      analysis.receive(message.chains);
      tell({ counted: true });
    } else tell({ summary: [...summaryRows(analysis.summary)].map((row) => JSON.stringify(row)).join('\n') });
  } catch (error) {
    tell({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}
