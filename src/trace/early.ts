/**
 * Lines that come before the life that they are of: parts of a long line, clients of a qp, refused recipients.
 *
 * Owns the names under which they wait, and the bound of what waits. Must not know what is kept of a line.
 */
import type { TakenLine } from '../analysis/analysis.ts';
import { PART, QP_CLIENT, RECORDED } from '../records/record.ts';
import { asciiText } from '../records/text.ts';

const MOST_EARLY = 10_000;
const MOST_EARLY_OF_ONE = 1000;
/** A session lasts no longer, ms. */
const WITHIN = 3_600_000;

/** `QID[n]: text ...`: a part of a line that was too long for syslog [sendmail deliver.c logdelivery]. */
export const PART_FRONT = /^[0-9A-Za-z]+\[\d+\]: ?/;

export function isPart(text: string): boolean {
  return PART_FRONT.test(text);
}

export function idKey(host: number, id: string): string {
  return `id ${host} ${id}`;
}

export function qpKey(host: number, qp: number): string {
  return `qp ${host} ${qp}`;
}

/** `text` is that of a part. */
export function partKey(host: number, text: string): string {
  return `part ${host} ${text.slice(0, text.indexOf('['))}`;
}

/** What a line without a life waits for; null where it need not wait. */
export function keyOfEarly({ head, record, lineClass }: TakenLine): string | null {
  if (lineClass !== RECORDED) return null;
  const { bytes, host } = head;
  if (record.kind === QP_CLIENT) return qpKey(host, record.qp);
  if (record.kind === PART) return partKey(host, asciiText(bytes, head.textStart, head.textEnd));
  // sendmail names the id of a refused recipient before it has a sender's line to begin the life with.
  return record.id.present ? idKey(host, asciiText(bytes, record.id.start, record.id.end)) : null;
}

export class Early<T extends { readonly at: number }> {
  readonly #lines = new Map<string, T[]>();

  get size(): number {
    return this.#lines.size;
  }

  put(key: string, line: T): void {
    const before = this.#lines.get(key);
    // A process number is used again and again: the last client is the one.
    if (before !== undefined && !key.startsWith('qp ')) {
      if (before.length < MOST_EARLY_OF_ONE) before.push(line);
      return;
    }
    if (this.#lines.size >= MOST_EARLY) {
      for (const oldest of this.#lines.keys()) {
        this.#lines.delete(oldest);
        break;
      }
    }
    this.#lines.set(key, [line]);
  }

  /** What waits for this, no more than an hour away from `at`; it waits no longer. */
  take(key: string, at: number): readonly T[] {
    const lines = this.#lines.get(key);
    if (lines === undefined) return NONE;
    this.#lines.delete(key);
    return lines.filter((line) => Math.abs(at - line.at) <= WITHIN);
  }
}

const NONE: readonly never[] = [];
