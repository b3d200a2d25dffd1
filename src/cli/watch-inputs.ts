/**
 * What `watch` reads: which files are followed, which are only read, what stands in for them when none is named, and
 * which come up later.
 *
 * Owns the choice and the words about it.
 */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Folders } from '../follow/folders.ts';
import { FollowedFile, FollowedStream, type Following, type OnNotice } from '../follow/inputs.ts';
import { followJournal, hasJournal, type Journal } from '../follow/journal.ts';
import { isRotated, rotatedSiblings } from '../follow/siblings.ts';
import { BEGINNING, type TailSink } from '../follow/tail.ts';
import { openBlocks } from '../source/blocks.ts';
import { findSources } from '../source/find.ts';
import { compressionOf, MAGIC_LENGTH } from '../source/magic.ts';
import { fileSource, type Source, stdinSource } from '../source/source.ts';
import { UsageError } from './errors.ts';
import { shortUsage } from './help.ts';

const NEWLINE = 10;
/** How often a short file is looked at, a second apart, before it is taken for the copy that it looks like. */
const UNDECIDED = 60;

export interface WatchInputs {
  /** Read once, in the order of their times, before anything is followed; of followed files what they hold now. */
  readonly sources: readonly Source[];
  readonly followings: readonly Following[];
  /** For the head of the screen. */
  readonly names: readonly string[];
  /** Something that was asked for cannot be had. */
  readonly failed: boolean;
  /** Logs that came up since the last call, in folders that were named or in the usual places; null where none can. */
  readonly discover: (() => Promise<readonly Following[]>) | null;
  readonly journal: Journal | null;
}

export interface WatchInputOptions {
  readonly history: boolean;
  readonly replay: boolean;
  readonly onNotice: OnNotice;
  readonly onProblem: (error: unknown) => void;
  /** What runs before this one have read of files, and of the journal. */
  readonly readBefore?: TailSink['readBefore'];
  readonly journalCursor: string | null;
}

export async function chooseInputs(
  inputs: readonly string[],
  options: WatchInputOptions,
): Promise<WatchInputs> {
  const { history, replay, onNotice, onProblem, readBefore, journalCursor } = options;
  const piped = inputs.length === 0 && standardInputSpeaks();
  const named = piped ? ['-'] : inputs;
  // A log that does not exist yet is waited for, as tail -F does.
  const missing = replay ? [] : named.filter((name) => name !== '-' && !exists(name));
  const present = named.filter((name) => !missing.includes(name));
  const sources: Source[] = [];
  const followings: Following[] = [];
  let failed = false;
  let journal: Journal | null = null;
  let names: string[] = [...missing];
  // What is missing may become one.
  const folders = replay ? [] : [...present.filter(isDirectory), ...missing];
  if (named.length === 0 || present.length > 0) {
    const found = await findSources(present, {
      stdinIsTty: named.length === 0 || process.stdin.isTTY === true,
    });
    const useJournal = named.length === 0 && found.sources.length === 0 && !replay && (await hasJournal());
    for (const { message } of found.notes) onNotice(message);
    if (!useJournal) {
      const waiting = replay ? [] : found.problems.filter(({ noLog }) => noLog);
      for (const { path } of waiting) onNotice(`${path}: no log in it yet; waiting for one`);
      const problems = found.problems.filter((problem) => !waiting.includes(problem));
      for (const { message } of problems) onProblem(new Error(message));
      failed = problems.length > 0;
    }
    if (useJournal) {
      const from = journalCursor === null ? 'from its beginning' : 'from where the last run ended';
      const goesBack = history || journalCursor !== null;
      onNotice(`following the systemd journal, facility mail${goesBack ? `, ${from}` : ''}`);
      journal = followJournal(history, onNotice, journalCursor);
      const { blocks, stop, taken } = journal;
      followings.push(new FollowedStream('journal', blocks, stop, onProblem, taken));
      names.push('journal');
    } else if (found.chosen.some((path) => path !== '-')) {
      onNotice(`${replay ? 'playing' : 'following'} ${found.chosen.join(', ')}`);
    }
    const paths = found.sources.map(({ path }) => path);
    for (const source of found.sources) {
      names.push(source.path === '-' ? 'standard input' : source.path);
      if (replay) sources.push(source);
      else if (!source.rereadable) followings.push(await stream(source, onProblem));
      else if (isFinished(source.path, paths)) sources.push(source);
      else followings.push(new FollowedFile(source.path, onNotice, readBefore));
    }
  }
  for (const path of missing) followings.push(new FollowedFile(path, onNotice, readBefore));
  if (sources.length === 0 && followings.length === 0 && folders.length === 0) {
    if (failed) return { sources, followings, names: [], failed, discover: null, journal };
    throw new UsageError(`nothing to watch: name a log file, or pipe one in\n${shortUsage()}`);
  }
  if (history) addHistory(sources, followings);
  for (const following of followings) {
    if (!(following instanceof FollowedFile)) continue;
    const source = following.begin(performance.now());
    if (source !== null) sources.push(source);
  }
  if (replay && names.length > 3) names = [`${names.length} files`];
  const grows = folders.length > 0 || (named.length === 0 && journal === null && !replay);
  const discover = grows ? discovery(new Folders(folders), sources, [...followings], names, options) : null;
  return { sources, followings, names, failed, discover, journal };
}

