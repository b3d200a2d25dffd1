// Writes stamped lines to a file, in big blocks: one is filled while the other is on its way to the disk, so memory
// stays at two blocks and the disk's pace is the back-pressure. Owns stamps and hosts; knows no MTA.
import { open } from 'node:fs/promises';

const BLOCK = 1 << 20;
/** Longer ropes of string pieces survive more garbage collections (64 KB costs 10 % more, 1 MB doubles it). */
const ROPE = 1 << 14;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const THREE_DIGITS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));
/** TAI64 label of the Unix epoch as daemontools writes it: 2^62 + 10. */
const TAI_EPOCH = (1n << 62n) + 10n;

/** @param {number} micros below one million */
const sixDigits = (micros) => THREE_DIGITS[Math.floor(micros / 1000)] + THREE_DIGITS[micros % 1000];

/**
 * `rfc3164`: `Nov 21 01:46:14 host `; `rfc3339`: `2026-11-21T01:46:14.123456+00:00 host `; both followed by `tag`,
 * and for qmail by splogger's own decimal stamp. `tai64n`: multilog's stamp alone.
 * @typedef {'rfc3164' | 'rfc3339' | 'tai64n'} StampFormat
 */

export class LogWriter {
  #file;
  #block = Buffer.allocUnsafe(2 * BLOCK);
  #spare = Buffer.allocUnsafe(2 * BLOCK);
  #writing = Promise.resolve();
  #used = 0;
  #rope = '';
  #flushed = 0;
  #agenda;
  #format;
  #host;
  #splogger;
  #second = 0;
  #secondFrom = 0;
  #secondTo = 0;
  #lastMicros = 0;
  #secondText = '';
  #minuteFrom = 0;
  #minuteText = '';
  #compactMinute = '';
  #compact = '';

  lines = 0;

  /**
   * @param {import('node:fs/promises').FileHandle} file
   * @param {import('./agenda.mjs').Agenda} agenda
   * @param {{ format: StampFormat, host: string, splogger?: boolean }} options
   */
  constructor(file, agenda, { format, host, splogger = false }) {
    this.#file = file;
    this.#agenda = agenda;
    this.#format = format;
    this.#host = host;
    this.#splogger = splogger;
  }

  get bytes() {
    return this.#flushed + this.#used + this.#rope.length;
  }

  /** Whether this format has a place for other programs' lines. */
  get takesForeign() {
    return this.#format !== 'tai64n';
  }

  /** `20261121014614`, as in message ids. */
  get compactDate() {
    this.#enterSecond(this.#agenda.now);
    return this.#compact;
  }

  /** @param {string} text tag, pid and message */
  line(text) {
    this.#write(this.#stamp(true) + text);
  }

  /** @param {string} text of qmail-send: under splogger or multilog */
  qmailLine(text) {
    this.#write(this.#stamp(false) + text);
  }

  /** Whether it is time for `flush()`. */
  get blockIsFull() {
    return this.#used >= BLOCK;
  }

  /** Resolves when the next block may be filled; the last one is still being written then. */
  async flush() {
    await this.#writing;
    const full = this.#block.subarray(0, this.#used);
    [this.#block, this.#spare] = [this.#spare, this.#block];
    this.#flushed += this.#used;
    this.#used = 0;
    this.#writing = writeAll(this.#file, full);
  }

  async close() {
    this.#collect();
    await this.flush();
    await this.#writing;
    await this.#file.close();
  }

  /** @param {string} line */
  #write(line) {
    this.#rope += `${line}\n`;
    this.lines++;
    if (this.#rope.length >= ROPE) this.#collect();
  }

  #collect() {
    this.#used += this.#block.latin1Write(this.#rope, this.#used);
    this.#rope = '';
  }

  /** @param {boolean} foreign not qmail-send's */
  #stamp(foreign) {
    if (this.#format === 'rfc3164' && !this.#splogger) {
      this.#enterSecond(this.#agenda.now);
      return this.#secondText;
    }
    // Lines of one step are some microseconds apart, and never go back.
    const micros = Math.max(this.#agenda.now, this.#lastMicros + 7);
    this.#lastMicros = micros;
    this.#enterSecond(micros);
    const fraction = micros % 1_000_000;
    if (this.#format === 'tai64n') {
      return `${this.#secondText}${(fraction * 1000).toString(16).padStart(8, '0')} `;
    }
    const head =
      this.#format === 'rfc3164'
        ? this.#secondText
        : `${this.#secondText}${sixDigits(fraction)}+00:00 ${this.#host} `;
    return this.#splogger && !foreign ? `${head}qmail: ${this.#second}.${sixDigits(fraction)} ` : head;
  }

  /** @param {number} micros */
  #enterSecond(micros) {
    if (micros >= this.#secondFrom && micros < this.#secondTo) return;
    const second = Math.floor(micros / 1_000_000);
    this.#second = second;
    this.#secondFrom = second * 1_000_000;
    this.#secondTo = this.#secondFrom + 1_000_000;
    if (second < this.#minuteFrom || second >= this.#minuteFrom + 60) this.#enterMinute(second);
    const seconds = THREE_DIGITS[second - this.#minuteFrom].slice(1);
    this.#compact = this.#compactMinute + seconds;
    if (this.#format === 'rfc3164') this.#secondText = `${this.#minuteText}${seconds} ${this.#host} `;
    else if (this.#format === 'rfc3339') this.#secondText = `${this.#minuteText}${seconds}.`;
    else this.#secondText = `@${(TAI_EPOCH + BigInt(second)).toString(16)}`;
  }

  /** Date formatting takes microseconds: once a minute. @param {number} second */
  #enterMinute(second) {
    this.#minuteFrom = second - (second % 60);
    const date = new Date(this.#minuteFrom * 1000);
    const iso = date.toISOString();
    this.#compactMinute = iso.slice(0, 16).replace(/[-T:]/g, '');
    const day = String(date.getUTCDate()).padStart(2, ' ');
    this.#minuteText =
      this.#format === 'rfc3164'
        ? `${MONTHS[date.getUTCMonth()]} ${day} ${iso.slice(11, 17)}`
        : iso.slice(0, 17);
  }
}

/** @param {import('node:fs/promises').FileHandle} file @param {Buffer} bytes */
async function writeAll(file, bytes) {
  for (let from = 0; from < bytes.length; ) from += (await file.write(bytes, from)).bytesWritten;
}

/** @param {string} path */
export const createFile = (path) => open(path, 'w');
