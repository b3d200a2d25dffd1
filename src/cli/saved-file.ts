/**
 * Saved summaries and states as files: written at once or not at all, read line by line.
 *
 * Owns temporary names, permissions, compression and the lock. Must not know what is in the lines
 * (analysis/saved.ts).
 */

import { createWriteStream, unlinkSync } from 'node:fs';
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { JsonObject } from '../chains/saved.ts';
import { LineSplitter } from '../lines/splitter.ts';
import { openBlocks } from '../source/blocks.ts';
import { describe as describeProblem } from '../source/errors.ts';
import { fileSource, type Part } from '../source/source.ts';

/** A row has one life with all its recipients: far below this. */
const LONGEST_LINE = 256 << 20;
const BATCH = 1 << 18;

export type Lines = Iterable<string> | AsyncIterable<string>;

/**
 * Writes the lines to a temporary file beside `path` and renames it: readers see the old file or the new one. Readable
 * by its owner alone, since pending messages have addresses. What is no regular file is written to as it is.
 */
export async function writeSaved(path: string, lines: Lines): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const isSpecial = await stat(target).then(
    (facts) => !facts.isFile(),
    () => false,
  );
  const temporary = isSpecial ? target : `${target}.${process.pid}.tmp`;
  try {
    // In a container every run may have the same number, and an old one may have been killed.
    if (!isSpecial) await removeStale(temporary);
    const to = createWriteStream(temporary, { flags: isSpecial ? 'r+' : 'wx', mode: 0o600 });
    const from = Readable.from(batches(lines));
    if (path.endsWith('.gz')) await pipeline(from, createGzip({ level: 6 }), to);
    else await pipeline(from, to);
    if (isSpecial) return;
    const file = await open(temporary, 'r');
    await file.sync();
    await file.close();
    await rename(temporary, target);
  } catch (error) {
    if (!isSpecial) await unlink(temporary).catch(() => undefined);
    throw named(path, error);
  }
}

async function removeStale(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Names the file where the system did not, or named the temporary one. */
function named(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return Object.assign(error, { path });
}

/** What cannot be written is told before hours of input are read. */
export async function checkWritable(path: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const facts = await stat(target).catch(() => null);
  if (facts !== null && !facts.isFile()) {
    if (facts.isDirectory())
      throw named(path, Object.assign(new Error(), { errno: -21, code: 'EISDIR', syscall: 'open' }));
    return;
  }
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    await removeStale(temporary);
    await (await open(temporary, 'wx', 0o600)).close();
    await unlink(temporary);
  } catch (error) {
    throw named(path, error);
  }
}

async function* batches(lines: Lines): AsyncGenerator<string> {
  let batch = '';
  for await (const line of lines) {
    batch += line;
    if (batch.length < BATCH) continue;
    yield batch;
    batch = '';
  }
  if (batch !== '') yield batch;
}

/** The lines of a saved file, or of a part of it, with the place of each in the decompressed bytes. */
export async function readSaved(
  path: string,
  onLine: (line: string, at: number) => void,
  part: { readonly from: number; readonly to: number } | null = null,
): Promise<void> {
  const facts = await stat(path).catch((error: unknown) => {
    throw new Error(describeProblem(path, error));
  });
  if (!facts.isFile()) throw new Error(`${path}: not a file that dsnstat saved`);
  const whole = fileSource(path, facts);
  const source = part === null ? whole : whole.only({ ...part, plain: false } satisfies Part);
  let at = part?.from ?? 0;
  const splitter = new LineSplitter(
    (bytes, start, end) => {
      onLine((bytes as Buffer).toString('utf8', start, end), at);
      at += end - start + 1;
    },
    () => {
      throw new Error(`${path}: a line is too long for a file that dsnstat saved`);
    },
    LONGEST_LINE,
  );
  for await (const block of openBlocks(source)) splitter.push(block);
  splitter.finish();
}

/** Nobody else uses `path` until it is released. */
export class Lock {
  readonly #path: string;
  readonly #onExit = (): void => {
    try {
      unlinkSync(this.#path);
    } catch {
      // Somebody removed it; there is nothing to do about it.
    }
  };

  private constructor(path: string) {
    this.#path = path;
    process.once('exit', this.#onExit);
  }

  /** Throws when a living process has it. */
  static async take(path: string): Promise<Lock> {
    const lock = `${path}.lock`;
    for (let tries = 0; ; tries += 1) {
      try {
        const file = await open(lock, 'wx', 0o600);
        await file.writeFile(`${process.pid}\n`);
        await file.close();
        return new Lock(lock);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw named(path, error);
      }
      const owner = await ownerOf(lock);
      // Our own number: of a run that was killed in a container, where every run may have the same.
      if (owner !== null && owner !== process.pid && isAlive(owner))
        throw new Error(
          `${path} is in use by another dsnstat (process ${owner}); try again when it has ended`,
        );
      // The owner is gone, or has not written its number yet.
      if (owner !== null || tries > 20) await unlink(lock).catch(() => undefined);
      if (tries > 40) throw new Error(`${lock}: cannot take this lock; remove it if no dsnstat is running`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  release(): void {
    process.off('exit', this.#onExit);
    this.#onExit();
  }
}

async function ownerOf(lock: string): Promise<number | null> {
  try {
    const file = await open(lock, 'r');
    const text = await file.readFile('latin1');
    await file.close();
    return /^\d+\n$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The options that a file was saved with, as they were given. */
export function wordsOf(options: JsonObject): string {
  const words = Object.entries(options).filter(([, value]) => value !== null);
  return words.length === 0
    ? 'none'
    : words
        .map(
          ([key, value]) => `--${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
        )
        .join(' ');
}
