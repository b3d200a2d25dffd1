/**
 * The few ways in which text is set off on a terminal. Meaning is never by colour alone.
 */
export interface Style {
  heading(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
  alarm(text: string): string;
}

const PLAIN: Style = { heading: same, strong: same, faint: same, alarm: same };
const COLOURED: Style = {
  heading: (text) => `\x1b[1;36m${text}\x1b[0m`,
  strong: (text) => `\x1b[1m${text}\x1b[0m`,
  faint: (text) => `\x1b[2m${text}\x1b[0m`,
  alarm: (text) => `\x1b[1;33m${text}\x1b[0m`,
};

export function styleFor(color: boolean): Style {
  return color ? COLOURED : PLAIN;
}

function same(text: string): string {
  return text;
}
