/**
 * What every command that reads logs does: find the inputs, read them, complain, count time.
 *
 * Owns the wiring of source/ to analysis/ and the words on standard error. Must not know output formats.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import { finished } from 'node:stream/promises';
import { Analysis, type AnalysisOptions } from '../analysis/analysis.ts';
import { type PreparedInput, prepareInputs, type ReadingHooks, readInputs } from '../analysis/reading.ts';
import { withinWindow } from '../analysis/window.ts';
import type { JsonObject } from '../chains/saved.ts';
import { Names } from '../lines/names.ts';
import { Tags } from '../lines/tags.ts';
import { MTA_NAMES } from '../records/record.ts';
import { findSources } from '../source/find.ts';
import type { Source } from '../source/source.ts';
import { boundTables } from '../summary/counter.ts';
import { Inside } from '../suspects/inside.ts';
import type { CountingThread } from '../workers/counting-thread.ts';
import type { DecodingThread } from '../workers/decoding-thread.ts';
import type { CommonOptions } from './arguments.ts';
import { complain, UsageError } from './errors.ts';
import { shortUsage } from './help.ts';
import { Progress } from './progress.ts';
import type { Resumed, State, StateReader } from './state.ts';

export interface Session {
  readonly analysis: Analysis;
  readonly hosts: Names;
  /** False when Ctrl-C ended the reading early. */
  readonly complete: boolean;
  /** Some input could not be read, or not to its end. */
  readonly failed: boolean;
}

/** Formats that a head may have, for the message about a file with none of them. */
const TRIED = 'syslog (RFC 3164, RFC 3339, RFC 5424), journalctl -o json|short|short-iso, multilog TAI64N';

/** Reads all inputs into an analysis; every fault is one line on standard error, and the rest is still read. */
export async function analyse(
  inputs: readonly string[],
  options: CommonOptions,
  hooks: Pick<AnalysisOptions, 'onChain' | 'onLine' | 'lean' | 'leftOpen'> & {
    /** Where is kept what was read before, and for what. */
    readonly state?: string | null;
    readonly stateReader?: StateReader;
    readonly onStart?: (hosts: Names) => void;
    /** Called when the analysis knows what was read before, and nothing new yet. */
    readonly onRestored?: (analysis: Analysis) => void;
    /** Called when all has been read, before the state says so. */
    readonly beforeSave?: () => Promise<void>;
    readonly onBlock?: () => Promise<void> | null;
  },
): Promise<Session> {
  const found = await findSources(inputs, { stdinIsTty: process.stdin.isTTY === true });
  for (const problem of found.problems) complain(problem.message);
  for (const note of found.notes) complain(note.message);
  if (found.chosen.some((path) => path !== '-')) complain(`reading ${found.chosen.join(', ')}`);
  if (found.sources.length === 0) {
    if (found.problems.length > 0) return emptySession();
    throw new UsageError(`nothing to read: name a log file, or pipe one in\n${shortUsage()}`);
  }
  const hosts = new Names();
  boundTables(options.maxKeys);
  hooks.onStart?.(hosts);
  const tags = new Tags();
  const interrupt = new Interrupt();
  let state: State | null = null;
  if (typeof hooks.state === 'string') {
    const reader = hooks.stateReader ?? 'figures';
    const { State } = await import('./state.ts');
    state = await State.open(hooks.state, { options: stateOptions(options), reader, hosts, tags });
  }
  const resumed = state === null ? null : await state.resume(found.sources);
  for (const note of state?.notes ?? []) complain(note);
  const sources = resumed === null ? found.sources : resumed.filter(hasLines).map(({ source }) => source);
  interrupt.act = () => {
    for (const source of sources) source.stop();
  };
  const looked = await prepareInputs(sources, {
    zone: options.tz,
    year: options.year,
    hosts,
    tags,
    previous: clocksOf(resumed ?? []),
  });
  // A state must see every byte once.
  const prepared = state === null ? await withinWindow(looked, options) : looked;
  const unread = options.unrecognised === null ? null : new UnreadFile(options.unrecognised);
  const jobs = options.jobs ?? availableParallelism();
  const counting = jobs > 1 && hooks.lean === true ? await newCountingThread(options) : null;
  const decoding = jobs > 1 ? await decodeApart(prepared) : null;
  const analysis = new Analysis({
    mta: options.mta === 'auto' ? null : (MTA_NAMES.indexOf(options.mta) as 0 | 1 | 2),
    since: options.since,
    until: options.until,
    inside: new Inside(options.inside),
    mostPending: options.maxPending,
    lean: hooks.lean ?? false,
    leftOpen: hooks.leftOpen ?? false,
    onChain: hooks.onChain,
    onLine: hooks.onLine,
    onUnread: unread === null ? undefined : (bytes, start, end) => unread.line(bytes, start, end),
    onSent: counting === null ? undefined : (chains) => counting.send(chains),
  });
  analysis.summary.skippedFiles += looked.length - prepared.length;
  if (state !== null && state.restored !== null) analysis.merge(state.restored);
  hooks.onRestored?.(analysis);
  let failed = found.problems.length > 0;
  const damaged = new Set<string>();
  const progress = new Progress({ total: totalSize(prepared), wanted: !options.noProgress });
  let complete: boolean;
  const sendFrom = analysis.summary.bytes + bytesBeforeSending(prepared);
  const reading: ReadingHooks = {
    onBytes: (bytes) => progress.add(bytes),
    onProblem: (error, input) => {
      damaged.add(input.source.path);
      progress.clear();
      complain(error);
      failed = true;
    },
    onMixed: (a, b) => {
      progress.clear();
      complain(
        `${a.source.path} and ${b.source.path}: logs of two qmail-sends without a host's name; their numbers may meet: read each with --save, then dsnstat merge`,
      );
    },
    onBlock:
      hooks.onBlock ??
      (() => {
        if (analysis.summary.bytes >= sendFrom) analysis.startSending();
        return counting?.ready() ?? null;
      }),
    interrupted: () => interrupt.seen,
  };
  try {
    complete = await readAll(prepared, analysis, reading);
    analysis.stopSending();
    await counting?.finish(analysis.summary);
  } finally {
    await counting?.close();
    await decoding?.close();
    interrupt.release();
    progress.clear();
    await unread?.close();
  }
  if (interrupt.seen) complete = false;
  if (state !== null && resumed !== null) {
    try {
      if (complete) {
        await hooks.beforeSave?.();
        state.count(resumed, new Map(prepared.map((input) => [input.source, input])));
        await state.save(analysis, hosts).catch((error: unknown) => {
          complain(error);
          failed = true;
        });
        // What comes again is not printed yet.
        if (hooks.stateReader !== 'chains')
          for (const input of resumed) await readTail(input, prepared, analysis, options, hosts, tags);
      } else complain(`interrupted; ${hooks.state} was left as it was`);
    } finally {
      state.release();
    }
  }
  if (complete) {
    let useful = state === null || analysis.summary.seen.every((seen) => !seen) ? 0 : 1;
    for (const input of prepared) {
      if (input.ours > 0) useful += 1;
      else if ((input.source.part?.from ?? 0) > 0) continue;
      else if (!damaged.has(input.source.path) && options.mta === 'auto') {
        complain(`${input.source.path}: ${whyUseless(input)}`);
        if (input.malformed > 0) failed = true;
      }
    }
    if (useful === 0) failed = true;
  }
  return { analysis, hosts, complete, failed };
}

