/**
 * Inputs that go on: followed files, pipes, the journal. Each fills a queue of lines when it is asked to.
 *
 * Owns the queues, and the seam between what a batch run reads of a file and what is followed from there on. Must not
 * know what stands on a line.
 */
import { fstatSync, readSync } from 'node:fs';
import { Source } from '../source/source.ts';
import { LineStream, LONGEST_LINE } from './line-stream.ts';
import { type PieceFacts, Tail, type TailSink } from './tail.ts';

/** Lines that wait, oldest first; null stands for one that was too long. */
export class LineQueue {
  #lines: (string | null)[] = [];
  #next = 0;

  get length(): number {
    return this.#lines.length - this.#next;
  }

  push(line: string | null): void {
    this.#lines.push(line);
  }

  peek(): string | null {
    return this.#lines[this.#next];
  }

  drop(): void {
    this.#next += 1;
    if (this.#next === this.#lines.length) {
      this.#lines = [];
      this.#next = 0;
    }
  }
}

export interface Following {
  /** As the user named it; `-` for standard input. */
  readonly name: string;
  readonly queue: LineQueue;
  /** Bytes handed to the queue so far. */
  readonly bytes: number;
  /** Bytes that are known to wait; 0 where nobody knows. */
  readonly backlog: number;
  /** Nothing more will come. */
  readonly over: boolean;
  /** Called when something came, by inputs that know it. */
  onReady: (() => void) | null;
  /** Gets some more; false when there is nothing for now. `now` in ms of a steady clock. */
  pull(now: number): boolean;
  /** Waits until all lines of what ended before are in the queue. */
  settle(): Promise<void>;
  /** Ends it: partial last lines go into the queue. */
  close(): Promise<void>;
}

/** One file that had the name, and how far its lines have been handed over. */
export interface ReadPiece extends PieceFacts {
  /** Behind the last line in the queue. */
  readonly lineEnd: number;
  /** Nothing more will be read of it. */
  readonly over: boolean;
}

export type OnNotice = (text: string) => void;

/** Finished pieces that wait to be asked for; more of them between two questions are nobody's concern. */
const MOST_OVER = 10_000;

export class FollowedFile implements Following {
  readonly name: string;
  readonly queue = new LineQueue();
  bytes = 0;
  readonly over = false;
  onReady: (() => void) | null = null;
  readonly #tail: Tail;
  readonly #streams = new Map<number, LineStream>();
  /** By piece: bytes behind its last newline. */
  readonly #partial = new Map<number, number>();
  #ends: Promise<void>[] = [];
  #over: ReadPiece[] = [];

  /** `readBefore` tells how much of a file was read by an earlier run (tail.ts). */
  constructor(path: string, onNotice: OnNotice, readBefore?: TailSink['readBefore']) {
    this.name = path;
    this.#tail = new Tail(path, {
      chunk: (bytes, piece) => {
        this.bytes += bytes.length;
        const newline = bytes.lastIndexOf(NEWLINE);
        const before = newline < 0 ? (this.#partial.get(piece) ?? 0) : -1 - newline;
        this.#partial.set(piece, before + bytes.length);
        let stream = this.#streams.get(piece);
        if (stream === undefined) {
          stream = newLineStream(this.queue);
          this.#streams.set(piece, stream);
        }
        stream.push(bytes);
      },
      end: (piece, { identity, position, beginning }) => {
        const stream = this.#streams.get(piece);
        this.#streams.delete(piece);
        this.#partial.delete(piece);
        if (stream !== undefined) this.#ends.push(stream.end());
        if (this.#over.length === MOST_OVER) this.#over.shift();
        this.#over.push({ number: piece, identity, position, beginning, lineEnd: position, over: true });
      },
      notice: onNotice,
      readBefore,
    });
  }

