/**
 * Lines as they come into the analysis, without holding up whoever looks at it.
 *
 * What the files hold already is read as a batch run reads it (analysis/reading.ts); from there on lines of all inputs
 * are taken by time as they arrive, in slices of a few milliseconds. Between slices the board is looked at.
 *
 * Owns the pace: slices, looks, replay speed, pause. Must not know screens, formats or flags.
 */
import { setImmediate as breath, setTimeout as sleep } from 'node:timers/promises';
import type { Analysis } from '../analysis/analysis.ts';
import { type PreparedInput, prepareInputs, readInputs } from '../analysis/reading.ts';
import type { Following } from '../follow/inputs.ts';
import { Clock, yearEvidence } from '../lines/clock.ts';
import { HeadParser } from '../lines/head-parser.ts';
import type { Names } from '../lines/names.ts';
import type { Tags } from '../lines/tags.ts';
import type { Source } from '../source/source.ts';
import type { Board, View } from './board.ts';

/** Milliseconds of work between two chances for a key or a frame. */
const SLICE = 8;
/** How long to wait when nothing came. */
const IDLE = 200;
/** Least time between two looks, and how many times as long as a look takes. */
const LOOK_EVERY = 500;
const LOOK_SHARE = 6;
/** How often new logs are looked for. */
const DISCOVER_EVERY = 1_000;
/** Time between two savings, as many times as long as one takes. */
const SAVE_SHARE = 50;
/** Lines between two glances at the clock. */
const LINES_A_GLANCE = 32;

export type Phase = 'reading' | 'live' | 'replay' | 'ended';

/** How the reading goes; changes all the time. */
export interface Progress {
  readonly phase: Phase;
  readonly paused: boolean;
  /** Lines taken per second, over the last second or so. */
  readonly rate: number;
  readonly lines: number;
  /** Bytes that wait to be read: of the files, and of what was found at the beginning. */
  readonly backlog: number;
}

export interface EngineOptions {
  readonly analysis: Analysis;
  readonly board: Board;
  readonly hosts: Names;
  readonly tags: Tags;
  readonly zone: string;
  readonly year: number | null;
  /** Seconds of log per second; null is as fast as possible. */
  readonly speed: number | null;
  readonly onView: (view: View) => void;
  /** An input that cannot be read, or not to its end. */
  readonly onProblem: (error: unknown) => void;
  /** Keeps what was counted; no line is taken until it is done. */
  readonly keeping?: Keeping;
}

export interface Keeping {
  /** Milliseconds between two savings. */
  readonly every: number;
  readonly save: (inputs: readonly FollowedInput[]) => Promise<void>;
}

/** An input all of whose lines that were handed over have been counted. */
export interface FollowedInput {
  readonly following: Following;
  /** The memory of its clock (ms), NaN without any. */
  readonly clock: number;
}

export interface FollowOptions {
  /** Inputs that came up since the last call. */
  readonly discover?: () => Promise<readonly Following[]>;
}

/** An input that goes on, and the line of it that comes next. */
class Reader {
  readonly following: Following;
  heads: HeadParser | null;
  bytes = Buffer.allocUnsafeSlow(4096);
  length = 0;
  hasHead = false;
  instant = Number.NEGATIVE_INFINITY;
  /** A line is at hand; without bytes when it was too long. */
  loaded = false;
  overlong = false;
  /** Bytes of the input that the summary has counted. */
  counted = 0;

