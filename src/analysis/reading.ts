/**
 * Inputs -> the analysis: what order the lines of several inputs come in.
 *
 * Owns the order: inputs are begun by the first time in them, and where their times overlap (a host each, qmail's
 * send and smtpd logs) their lines are taken by time, so that what belongs together meets. Must not know flags,
 * formats or terminals.
 */
import { Clock, type ClockOptions, yearEvidence } from '../lines/clock.ts';
import { HeadParser } from '../lines/head-parser.ts';
import type { Names } from '../lines/names.ts';
import { LineSplitter } from '../lines/splitter.ts';
import type { Tags } from '../lines/tags.ts';
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
  /** The memory of `heads`; and what it began with, for others that read a part of the input. */
  readonly clock: Clock;
  readonly clockOptions: ClockOptions;
  readonly heads: HeadParser;
  readonly compression: Compression;
  /** Instant of its first line with a time, Infinity without. */
  readonly first: number;
  /** Latest instant in its first part; it goes on to at least there. */
  readonly goesTo: number;
  // What was found in it, once it has been read: all lines, those of an MTA, and broken ones.
  lines: number;
  ours: number;
  malformed: number;
  /** What its clock remembers behind what others read of it; null where `clock` itself knows. */
  previous: number | null;
}

export interface ReadingHooks {
  /** Bytes taken from disk or pipe since the last call. */
  readonly onBytes?: (bytes: number) => void;
  /** An input is damaged or unreadable; what was good has been read. */
  readonly onProblem: (error: Error, input: PreparedInput) => void;
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
    const span = spanOf(head, new HeadParser(new Clock(clockOptions), options.hosts, options.tags));
    // What was begun before goes on before anything else begins.
    const first = (source.part?.from ?? 0) > 0 ? Number.NEGATIVE_INFINITY : span.first;
    inputs.push({
      ...preparedInput(source, clockOptions, first, options),
      goesTo: span.latest,
      compression,
    });
  }
  return inputs.sort(
    (a, b) =>
      compare(a.first, b.first) ||
      compare(a.source.mtime ?? Number.POSITIVE_INFINITY, b.source.mtime ?? Number.POSITIVE_INFINITY),
  );
}

/** An input of which all that reading needs is known. */
export function preparedInput(
  source: Source,
  clockOptions: ClockOptions,
  first: number,
  { hosts, tags }: Pick<ReadingOptions, 'hosts' | 'tags'>,
): PreparedInput {
  const clock = new Clock(clockOptions);
  const heads = new HeadParser(clock, hosts, tags);
  const found = { lines: 0, ours: 0, malformed: 0, previous: null };
  return { source, clock, clockOptions, heads, compression: 'none', first, goesTo: first, ...found };
}

