/**
 * The pipeline without I/O: lines in, summary and chains out.
 *
 *   bytes of a line -> head (lines/) -> record (parsers/) -> life (chains/) -> figures (summary/)
 *
 * Owns the accounting of lines: each one is counted in exactly one class. Must not know files, flags or formats.
 */
import { type ChainSink, Joiner } from '../chains/joiner.ts';
import type { Life } from '../chains/life.ts';
import { mergeJoiners } from '../chains/merge.ts';
import { type Chains, Kernel } from '../kernel/kernel.ts';
import { LineHead, REPEAT_LAST, REPEAT_NONE } from '../lines/head.ts';
import type { HeadParser } from '../lines/head-parser.ts';
import {
  FOREIGN,
  IGNORED,
  type LineClass,
  MALFORMED,
  type Mta,
  ParsedRecord,
  RECORDED,
  REFUSAL,
  REJECT,
  SPF,
  SPF_HEADER_IGNORED,
  STAGE_RECIPIENT,
  TEMPORARY,
  UNRECOGNISED,
} from '../records/record.ts';
import { PARSERS, parserFor } from '../records/registry.ts';
import { text } from '../records/text.ts';
import { Summary } from '../summary/summary.ts';
import { WEB_UIDS } from '../summary/traffic.ts';
import { Inside } from '../suspects/inside.ts';

export interface AnalysisOptions {
  /** Read this MTA only; lines of the others are foreign. */
  readonly mta?: Mta | null;
  /** Count messages accepted from here on (ms since the epoch), and before `until`; a chain is never cut. */
  readonly since?: number | null;
  readonly until?: number | null;
  /** What belongs to us; loopback and private networks by default. */
  readonly inside?: Inside;
  /** Keep no texts that only chains print: for reports, about a third faster. */
  readonly lean?: boolean;
  /** A piece of a log: what came before it will be merged in on its left. */
  readonly leftOpen?: boolean;
  /** Pending lives that are kept; 500,000 by default. */
  readonly mostPending?: number;
  /** False: every line goes the TypeScript way. */
  readonly kernel?: boolean;
  /**
   * Gets chains that are over, for the `receive` of another analysis, whose summary is merged in the end: half of the
   * work that is left by the kernel. Nothing is sent without the kernel, or with leftOpen.
   */
  readonly onSent?: (chains: Chains) => void;
  readonly onChain?: ChainSink;
  /** Called with every line, with the life that it is of where it is of one. */
  readonly onLine?: LineSink;
  /** Called with every line that was not recognised or is broken. */
  readonly onUnread?: (bytes: Uint8Array, start: number, end: number) => void;
}

/** A line that was taken: valid during the call. `record` says something only where the class is RECORDED. */
export interface TakenLine {
  readonly head: LineHead;
  readonly record: ParsedRecord;
  readonly lineClass: LineClass;
  readonly life: Life | null;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export type LineSink = (line: TakenLine, joiner: Joiner) => void;

/** `[269B blob data]`: journalctl -o short prints a line that is not UTF-8 so; its text is lost. */
function isBlob(head: LineHead): boolean {
  const { bytes, textStart, textEnd } = head;
  if (bytes[textStart] !== 0x5b || textEnd - textStart > 24 || bytes[textEnd - 1] !== 0x5d) return false;
  return /^\[[\d.]+[BKM]? blob data\]$/.test(text(bytes, textStart, textEnd));
}

export interface LastLine {
  readonly rejected: boolean;
  readonly stage: number;
  readonly temporary: boolean;
}

/** The kernel counts what it takes, all of it: no window, no chains, no MTA left out, nobody who hears every line. */
function mayUseKernel({ lean, kernel, onChain, onLine, mta, since, until }: AnalysisOptions): boolean {
  const isWhole = (mta ?? null) === null && (since ?? null) === null && (until ?? null) === null;
  return lean === true && kernel !== false && onChain === undefined && onLine === undefined && isWhole;
}

const OTHER_LINE: LastLine = { rejected: false, stage: 0, temporary: false };

/** A repeat line stands for so many copies at the most; more is a broken or hostile line. */
const MOST_REPEATS = 100_000;

export class Analysis {
  readonly summary: Summary;
  readonly joiner: Joiner;
  readonly #record = new ParsedRecord();
  readonly #bare = new LineHead();
  readonly #mta: Mta | null;
  readonly #since: number;
  readonly #until: number;
  readonly #onUnread: AnalysisOptions['onUnread'];
  readonly #onLine: LineSink | undefined;
  /** What the line before was, for `last message repeated N times`; null where nothing was read yet. */
  #lastLine: LastLine | null = null;
  /** Repeats of a line that stands before everything read here. */
  #leadingRepeats = 0;
  /** By number of host: 1 where it wrote a line that was recorded, or that the kernel may have taken. */
  #hosts: number[] = [];

