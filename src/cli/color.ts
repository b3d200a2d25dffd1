/**
 * Whether to colour: --color, else NO_COLOR, TERM and the terminal decide.
 */
import type { CommonOptions } from './arguments.ts';

export function useColor(
  options: Pick<CommonOptions, 'color' | 'output'>,
  stream: { isTTY?: boolean },
): boolean {
  if (options.color !== 'auto') return options.color === 'always';
  if (options.output !== null || process.env.NO_COLOR || process.env.TERM === 'dumb') return false;
  return stream.isTTY === true;
}
