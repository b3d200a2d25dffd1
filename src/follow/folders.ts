/**
 * Folders, and the usual places, in which logs may come up while others are followed.
 *
 * Owns when it is worth to look into them. Must not know which of their logs are followed already.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findSources } from '../source/find.ts';
import type { Source } from '../source/source.ts';

export class Folders {
  readonly #names: readonly string[];
  #seen: string | null = null;
  /** Files without content at the last look: what they are shows when they have some. */
  #empty: readonly string[] = [];

  /** Names that are no folders yet may become some. No names: the usual places. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The logs that are in them; null when nothing was added, filled or taken away since the last look. */
  async look(): Promise<readonly Source[] | null> {
    const folders = await withFolders(this.#names);
    const seen = (await Promise.all(folders.map(changeOf))).join(' ');
    // The usual places cost no more to look at than to ask.
    if (this.#names.length > 0 && seen === this.#seen && !(await this.#isFilled())) return null;
    this.#seen = seen;
    this.#empty = (await Promise.all(folders.map(emptyIn))).flat();
    const { sources } = await findSources(this.#names, { stdinIsTty: true });
    return sources;
  }

  /** The next look is to look whatever has changed. */
  again(): void {
    this.#seen = null;
  }

  async #isFilled(): Promise<boolean> {
    const sizes = await Promise.all(this.#empty.map(sizeOf));
    return sizes.some((size) => size > 0);
  }
}

/** The folders, and those one level down. */
async function withFolders(names: readonly string[]): Promise<string[]> {
  const all = await Promise.all(
    names.map(async (folder) => {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      return [folder, ...entries.filter((e) => e.isDirectory()).map(({ name }) => join(folder, name))];
    }),
  );
  return all.flat();
}

/** When a name in it changed last; of what is no folder, nothing. */
function changeOf(folder: string): Promise<string> {
  return stat(folder).then(
    (facts) => `${folder} ${facts.isDirectory() ? facts.mtimeMs : ''}`,
    () => folder,
  );
}

async function emptyIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => join(folder, name));
  const sizes = await Promise.all(files.map(sizeOf));
  return files.filter((_, i) => sizes[i] === 0);
}

/** Of what is gone, -1. */
function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => -1,
  );
}
