/**
 * Inputs -> the analysis: what order the lines of several inputs come in.
 *
 * Owns the order: inputs are begun by the first time in them, and where their times overlap (a host each, qmail's
 * send and smtpd logs) their lines are taken by time, so that what belongs together meets. Must not know flags,
 * formats or terminals.
 */
import { dirname } from 'node:path';
import { Clock, type ClockOptions, yearEvidence } from '../lines/clock.ts';
import { NO_TAG } from '../lines/head.ts';
import { HeadParser } from '../lines/head-parser.ts';
import type { Names } from '../lines/names.ts';
import { LineSplitter } from '../lines/splitter.ts';
import type { Tags } from '../lines/tags.ts';
import { ascii, startsWith } from '../records/bytes.ts';
import { FOREIGN, type LineClass, MALFORMED } from '../records/record.ts';
import { openBlocks } from '../source/blocks.ts';
import { DamagedInput, UnreadableInput } from '../source/errors.ts';
import type { Compression } from '../source/magic.ts';
import { probe } from '../source/probe.ts';
import type { Source } from '../source/source.ts';
import type { Analysis } from './analysis.ts';
import { FastLines } from './fast-lines.ts';

export interface ReadingOptions {
  /** Zone of stamps without one: IANA, "local" or "+02:00". */
  readonly zone: string;
  /** Pins the year of the first stamp without one. */
  readonly year: number | null;
  readonly hosts: Names;
  readonly tags: Tags;
  /** Inputs whose beginnings were read before: what the clock remembers there. */
  readonly previous?: ReadonlyMap<Source, number>;
}

/** One input, looked at but not read. */
export interface PreparedInput {
  readonly source: Source;
  /** The memory of `heads`; and what it began with, for others that look into the input. */
  readonly clock: Clock;
  readonly clockOptions: ClockOptions;
  readonly heads: HeadParser;
  readonly compression: Compression;
  /** Instant of its first line with a time, Infinity without. */
  readonly first: number;
  /** Latest instant in its first part; it goes on to at least there. */
  readonly goesTo: number;
  /** Has lines of qmail-send's without a tag: whose numbers they have is told by nothing but the file. */
  readonly isBareQmail: boolean;
  // What was found in it, once it has been read: all lines, those of an MTA, and broken ones.
  lines: number;
  ours: number;
  malformed: number;
}

export interface ReadingHooks {
  /** Bytes taken from disk or pipe since the last call. */
  readonly onBytes?: (bytes: number) => void;
  /** An input is damaged or unreadable; what was good has been read. */
  readonly onProblem: (error: Error, input: PreparedInput) => void;
  /** Two inputs go on at the same time, of two qmail-sends that nothing in their lines tells apart; once. */
  readonly onMixed?: (a: PreparedInput, b: PreparedInput) => void;
  /** Called after each block; what it returns is waited for. */
  readonly onBlock?: () => Promise<void> | null;
  /** Called before each line with its instant; what it returns is waited for. For playing a log at its own pace. */
  readonly beforeLine?: (instant: number) => Promise<void> | null;
  /** True once the reading should end. */
  readonly interrupted?: () => boolean;
}

/**
 * At a rotation the last lines of the old file and the first of the new one may be out of order by this much; beyond
 * it the files run side by side.
 */
export const ROTATION_JITTER = 2_000;

/** Looks into every input and orders them by their first times. */
export async function prepareInputs(
  sources: readonly Source[],
  options: ReadingOptions,
): Promise<PreparedInput[]> {
  const inputs: PreparedInput[] = [];
  for (const source of sources) {
    const { head, mtime, compression } = await probe(source);
    const year = options.year ?? yearEvidence(head);
    const previous = options.previous?.get(source);
    const clockOptions = { zone: options.zone, year, reference: mtime ?? Date.now(), previous };
    const headsFor = (clock: Clock): HeadParser => new HeadParser(clock, options.hosts, options.tags);
    const span = spanOf(head, headsFor(new Clock(clockOptions)));
    const clock = new Clock(clockOptions);
    // What was begun before goes on before anything else begins.
    const first = (source.part?.from ?? 0) > 0 ? Number.NEGATIVE_INFINITY : span.first;
    const heads = headsFor(clock);
    const found = { lines: 0, ours: 0, malformed: 0 };
    const { latest: goesTo, isBareQmail } = span;
    inputs.push({ source, clock, clockOptions, heads, compression, first, goesTo, isBareQmail, ...found });
  }
  return inputs.sort(
    (a, b) =>
      compare(a.first, b.first) ||
      compare(a.source.mtime ?? Number.POSITIVE_INFINITY, b.source.mtime ?? Number.POSITIVE_INFINITY),
  );
}