/** By instants; infinite ones must not give NaN. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** First and latest instant of the lines in `bytes`; a line that is cut off at their end may count. */
export function spanOf(bytes: Uint8Array, heads: HeadParser): { first: number; latest: number } {
  let first = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  const splitter = new LineSplitter(
    (line, start, end) => {
      if (!heads.parse(line, start, end)) return;
      const { instant } = heads.head;
      if (Number.isNaN(instant)) return;
      if (first === Number.POSITIVE_INFINITY) first = instant;
      if (instant > latest) latest = instant;
    },
    () => undefined,
  );
  splitter.push(bytes);
  splitter.finish();
  return { first, latest };
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
  const splitter = new LineSplitter(
    (bytes, start, end) => count(input, analysis.line(heads, bytes, start, end)),
    () => count(input, analysis.overlong()),
  );
  const { light } = analysis.joiner;
  const fast =
    light === null
      ? null
      : new FastLines(analysis, light, heads, (lineClass, n) => count(input, lineClass, n), splitter.maxLine);
  analysis.summary.files += 1;
  let taken = 0;
  let complete = true;
  try {
    for await (const block of openBlocks(source)) {
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

/** The lines of one input, one at a time, with the head of the next line read. */
class LineReader {
  readonly input: PreparedInput;
  /** The line at hand. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** Its instant; the one before where it has none. */
  instant = Number.NEGATIVE_INFINITY;
  hasHead = false;
  overlong = false;

  #blocks: AsyncGenerator<Uint8Array, void, void>;
  #splitter: LineSplitter;
  /** Lines of the block at hand; an over-long one has no bytes. */
  #lines: { bytes: Uint8Array | null; start: number; end: number }[] = [];
  #next = 0;
  #memory: ArrayBufferLike | null = null;
  #finished = false;
  readonly #analysis: Analysis;
  readonly #hooks: ReadingHooks;
  #taken = 0;

  constructor(input: PreparedInput, analysis: Analysis, hooks: ReadingHooks) {
    this.input = input;
    this.#analysis = analysis;
    this.#hooks = hooks;
    this.#blocks = openBlocks(input.source);
    this.#splitter = new LineSplitter(
      (bytes, start, end) => {
        // A line that was carried over from the block before is valid during this call only.
        if (bytes.buffer === this.#memory) this.#lines.push({ bytes, start, end });
        else this.#lines.push({ bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start });
      },
      () => {
        this.#lines.push({ bytes: null, start: 0, end: 0 });
      },
    );
    analysis.summary.files += 1;
  }

  /** Moves to the next line of the block at hand; false when the block is used up. */
  step(): boolean {
    const line = this.#lines[this.#next];
    if (line === undefined) return false;
    this.#next += 1;
    this.overlong = line.bytes === null;
    if (line.bytes === null) return true;
    this.bytes = line.bytes;
    this.start = line.start;
    this.end = line.end;
    this.hasHead = this.input.heads.parse(line.bytes, line.start, line.end);
    const { instant } = this.input.heads.head;
    if (this.hasHead && !Number.isNaN(instant)) this.instant = instant;
    return true;
  }

  /** Gets more lines; false at the end of the input. */
  async fill(): Promise<boolean> {
    this.#lines = [];
    this.#next = 0;
    while (this.#lines.length === 0) {
      if (this.#finished) return false;
      try {
        const { done, value } = await this.#blocks.next();
        if (done === true || value === undefined) this.#finish();
        else {
          this.#analysis.summary.bytes += value.length;
          this.#memory = value.buffer;
          this.#splitter.push(value);
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
    return true;
  }

  #finish(): void {
    this.#finished = true;
    this.#memory = null;
    this.#splitter.finish();
  }

  async close(): Promise<void> {
    await this.#blocks.return();
  }
}

async function readTogether(
  inputs: readonly PreparedInput[],
  analysis: Analysis,
  hooks: ReadingHooks,
): Promise<boolean> {
  const active: LineReader[] = [];
  let next = 0;
  const open = async (): Promise<void> => {
    const reader = new LineReader(inputs[next], analysis, hooks);
    next += 1;
    if (await advance(reader)) active.push(reader);
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
      if (!(await takeUntil(reader, limit, analysis, hooks))) active.splice(active.indexOf(reader), 1);
    }
    return true;
  } finally {
    for (const reader of active) await reader.close();
  }
}

/** Takes lines while they are not later than the limit; false when the input is at its end. */
async function takeUntil(
  reader: LineReader,
  limit: number,
  analysis: Analysis,
  hooks: ReadingHooks,
): Promise<boolean> {
  do {
    const { input, hasHead, bytes, start, end } = reader;
    const pause = hooks.beforeLine?.(reader.instant);
    if (pause) {
      await pause;
      if (hooks.interrupted?.() === true) return true;
    }
    if (reader.overlong) count(input, analysis.overlong());
    else count(input, analysis.lineWithHead(input.heads, hasHead, bytes, start, end));
    if (!reader.step()) {
      const wait = hooks.onBlock?.();
      if (wait) await wait;
      if (hooks.interrupted?.() === true) return true;
      if (!(await advance(reader))) return false;
    }
  } while (reader.instant <= limit);
  return true;
}

async function advance(reader: LineReader): Promise<boolean> {
  return (await reader.fill()) && reader.step();
}
