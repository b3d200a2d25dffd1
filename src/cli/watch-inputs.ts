/**
 * What `watch` reads: which files are followed, which are only read, what stands in for them when none is named.
 *
 * Owns the choice and the words about it.
 */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { FollowedFile, FollowedStream, type Following, type OnNotice } from '../follow/inputs.ts';
import { followJournal, hasJournal } from '../follow/journal.ts';
import { isRotated, rotatedSiblings } from '../follow/siblings.ts';
import { openBlocks } from '../source/blocks.ts';
import { findSources } from '../source/find.ts';
import { compressionOf, MAGIC_LENGTH } from '../source/magic.ts';
import { fileSource, type Source, stdinSource } from '../source/source.ts';
import { UsageError } from './errors.ts';
import { shortUsage } from './help.ts';

export interface WatchInputs {
  /** Read once, in the order of their times, before anything is followed; of followed files what they hold now. */
  readonly sources: readonly Source[];
  readonly followings: readonly Following[];
  /** For the head of the screen. */
  readonly names: readonly string[];
  /** Something that was asked for cannot be had. */
  readonly failed: boolean;
}

export interface WatchInputOptions {
  readonly history: boolean;
  readonly replay: boolean;
  readonly onNotice: OnNotice;
  readonly onProblem: (error: unknown) => void;
}

export async function chooseInputs(
  inputs: readonly string[],
  options: WatchInputOptions,
): Promise<WatchInputs> {
  const { history, replay, onNotice, onProblem } = options;
  const piped = inputs.length === 0 && standardInputSpeaks();
  const named = piped ? ['-'] : inputs;
  // A log that does not exist yet is waited for, as tail -F does.
  const missing = replay ? [] : named.filter((name) => name !== '-' && !exists(name));
  const present = named.filter((name) => !missing.includes(name));
  const sources: Source[] = [];
  const followings: Following[] = [];
  let failed = false;
  let names: string[] = [...missing];
  if (named.length === 0 || present.length > 0) {
    const found = await findSources(present, {
      stdinIsTty: named.length === 0 || process.stdin.isTTY === true,
    });
    const useJournal = named.length === 0 && found.sources.length === 0 && !replay && (await hasJournal());
    for (const { message } of found.notes) onNotice(message);
    if (!useJournal) {
      for (const { message } of found.problems) onProblem(new Error(message));
      failed = found.problems.length > 0;
    }
    if (useJournal) {
      onNotice(`following the systemd journal, facility mail${history ? ', from its beginning' : ''}`);
      const { blocks, stop } = followJournal(history, onNotice);
      followings.push(new FollowedStream('journal', blocks, stop, onProblem));
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
      else followings.push(new FollowedFile(source.path, onNotice));
    }
  }
  for (const path of missing) followings.push(new FollowedFile(path, onNotice));
  if (sources.length === 0 && followings.length === 0) {
    if (failed) return { sources, followings, names: [], failed };
    throw new UsageError(`nothing to watch: name a log file, or pipe one in\n${shortUsage()}`);
  }
  if (history) addHistory(sources, followings);
  for (const following of followings) {
    if (!(following instanceof FollowedFile)) continue;
    const source = following.begin(performance.now());
    if (source !== null) sources.push(source);
  }
  if (replay && names.length > 3) names = [`${names.length} files`];
  return { sources, followings, names, failed };
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
  try {
    const fd = openSync(path, 'r');
    const head = Buffer.alloc(MAGIC_LENGTH);
    const length = readSync(fd, head, 0, MAGIC_LENGTH, 0);
    closeSync(fd);
    return compressionOf(head.subarray(0, length)) !== 'none';
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