/** By instants; infinite ones must not give NaN. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What qmail-send says of its messages and deliveries. */
const WITH_NUMBERS = ['new msg ', 'info msg ', 'starting delivery ', 'end msg '].map(ascii);

/** First and latest instant of the lines in `bytes`; a line that is cut off at their end may count. */
export function spanOf(
  bytes: Uint8Array,
  heads: HeadParser,
): { first: number; latest: number; isBareQmail: boolean } {
  let first = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  let isBareQmail = false;
  const splitter = new LineSplitter(
    (line, start, end) => {
      if (!heads.parse(line, start, end)) return;
      const { bytes: text, instant, tag, textStart, textEnd } = heads.head;
      if (tag === NO_TAG && WITH_NUMBERS.some((words) => startsWith(text, textStart, textEnd, words)))
        isBareQmail = true;
      if (Number.isNaN(instant)) return;
      if (first === Number.POSITIVE_INFINITY) first = instant;
      if (instant > latest) latest = instant;
    },
    () => undefined,
  );
  splitter.push(bytes);
  splitter.finish();
  return { first, latest, isBareQmail };
}

/** Reads all inputs to their ends. Returns false when it was interrupted. */
export async function readInputs(
  inputs: readonly PreparedInput[],
  analysis: Analysis,
  hooks: ReadingHooks,
): Promise<boolean> {
  if (inputs.length === 1 && hooks.beforeLine === undefined) return readAlone(inputs[0], analysis, hooks);
  return readTogether(inputs, analysis, hooks);
}

/** One input: lines go straight from the block to the parser. */
async function readAlone(input: PreparedInput, analysis: Analysis, hooks: ReadingHooks): Promise<boolean> {
  const { source, heads } = input;
  const { light } = analysis.joiner;
  const splitter = new LineSplitter(
    (bytes, start, end) => {
      // Begun in the block before; behind its end stands a newline.
      if (fast !== null) fast.push(bytes.subarray(start, end + 1));
      else count(input, analysis.line(heads, bytes, start, end));
    },
    () => count(input, analysis.overlong()),
  );
  const fast =
    light === null
      ? null
      : new FastLines(analysis, light, heads, (lineClass, n) => count(input, lineClass, n), splitter.maxLine);
  analysis.summary.files += 1;
  let taken = 0;
  let complete = true;
  try {
    for await (const block of openBlocks(source, { memory: light?.kernel.fileInput })) {
      analysis.summary.bytes += block.length;
      if (fast === null) splitter.push(block);
      else splitter.pushAround(block, (lines) => fast.push(lines));
      hooks.onBytes?.(source.bytesRead - taken);
      taken = source.bytesRead;
      const wait = hooks.onBlock?.();
      if (wait) await wait;
      if (hooks.interrupted?.() === true) {
        complete = false;
        break;
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedInput) && !(error instanceof UnreadableInput)) throw error;
    hooks.onProblem(error, input);
  }
  splitter.finish();
  return complete;
}

function count(input: PreparedInput, lineClass: LineClass, lines = 1): void {
  input.lines += lines;
  if (lineClass === MALFORMED) input.malformed += lines;
  else if (lineClass !== FOREIGN) input.ours += lines;
}

/** Bytes of a tag that tell the MTA's own lines from those whose time stands in their text (splogger). */
const TAG_BEGINNING = 7;

