/**
 * A block of log through the kernel: what it takes is counted, every other line goes to the analysis as ever.
 *
 * Owns what the two share between two lines: the clock, the names of hosts and tags, what the last line was. Must not
 * know what stands on a line.
 */

import type { LightLives } from '../chains/light.ts';
import {
  ADVANCE,
  ADVANCE_TO,
  ALL_TAKEN,
  BEYOND_LIMIT,
  FOREIGN_LINES,
  FROM,
  IGNORED_LINES,
  ISO_INSTANT,
  ISO_KNOWN,
  ISO_MINUTE,
  ISO_MINUTE_LENGTH,
  LAST_LINE,
  LAST_SECOND,
  LIMIT,
  LINE_END,
  LINE_START,
  MINUTE,
  MINUTE_INSTANT,
  MINUTE_KNOWN,
  MINUTE_LENGTH,
  NEW_MINUTE,
  NEXT,
  REACHED,
  RECORDED_LINES,
  REJECTED_FOR_NOW,
  REJECTED_RECIPIENTS,
  SEEN,
  SLOW_LINE,
  TO,
  YEARLESS,
  YEARLESS_READ,
  ZONE,
  ZONE_LENGTH,
  ZONE_MS,
} from '../kernel/assembly/layout.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { twoDigits } from '../lines/bytes.ts';
import { CLASSIC, type HeadParser, ISO } from '../lines/head-parser.ts';
import { FOREIGN, IGNORED, type LineClass, RECORDED } from '../records/record.ts';
import type { Analysis } from './analysis.ts';

const NEWLINE = 10;

/** So much at once stays in a processor's second cache: a fifth of the kernel's time, where it was a megabyte. */
const RUN = 1 << 17;

/** Counts lines of a class. */
export type OnLines = (lineClass: LineClass, lines: number) => void;

export class FastLines {
  readonly #analysis: Analysis;
  readonly #heads: HeadParser;
  readonly #light: LightLives;
  readonly #kernel: Kernel;
  readonly #onLines: OnLines;
  readonly #maxLine: number;
  /** For lines that are looked at before they are read. */
  #ahead: HeadParser | null = null;

  constructor(analysis: Analysis, light: LightLives, heads: HeadParser, onLines: OnLines, maxLine: number) {
    this.#analysis = analysis;
    this.#heads = heads;
    this.#light = light;
    this.#kernel = light.kernel;
    this.#onLines = onLines;
    this.#maxLine = maxLine;
  }

  /**
   * Takes `block`, which begins with a line and ends with a newline: all of it, or up to the first line that is later
   * than `limit` (its instant is in `reached` then). Returns how many bytes were taken.
   */
  push(block: Uint8Array, limit = Number.POSITIVE_INFINITY): number {
    const kernel = this.#kernel;
    if (kernel.reader !== this) {
      // Another input was read in between.
      kernel.reader = this;
      kernel.setNumber(MINUTE_KNOWN, 0);
      kernel.setNumber(ISO_KNOWN, 0);
    }
    kernel.setDouble(LIMIT, limit);
    for (let from = 0; from < block.length; ) {
      let to = Math.min(block.length, from + RUN);
      if (to < block.length) {
        const newline = block.lastIndexOf(NEWLINE, to - 1);
        to = (newline < from ? block.indexOf(NEWLINE, from) : newline) + 1;
      }
      // What is longer than a run is one line.
      if (to - from - 1 > this.#maxLine) this.#slow(block, from, to - 1);
      else {
        const taken = this.#run(block, from, to, limit);
        if (taken < to - from) return from + taken;
      }
      from = to;
    }
    return block.length;
  }

  /** Instant of the line that comes next; NaN where it has none. It is not taken. */
  lookAt(bytes: Uint8Array, start: number, end: number): number {
    this.#ahead ??= this.#heads.ahead();
    this.#ahead.clock.follow(this.#heads.clock);
    return end - start <= this.#maxLine && this.#ahead.parse(bytes, start, end)
      ? this.#ahead.head.instant
      : Number.NaN;
  }

  /** Instant of the line that was beyond the limit. */
  get reached(): number {
    return this.#kernel.double(REACHED);
  }

  #run(block: Uint8Array, from: number, to: number, limit: number): number {
    const kernel = this.#kernel;
    const place = kernel.placeOf(block, from, to);
    const end = place + to - from;
    kernel.setNumber(NEXT, place);
    this.#analysis.joiner.enterKernel();
    let taken = to - from;
    // Whose minute was learnt last.
    let asked = 0;
    for (;;) {
      const answer = kernel.call.run(end);
      if (answer === ALL_TAKEN) break;
      const start = kernel.number(LINE_START);
      if (answer === BEYOND_LIMIT) {
        taken = start - place;
        break;
      }
      this.#light.leave();
      if (answer === NEW_MINUTE && asked !== start) {
        this.#takenSoFar();
        asked = start;
        this.#meetMinute(start, kernel.number(LINE_END));
      } else if (answer === SLOW_LINE || answer === NEW_MINUTE) {
        this.#takenSoFar();
        const stop = kernel.number(LINE_END);
        kernel.setNumber(NEXT, stop + 1);
        if (this.#isBeyond(limit, start, stop)) {
          taken = start - place;
          break;
        }
        this.#slow(kernel.bytes, start, stop);
        this.#learn(start, stop);
      } else if (answer === ADVANCE) this.#analysis.joiner.advance(kernel.double(ADVANCE_TO));
      else this.#light.serve(answer);
      this.#analysis.joiner.enterKernel();
    }
    this.#light.leave();
    this.#takenSoFar();
    this.#count();
    this.#light.drain();
    return taken;
  }

