/**
 * The running screen: keeps the state, draws at its own pace, puts the terminal back.
 *
 * Draws at most twice a second for news and at once for a key, never while the terminal has not taken the frame before.
 * Ink makes the layout and reads the keys; its frames are painted by terminal.ts (docs/decisions has the reason).
 *
 * Owns the store, the renderer's life and the pace of frames. NODE_ENV must be "production" when this file is loaded:
 * React's development build records every render for ever.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { type Instance, render } from 'ink';
import type { View } from '../live/board.ts';
import type { Progress } from '../live/engine.ts';
import type { Entry } from '../live/entry.ts';
import { App, type FrameStore } from './app.tsx';
import { type Band, type FrameData, frame } from './frame.ts';
import { paintFor } from './paint.ts';
import { Terminal } from './terminal.ts';
import { type Key, newUi, press, type Ui, type Wish } from './ui.ts';

/** News are drawn so often, ms. */
const NEWS_EVERY = 500;
/** Least time between two frames for keys, ms: one that is held down gives no more. */
const FRAME_GAP = 60;
/** A terminal that has this much to take gets no new frame. */
const UNTAKEN = 65_536;
/** How long a notice stays in the bottom line. */
const NOTICE_SHOWN = 15_000;

export interface ScreenOptions {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly color: boolean;
  readonly zone: string;
  /** Asked at every frame. */
  readonly status: () => {
    readonly progress: Progress;
    readonly sources: readonly string[];
    readonly unread: number;
  };
  /** A chain's whole life as text, with the lines of the log on demand. */
  readonly lifeOf: (entry: Entry, lines: boolean) => string;
  readonly onWish: (wish: Wish, ui: Ui, view: View | null) => void;
  readonly now?: () => number;
}

export interface Screen {
  show(view: View): void;
  notice(text: string): void;
  /** For what a wish has led to: the bottom line. */
  message(text: string): void;
  /** Takes the screen away and puts the terminal back. */
  close(): void;
  /** Ctrl-Z: back to the shell's screen, and here again. */
  suspend(): void;
  resume(): void;
}

export function startScreen(options: ScreenOptions): Screen {
  return new RunningScreen(options);
}

class RunningScreen implements Screen, FrameStore {
  readonly #options: ScreenOptions;
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #ink: Instance | null = null;
  #listener: (() => void) | null = null;
  #ui = newUi();
  #view: View | null = null;
  /** What is shown while paused. */
  #frozen: View | null = null;
  #notice = { text: '', until: 0 };
  #bands: readonly Band[] = [];
  #dirty = true;
  /** When a frame was last drawn for a key. News do not make a key wait. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  #later: NodeJS.Timeout | null = null;
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#terminal = new Terminal(options.stdout);
    options.stdout.on('resize', this.#resized);
    process.on('exit', this.#leave);
    this.#terminal.enter();
    this.#begin();
    this.#timer = setInterval(() => this.#tick(), NEWS_EVERY);
  }

  readonly #leave = (): void => this.#terminal.leave();

  // ---- the renderer

  #begin(): void {
    this.#redraw();
    this.#ink = render(<App store={this} />, {
      stdout: frameSink(this.#terminal),
      stdin: this.#options.stdin,
      exitOnCtrlC: false,
      patchConsole: false,
      // Frames as they are, one write each, without any cursor movement.
      debug: true,
    });
  }

  #end(): void {
    const ink = this.#ink;
    this.#ink = null;
    ink?.unmount();
  }

  readonly #resized = (): void => {
    if (this.#ink === null) return;
    this.#redraw();
    this.#listener?.();
    this.#terminal.repaint();
  };

  // ---- FrameStore

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = null;
    };
  };

  readonly frame = (): readonly Band[] => this.#bands;

  press(keys: readonly Key[]): void {
    for (const key of keys) {
      const { ui, wishes } = press(this.#ui, key, this.#shown());
      this.#ui = ui;
      for (const wish of wishes) {
        if (wish.kind === 'pause') this.#frozen = wish.paused ? this.#view : null;
        if (wish.kind === 'filter' || wish.kind === 'reset') this.#frozen = null;
        this.#options.onWish(wish, ui, this.#shown());
      }
      if (this.#closed) return;
    }
    this.#answer();
  }

  // ---- Screen

  show(view: View): void {
    const first = this.#view === null;
    // What the user has asked for just now is shown at once; all else at its pace.
    const asked = this.#ui.filter !== '' && view.filter !== this.#view?.filter;
    this.#view = view;
    if (this.#frozen !== null && view.filter !== this.#frozen.filter) this.#frozen = view;
    this.#dirty = true;
    if (first || asked) this.#draw();
  }

  notice(text: string): void {
    this.#notice = { text, until: this.#now() + NOTICE_SHOWN };
    this.#dirty = true;
  }

  message(text: string): void {
    this.#ui = { ...this.#ui, message: text };
    this.#draw();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#later !== null) clearTimeout(this.#later);
    this.#options.stdout.off('resize', this.#resized);
    process.off('exit', this.#leave);
    this.#end();
    this.#terminal.leave();
  }

  suspend(): void {
    this.#end();
    this.#terminal.leave();
  }

  resume(): void {
    if (this.#closed || this.#ink !== null) return;
    this.#terminal.enter();
    this.#begin();
  }

  // ---- frames

  #shown(): View | null {
    return this.#ui.paused ? (this.#frozen ?? this.#view) : this.#view;
  }

  #tick(): void {
    const { phase } = this.#options.status().progress;
    // At rest only the clock moves: nothing to draw for at the end of all input.
    if (!this.#dirty && phase === 'ended') return;
    this.#draw();
  }

  #answer(): void {
    const wait = this.#answeredAt + FRAME_GAP - performance.now();
    if (wait > 0) {
      this.#later ??= setTimeout(() => {
        this.#later = null;
        this.#answer();
      }, wait);
      return;
    }
    this.#answeredAt = performance.now();
    this.#draw();
  }

  #draw(): void {
    if (this.#ink === null || this.#options.stdout.writableLength > UNTAKEN) {
      this.#dirty = true;
      return;
    }
    this.#redraw();
    this.#listener?.();
  }

  #redraw(): void {
    this.#dirty = false;
    const now = this.#now();
    const { color, zone, status, lifeOf } = this.#options;
    const data: FrameData = {
      ...status(),
      view: this.#shown(),
      ui: this.#ui,
      look: { paint: paintFor(color), zone },
      notice: now < this.#notice.until ? this.#notice.text : '',
      now,
      lifeOf,
    };
    this.#bands = frame(data, { columns: this.#terminal.columns, rows: this.#terminal.rows });
  }
}

/** Standard output as Ink sees it: each write is a frame. Ink asks for a stream and uses only what is here. */
function frameSink(terminal: Terminal): WriteStream {
  const sink = {
    isTTY: true,
    get columns() {
      return terminal.columns;
    },
    get rows() {
      return terminal.rows;
    },
    write(text: string, done?: () => void): boolean {
      if (text !== '') terminal.paint(text.split('\n'));
      if (done !== undefined) setImmediate(done);
      return true;
    },
    on: () => sink,
    off: () => sink,
  };
  return sink as unknown as WriteStream;
}
