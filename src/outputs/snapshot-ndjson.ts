/** A snapshot of a live run as one line of JSON. */
import type { Snapshot } from '../live/snapshot.ts';
import { jsonText } from './escape.ts';

export function snapshotNdjson(snapshot: Snapshot): string {
  return `${jsonText(snapshot)}\n`;
}
