/**
 * Numbers that stand for the texts by which the joiner knows things again. Must not know lives.
 */
import type { ParsedRecord, Span } from '../records/record.ts';
import { textKey } from '../records/text.ts';

const LESS = 0x3c;
const GREATER = 0x3e;
const COMMA = 0x2c;

/** What tells Message-IDs apart stands at their beginning; hosts at their ends are long and the same. */
function messageKey(bytes: Uint8Array, start: number, end: number): number {
  return textKey(bytes, start, Math.min(end, start + 32)) + (end - start);
}

/** `message-id=` and `message-id=<>` name nothing. */
export const EMPTY_MESSAGE_ID = messageKey(Uint8Array.of(LESS, GREATER), 0, 2);

export function messageKeyOf(bytes: Uint8Array, id: Span): number {
  return id.present ? messageKey(bytes, id.start, id.end) : EMPTY_MESSAGE_ID;
}

/** Postfix: address and original recipient. */
export function recipientKeyOf(bytes: Uint8Array, record: ParsedRecord): number {
  const { recipient, originalRecipient } = record;
  const key = textKey(bytes, recipient.start, recipient.end);
  if (!originalRecipient.present) return key;
  return key * 31 + textKey(bytes, originalRecipient.start, originalRecipient.end);
}

/** sendmail: an address with or without angle brackets. */
export function unwrappedKeyOf(bytes: Uint8Array, start: number, end: number): number {
  return textKey(
    bytes,
    bytes[start] === LESS ? start + 1 : start,
    bytes[end - 1] === GREATER ? end - 1 : end,
  );
}

export function isOneAddress(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) if (bytes[i] === COMMA) return false;
  return true;
}

/** `relay=local` */
export function isLocalRelay(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 5 && bytes[start] === 0x6c && bytes[start + 1] === 0x6f && bytes[start + 4] === 0x6c;
}
