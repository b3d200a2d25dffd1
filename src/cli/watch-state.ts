/**
 * `watch --state FILE`: where the last run ended, and what this one has counted, kept every minute and at the end.
 *
 * Owns the wiring of state.ts to what is followed. A run that ends before what was there at its beginning has been read
 * leaves the state as it was.
 */
import type { Analysis } from '../analysis/analysis.ts';
import type { PreparedInput } from '../analysis/reading.ts';
import { FollowedFile, type Following } from '../follow/inputs.ts';
import type { Journal } from '../follow/journal.ts';
import type { TailSink } from '../follow/tail.ts';
import type { Names } from '../lines/names.ts';
import type { Tags } from '../lines/tags.ts';
import type { Board } from '../live/board.ts';
import type { FollowedInput } from '../live/engine.ts';
import type { Source } from '../source/source.ts';
import type { WatchOptions } from './arguments.ts';
import { checkWritable } from './saved-file.ts';
import { clocksOf, hasLines, stateOptions } from './session.ts';
import { type Resumed, State } from './state.ts';

/** Milliseconds between two savings. */
const SAVE_EVERY = 60_000;

export function saveEvery(): number {
  // Tests do not wait a minute (ARCHITECTURE.md).
  return Number(process.env.DSNSTAT_SAVE_EVERY) || SAVE_EVERY;
}

/** What is to be read before anything is followed, of what was there. */
export interface WatchBeginning {
  readonly sources: readonly Source[];
  /** What the clocks of sources remember. */
  readonly previous: ReadonlyMap<Source, number>;
}

export class WatchState {
  readonly #path: string;
  readonly #state: State;
  readonly #analysis: Analysis;
  readonly #hosts: Names;
  readonly #board: Board;
  #resumed: readonly Resumed[] = [];

  private constructor(path: string, state: State, analysis: Analysis, hosts: Names, board: Board) {
    this.#path = path;
    this.#state = state;
    this.#analysis = analysis;
    this.#hosts = hosts;
    this.#board = board;
  }

  /** Throws what is wrong with the file, and leaves it alone. */
  static async open(
    path: string,
    options: WatchOptions,
    { analysis, hosts, tags, board }: { analysis: Analysis; hosts: Names; tags: Tags; board: Board },
  ): Promise<WatchState> {
    await checkWritable(path);
    const state = await State.open(path, { options: stateOptions(options), reader: 'figures', hosts, tags });
    return new WatchState(path, state, analysis, hosts, board);
  }

  /** Whether a run before has counted anything. Nothing may be counted before this. */
  restore(onNotice: (text: string) => void): boolean {
    const { restored, board } = this.#state;
    if (restored === null) return false;
    this.#analysis.merge(restored);
    let isWhole: boolean;
    try {
      isWhole = this.#board.goOn(board);
    } catch {
      // Its checksum is right: somebody has made it.
      throw new Error(
        `${this.#path}: damaged: not what a live view knows; name another file, or remove it to begin anew`,
      );
    }
    if (!isWhole) {
      onNotice(
        `${this.#path}: another command or --anonymise comes in between; the last hour, the chart by minute and the groups of suspects begin now`,
      );
    }
    return true;
  }

  readonly readBefore: TailSink['readBefore'] = (identity, beginning) =>
    this.#state.readBefore(identity, beginning);

  get journal(): string | null {
    return this.#state.journal;
  }

  /** What is new in the sources, and in logs that were rotated away from their names. */
  async begin(
    sources: readonly Source[],
    followings: readonly Following[],
    onNotice: (text: string) => void,
  ): Promise<WatchBeginning> {
    this.#resumed = await this.#state.resume(sources);
    for (const note of this.#state.notes) onNotice(note);
    const followed = new Set(followings.map(({ name }) => name));
    // Of what is followed the clock goes on, even where nothing is new.
    const wanted = this.#resumed.filter((input) => hasLines(input) || followed.has(input.source.path));
    for (const { source } of wanted) if ((source.part?.from ?? 0) > 0) this.#analysis.summary.files -= 1;
    return { sources: wanted.map(({ source }) => source), previous: clocksOf(this.#resumed) };
  }

  /** All that was there at the beginning has been read. */
  begun(read: readonly PreparedInput[]): void {
    this.#state.count(this.#resumed, new Map(read.map((input) => [input.source, input])));
  }

  async save(inputs: readonly FollowedInput[], journal: Journal | null): Promise<void> {
    /** Bytes of last lines that have no newline yet: the next run reads them again. */
    let partial = 0;
    for (const { following, clock } of inputs) {
      if (!(following instanceof FollowedFile)) continue;
      const { name } = following;
      const pieces = following.takePieces().map((piece) => ({ ...piece, name, clock }));
      for (const { position, lineEnd } of pieces) partial += position - lineEnd;
      this.#state.countFollowed(pieces);
    }
    if (journal !== null) this.#state.journal = journal.cursor;
    const { summary } = this.#analysis;
    summary.bytes -= partial;
    try {
      await this.#state.save(this.#analysis, this.#hosts, this.#board.rows());
    } finally {
      summary.bytes += partial;
    }
  }

  release(): void {
    this.#state.release();
  }
}
