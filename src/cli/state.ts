/**
 * `--state FILE`: what was read of each input, so that the next run reads what is new. A run that follows its inputs
 * writes it again and again.
 *
 * Owns the identity of logs across rotation: an input is known by the beginning of its decompressed content, wherever it
 * lies by now and however it was compressed; device and inode only choose between equals. Must not know how lines are
 * read.
 */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Analysis } from '../analysis/analysis.ts';
import type { PreparedInput } from '../analysis/reading.ts';
import { SavedDamage, type SavedHeader, SavedReader, savedLines } from '../analysis/saved.ts';
import type { JsonObject } from '../chains/saved.ts';
import type { ReadPiece } from '../follow/inputs.ts';
import { rotatedSiblings } from '../follow/siblings.ts';
import type { Names } from '../lines/names.ts';
import type { Tags } from '../lines/tags.ts';
import { probe } from '../source/probe.ts';
import { fileSource, type Source } from '../source/source.ts';
import { PlainFile } from '../source/windows.ts';
import { Lock, readSaved, wordsOf, writeSaved } from './saved-file.ts';
import { version } from './version.ts';

/** What is known of one log. Positions are of decompressed bytes. */
export interface KnownInput {
  /** Where it was seen last. */
  readonly path: string;
  /** dev:ino */
  readonly identity: string | null;
  /** Behind the last line that was counted. */
  readonly position: number;
  /** Of the first bytes: up to 4096, and no more than were counted. */
  readonly fingerprint: { readonly length: number; readonly sha256: string };
  /** The clock's memory there (ms), null without any. */
  readonly clock: number | null;
  /** An archive that was read to its end is not opened again while it has this size and time. */
  readonly archive: { readonly size: number; readonly mtime: number } | null;
  /** Looked for and not found: it is not missed once more. */
  readonly gone: boolean;
}

const FINGERPRINT = 4096;
/** What prints chains as they end leaves no other command any of them, and the other way round. */
export type StateReader = 'figures' | 'chains';
/** A rotation this long before the state was written may not have been seen then, ms. */
const JUST_ROTATED = 2_000;
/** Logs that are remembered; the oldest are forgotten. */
const MOST_INPUTS = 10_000;

/** An input and what of it is to be read. */
export interface Resumed {
  readonly source: Source;
  readonly known: KnownInput | null;
  /** The clock's memory at the beginning; NaN where nothing was read yet. */
  readonly previous: number;
  /** Plain files: a line that has no newline yet. */
  readonly tail: { readonly from: number; readonly to: number } | null;
  /** Fingerprint of as much as there is by now. */
  readonly head: Uint8Array;
  readonly compressed: boolean;
}

/** A piece of a followed log, and how far its lines were counted. */
export interface FollowedPiece extends ReadPiece {
  /** Name of the log; with `number`, that of the piece within this run. */
  readonly name: string;
  /** The clock's memory (ms), NaN without any. */
  readonly clock: number;
}

export interface StateOptions {
  /** What all runs with one state must agree in. */
  readonly options: JsonObject;
  readonly reader: StateReader;
  readonly hosts: Names;
  readonly tags: Tags;
}

export class State {
  readonly #path: string;
  readonly #lock: Lock;
  readonly #options: JsonObject;
  readonly #reader: StateReader;
  #known: KnownInput[] = [];
  /** As the run before left it, and when (ms). */
  #before: readonly KnownInput[] = [];
  #savedAt = Number.NaN;
  /** The entries of what is followed, by name and number. */
  readonly #followed = new Map<string, KnownInput>();
  #restored: Analysis | null = null;
  #board: readonly JsonObject[] = [];
  /** Of the journal's last entry that was counted. */
  journal: string | null = null;
  readonly notes: string[] = [];

  private constructor(path: string, lock: Lock, { options, reader }: StateOptions) {
    this.#path = path;
    this.#lock = lock;
    this.#options = options;
    this.#reader = reader;
  }

