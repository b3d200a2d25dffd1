/**
 * Looks into the middle of plain files: where lines begin, what stands before a place.
 *
 * Owns positions of newlines in files. Must not know what a line says.
 */
import { type FileHandle, open } from 'node:fs/promises';

const NEWLINE = 10;
const STEP = 1 << 16;

/** A plain file that is looked into; to be closed. */
export class PlainFile {
  readonly #file: FileHandle;
  readonly size: number;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  static async open(path: string): Promise<PlainFile> {
    const file = await open(path, 'r');
    return new PlainFile(file, (await file.stat()).size);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Up to `length` bytes from `at` on. */
  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.size - at)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  /** Where the first line that begins at or behind `at` begins; the file's size where none does. */
  async lineStart(at: number): Promise<number> {
    if (at <= 0) return 0;
    for (let from = at - 1; from < this.size; from += STEP) {
      const bytes = await this.read(from, STEP);
      const newline = bytes.indexOf(NEWLINE);
      if (newline >= 0) return from + newline + 1;
      if (bytes.length === 0) break;
    }
    return this.size;
  }

  /** Behind the last newline before `end`; 0 where there is none. */
  async lastLineEnd(end: number): Promise<number> {
    for (let to = Math.min(end, this.size); to > 0; ) {
      const from = Math.max(0, to - STEP);
      const newline = (await this.read(from, to - from)).lastIndexOf(NEWLINE);
      if (newline >= 0) return from + newline + 1;
      to = from;
    }
    return 0;
  }

  /** Whole lines that end at `end` (a line's beginning), up to `length` bytes of them. */
  async linesBefore(end: number, length: number): Promise<Buffer> {
    const from = await this.lineStart(Math.max(0, end - length));
    return from < end ? this.read(from, end - from) : Buffer.alloc(0);
  }
}
