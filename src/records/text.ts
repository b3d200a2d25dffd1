/**
 * Bytes -> strings, for the few texts that are kept.
 *
 * Never a slice of a decoded block: such a slice would keep the whole block alive.
 */

/** UTF-8, invalid bytes as U+FFFD. About 60 ns for a short ASCII text. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  return (bytes as Buffer).toString('utf8', start, end);
}

/** Ids: ASCII by their grammar. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return (bytes as Buffer).toString('latin1', start, end);
}
