/**
 * Bytes to mails: one mail as it is, or the mails of an mbox (RFC 4155), told apart by the first line.
 *
 * Owns where a mail begins and ends, and how much of it is kept. Must not know MIME, bounces or files.
 */

/** What is kept of one mail. Notification, status and the original's header stand at the beginning of a bounce. */
export const MOST_BYTES = 4 << 20;
/** A line that has not ended after so much is no postmark. */
const LONGEST_POSTMARK = 1024;

const LF = 0x0a;
const CR = 0x0d;

export interface RawMail {
  /** At most MOST_BYTES of the mail, without an mbox's postmark. */
  readonly bytes: Uint8Array;
  /** Bytes that the mail really has, in its file. */
  readonly size: number;
  /** Its place in an mbox, from 1; null for a mail that is alone. */
  readonly number: number | null;
}

/** The mails, one by one; memory holds one of them at a time. Empty input has no mail. */
export async function* splitMails(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<RawMail, void, void> {
  const splitter = new Splitter();
  for await (const block of blocks) yield* splitter.push(block);
  yield* splitter.end();
}

class Splitter {
  #mbox: boolean | null = null;
  /** The part of a line that the last block ended with: it may become a postmark. */
  #carry: Uint8Array = new Uint8Array(0);
  #midLine = false;
  #afterBlank = true;
  #count = 0;
  #pieces: Uint8Array[] = [];
  #kept = 0;
  #size = 0;

  *push(block: Uint8Array): IterableIterator<RawMail> {
    const bytes = this.#carry.length === 0 ? block : Buffer.concat([this.#carry, block]);
    this.#carry = new Uint8Array(0);
    if (this.#mbox === null) {
      if (bytes.length < 5) {
        this.#carry = copyOf(bytes, 0, bytes.length);
        return;
      }
      this.#mbox = startsWithFrom(bytes, 0);
    }
    if (!this.#mbox) {
      this.#keep(bytes, 0, bytes.length);
      return;
    }
    let from = 0;
    let at = 0;
    while (at < bytes.length) {
      const newline = bytes.indexOf(LF, at);
      const end = newline < 0 ? bytes.length : newline;
      if (newline < 0 && !this.#midLine && end - at < LONGEST_POSTMARK) {
        this.#keep(bytes, from, at);
        this.#carry = copyOf(bytes, at, bytes.length);
        return;
      }
      if (!this.#midLine && this.#afterBlank && (this.#count === 0 || isPostmark(bytes, at, end))) {
        this.#keep(bytes, from, at);
        if (this.#count > 0) yield this.#take();
        this.#count += 1;
        from = newline < 0 ? end : end + 1;
      }
      this.#afterBlank = !this.#midLine && (end === at || (end === at + 1 && bytes[at] === CR));
      this.#midLine = newline < 0;
      at = end + 1;
    }
    this.#keep(bytes, from, bytes.length);
  }

  *end(): IterableIterator<RawMail> {
    const rest = this.#carry;
    if (this.#mbox && !this.#midLine && this.#afterBlank && isPostmark(rest, 0, rest.length)) {
      if (this.#count > 0) yield this.#take();
      return;
    }
    this.#keep(rest, 0, rest.length);
    if (this.#size > 0) yield this.#take();
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start) return;
    this.#size += end - start;
    const room = Math.min(end - start, MOST_BYTES - this.#kept);
    if (room <= 0) return;
    this.#pieces.push(copyOf(bytes, start, start + room));
    this.#kept += room;
  }

  #take(): RawMail {
    const mail: RawMail = {
      bytes: Buffer.concat(this.#pieces),
      size: this.#size,
      number: this.#mbox ? this.#count : null,
    };
    this.#pieces = [];
    this.#kept = 0;
    this.#size = 0;
    return mail;
  }
}

/** The block's memory is used again; and slice() of a Buffer is no copy. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

function startsWithFrom(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x46 &&
    bytes[at + 1] === 0x72 &&
    bytes[at + 2] === 0x6f &&
    bytes[at + 3] === 0x6d &&
    bytes[at + 4] === 0x20
  );
}

/** `From MAILER-DAEMON Sat Nov 21 01:57:40 2026`: a time and a year, or it is text that a mail begins a line with. */
function isPostmark(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > LONGEST_POSTMARK || !startsWithFrom(bytes, start)) return false;
  const line = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  return / \d{1,2}:\d\d(?::\d\d)? (?:[A-Z+-][A-Za-z0-9]{0,5} )?\d{4}/.test(line);
}