  constructor(options: AnalysisOptions = {}) {
    const inside = options.inside ?? new Inside();
    this.summary = new Summary(inside);
    this.#mta = options.mta ?? null;
    this.#onUnread = options.onUnread;
    this.#onLine = options.onLine;
    const onChain = options.onChain;
    this.#since = options.since ?? Number.NEGATIVE_INFINITY;
    this.#until = options.until ?? Number.POSITIVE_INFINITY;
    this.joiner = new Joiner(
      (root) => {
        if (!this.#inWindow(root.first)) return;
        this.summary.tally(root);
        onChain?.(root);
      },
      {
        lean: options.lean,
        told: { everyClient: !inside.builtInOnly, uids: [...WEB_UIDS] },
        leftOpen: options.leftOpen,
        mostPending: options.mostPending,
        onEvicted: (chains) => {
          this.summary.evicted += chains;
        },
        kernel: mayUseKernel(options) ? Kernel.create() : null,
        onPlain: (...counts) => this.summary.plain(...counts),
        onSubmission: (...counts) => this.summary.submitted(...counts),
        onOutlined: (chain) => this.summary.repeated(chain),
        onSent: options.onSent,
      },
    );
    this.joiner.reparse = (head, record) => {
      record.clear();
      return parserFor(head)?.parse(head, record) === RECORDED;
    };
  }

  /** Roots of the chains that have not ended, within the window. */
  *pending(): IterableIterator<Life> {
    for (const root of this.joiner.pending()) if (this.#inWindow(root.first)) yield root;
  }

  /** Counts chains that another analysis has sent. */
  receive(chains: Chains): void {
    this.joiner.light?.receive(chains);
  }

  /** From here on, chains that are over are sent, if anybody gets them. */
  startSending(): void {
    this.joiner.light?.startSending();
  }

  /** Sends the chains that still wait for company; from here on, all are counted here. */
  stopSending(): void {
    this.joiner.light?.stopSending();
  }

  /**
   * Joins the analysis of the piece of log that follows this one. The result is that of one analysis over both; `right`
   * (made with leftOpen) is used up.
   */
  merge(right: Analysis): void {
    for (const host of right.hosts) this.#hosts[host] = 1;
    // Lines first: a repeat at the seam counts for the last line on the left.
    if (right.#leadingRepeats > 0) this.#repeat(right.#leadingRepeats);
    if (right.#lastLine !== null) this.#lastLine = right.#lastLine;
    this.summary.merge(right.summary);
    mergeJoiners(this.joiner, right.joiner);
    // As the next line would: a thousand pieces must not wait for one.
    this.joiner.closeDue();
  }

  /** A host that writes something of ours, or may do so. */
  meetHost(host: number): void {
    if (this.#hosts[host] !== 1) this.#hosts[host] = 1;
  }

  /** Numbers of the hosts that wrote something of ours; 0 stands for lines that name none. */
  get hosts(): number[] {
    return Object.keys(this.#hosts).map(Number);
  }

  /** What the seams of this piece know of lines: for saving and restoring. */
  get edges(): { readonly lastLine: LastLine | null; readonly leadingRepeats: number } {
    return { lastLine: this.#lastLine, leadingRepeats: this.#leadingRepeats };
  }

  /** Gives a new analysis what `edges` and `hosts` of another one said. */
  restore(
    edges: { readonly lastLine: LastLine | null; readonly leadingRepeats: number },
    hosts: readonly number[],
  ): void {
    this.#lastLine = edges.lastLine;
    this.#leadingRepeats = edges.leadingRepeats;
    for (const host of hosts) this.#hosts[host] = 1;
  }

  /** What the last line was, where somebody else read it. */
  lastLineWas(rejected: boolean, temporary: boolean): void {
    this.#lastLine = rejected ? { rejected, stage: STAGE_RECIPIENT, temporary } : OTHER_LINE;
  }

  #inWindow(at: number): boolean {
    return at >= this.#since && at < this.#until;
  }

  /**
   * One line, without its newline. `heads` belongs to the file: it knows the year and the zone.
   * Returns the line's class.
   */
  line(heads: HeadParser, bytes: Uint8Array, start: number, end: number): LineClass {
    return this.lineWithHead(heads, heads.parse(bytes, start, end), bytes, start, end);
  }

  /** The same for a line whose head `heads` has just read, with what it answered. */
  lineWithHead(
    heads: HeadParser,
    hasHead: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): LineClass {
    if (this.#onLine !== undefined) this.joiner.touched = null;
    const lineClass = hasHead ? this.#read(heads) : this.#readBare(bytes, start, end);
    this.summary.line(lineClass);
    if (this.#onLine !== undefined) {
      const life = this.joiner.touched;
      const head = hasHead ? heads.head : this.#bare;
      this.#onLine({ head, record: this.#record, lineClass, life, bytes, start, end }, this.joiner);
    }
    if (lineClass >= UNRECOGNISED) this.#onUnread?.(bytes, start, end);
    return lineClass;
  }

  /** A line too long to be kept. */
  overlong(): LineClass {
    this.summary.line(MALFORMED);
    return MALFORMED;
  }

  #read(heads: HeadParser): LineClass {
    const head = heads.head;
    if (head.repeat === REPEAT_NONE) {
      this.#lastLine = OTHER_LINE;
      return this.#take(head, 1);
    }
    const times = Math.min(head.times, MOST_REPEATS);
    if (head.repeat !== REPEAT_LAST) return this.#take(head, times);
    if (this.#lastLine === null) this.#leadingRepeats += times;
    else this.#repeat(times);
    return IGNORED;
  }

  /** `last message repeated`: only refusals are counted by the line; what has an id does not repeat. */
  #repeat(times: number): void {
    if (this.#lastLine === null) this.#leadingRepeats += times;
    else if (this.#lastLine.rejected) {
      for (let n = 0; n < times; n += 1)
        this.summary.rejected(this.#lastLine.stage, this.#lastLine.temporary);
    }
  }

  /** No head that we know: the MTA's own text alone, or not a log line. */
  #readBare(bytes: Uint8Array, start: number, end: number): LineClass {
    let from = start;
    while (from < end && (bytes[from] === 32 || bytes[from] === 9)) from += 1;
    if (from === end) return IGNORED;
    const head = this.#bare;
    head.bytes = bytes;
    head.textStart = from;
    let to = end;
    while (to > from && bytes[to - 1] <= 32) to -= 1;
    head.textEnd = to;
    for (const parser of PARSERS) if (parser.claims(head)) return this.#take(head, 1);
    return bytes[from] === 0x23 ? FOREIGN : MALFORMED;
  }

  #take(head: LineHead, times: number): LineClass {
    if (head.textStart >= head.textEnd) {
      const { program } = head.tag;
      return program === 'other' || program === 'spf' ? FOREIGN : IGNORED;
    }
    const parser = parserFor(head);
    if (parser === null) return FOREIGN;
    const { mta } = parser;
    if (this.#mta !== null && mta !== null && mta !== this.#mta) return FOREIGN;
    const record = this.#record;
    record.clear();
    const lineClass = parser.parse(head, record);
    if (lineClass === UNRECOGNISED && head.tag.program === 'unknown') return FOREIGN;
    if (lineClass === IGNORED && isBlob(head)) return MALFORMED;
    if (lineClass > IGNORED) return lineClass;
    const known = !Number.isNaN(head.instant);
    const inWindow = !known || this.#inWindow(head.instant);
    if (mta !== null) {
      if (known && inWindow) this.summary.time(head.instant);
      this.summary.seen[mta] = true;
    }
    if (lineClass !== RECORDED) return lineClass;
    this.meetHost(head.host);
    if (inWindow && (record.kind === REJECT || record.kind === REFUSAL)) {
      const temporary = (record.flags & TEMPORARY) !== 0;
      for (let n = 0; n < times; n += 1) this.summary.rejected(record.stage, temporary);
      this.#lastLine = { rejected: true, stage: record.stage, temporary };
    }
    if (record.kind === SPF && record.outcome === SPF_HEADER_IGNORED && inWindow)
      this.summary.spf.headerIgnored += times;
    // What has an id does not really repeat: the copies would say the same of the same message.
    this.joiner.take(head, record);
    return RECORDED;
  }
}
