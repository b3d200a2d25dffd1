/**
 * A stream of bytes that comes slowly, cut into lines by split2.
 *
 * Owns what keeps split2's lines equal to those of a batch run: bytes survive (it works on text, so a byte travels as
 * one latin1 character), over-long lines are dropped and told once, a partial last line waits. Must not know what
 * stands on a line.
 */
import type { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import split from 'split2';

/** As the splitter of batch runs has it. */
export const LONGEST_LINE = 262_144;
/** split2 looks at a line's length between two chunks; a chunk must be shorter than a line may be. */
const LONGEST_CHUNK = 65_536;

export interface LineSink {
  /** One line without its newline, a character per byte (latin1). */
  line(text: string): void;
  /** A line longer than LONGEST_LINE; it is dropped. */
  overlong(): void;
}

export class LineStream {
  readonly #stream: Transform;
  readonly #sink: LineSink;
  #skipping = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
    // Lines leave by the mapper: it returns nothing, so nothing is queued in the stream.
    const options: split.Options & { skipOverflow: boolean } = {
      maxLength: LONGEST_LINE,
      skipOverflow: true,
      decodeStrings: false,
    };
    this.#stream = split('\n', (line: string) => this.#line(line), options);
    this.#stream.resume();
  }

  /** Hands over the lines that these bytes complete, before it returns. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += LONGEST_CHUNK) {
      const piece = bytes.subarray(at, at + LONGEST_CHUNK);
      const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1');
      this.#stream.write(text);
      const overflow = (this.#stream as Transform & { overflow: boolean }).overflow;
      if (overflow && !this.#skipping) this.#sink.overlong();
      this.#skipping = overflow;
    }
  }

  /** No more bytes: what is left is a line without a newline. */
  async end(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream);
  }

  #line(text: string): undefined {
    if (text.length <= LONGEST_LINE) this.#sink.line(text);
    else if (!this.#skipping) this.#sink.overlong();
    return undefined;
  }
}
