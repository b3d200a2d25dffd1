/**
 * How a row of the screen is dressed and cut. Log text becomes harmless here, once.
 *
 * Owns the few attributes that the screen uses: bold, faint, reverse and the 16 colours. Meaning is never by them alone.
 */
import { printable } from '../outputs/escape.ts';
import { displayWidth, pad, truncate } from '../outputs/width.ts';

export interface Paint {
  title(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
  alarm(text: string): string;
  good(text: string): string;
  /** The row that the cursor is on; it also has a mark in front. */
  selected(text: string): string;
}

const plain = (text: string): string => text;
const sgr =
  (codes: string) =>
  (text: string): string =>
    text === '' ? '' : `\x1b[${codes}m${text}\x1b[0m`;

const PLAIN: Paint = {
  title: plain,
  strong: plain,
  faint: plain,
  alarm: plain,
  good: plain,
  selected: plain,
};
const COLOURED: Paint = {
  title: sgr('1;36'),
  strong: sgr('1'),
  faint: sgr('2'),
  alarm: sgr('1;33'),
  good: sgr('32'),
  selected: sgr('7'),
};

export function paintFor(color: boolean): Paint {
  return color ? COLOURED : PLAIN;
}

/**
 * Log text for one cell: visible characters only. Variation selectors go, too: what they do to a character's width no
 * two terminals agree on.
 */
export function clean(text: string): string {
  return printable(text).replace(/[\ufe00-\ufe0f]/g, '');
}

export interface Cell {
  /** Clean text. */
  readonly text: string;
  readonly width: number;
  readonly side?: 'left' | 'right';
}

/** Cells with a blank between them; what has no room is cut, columns stay straight. */
export function row(cells: readonly Cell[], width: number): string {
  const text = cells.map((cell) => pad(cell.text, Math.max(0, cell.width), cell.side)).join(' ');
  return truncate(text, width);
}

/** Left and right in one row; the left gives way. */
export function spread(left: string, right: string, width: number): string {
  const room = width - displayWidth(right);
  if (room < 2) return truncate(left, width);
  return `${pad(left, room - 1)} ${right}`;
}

export { displayWidth, pad, truncate };
