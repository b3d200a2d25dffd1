/**
 * The terminal as a whole: its second screen, its cursor, its rows, and that all is as it was afterwards.
 *
 * A frame is painted by rows: only those that changed are written, each at its own place, so that nothing drifts,
 * flickers or scrolls, and the screen is cleared only at its beginning and at another size.
 *
 * Owns every escape sequence but the colours of a row. `leave` may be called at any time, more than once, also while
 * the program is crashing.
 */
import type { WriteStream } from 'node:tty';

/** The second screen, cleared; no cursor; no wrapping: a row that is too long is cut, not continued. */
const ENTER = '\x1b[?1049h\x1b[2J\x1b[H\x1b[?25l\x1b[?7l';
/** Attributes off, wrapping and cursor on, the first screen back. */
const LEAVE = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l';
const CLEAR = '\x1b[2J';
/** What stands between these is shown at once, by terminals that know them. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

export class Terminal {
  readonly #stream: WriteStream;
  #inside = false;
  /** What stands on the screen; empty when that is not known. */
  #painted: readonly string[] = [];
  #wanted: readonly string[] = [];
  /** Frames that were written; for tests and measurements. */
  frames = 0;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  get columns(): number {
    return this.#stream.columns || 80;
  }

  get rows(): number {
    return this.#stream.rows || 24;
  }

  enter(): void {
    if (this.#inside) return;
    this.#inside = true;
    this.#painted = [];
    this.#stream.write(ENTER);
  }

  leave(): void {
    if (!this.#inside) return;
    this.#inside = false;
    this.#stream.write(LEAVE);
  }

  /** Shows these rows. */
  paint(rows: readonly string[]): void {
    this.#wanted = rows;
    if (!this.#inside) return;
    let text = '';
    for (let i = 0; i < Math.max(rows.length, this.#painted.length); i += 1) {
      const row = rows[i] ?? '';
      // Erased first: behind a full row the cursor still stands on its last column.
      if (row !== (this.#painted[i] ?? '')) text += `\x1b[${i + 1};1H\x1b[2K${row}`;
    }
    this.#painted = rows;
    if (text === '') return;
    this.frames += 1;
    this.#stream.write(`${BEGIN}${text}${END}`);
  }

  /** The terminal has another size: what it made of the old rows cannot be known. */
  repaint(): void {
    if (!this.#inside) return;
    this.#stream.write(CLEAR);
    this.#painted = [];
    this.paint(this.#wanted);
  }
}