  /** Whether the line at [start, stop) of the kernel's memory is later than the limit. */
  #isBeyond(limit: number, start: number, stop: number): boolean {
    if (limit === Number.POSITIVE_INFINITY) return false;
    const instant = this.lookAt(this.#kernel.bytes, start, stop);
    if (!(instant > limit)) return false;
    this.#kernel.setDouble(REACHED, instant);
    return true;
  }

  #slow(bytes: Uint8Array, start: number, end: number): void {
    const lineClass =
      end - start > this.#maxLine
        ? this.#analysis.overlong()
        : this.#analysis.line(this.#heads, bytes, start, end);
    this.#onLines(lineClass, 1);
  }

  /** Where the clock and the last line stand, for the line that comes now. */
  #takenSoFar(): void {
    const kernel = this.#kernel;
    const last = kernel.number(LAST_LINE);
    if (last !== 0) {
      this.#analysis.lastLineWas(last >= 2, last === 3);
      kernel.setNumber(LAST_LINE, 0);
    }
    if (kernel.number(YEARLESS_READ) !== 0) {
      this.#heads.clock.moveOn(kernel.double(YEARLESS));
      kernel.setNumber(YEARLESS_READ, 0);
    }
  }

  /** What the kernel may know from the line just read. */
  #learn(start: number, end: number): void {
    const kernel = this.#kernel;
    const heads = this.#heads;
    const { form } = heads;
    if (form !== 0 && heads.head.bytes === kernel.bytes) {
      // From here on, lines of this host may be taken without a word.
      this.#analysis.meetHost(heads.head.host);
      kernel.meetHost(heads.hostStart, heads.tagStart - 1, heads.head.host);
      kernel.meetTag(heads.tagStart, heads.tagEnd, heads.head.tag);
    }
    this.#learnMinute(heads, start, end);
  }

  /** The head of this line tells the clock, and the clock the kernel; the line itself is taken afterwards. */
  #meetMinute(start: number, end: number): void {
    // A head is read by its own parser once: some are the first part of a line.
    if (Number.isNaN(this.lookAt(this.#kernel.bytes, start, end)) || this.#ahead === null) return;
    this.#heads.clock.follow(this.#ahead.clock);
    this.#learnMinute(this.#ahead, start, end);
  }

  #learnMinute(heads: HeadParser, start: number, end: number): void {
    const kernel = this.#kernel;
    const { form } = heads;
    const { bytes } = kernel;
    if (form === CLASSIC && heads.clock.previous === heads.stampInstant) {
      const second = twoDigits(bytes, start + MINUTE_LENGTH);
      if (second >= 0) {
        kernel.setNumber(LAST_SECOND, second);
        kernel.setDouble(YEARLESS, heads.stampInstant);
        // Of the minute that it knows already, nearly always.
        const minute = heads.stampInstant - second * 1000;
        if (
          kernel.number(MINUTE_KNOWN) === 1 &&
          kernel.double(MINUTE_INSTANT) === minute &&
          kernel.holds(MINUTE, start, MINUTE_LENGTH)
        )
          return;
        bytes.copyWithin(MINUTE, start, start + MINUTE_LENGTH);
        kernel.setDouble(MINUTE_INSTANT, minute);
        kernel.setNumber(MINUTE_KNOWN, 1);
        return;
      }
    }
    // The clock was set by a stamp of another form.
    if (kernel.number(MINUTE_KNOWN) !== 0 && heads.clock.previous !== kernel.double(YEARLESS))
      kernel.setNumber(MINUTE_KNOWN, 0);
    if (form !== ISO || end - start < ISO_MINUTE_LENGTH) return;
    const second = twoDigits(bytes, start + ISO_MINUTE_LENGTH);
    bytes.copyWithin(ISO_MINUTE, start, start + ISO_MINUTE_LENGTH);
    bytes.copyWithin(ZONE, heads.zoneStart, heads.hostStart);
    kernel.setNumber(ZONE_LENGTH, heads.hostStart - heads.zoneStart);
    kernel.setDouble(ISO_INSTANT, heads.stampInstant - second * 1000);
    kernel.setDouble(ZONE_MS, heads.zone);
    kernel.setNumber(ISO_KNOWN, 1);
  }

  /** Hands on what the kernel has counted. */
  #count(): void {
    const kernel = this.#kernel;
    const { summary } = this.#analysis;
    for (const [at, lineClass] of COUNTED) {
      const lines = kernel.number(at);
      if (lines === 0) continue;
      summary.line(lineClass, lines);
      this.#onLines(lineClass, lines);
      kernel.setNumber(at, 0);
    }
    summary.rejectedRecipients += kernel.number(REJECTED_RECIPIENTS);
    summary.rejectedForNow += kernel.number(REJECTED_FOR_NOW);
    kernel.setNumber(REJECTED_RECIPIENTS, 0);
    kernel.setNumber(REJECTED_FOR_NOW, 0);
    const seen = kernel.number(SEEN);
    for (let mta = 0; mta < 3; mta += 1) if ((seen & (1 << mta)) !== 0) summary.seen[mta] = true;
    if (seen !== 0) {
      summary.time(kernel.double(FROM));
      summary.time(kernel.double(TO));
    }
  }
}

const COUNTED: readonly (readonly [number, LineClass])[] = [
  [RECORDED_LINES, RECORDED],
  [IGNORED_LINES, IGNORED],
  [FOREIGN_LINES, FOREIGN],
];