  /** What is open now, and what has come to its end since the last call. */
  takePieces(): ReadPiece[] {
    const over = this.#over;
    this.#over = [];
    const open = this.#tail.pieces.map(({ number, identity, position, beginning }) => {
      const lineEnd = position - (this.#partial.get(number) ?? 0);
      return { number, identity, position, beginning, lineEnd, over: false };
    });
    return [...over, ...open];
  }

  /** Whether a file is one that is read here: by its inode, or by its first bytes. */
  has(identity: string, beginning: Uint8Array): boolean {
    return this.#tail.has(identity, beginning);
  }

  /**
   * What the file holds already, up to its last newline, to be read as any other input; null when there is no file or
   * no whole line. Following begins behind it.
   */
  begin(now: number): Source | null {
    const opened = this.#tail.open(now);
    if (opened === null) return null;
    const { fd } = opened;
    const end = endOfLines(fd, opened.size);
    if (end === 0) return null;
    this.#tail.skipTo(end);
    const facts = fstatSync(fd);
    return new Source({
      path: this.name,
      size: end,
      mtime: facts.mtimeMs,
      identity: `${facts.dev}:${facts.ino}`,
      rereadable: true,
      // Read by position: the handle is shared, and stays open.
      part: { from: 0, to: end, plain: true },
      open: () => ({ from: fd, close: () => undefined }),
    });
  }

  get backlog(): number {
    return this.#tail.backlog;
  }

  pull(now: number): boolean {
    return this.#tail.poll(now);
  }

  async settle(): Promise<void> {
    await Promise.all(this.#ends);
    this.#ends = [];
  }

  async close(): Promise<void> {
    this.#tail.close();
    await this.settle();
  }
}

/** A pipe, a socket, the output of a program: whatever gives blocks of bytes until it ends. */
export class FollowedStream implements Following {
  readonly name: string;
  readonly queue = new LineQueue();
  readonly backlog = 0;
  bytes = 0;
  over = false;
  onReady: (() => void) | null = null;
  readonly #lines = newLineStream(this.queue);
  readonly #stop: () => void;
  readonly #onTaken: ((block: Uint8Array) => void) | undefined;
  /** The block that waits to be taken, and how its giver is told that it was. */
  #waiting: { readonly block: Uint8Array; readonly taken: () => void } | null = null;
  #closed = false;
  readonly #pump: Promise<void>;

  /**
   * `stop` makes the blocks end. A block is valid until the next one is asked for; `onTaken` is told of each when its
   * lines go into the queue.
   */
  constructor(
    name: string,
    blocks: AsyncIterable<Uint8Array>,
    stop: () => void,
    onProblem: (error: unknown) => void,
    onTaken?: (block: Uint8Array) => void,
  ) {
    this.name = name;
    this.#stop = stop;
    this.#onTaken = onTaken;
    this.#pump = this.#run(blocks).catch((error: unknown) => {
      this.over = true;
      this.onReady?.();
      if (!this.#closed) onProblem(error);
    });
  }

  async #run(blocks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const block of blocks) {
      if (this.#closed) return;
      await new Promise<void>((taken) => {
        this.#waiting = { block, taken };
        this.onReady?.();
      });
    }
    await this.#lines.end();
    this.over = true;
    this.onReady?.();
  }

  pull(): boolean {
    const waiting = this.#waiting;
    if (waiting === null) return false;
    this.#waiting = null;
    this.bytes += waiting.block.length;
    this.#lines.push(waiting.block);
    this.#onTaken?.(waiting.block);
    waiting.taken();
    return true;
  }

  async settle(): Promise<void> {
    // Its lines are in the queue as soon as they were pulled.
  }

  async close(): Promise<void> {
    if (this.over) return;
    this.#closed = true;
    this.#stop();
    this.#waiting?.taken();
    await Promise.race([this.#pump, new Promise((resolve) => setTimeout(resolve, 200).unref())]);
    if (!this.over) await this.#lines.end();
    this.over = true;
  }
}

const NEWLINE = 10;

function newLineStream(queue: LineQueue): LineStream {
  return new LineStream({ line: (text) => queue.push(text), overlong: () => queue.push(null) });
}

/** The position behind the last newline before `size`; 0 when there is none near the end. */
function endOfLines(fd: number, size: number): number {
  const step = Buffer.allocUnsafe(65_536);
  for (let end = size; end > Math.max(0, size - LONGEST_LINE); ) {
    const start = Math.max(0, end - step.length);
    const length = readSync(fd, step, 0, end - start, start);
    const newline = step.subarray(0, length).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}
