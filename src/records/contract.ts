/**
 * What every file in `parsers/` must be: stateless, on bytes, never throwing on any of them.
 */
import type { LineHead } from '../lines/head.ts';
import type { LineClass, Mta, ParsedRecord } from './record.ts';

export interface Parser {
  /** null: it writes about messages of several MTAs. */
  readonly mta: Mta | null;
  /**
   * Reads the MTA's own text of a line, `head.bytes[head.textStart, head.textEnd)`, into `record`
   * (cleared by the caller). RECORDED means that record.kind is set.
   */
  parse(head: LineHead, record: ParsedRecord): LineClass;
  /** Whether a text without a telling tag is this MTA's; must be cheap and strict. */
  claims(head: LineHead): boolean;
}
