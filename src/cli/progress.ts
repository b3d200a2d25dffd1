/**
 * How far the run is, on standard error while it is a terminal: bytes of total, rate, time left.
 *
 * Owns one line of the screen, at most 4 times a second, and clears it at the end. Has no timer: it draws when told of
 * bytes, so it holds no process open and costs a comparison otherwise.
 */
import { byteSize } from '../outputs/figures.ts';
import { truncate } from '../outputs/width.ts';

/** 4 Hz. */
const PERIOD = 250;
const CLEAR = '\r\x1b[K';

export interface ProgressOptions {
  /** Bytes to come; null when nobody knows (a pipe). */
  readonly total: number | null;
  /** False for --no-progress. */
  readonly wanted: boolean;
  readonly stream?: ProgressStream;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Progress {
  private readonly total: number | null;
  private readonly stream: ProgressStream;
  private readonly now: () => number;
  private readonly active: boolean;
  private readonly start: number;
  private drawn = false;
  private last: number;
  private bytes = 0;

  constructor(options: ProgressOptions) {
    this.total = options.total;
    this.stream = options.stream ?? process.stderr;
    this.now = options.now ?? (() => performance.now());
    this.active = options.wanted && this.stream.isTTY === true && process.env.TERM !== 'dumb';
    this.start = this.now();
    this.last = this.start;
  }

  /** So many more bytes were read. */
  add(bytes: number): void {
    this.bytes += bytes;
    if (!this.active) return;
    const now = this.now();
    if (now - this.last < PERIOD) return;
    this.last = now;
    this.drawn = true;
    const columns = this.stream.columns ?? 80;
    this.stream.write(CLEAR + truncate(this.line(now), columns - 1));
  }

  /** Takes the line off the screen: at the end, and before anything else is written to standard error. */
  clear(): void {
    if (!this.drawn) return;
    this.drawn = false;
    this.stream.write(CLEAR);
  }

  private line(now: number): string {
    const rate = this.bytes / ((now - this.start) / 1000);
    const speed = `${(rate / 1e6).toFixed(1)} MB/s`;
    if (this.total === null) return `${byteSize(this.bytes)}, ${speed}`;
    // A growing file can have more than it was said to have.
    const total = Math.max(this.total, this.bytes);
    const part = total === 0 ? 100 : Math.floor((this.bytes / total) * 100);
    const left = rate === 0 ? '' : `, ${duration((total - this.bytes) / rate)} left`;
    return `${byteSize(this.bytes)} of ${byteSize(total)} (${part} %), ${speed}${left}`;
  }
}

/** "8 s", "3 min 05 s", "2 h 07 min". */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
