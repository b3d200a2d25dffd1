/**
 * A trace, or the refusals beside it, as one line of JSON (docs/trace.md), exact, for programs.
 */
import type { Trace, TraceRefusals } from '../trace/trace.ts';
import { jsonText } from './escape.ts';

export function traceNdjson(trace: Trace | TraceRefusals): string {
  return `${jsonText(trace)}\n`;
}