/** Tells new logs from those that are followed or were read, and from their rotated pieces and copies. */
function discovery(
  folders: Folders,
  sources: readonly Source[],
  followings: Following[],
  names: string[],
  { onNotice, readBefore }: WatchInputOptions,
): () => Promise<readonly Following[]> {
  const read = new Set(sources.map(({ identity }) => identity));
  const undecided = new Map<string, number>();
  const comesUp = ({ path, identity, rereadable }: Source): boolean => {
    if (!rereadable || read.has(identity)) return false;
    const files = followings.filter((following) => following instanceof FollowedFile);
    const isKnown = files.some(
      ({ name }) =>
        name === path || (dirname(name) === dirname(path) && isRotated(basename(path), basename(name))),
    );
    if (isKnown) return false;
    const head = headOf(path, BEGINNING);
    const isLine = head.includes(NEWLINE);
    const isNew = isLine && !files.some((file) => file.has(identity ?? '', head));
    if (compressionOf(head) !== 'none') return false;
    // A short beginning may be that of many: for a minute it is looked at again.
    const looks = (undecided.get(path) ?? 0) + 1;
    undecided.set(path, looks);
    if (!isNew && head.length > 0 && head.length < BEGINNING && looks < UNDECIDED) folders.again();
    return isNew;
  };
  return async () => {
    const found: Following[] = [];
    for (const source of (await folders.look()) ?? []) {
      if (!comesUp(source)) continue;
      const { path } = source;
      onNotice(`${path}: a new log; following it, too`);
      const following = new FollowedFile(path, onNotice, readBefore);
      followings.push(following);
      found.push(following);
      names.push(path);
    }
    return found;
  };
}

async function stream(source: Source, onProblem: (error: unknown) => void): Promise<Following> {
  const input = source.path === '-' ? await stdinSource() : source;
  return new FollowedStream(input.path, openBlocks(input), () => input.stop(), onProblem);
}

/** The rotated files of what is followed, where they are not read already. */
function addHistory(sources: Source[], followings: readonly Following[]): void {
  const known = new Set(sources.map(({ identity }) => identity));
  for (const following of followings) {
    if (!(following instanceof FollowedFile)) continue;
    for (const path of rotatedSiblings(following.name)) {
      const facts = statSync(path, { throwIfNoEntry: false });
      if (facts === undefined || !facts.isFile()) continue;
      const source = fileSource(path, facts);
      if (known.has(source.identity)) continue;
      known.add(source.identity);
      sources.push(source);
    }
  }
}

/** Nothing will be appended: an archive, or a rotated piece of another log that is read. */
function isFinished(path: string, all: readonly string[]): boolean {
  const name = basename(path);
  const isPiece = all.some(
    (other) => other !== path && dirname(other) === dirname(path) && isRotated(name, basename(other)),
  );
  return isPiece || isCompressed(path);
}

function isCompressed(path: string): boolean {
  return compressionOf(headOf(path, MAGIC_LENGTH)) !== 'none';
}

/** Nothing of what cannot be read. */
function headOf(path: string, length: number): Uint8Array {
  try {
    const fd = openSync(path, 'r');
    try {
      const head = Buffer.alloc(length);
      return head.subarray(0, readSync(fd, head, 0, length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return new Uint8Array(0);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // that it may not be looked at is said by whoever opens it
  }
}

/** Standard input is a pipe or a file, and not the nothing that services are started with. */
function standardInputSpeaks(): boolean {
  if (process.stdin.isTTY === true) return false;
  let facts: Stats;
  try {
    facts = fstatSync(0);
  } catch {
    return false;
  }
  return facts.isFIFO() || facts.isFile() || facts.isSocket();
}
