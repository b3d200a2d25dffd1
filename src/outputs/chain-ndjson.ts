/**
 * A chain as one line of JSON (contract section 4), exact, for programs.
 */
import type { Chain } from '../chains/chain.ts';
import { jsonText } from './escape.ts';

export function chainNdjson(chain: Chain): string {
  return `${jsonText(chain)}\n`;
}