/** What a saved summary must agree in with others that it is added to. */
export function savedOptions(options: CommonOptions): JsonObject {
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  return {
    mta: options.mta === 'auto' ? null : options.mta,
    since: iso(options.since),
    until: iso(options.until),
    inside: options.inside.length === 0 ? null : options.inside.map((entry): JsonObject => ({ ...entry })),
  };
}

/** What all runs with one state must agree in. */
export function stateOptions(options: CommonOptions): JsonObject {
  return { ...savedOptions(options), tz: options.tz, year: options.year };
}

/** Whether anything is to be read and kept; the line without its newline is read for the report only. */
export function hasLines({ source }: Resumed): boolean {
  const { part } = source;
  return part === null || part.to === null || part.to > part.from;
}

/** What the clocks of inputs remember that were begun by an earlier run. */
export function clocksOf(inputs: readonly Pick<Resumed, 'source' | 'previous'>[]): Map<Source, number> {
  return new Map(
    inputs
      .filter(({ previous }) => !Number.isNaN(previous))
      .map(({ source, previous }) => [source, previous]),
  );
}

/** Reads all inputs. A file that was begun by an earlier run has been counted. */
async function readAll(
  inputs: readonly PreparedInput[],
  analysis: Analysis,
  reading: ReadingHooks,
): Promise<boolean> {
  for (const { source } of inputs) if ((source.part?.from ?? 0) > 0) analysis.summary.files -= 1;
  return readInputs(inputs, analysis, reading);
}

