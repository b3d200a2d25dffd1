/** Real logs cut into pieces, each analysed as a process of its own would: own host numbers, the clock told to it. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Analysis } from '../../src/analysis/analysis.ts';
import { SavedReader, type SaveOptions, savedLines } from '../../src/analysis/saved.ts';
import { fullReport } from '../../src/findings/all.ts';
import { Clock, yearEvidence } from '../../src/lines/clock.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);
export const LOGS = readdirSync(FIXTURES).filter((name) => name.endsWith('.log.gz'));

export function logBytes(name: string): Buffer {
  return gunzipSync(readFileSync(new URL(name, FIXTURES)));
}

/** Each with its newline, byte by byte (latin-1). */
export function linesOf(bytes: Buffer): string[] {
  return bytes.toString('latin1').split(/(?<=\n)/);
}

export const SAVE: SaveOptions = { kind: 'summary', program: '0', complete: true, options: {} };

/** A process: its numbers for hosts and tags. */
export class Place {
  readonly hosts = new Names();
  readonly tags = new Tags();
}

export class PiecedLog {
  readonly lines: { start: number; end: number }[] = [];
  readonly bytes: Buffer;
  readonly #year: number | null;
  readonly #clocks: number[] = [];
  /** Of each line; that of the line before where it has none. */
  readonly #instants: number[] = [];

  constructor(bytes: Buffer, year = yearEvidence(bytes.subarray(0, 1 << 18))) {
    this.bytes = bytes;
    this.#year = year;
    for (let start = 0; start < bytes.length; ) {
      const newline = bytes.indexOf(10, start);
      const end = newline < 0 ? bytes.length : newline;
      this.lines.push({ start, end });
      start = end + 1;
    }
    const clock = this.#clock();
    const heads = new HeadParser(clock, new Names(), new Tags());
    for (const { start, end } of this.lines) {
      this.#clocks.push(clock.previous);
      const known = heads.parse(bytes, start, end) && !Number.isNaN(heads.head.instant);
      this.#instants.push(known ? heads.head.instant : (this.#instants.at(-1) ?? Number.NaN));
    }
  }

  /** The same lines, those of the same stamp in any order. `seed` says which. */
  shuffled(seed: number): PiecedLog {
    const random = randomNumbers(seed);
    const order = this.lines.map((_, i) => ({ i, at: this.#instants[i], by: random() }));
    for (let from = 0; from < order.length; ) {
      let to = from + 1;
      while (to < order.length && order[to].at === order[from].at) to += 1;
      order.splice(from, to - from, ...order.slice(from, to).sort((a, b) => a.by - b.by));
      from = to;
    }
    const newline = Buffer.from('\n');
    const bytes = order.flatMap(({ i }) => [
      this.bytes.subarray(this.lines[i].start, this.lines[i].end),
      newline,
    ]);
    return new PiecedLog(Buffer.concat(bytes), this.#year);
  }

  #clock(previous?: number): Clock {
    return new Clock({ zone: 'UTC', year: this.#year, reference: Date.UTC(2027, 0, 2), previous });
  }

  piece(from: number, to: number, leftOpen: boolean, place = new Place()): Analysis {
    const analysis = new Analysis({ leftOpen, lean: true, kernel: false });
    this.read(analysis, from, to, place);
    return analysis;
  }

  /** Lines into an analysis, as a reading that goes on would give them. */
  read(analysis: Analysis, from: number, to: number, place: Place): void {
    const heads = new HeadParser(this.#clock(this.#clocks[from]), place.hosts, place.tags);
    for (const { start, end } of this.lines.slice(from, to)) analysis.line(heads, this.bytes, start, end);
  }
}

export function save(analysis: Analysis, place: Place): string {
  return [...savedLines(analysis, place.hosts, SAVE)].join('');
}

export function load(text: string, place: Place): Analysis {
  let loaded: Analysis | null = null;
  const reader = new SavedReader(place.hosts, place.tags, ({ analysis }) => {
    loaded = analysis;
  });
  for (const line of text.trimEnd().split('\n')) reader.take(line);
  reader.finish();
  return loaded!;
}

export function answer(analysis: Analysis): unknown {
  return fullReport(analysis.summary, analysis.pending(), {
    top: 1000,
    complete: true,
    generatedAt: new Date(0),
  });
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