/**
 * The lines of one input in runs that end where another input has to speak.
 *
 * The kernel finds where that is. Without it, a head parser with a clock of its own does, ahead of the one that reads the
 * lines: most lines have the stamp of the line before, and are passed over by comparing bytes.
 */
class RunReader {
  readonly input: PreparedInput;
  /** Instant of the next line; the one before where it has none. */
  instant = Number.NEGATIVE_INFINITY;

  readonly #blocks: AsyncGenerator<Uint8Array, void, void>;
  readonly #splitter: LineSplitter;
  /** Without the kernel. */
  readonly #ahead: HeadParser | null;
  readonly #fast: FastLines | null;
  /** Whole lines with their newlines; null stands for one that was too long to be kept. */
  #pieces: (Buffer | null)[] = [];
  /** The next line begins here in the first piece, and has been looked at. */
  #at = 0;
  #finished = false;
  /** What lines of the last instant begin with. */
  #stamp: Uint8Array = new Uint8Array(0);
  readonly #analysis: Analysis;
  readonly #hooks: ReadingHooks;
  #taken = 0;

  constructor(input: PreparedInput, analysis: Analysis, hooks: ReadingHooks) {
    this.input = input;
    this.#analysis = analysis;
    this.#hooks = hooks;
    this.#blocks = openBlocks(input.source);
    this.#splitter = new LineSplitter(
      // Valid during this call only; behind its end stands a newline.
      (bytes, start, end) => this.#pieces.push(Buffer.from(bytes.subarray(start, end + 1))),
      () => this.#pieces.push(null),
    );
    const { light } = analysis.joiner;
    if (light === null || hooks.beforeLine !== undefined) this.#fast = null;
    else {
      const counted = (lineClass: LineClass, n: number): void => count(input, lineClass, n);
      this.#fast = new FastLines(analysis, light, input.heads, counted, this.#splitter.maxLine);
    }
    this.#ahead = this.#fast === null ? input.heads.ahead() : null;
    analysis.summary.files += 1;
  }

  /** Takes the next line, and those behind it in the same block while they are not later than `limit`. */
  take(limit: number): void {
    const piece = this.#pieces[0];
    const from = this.#at;
    if (piece === null) {
      count(this.input, this.#analysis.overlong());
      this.#pieces.shift();
      this.#look();
      return;
    }
    // The next line has been looked at.
    let to = piece.indexOf(NEWLINE, from) + 1;
    if (this.#fast !== null) {
      this.#fast.push(piece.subarray(from, to));
      to += this.#fast.push(piece.subarray(to), limit);
      if (to < piece.length) this.instant = this.#fast.reached;
    } else {
      const single = this.#hooks.beforeLine !== undefined;
      while (to < piece.length) {
        this.#lookAt(piece, to);
        if (single || this.instant > limit) break;
        to = piece.indexOf(NEWLINE, to) + 1;
      }
      this.#read(piece, from, to);
    }
    this.#at = to;
    if (to < piece.length) return;
    this.#pieces.shift();
    this.#at = 0;
    this.#look();
  }

  /** False when the block at hand is used up. */
  get hasLine(): boolean {
    return this.#pieces.length > 0;
  }

  #read(piece: Buffer, from: number, to: number): void {
    const { heads } = this.input;
    for (let start = from; start < to; ) {
      const end = piece.indexOf(NEWLINE, start);
      if (end - start > this.#splitter.maxLine) count(this.input, this.#analysis.overlong());
      else count(this.input, this.#analysis.line(heads, piece, start, end));
      start = end + 1;
    }
  }

  #look(): void {
    const piece = this.#pieces[0];
    if (piece) this.#lookAt(piece, 0);
  }

  #lookAt(bytes: Buffer, start: number): void {
    const ahead = this.#ahead;
    if (ahead === null) {
      const instant = this.#fast!.lookAt(bytes, start, bytes.indexOf(NEWLINE, start));
      if (!Number.isNaN(instant)) this.instant = instant;
      return;
    }
    if (beginsWith(bytes, start, this.#stamp)) return;
    const end = bytes.indexOf(NEWLINE, start);
    if (end - start > this.#splitter.maxLine || !ahead.parse(bytes, start, end)) return;
    const { head, form, tagStart } = ahead;
    if (Number.isNaN(head.instant)) return;
    this.instant = head.instant;
    const { program } = head.tag;
    const own = form !== 0 && (program === 'postfix' || program === 'sendmail');
    this.#stamp = own ? Buffer.from(bytes.subarray(start, tagStart + TAG_BEGINNING)) : NO_BYTES;
  }

  /** Gets more lines; false at the end of the input. */
  async fill(): Promise<boolean> {
    while (this.#pieces.length === 0) {
      if (this.#finished) return false;
      try {
        const { done, value } = await this.#blocks.next();
        if (done === true || value === undefined) this.#finish();
        else {
          this.#analysis.summary.bytes += value.length;
          this.#splitter.pushAround(value, (lines) => this.#pieces.push(asBuffer(lines)));
          const { source } = this.input;
          this.#hooks.onBytes?.(source.bytesRead - this.#taken);
          this.#taken = source.bytesRead;
        }
      } catch (error) {
        if (!(error instanceof DamagedInput) && !(error instanceof UnreadableInput)) throw error;
        this.#hooks.onProblem(error, this.input);
        this.#finish();
      }
    }
    this.#at = 0;
    this.#look();
    return true;
  }

  #finish(): void {
    this.#finished = true;
    this.#splitter.finish();
  }

  async close(): Promise<void> {
    await this.#blocks.return();
  }
}

const NEWLINE = 10;
const NO_BYTES = new Uint8Array(0);

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** False for an empty beginning. */
function beginsWith(bytes: Uint8Array, at: number, beginning: Uint8Array): boolean {
  const { length } = beginning;
  for (let i = length - 1; i >= 0; i -= 1) if (bytes[at + i] !== beginning[i]) return false;
  return length > 0;
}

async function readTogether(
  inputs: readonly PreparedInput[],
  analysis: Analysis,
  hooks: ReadingHooks,
): Promise<boolean> {
  const active: RunReader[] = [];
  let next = 0;
  let mixed = false;
  const open = async (): Promise<void> => {
    const reader = new RunReader(inputs[next], analysis, hooks);
    next += 1;
    if (!(await reader.fill())) return;
    const other = active.find((known) => areMixed(known.input, reader.input));
    if (other !== undefined && !mixed) hooks.onMixed?.(other.input, reader.input);
    mixed ||= other !== undefined;
    active.push(reader);
  };
  try {
    while (active.length > 0 || next < inputs.length) {
      if (hooks.interrupted?.() === true) return false;
      if (active.length === 0) {
        await open();
        continue;
      }
      let reader = active[0];
      for (const other of active) if (other.instant < reader.instant) reader = other;
      let limit = next < inputs.length ? inputs[next].first + ROTATION_JITTER : Number.POSITIVE_INFINITY;
      if (reader.instant > limit) {
        await open();
        continue;
      }
      for (const other of active) if (other !== reader && other.instant < limit) limit = other.instant;
      if (!(await takeUntil(reader, limit, hooks))) active.splice(active.indexOf(reader), 1);
    }
    return true;
  } finally {
    for (const reader of active) await reader.close();
  }
}

/** Files of one directory are of one qmail-send: multilog's `current` and what it was before. */
function areMixed(a: PreparedInput, b: PreparedInput): boolean {
  return a.isBareQmail && b.isBareQmail && dirname(a.source.path) !== dirname(b.source.path);
}

/** Takes lines while they are not later than the limit; false when the input is at its end. */
async function takeUntil(reader: RunReader, limit: number, hooks: ReadingHooks): Promise<boolean> {
  do {
    const pause = hooks.beforeLine?.(reader.instant);
    if (pause) {
      await pause;
      if (hooks.interrupted?.() === true) return true;
    }
    reader.take(limit);
    if (!reader.hasLine) {
      const wait = hooks.onBlock?.();
      if (wait) await wait;
      if (hooks.interrupted?.() === true) return true;
      if (!(await reader.fill())) return false;
    }
  } while (reader.instant <= limit);
  return true;
}
