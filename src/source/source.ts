/**
 * One input: a name, what is known of it, and its bytes as they lie there (not decompressed), in order.
 *
 * Owns open, read, close and the count of bytes read. Must not know compression, lines or mail.
 */
import { close, fstat, open, read, readSync, type Stats, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { unreadable } from './errors.ts';
import type { Compression } from './magic.ts';

const openFd = promisify(open);
const closeFd = promisify(close);
const statFd = promisify(fstat);

/** Read ahead by another thread: 500 MB in the page cache, GB/s: 64 KiB 2.4, 256 KiB 4.3, 512 KiB and 1 MiB 5.2, 2 MiB 5.0. */
const BLOCK_SIZE = 1 << 20;
/** A block from the page cache: it and its copy in the kernel's memory fit into a processor's second cache. */
const CACHED_BLOCK = 1 << 17;
/** A block that takes longer, in ms, came from a disk. */
const SLOW_READ = 0.3;
/** Read ahead before the page cache is tried again. */
const BLOCKS_AHEAD = 32;
/** Milliseconds between two turns of the event loop: each costs 50 us, and a key is heard soon enough. */
const TURN_EVERY = 12;
const SMALLEST_BLOCK = 1 << 16;

/** Where the raw bytes come from. */
interface Opened {
  /** A descriptor to read blocks from, or a stream that hands out its own chunks. */
  readonly from: number | Readable;
  readonly close: () => Promise<void> | void;
}

/** Decompressed blocks that a look ahead took from a stream, and what follows them. */
export interface ReadAhead {
  /** What the decoder turned out to be; the source itself does not care. */
  readonly compression: Compression;
  readonly blocks: Uint8Array[];
  /** A read that was under way when the look ahead ended. */
  pending: Promise<IteratorResult<Uint8Array, void>> | null;
  readonly rest: AsyncGenerator<Uint8Array, void, void>;
}

/** A part of a source's decompressed bytes: from one position up to before another one, or to the end. */
export interface Part {
  readonly from: number;
  readonly to: number | null;
  /** Not compressed: positions are those of the file, and nothing before `from` is read. */
  readonly plain: boolean;
}

export interface SourceFacts {
  path: string;
  size?: number | null;
  mtime?: number | null;
  /** `dev:ino`, or null when there is none to compare. */
  identity?: string | null;
  /** Can be opened again from its first byte. */
  rereadable: boolean;
  open: () => Promise<Opened> | Opened;
  part?: Part | null;
}

export class Source {
  /** As the user named it, `-` for standard input. */
  readonly path: string;
  /** Bytes on disk (compressed ones, if it is an archive); null when unknown. */
  readonly size: number | null;
  /** Last change, milliseconds since the epoch; null for a stream. */
  readonly mtime: number | null;
  readonly identity: string | null;
  readonly rereadable: boolean;
  /** What openBlocks gives of it; null is all. */
  readonly part: Part | null;
  /** Bytes taken from disk or pipe so far, before decompression: compare with `size` for progress. */
  bytesRead = 0;
  /** Bytes that openBlocks gave: decompressed ones, from the beginning of the part on. */
  delivered = 0;
  /** Set by `stop`: whoever reads ends at the next block, without an error. */
  stopped = false;
  /** Filled by `probe` for streams, emptied by `openBlocks`. */
  ahead: ReadAhead | null = null;
  /** Somebody's memory for a file's bytes, in place of a block of its own. */
  lent: Uint8Array | null = null;
  /** Decompresses this archive in another thread. */
  decoding: (() => AsyncGenerator<Uint8Array, void, void>) | null = null;

  #open: () => Promise<Opened> | Opened;
  #used = false;
  #reading: Readable | null = null;
  #lettingGo = false;

  constructor(facts: SourceFacts) {
    this.path = facts.path;
    this.size = facts.size ?? null;
    this.mtime = facts.mtime ?? null;
    this.identity = facts.identity ?? null;
    this.rereadable = facts.rereadable;
    this.part = facts.part ?? null;
    this.#open = facts.open;
  }

  /** The same input, of which only a part is read. */
  only(part: Part): Source {
    const { path, size, mtime, identity, rereadable } = this;
    return new Source({ path, size, mtime, identity, rereadable, open: this.#open, part });
  }

  /** Ends a reading from outside (an interrupt), even one that waits for a silent pipe. */
  stop(): void {
    this.stopped = true;
    this.letGo();
  }

  /** Ends a read that waits for a silent pipe: nobody wants the bytes any more. Files need no such thing. */
  letGo(): void {
    if (this.#reading === null) return;
    this.#lettingGo = true;
    this.#reading.destroy();
  }

  /** The raw bytes. A block is valid until the next one is asked for. */
  async *rawBlocks(blockSize: number = BLOCK_SIZE): AsyncGenerator<Uint8Array, void, void> {
    if (this.#used && !this.rereadable) throw unreadable(this.path, new Error('it was already read'));
    this.#used = true;
    this.bytesRead = 0;
    let opened: Opened;
    try {
      opened = await this.#open();
    } catch (error) {
      throw unreadable(this.path, error);
    }
    try {
      if (typeof opened.from === 'number')
        yield* this.#fileBlocks(opened.from, this.#fitting(blockSize), this.part?.plain ? this.part : null);
      else yield* this.#chunks(opened.from);
    } catch (error) {
      throw unreadable(this.path, error);
    } finally {
      await opened.close();
    }
  }

  /** Small files need no large buffers; one byte more, so that growth since the stat is seen. */
  #fitting(blockSize: number): number {
    if (this.size === null) return blockSize;
    return Math.min(blockSize, Math.max(this.size + 1, SMALLEST_BLOCK));
  }

  /**
   * What lies in the page cache is read by this thread, in pieces that stay in its processor's cache: 0.06 s a GB, where
   * another thread and a block from its cache cost 0.4 s. What has to come from a disk is read ahead by another thread.
   * BUGS: on a network file system that hangs, the first such read hears no signal.
   */
  async *#fileBlocks(
    fd: number,
    blockSize: number,
    part: Part | null,
  ): AsyncGenerator<Uint8Array, void, void> {
    const end = part?.to ?? Number.POSITIVE_INFINITY;
    const place = { at: part?.from ?? 0, positioned: part !== null };
    let own: Uint8Array | null = null;
    let turned = performance.now();
    let slow = 0;
    while (!this.stopped) {
      const block: Uint8Array =
        this.lent ?? (own ??= Buffer.allocUnsafeSlow(Math.min(blockSize, CACHED_BLOCK)));
      const most = Math.min(block.length, end - place.at);
      const began = performance.now();
      const length = most <= 0 ? 0 : readSync(fd, block, 0, most, place.positioned ? place.at : null);
      if (length === 0) return;
      const now = performance.now();
      // One alone may be another program's turn.
      slow = now - began > SLOW_READ ? slow + 1 : 0;
      place.at += length;
      this.bytesRead += length;
      yield block.subarray(0, length);
      if (slow > 2) {
        yield* this.#readAhead(fd, blockSize, place, end);
        slow = 0;
      } else if (now - turned > TURN_EVERY) {
        // Keys, signals and other threads are heard.
        await setImmediate();
        turned = performance.now();
      }
    }
  }

  /** Two buffers: the next read is under way while the caller works on the block. Some blocks, then the caller looks again. */
  async *#readAhead(
    fd: number,
    blockSize: number,
    place: { at: number; readonly positioned: boolean },
    end: number,
  ): AsyncGenerator<Uint8Array, void, void> {
    let current = Buffer.allocUnsafeSlow(blockSize);
    let other = Buffer.allocUnsafeSlow(blockSize);
    const next = (buffer: Uint8Array): Promise<number> =>
      readInto(fd, buffer, place.positioned ? place.at : null, Math.min(buffer.length, end - place.at));
    let pending: Promise<number> | null = next(current);
    try {
      for (let blocks = 1; pending !== null && !this.stopped; blocks += 1) {
        const length: number = await pending;
        pending = null;
        if (length === 0) return;
        const block = current.subarray(0, length);
        [current, other] = [other, current];
        place.at += length;
        if (blocks < BLOCKS_AHEAD) pending = next(current);
        this.bytesRead += length;
        yield block;
      }
    } finally {
      // The kernel may still write into the buffer: do not close under it.
      await pending?.catch(() => 0);
    }
  }

  async *#chunks(stream: Readable): AsyncGenerator<Uint8Array, void, void> {
    this.#reading = stream;
    try {
      for await (const chunk of stream) {
        if (this.stopped) return;
        if (chunk.length === 0) continue;
        this.bytesRead += chunk.length;
        yield chunk;
      }
    } catch (error) {
      // A stream that we destroyed ends with a "premature close".
      if (!this.#lettingGo) throw error;
    } finally {
      this.#reading = null;
    }
  }
}

/**
 * Without a position, at the descriptor's own: standard input may be a file that somebody has read a part of.
 */
function readInto(fd: number, buffer: Uint8Array, position: number | null, most: number): Promise<number> {
  if (most <= 0) return Promise.resolve(0);
  const length = new Promise<number>((resolve, reject) => {
    read(fd, buffer, 0, most, position, (error, n) => (error ? reject(error) : resolve(n)));
  });
  // Awaited a block later: an error until then is not an unhandled one.
  length.catch(() => 0);
  return length;
}

export function identityOf(stat: Pick<Stats, 'dev' | 'ino'>): string {
  return `${stat.dev}:${stat.ino}`;
}

export function fileSource(path: string, stat: Pick<Stats, 'size' | 'mtimeMs' | 'dev' | 'ino'>): Source {
  return new Source({
    path,
    size: stat.size,
    mtime: stat.mtimeMs,
    identity: identityOf(stat),
    rereadable: true,
    open: async () => {
      const fd = await openFd(path, 'r');
      return { from: fd, close: () => closeFd(fd) };
    },
  });
}

/** The file of this name. Throws UnreadableInput. */
export function fileAt(path: string): Source {
  try {
    return fileSource(path, statSync(path));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** A named pipe, such as the shell's `<(...)`. */
export function fifoSource(path: string, stat: Pick<Stats, 'dev' | 'ino'>): Source {
  return new Source({
    path,
    identity: identityOf(stat),
    rereadable: false,
    open: async () => {
      const fd = await openFd(path, 'r');
      // A socket polls; a blocking read would hold a thread, and the exit of the process, until the writer speaks.
      return streamOf(new Socket({ fd, readable: true, writable: false }));
    },
  });
}

export async function stdinSource(path = '-'): Promise<Source> {
  const stat = await statFd(0).catch(() => null);
  const isFile = stat !== null && stat.isFile();
  return new Source({
    path,
    size: isFile ? stat.size : null,
    mtime: isFile ? stat.mtimeMs : null,
    identity: stat === null ? null : identityOf(stat),
    rereadable: false,
    open: () => (isFile ? { from: 0, close: () => {} } : streamOf(process.stdin)),
  });
}

/** Any stream of bytes, read once. */
export function streamSource(path: string, stream: Readable): Source {
  return new Source({ path, rereadable: false, open: () => streamOf(stream) });
}

function streamOf(stream: Readable): Opened {
  return {
    from: stream,
    close: () => {
      stream.destroy();
    },
  };
}