  /** Locks and reads the file; a missing one is an empty one. Throws what is wrong with it, and leaves it alone. */
  static async open(path: string, options: StateOptions): Promise<State> {
    const lock = await Lock.take(path);
    const { hosts, tags } = options;
    try {
      const state = new State(path, lock, options);
      const exists = await stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (exists !== null) {
        state.#savedAt = exists.mtimeMs;
        await state.#read(hosts, tags);
      }
      return state;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** What the runs before counted; null at the first one. To be merged once. */
  get restored(): Analysis | null {
    return this.#restored;
  }

  /** What the live view of the run before knew; empty where another command wrote last. */
  get board(): readonly JsonObject[] {
    return this.#board;
  }

  async #read(hosts: Names, tags: Tags): Promise<void> {
    try {
      let header: SavedHeader | null = null;
      const reader = new SavedReader(hosts, tags, (loaded) => {
        header = loaded.header;
        this.#restored = loaded.analysis;
        this.#board = loaded.board;
      });
      await readSaved(this.#path, (line) => reader.take(line));
      reader.finish();
      this.#use(header!);
    } catch (error) {
      const reason =
        error instanceof SavedDamage ? `${this.#path}: ${error.message}` : (error as Error).message;
      throw new Error(
        `${reason}; the state was left as it is: name another file, or remove it to begin anew`,
      );
    }
  }

  #use(header: SavedHeader): void {
    if (header.kind !== 'state') throw new SavedDamage('a saved summary, not the state of a reading');
    if (JSON.stringify(header.options) !== JSON.stringify(this.#options)) {
      throw new SavedDamage(
        `made with other options (${wordsOf(header.options)}) than now (${wordsOf(this.#options)})`,
      );
    }
    const reader = header.reader ?? 'figures';
    if (reader !== this.#reader) {
      throw new SavedDamage(
        this.#reader === 'chains'
          ? 'made by another command than chains, which must print every chain itself'
          : 'made by chains; what another command read would never be printed',
      );
    }
    const inputs = header.inputs as unknown as KnownInput[] | undefined;
    if (!Array.isArray(inputs)) throw new SavedDamage('damaged in line 1: no inputs');
    this.#known = inputs.filter(({ position }) => position > 0);
    this.#before = inputs;
    this.journal = header.journal ?? null;
  }

  /** What is to be read of the sources, and of logs that were rotated away from their names. */
  async resume(sources: readonly Source[]): Promise<Resumed[]> {
    const resumed: Resumed[] = [];
    const met = new Map<KnownInput, Resumed>();
    for (const source of sources) {
      const input = await this.#resumeOne(source);
      const other = input.known === null ? undefined : met.get(input.known);
      if (other === undefined) resumed.push(input);
      else if (source.identity !== input.known!.identity) continue;
      // One log under two names, in the midst of a rotation or kept twice: it is read once.
      else resumed[resumed.indexOf(other)] = input;
      if (input.known !== null) met.set(input.known, input);
    }
    const taken = new Set(sources.map(({ identity }) => identity));
    for (const known of this.#known) {
      if (met.has(known) || known.gone || known.archive !== null) continue;
      const found = await this.#lookFor(known, taken);
      if (found === null) this.#miss(known);
      else if (hasNews(found)) {
        taken.add(found.source.identity);
        resumed.push(found);
      } else this.#known = this.#known.map((other) => (other === known ? { ...known, gone: true } : other));
    }
    return [...resumed, ...(await this.#addMissed(taken))];
  }

  /** Logs that came and went between two runs: rotated pieces that nobody knows, written to since the last one. */
  async #addMissed(taken: Set<string | null>): Promise<Resumed[]> {
    const missed: Resumed[] = [];
    const paths = new Set(
      this.#before.filter(({ gone, archive }) => !gone && archive === null).map(({ path }) => path),
    );
    for (const path of [...paths].flatMap(rotatedSiblings)) {
      const facts = await stat(path).catch(() => null);
      if (facts === null || !facts.isFile() || !(facts.mtimeMs > this.#savedAt - JUST_ROTATED)) continue;
      const source = fileSource(path, facts);
      if (taken.has(source.identity)) continue;
      taken.add(source.identity);
      const input = await this.#resumeOne(source).catch(() => null);
      if (input !== null && input.known === null) missed.push(input);
    }
    return missed;
  }

  async #resumeOne(source: Source): Promise<Resumed> {
    const nothing = { source, known: null, previous: Number.NaN, tail: null, compressed: false };
    // A pipe has no past: all of it is new.
    if (!source.rereadable) return { ...nothing, head: new Uint8Array(0) };
    const settled = this.#known.find(
      ({ identity, archive }) =>
        archive !== null &&
        identity === source.identity &&
        archive.size === source.size &&
        archive.mtime === source.mtime,
    );
    if (settled !== undefined) {
      const none = source.only({ from: settled.position, to: settled.position, plain: true });
      return { ...nothing, source: none, known: settled, head: new Uint8Array(0), compressed: true };
    }
    const { head, compression } = await probe(source);
    const known = match(this.#known, source.identity, head);
    const from = known?.position ?? 0;
    const previous = known?.clock ?? Number.NaN;
    if (compression !== 'none') {
      const part = source.only({ from, to: null, plain: false });
      return { source: part, known, previous, tail: null, head, compressed: true };
    }
    // Of what is followed, lines up to this place are read here.
    const { part } = source;
    const { lineEnd, size } = part?.plain
      ? { lineEnd: part.to ?? 0, size: part.to ?? 0 }
      : await endOf(source.path);
    if (known !== null && size < from) {
      this.notes.push(
        `${source.path}: shorter than when it was read last (${size} bytes, then ${from}); what was cut off stays counted`,
      );
    }
    const to = Math.max(from, lineEnd);
    return {
      source: source.only({ from, to, plain: true }),
      known,
      previous,
      tail: size > to ? { from: to, to: size } : null,
      head,
      compressed: false,
    };
  }

  /** How much of a log that begins so was counted by the runs before. */
  readBefore(identity: string, beginning: Uint8Array): number {
    return match(this.#before, identity, beginning)?.position ?? 0;
  }

  /** Beside its old place, under another name: `mail.log` became `mail.log.1`, or `mail.log.2.gz` meanwhile. */
  async #lookFor(known: KnownInput, taken: ReadonlySet<string | null>): Promise<Resumed | null> {
    const folder = dirname(known.path);
    const stem = stemOf(basename(known.path));
    const names = await readdir(folder).catch(() => []);
    for (const name of names.sort()) {
      if (!name.startsWith(stem) && !(stem === 'current' && name.startsWith('@'))) continue;
      if (/\.(?:lock|tmp)$/.test(name)) continue;
      const path = join(folder, name);
      const facts = await stat(path).catch(() => null);
      if (facts === null || !facts.isFile()) continue;
      const source = fileSource(path, facts);
      if (taken.has(source.identity)) continue;
      const input = await this.#resumeOne(source).catch(() => null);
      if (input !== null && input.known === known) return input;
    }
    return null;
  }

  #miss(known: KnownInput): void {
    this.notes.push(
      `the log that was ${known.path} is not there any more; if it was written to after its byte ${known.position}, those lines are missing: name the file if you have it`,
    );
    this.#known = this.#known.map((other) => (other === known ? { ...known, gone: true } : other));
  }

  /** `inputs` have been read to their ends; `prepared` are those of them that were read. */
  count(inputs: readonly Resumed[], prepared: ReadonlyMap<Source, PreparedInput>): void {
    for (const input of inputs) {
      const next = entryOf(input, prepared.get(input.source) ?? null);
      if (next !== null) this.#replace(input.known, next);
    }
  }

  /** The same for what is followed, as often as wanted. */
  countFollowed(pieces: readonly FollowedPiece[]): void {
    for (const piece of pieces) {
      const { name, number, identity, lineEnd, beginning, clock, over } = piece;
      // An empty one is known by its name alone: what is rotated away from there is missed (#addMissed).
      if (lineEnd === 0 && over) continue;
      const key = `${name}\0${number}`;
      const next: KnownInput = {
        path: resolve(name),
        identity,
        position: lineEnd,
        fingerprint: fingerprintOf(beginning, Math.min(FINGERPRINT, lineEnd)),
        clock: Number.isNaN(clock) ? null : clock,
        archive: null,
        gone: over,
      };
      this.#replace(this.#followed.get(key) ?? this.#ownEntry(identity, beginning), next);
      if (over) this.#followed.delete(key);
      else this.#followed.set(key, next);
    }
  }

  /** What stands there of a file that begins to be followed. */
  #ownEntry(identity: string, beginning: Uint8Array): KnownInput | null {
    const taken = new Set(this.#followed.values());
    return match(
      this.#known.filter((known) => known.identity === identity && !taken.has(known)),
      identity,
      beginning,
    );
  }

  #replace(old: KnownInput | null, next: KnownInput): void {
    const place = old === null ? -1 : this.#known.indexOf(old);
    if (place >= 0) this.#known.splice(place, 1);
    this.#known.push(next);
  }

  /** Writes what is known now; `board` is what a live view wants to know again. */
  async save(analysis: Analysis, hosts: Names, board?: Iterable<JsonObject>): Promise<void> {
    const lines = savedLines(analysis, hosts, {
      kind: 'state',
      program: version(),
      complete: true,
      options: this.#options,
      inputs: this.#known.slice(-MOST_INPUTS) as unknown as JsonObject[],
      ...(this.#reader === 'figures' ? {} : { reader: this.#reader }),
      ...(this.journal === null ? {} : { journal: this.journal }),
      board,
    });
    await writeSaved(this.#path, lines);
  }

  release(): void {
    this.#lock.release();
  }
}

/** Whether there is anything that was not counted yet; of an archive nobody knows before it is read. */
export function hasNews({ source, tail }: Resumed): boolean {
  const { part } = source;
  return part === null || part.to === null || part.to > part.from || tail !== null;
}

/** The log whose beginning this is: the same file if there are several, else the one that is known best. */
function match(all: readonly KnownInput[], identity: string | null, head: Uint8Array): KnownInput | null {
  let best: KnownInput | null = null;
  const sums = new Map<number, string>();
  for (const known of all) {
    const { length, sha256 } = known.fingerprint;
    if (length === 0 || length > head.length) continue;
    let sum = sums.get(length);
    if (sum === undefined) {
      sum = fingerprintOf(head, length).sha256;
      sums.set(length, sum);
    }
    if (sum !== sha256) continue;
    const isBetter =
      best === null ||
      (known.identity === identity && best.identity !== identity) ||
      (known.identity === best.identity && known.position > best.position) ||
      (best.identity !== identity && known.position > best.position);
    if (isBetter) best = known;
  }
  return best;
}

function entryOf(input: Resumed, prepared: PreparedInput | null): KnownInput | null {
  const { source, known, head, compressed } = input;
  if (!source.rereadable) return null;
  const from = source.part?.from ?? 0;
  const position = prepared === null ? from : from + source.delivered;
  if (position === 0) return null;
  const previous = prepared === null ? input.previous : prepared.clock.previous;
  // As much of the beginning as was counted; a longer one tells logs apart better.
  const length = Math.min(FINGERPRINT, position, head.length);
  const fingerprint =
    known !== null && known.fingerprint.length >= length ? known.fingerprint : fingerprintOf(head, length);
  return {
    path: resolve(source.path),
    identity: source.identity,
    position,
    fingerprint,
    clock: Number.isNaN(previous) ? null : previous,
    archive: compressed ? { size: source.size ?? 0, mtime: source.mtime ?? 0 } : null,
    gone: false,
  };
}

function fingerprintOf(head: Uint8Array, length: number): { length: number; sha256: string } {
  return { length, sha256: createHash('sha256').update(head.subarray(0, length)).digest('hex') };
}

async function endOf(path: string): Promise<{ lineEnd: number; size: number }> {
  const file = await PlainFile.open(path);
  try {
    return { lineEnd: await file.lastLineEnd(file.size), size: file.size };
  } finally {
    await file.close();
  }
}

/** `mail.log` of `mail.log.3.gz`, `maillog` of `maillog-20261121`. */
function stemOf(name: string): string {
  return name.replace(/\.(?:gz|zst|xz|bz2)$/, '').replace(/(?:\.\d{1,4}|-\d{6,14})$/, '');
}
