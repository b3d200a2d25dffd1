/**
 * What the program says to a log, by each of the ways that bytes can come in.
 *
 * Owns the wiring: everything from the line splitter or the source to chains and report. Judges nothing.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import split2 from 'split2';
import { Analysis } from '../../src/analysis/analysis.ts';
import { prepareInputs, readInputs } from '../../src/analysis/reading.ts';
import type { Chain } from '../../src/chains/chain.ts';
import type { Life } from '../../src/chains/life.ts';
import { chainOf, HEADLESS, MESSAGE, NULL_MESSAGE, natureOf } from '../../src/chains/view.ts';
import { fullReport } from '../../src/findings/all.ts';
import { Clock, yearEvidence } from '../../src/lines/clock.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { LineSplitter } from '../../src/lines/splitter.ts';
import { Tags } from '../../src/lines/tags.ts';
import { fileSource } from '../../src/source/source.ts';
import type { Report } from '../../src/summary/report.ts';
import { Inside } from '../../src/suspects/inside.ts';
import { judge } from '../../src/suspects/judge.ts';
import type { StoryOptions } from './story.ts';

/** The newest that a story's log can be; years are inferred from it. */
export const REFERENCE = Date.UTC(2026, 11, 1);
const GENERATED = new Date(REFERENCE);

const INSIDE = new Inside();

export interface Answer {
  readonly chains: readonly Chain[];
  readonly report: Report;
}

/** An analysis under way: lines go in, the answer comes out at the end. */
export class Reading {
  readonly hosts = new Names();
  readonly tags = new Tags();
  readonly heads: HeadParser;
  readonly analysis: Analysis;
  readonly #chains: Chain[] = [];

  constructor(options: StoryOptions, year: number | null) {
    this.heads = new HeadParser(
      new Clock({ zone: options.tz, year, reference: REFERENCE }),
      this.hosts,
      this.tags,
    );
    this.analysis = new Analysis({ mta: options.mta, onChain: (root) => this.#keep(root) });
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    this.analysis.line(this.heads, bytes, start, end);
  }

  answer(): Answer {
    const pending = [...this.analysis.pending()];
    for (const root of pending) this.#keep(root);
    const report = fullReport(this.analysis.summary, pending, {
      top: 10,
      complete: true,
      generatedAt: GENERATED,
    });
    // Whatever the way, the same bytes make the same answer; how many there were on the way is not part of it.
    report.input.bytes = 0;
    report.input.files = 0;
    return { chains: this.#chains, report };
  }

  #keep(root: Life): void {
    const nature = natureOf(root);
    if (nature !== MESSAGE && nature !== NULL_MESSAGE && nature !== HEADLESS) return;
    this.#chains.push(
      chainOf(
        root,
        (host) => this.hosts.text(host),
        (...chain) => judge(...chain, INSIDE)?.suspect ?? null,
      ),
    );
  }
}

export function yearOf(log: Uint8Array, options: StoryOptions): number | null {
  return options.year ?? yearEvidence(log);
}

/** In chunks of the given ends. Every chunk is overwritten once it was taken, as the source's blocks are. */
export function answerInChunks(
  log: Uint8Array,
  ends: readonly number[],
  options: StoryOptions,
  year: number | null,
): Answer {
  const reading = new Reading(options, year);
  const splitter = new LineSplitter(
    (bytes, start, end) => reading.line(bytes, start, end),
    () => reading.analysis.overlong(),
  );
  let from = 0;
  for (const end of [...ends, log.length]) {
    const chunk = Buffer.from(log.subarray(from, end));
    splitter.push(chunk);
    chunk.fill('#');
    from = end;
  }
  splitter.finish();
  return reading.answer();
}

export function answerWhole(log: Uint8Array, options: StoryOptions, year: number | null): Answer {
  return answerInChunks(log, [], options, year);
}

export function answerByteByByte(log: Uint8Array, options: StoryOptions, year: number | null): Answer {
  return answerInChunks(
    log,
    Array.from({ length: log.length - 1 }, (_, i) => i + 1),
    options,
    year,
  );
}

export function withCrLf(log: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(log).toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

/** As slow lines come: strings from split2, with the options of design.md section 3. */
export async function answerBySplit2(
  log: Uint8Array,
  options: StoryOptions,
  year: number | null,
): Promise<Answer> {
  const reading = new Reading(options, year);
  const lines = split2('\n', { maxLength: 65536, skipOverflow: true });
  lines.on('data', (line: string) => {
    const bytes = Buffer.from(line);
    reading.line(bytes, 0, bytes.length);
  });
  const ended = once(lines, 'end');
  lines.end(log);
  await ended;
  return reading.answer();
}

/** As an archive on disk, through source/ and reading.ts, which also finds the year. */
export async function answerFromGzip(log: Uint8Array, options: StoryOptions, path: string): Promise<Answer> {
  const packed = gzipSync(log);
  writeFileSync(path, packed);
  const source = fileSource(path, { size: packed.length, mtimeMs: REFERENCE, dev: 0, ino: 0 });
  const reading = new Reading(options, null);
  const inputs = await prepareInputs([source], {
    zone: options.tz,
    year: options.year,
    hosts: reading.hosts,
    tags: reading.tags,
  });
  const complete = await readInputs(inputs, reading.analysis, {
    onProblem: (error) => {
      throw error;
    },
  });
  if (!complete) throw new Error('the reading was interrupted');
  return reading.answer();
}
