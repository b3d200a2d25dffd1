/**
 * A list of recipients as one JSON document (docs/recipients.md), exact, for programs.
 */
import type { RecipientList } from '../recipients/list.ts';
import { jsonText } from './escape.ts';

export function recipientsJson(list: RecipientList): string {
  return `${jsonText(list, 2)}\n`;
}