/** A line that is being written counts in this report; the next run reads it again. */
async function readTail(
  { source, tail, previous }: Resumed,
  prepared: readonly PreparedInput[],
  analysis: Analysis,
  options: CommonOptions,
  hosts: Names,
  tags: Tags,
): Promise<void> {
  if (tail === null) return;
  const known = prepared.find((input) => input.source === source);
  const clock = known === undefined ? previous : known.clock.previous;
  const line = source.only({ ...tail, plain: true });
  const [input] = await prepareInputs([line], {
    zone: options.tz,
    year: options.year,
    hosts,
    tags,
    previous: clocksOf([{ source: line, previous: clock }]),
  });
  await readAll([input], analysis, { onProblem: () => undefined });
}

/** Below, a second thread costs what it brings: half a second of compiling (bench/README.md). */
const LARGE = 512 << 20;

/** What is read before chains are sent to a second thread: nothing of what is large, and all of what is not. */
function bytesBeforeSending(inputs: readonly PreparedInput[]): number {
  const large = testSetting('DSNSTAT_LARGE') ?? LARGE;
  let size = 0;
  for (const { source, compression } of inputs) {
    if (source.size === null) return large;
    const { part } = source;
    // Compressed, it is about ten times as much.
    if (compression !== 'none') size += 10 * source.size;
    else size += (part?.to ?? source.size) - (part?.from ?? 0);
  }
  return size >= large ? 0 : Number.POSITIVE_INFINITY;
}

/** What only tests set: bytes that a thread is started for, its memory in MB (ARCHITECTURE.md). */
function testSetting(name: 'DSNSTAT_LARGE' | 'DSNSTAT_WORKER_MEMORY'): number | null {
  const value = Number(process.env[name]);
  return value > 0 ? value : null;
}

async function newCountingThread({ inside, maxKeys }: CommonOptions): Promise<CountingThread> {
  const { CountingThread } = await import('../workers/counting-thread.ts');
  const megabytes = testSetting('DSNSTAT_WORKER_MEMORY') ?? undefined;
  return new CountingThread({ inside, mostKeys: maxKeys, megabytes });
}

/** Lets a thread of its own decompress archives that are large together; what needs a tool has a process. */
async function decodeApart(inputs: readonly PreparedInput[]): Promise<DecodingThread | null> {
  const archives = inputs
    .filter(({ compression }) => compression === 'gzip' || compression === 'zstd')
    .map(({ source }) => source)
    .filter(({ rereadable }) => rereadable);
  if (archives.length === 0 || bytesBeforeSending(inputs) > 0) return null;
  const { DecodingThread } = await import('../workers/decoding-thread.ts');
  const thread = new DecodingThread();
  for (const source of archives) source.decoding = () => thread.blocks(source);
  return thread;
}

function emptySession(): Session {
  return { analysis: new Analysis(), hosts: new Names(), complete: true, failed: true };
}

/** What an input without any line of ours is, and what to do about it. */
export function whyUseless(input: PreparedInput): string {
  if (input.lines === 0) return 'empty; nothing to read';
  const lines = input.lines === 1 ? 'its line' : `its ${input.lines} lines`;
  if (input.malformed * 2 > input.lines)
    return `not a log: ${lines} ${input.lines === 1 ? 'has' : 'have'} none of the forms ${TRIED}`;
  return `no line of sendmail, Postfix or qmail in ${lines}; give the mail log (read as ${TRIED})`;
}

function totalSize(inputs: readonly PreparedInput[]): number | null {
  let total = 0;
  for (const { source } of inputs) {
    if (source.size === null) return null;
    total += source.size;
  }
  return total;
}

/** Ctrl-C and SIGTERM end the reading after the block at hand; a second one ends the program. */
class Interrupt {
  seen = false;
  /** What the first one does. */
  act: () => void = () => undefined;
  readonly #listener = (): void => {
    if (this.seen) process.exit(130);
    this.seen = true;
    this.act();
  };

  constructor() {
    process.on('SIGINT', this.#listener);
    process.on('SIGTERM', this.#listener);
  }

  release(): void {
    process.off('SIGINT', this.#listener);
    process.off('SIGTERM', this.#listener);
  }
}

/** `--unrecognised FILE`: the lines as they are, for whoever maintains the parsers. */
export class UnreadFile {
  readonly #stream: WriteStream;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(path: string) {
    this.#stream = createWriteStream(path, { mode: 0o600 });
    this.#stream.on('error', () => undefined);
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    this.#pieces.push(Buffer.concat([bytes.subarray(start, end), NEWLINE]));
    this.#size += end - start;
    if (this.#size > 1 << 20) this.#flush();
  }

  #flush(): void {
    this.#stream.write(Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#size = 0;
  }

  async close(): Promise<void> {
    this.#flush();
    this.#stream.end();
    await finished(this.#stream);
  }
}

const NEWLINE = Buffer.from('\n');
