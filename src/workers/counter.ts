/**
 * The counting thread: takes chains, and says in the end what they come to. Owns the messages; the work is the
 * analysis's.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Analysis } from '../analysis/analysis.ts';
import type { JsonObject } from '../chains/saved.ts';
import { type Chains, shareKernelModule } from '../kernel/kernel.ts';
import { boundTables } from '../summary/counter.ts';
import { summaryRows } from '../summary/saved.ts';
import { Inside, type InsideEntry } from '../suspects/inside.ts';

export interface CounterStart {
  readonly inside: readonly InsideEntry[];
  readonly mostKeys: number;
  readonly kernel: WebAssembly.Module | null;
}

/** Each `finish` asks for some rows, so that they do not pile up. */
export type ToCounter = { readonly chains: Chains } | { readonly finish: true };

export type FromCounter =
  /** The chains in this buffer were counted. */
  | { readonly counted: ArrayBuffer }
  /** Rows of the summary (summary/saved.ts), a line each. */
  | { readonly rows: string }
  /** There are no more rows. */
  | { readonly finished: true }
  /** An error that is no input's fault. */
  | { readonly failed: string };

/** Characters of rows in one message. */
const PIECE = 1 << 18;

const { inside, mostKeys, kernel } = workerData as CounterStart;
shareKernelModule(kernel);
boundTables(mostKeys);
const analysis = new Analysis({ lean: true, inside: new Inside(inside) });
let rows: Iterator<JsonObject> | null = null;

parentPort?.on('message', (message: ToCounter) => {
  try {
    if ('chains' in message) {
      const { buffer } = message.chains;
      analysis.receive(message.chains);
      tell({ counted: buffer }, [buffer]);
    } else if (!analysis.pending().next().done) tell({ failed: 'a chain is not over' });
    else {
      rows ??= summaryRows(analysis.summary);
      const piece = nextPiece(rows);
      tell(piece === '' ? { finished: true } : { rows: piece });
    }
  } catch (error) {
    tell({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});

/** '' where there are no more. */
function nextPiece(from: Iterator<JsonObject>): string {
  const texts: string[] = [];
  for (let length = 0; length < PIECE; ) {
    const { done, value } = from.next();
    if (done === true) break;
    const text = JSON.stringify(value);
    texts.push(text);
    length += text.length;
  }
  return texts.join('\n');
}

function tell(message: FromCounter, given: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, given);
}