  constructor(following: Following, heads: HeadParser | null) {
    this.following = following;
    this.heads = heads;
  }
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #readers: Reader[] = [];
  readonly #heads = new Map<string, HeadParser>();
  #sources: readonly Source[] = [];
  #phase: Phase = 'reading';
  #paused = false;
  #stopped = false;
  #wake: (() => void) | null = null;
  #roused = false;
  #lookDue = true;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookGap = LOOK_EVERY;
  #linesAtLook = -1;
  #rate = 0;
  #rateLines = 0;
  #rateAt = performance.now();
  /** Replay: log time and wall time that belong together. */
  #anchor: { readonly log: number; readonly wall: number } | null = null;
  #whole = true;
  /** Inputs give what waits in their queues, and no more. */
  #holding = false;
  #savedAt = Number.NEGATIVE_INFINITY;
  #saveGap = 0;
  #linesAtSave = -1;
  #discoveredAt = Number.NEGATIVE_INFINITY;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  get lines(): number {
    return this.#options.analysis.summary.lines.reduce((n, c) => n + c, 0);
  }

  progress(): Progress {
    let backlog = 0;
    for (const { size, bytesRead, part } of this.#sources) {
      const before = part?.plain ? part.from : 0;
      if (size !== null) backlog += Math.max(0, size - before - bytesRead);
    }
    if (this.#phase === 'live') for (const { following } of this.#readers) backlog += following.backlog;
    this.#measure();
    return { phase: this.#phase, paused: this.#paused, rate: this.#rate, lines: this.lines, backlog };
  }

  /** All that was there at the beginning has been read. */
  get isWhole(): boolean {
    return this.#whole;
  }

  /** Reads what is there to its end, in the order of a batch run. */
  async read(
    sources: readonly Source[],
    replay: boolean,
    previous?: ReadonlyMap<Source, number>,
  ): Promise<readonly PreparedInput[]> {
    const { analysis, zone, year, hosts, tags, speed } = this.#options;
    this.#phase = replay ? 'replay' : 'reading';
    this.#sources = sources;
    this.#rateLines = this.lines;
    const prepared = await prepareInputs(sources, { zone, year, hosts, tags, previous });
    this.#whole = prepared.length === 0;
    if (this.#stopped || prepared.length === 0) return prepared;
    this.#whole = await readInputs(prepared, analysis, {
      onProblem: (error) => this.#options.onProblem(error),
      onBlock: () => this.#between(),
      interrupted: () => this.#stopped,
      ...(replay && speed !== null ? { beforeLine: (instant: number) => this.#pace(instant, speed) } : {}),
    });
    this.#sources = [];
    for (const { source, heads } of prepared) this.#heads.set(source.path, heads);
    await this.#look();
    return prepared;
  }

  /** Follows these until `stop`, or until all of them are over. */
  async follow(inputs: readonly Following[], { discover }: FollowOptions = {}): Promise<void> {
    for (const following of inputs) this.#add(following);
    this.#phase = 'live';
    while (!this.#stopped) {
      if (discover !== undefined && performance.now() - this.#discoveredAt >= DISCOVER_EVERY) {
        for (const following of await discover()) this.#add(following);
        this.#discoveredAt = performance.now();
      }
      if (this.#slice(performance.now() + SLICE)) await breath();
      else {
        await this.#lookIfDue();
        const isOver = this.#readers.every(({ following, loaded }) => following.over && !loaded);
        if (isOver && discover === undefined) break;
        await this.#idle(IDLE);
      }
      await this.#lookIfDue();
      await this.#saveIfDue();
    }
    for (const { following } of this.#readers)
      while (following.pull(performance.now())) this.#slice(Number.POSITIVE_INFINITY);
    // Before partial last lines are counted: the next run is to see them whole.
    await this.#save();
    for (const { following } of this.#readers) await following.close();
    this.#slice(Number.POSITIVE_INFINITY);
  }

  #add(following: Following): void {
    const heads = this.#heads.get(following.name) ?? null;
    if (heads === null) this.#options.analysis.summary.files += 1;
    this.#readers.push(new Reader(following, heads));
    following.onReady = () => this.#rouse();
  }

  // ---- keeping

  async #saveIfDue(): Promise<void> {
    if (this.lines === this.#linesAtSave || performance.now() - this.#savedAt < this.#saveGap) return;
    await this.#save();
  }

  /** Nothing waits between the inputs and the analysis while it is kept. */
  async #save(): Promise<void> {
    const { keeping } = this.#options;
    if (keeping === undefined) return;
    const began = performance.now();
    for (const { following } of this.#readers) await following.settle();
    this.#holding = true;
    this.#slice(Number.POSITIVE_INFINITY);
    this.#holding = false;
    this.#linesAtSave = this.lines;
    await keeping.save(
      this.#readers.map(({ following, heads }) => ({
        following,
        clock: heads?.clock.previous ?? Number.NaN,
      })),
    );
    this.#savedAt = performance.now();
    this.#saveGap = Math.max(keeping.every, (this.#savedAt - began) * SAVE_SHARE);
  }

  /** Nothing more will be read; looks go on until `stop`. */
  async stay(): Promise<void> {
    this.#phase = 'ended';
    this.#lookDue = true;
    while (!this.#stopped) {
      await this.#lookIfDue();
      if (!this.#stopped) await this.#idle(60_000);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const source of this.#sources) source.stop();
    this.#rouse();
  }

  /** A replay waits; what is followed goes on, because its writer does. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.#anchor = null;
    this.#rouse();
  }

  /** The board was told something: look soon. */
  refresh(): void {
    this.#lookDue = true;
    this.#rouse();
  }

  /** The final look, everything read. */
  async finish(): Promise<View> {
    return this.#look();
  }

  /** Between two blocks of a batch: a pause, a look, a chance for others. */
  async #between(): Promise<void> {
    await breath();
    await this.#lookIfDue();
    await this.#whilePaused();
  }

  async #whilePaused(): Promise<void> {
    while (this.#paused && !this.#stopped && this.#phase === 'replay') {
      await this.#lookIfDue();
      await this.#idle(IDLE);
    }
  }

  /** The time for a line of a replay, at so many seconds a second. */
  #pace(instant: number, speed: number): Promise<void> | null {
    if (!Number.isFinite(instant)) return null;
    if (this.#anchor === null) this.#anchor = { log: instant, wall: performance.now() };
    const due = this.#anchor.wall + (instant - this.#anchor.log) / speed;
    if (due <= performance.now() && !this.#paused) return null;
    return this.#waitFor(instant, speed);
  }

  async #waitFor(instant: number, speed: number): Promise<void> {
    while (!this.#stopped) {
      await this.#whilePaused();
      this.#anchor ??= { log: instant, wall: performance.now() };
      const left = this.#anchor.wall + (instant - this.#anchor.log) / speed - performance.now();
      await this.#lookIfDue();
      if (left <= 0) return;
      await this.#idle(Math.min(left, IDLE));
    }
  }

  async #idle(ms: number): Promise<void> {
    if (!this.#roused) {
      const timer = new AbortController();
      this.#wake = () => timer.abort();
      await sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined);
      this.#wake = null;
    }
    this.#roused = false;
  }

  /** Ends the wait that is under way, or the next one. */
  #rouse(): void {
    this.#roused = true;
    this.#wake?.();
  }

  async #lookIfDue(): Promise<void> {
    const now = performance.now();
    const changed = this.lines !== this.#linesAtLook;
    if (this.#lookDue || (changed && now - this.#lookedAt >= this.#lookGap)) await this.#look();
  }

  async #look(): Promise<View> {
    this.#lookDue = false;
    const began = performance.now();
    this.#linesAtLook = this.lines;
    const steps = this.#options.board.look(this.#options.analysis.pending());
    let worked = 0;
    let from = began;
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) {
        worked += performance.now() - from;
        this.#lookedAt = performance.now();
        this.#lookGap = Math.max(LOOK_EVERY, worked * LOOK_SHARE);
        this.#options.onView(value);
        return value;
      }
      if (performance.now() - from < SLICE) continue;
      worked += performance.now() - from;
      await breath();
      from = performance.now();
    }
  }

  #measure(): void {
    const now = performance.now();
    const seconds = (now - this.#rateAt) / 1000;
    if (seconds < 1) return;
    this.#rate = (this.lines - this.#rateLines) / seconds;
    this.#rateLines = this.lines;
    this.#rateAt = now;
  }

  /** Takes lines until the deadline; true when it stopped for that, and more is there. */
  #slice(deadline: number): boolean {
    const now = performance.now();
    for (const reader of this.#readers) if (!reader.loaded) this.#load(reader, now);
    for (;;) {
      let first: Reader | null = null;
      let limit = Number.POSITIVE_INFINITY;
      for (const reader of this.#readers) {
        if (!reader.loaded) continue;
        if (first === null || reader.instant < first.instant) {
          if (first !== null && first.instant < limit) limit = first.instant;
          first = reader;
        } else if (reader.instant < limit) limit = reader.instant;
      }
      if (first === null) return false;
      let taken = 0;
      do {
        this.#take(first);
        this.#load(first, now);
        taken += 1;
        if (taken % LINES_A_GLANCE === 0 && performance.now() >= deadline) return true;
      } while (first.loaded && first.instant <= limit);
      if (performance.now() >= deadline) return true;
    }
  }

  #take(reader: Reader): void {
    const { analysis } = this.#options;
    if (reader.overlong) analysis.overlong();
    else analysis.lineWithHead(reader.heads as HeadParser, reader.hasHead, reader.bytes, 0, reader.length);
    reader.loaded = false;
  }

  /** Makes the next line of an input the one at hand, if there is one. */
  #load(reader: Reader, now: number): void {
    const { queue } = reader.following;
    while (queue.length === 0) {
      if (this.#holding || !reader.following.pull(now)) break;
    }
    const { bytes } = reader.following;
    this.#options.analysis.summary.bytes += bytes - reader.counted;
    reader.counted = bytes;
    if (queue.length === 0) return;
    const text = queue.peek();
    reader.overlong = text === null;
    reader.loaded = true;
    if (text !== null) {
      reader.heads ??= this.#newHeads(text);
      if (text.length > reader.bytes.length) reader.bytes = Buffer.allocUnsafeSlow(2 * text.length);
      reader.length = reader.bytes.write(text, 'latin1');
      reader.hasHead = reader.heads.parse(reader.bytes, 0, reader.length);
      const { instant } = reader.heads.head;
      if (reader.hasHead && !Number.isNaN(instant)) reader.instant = instant;
    }
    queue.drop();
  }

  /** For an input that begins now: its lines are as old as the first one says, or new. */
  #newHeads(text: string): HeadParser {
    const { zone, year, hosts, tags } = this.#options;
    const evidence = year ?? yearEvidence(Buffer.from(text, 'latin1'));
    return new HeadParser(new Clock({ zone, year: evidence, reference: Date.now() }), hosts, tags);
  }
}
