/**
 * Small drawings in text: sparklines, bars, large digits.
 *
 * Pure; every result has exactly the size that was asked for.
 */
const EIGHTHS = ' ▁▂▃▄▅▆▇█';

/** One character a value, the highest being `most`; what is not zero is seen. */
export function sparkline(values: readonly number[], most = Math.max(0, ...values)): string {
  return values.map((value) => EIGHTHS[eighths(value, most, 1)]).join('');
}

/** Columns of bars, `height` rows from the top down. */
export function bars(values: readonly number[], most: number, height: number): string[] {
  const levels = values.map((value) => eighths(value, most, height));
  const rows: string[] = [];
  for (let row = height - 1; row >= 0; row -= 1) {
    rows.push(levels.map((level) => EIGHTHS[Math.max(0, Math.min(8, level - 8 * row))]).join(''));
  }
  return rows;
}

function eighths(value: number, most: number, height: number): number {
  if (value <= 0 || most <= 0) return 0;
  return Math.max(1, Math.min(8 * height, Math.round((value / most) * 8 * height)));
}

const GLYPHS: Readonly<Record<string, readonly [string, string, string]>> = {
  '0': ['┏━┓', '┃ ┃', '┗━┛'],
  '1': [' ╻ ', ' ┃ ', ' ╹ '],
  '2': ['╺━┓', '┏━┛', '┗━╸'],
  '3': ['╺━┓', '╺━┫', '╺━┛'],
  '4': ['╻ ╻', '┗━┫', '  ╹'],
  '5': ['┏━╸', '┗━┓', '╺━┛'],
  '6': ['┏━╸', '┣━┓', '┗━┛'],
  '7': ['╺━┓', '  ┃', '  ╹'],
  '8': ['┏━┓', '┣━┫', '┗━┛'],
  '9': ['┏━┓', '┗━┫', '╺━┛'],
  ',': [' ', ' ', ','],
};

/** Three rows of digits and commas, not padded. */
export function largeNumber(text: string): [string, string, string] {
  const rows: [string, string, string] = ['', '', ''];
  for (const character of text) {
    const glyph = GLYPHS[character] ?? [' ', character, ' '];
    for (let i = 0; i < 3; i += 1) rows[i] += glyph[i];
  }
  return rows;
}
