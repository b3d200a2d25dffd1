/**
 * From what a log says about time to instants: the missing year, the missing zone, TAI.
 *
 * Owns the year and the zone of one stream of lines in file order. Must not know how a stamp is written.
 * log-formats.md 1.3 has the reasons. BUGS: a log that is silent for more than half a year is misplaced by a year.
 */
import { ZoneOffsets } from './zone-offsets.ts';

export { yearEvidence } from './year-evidence.ts';

const DAY = 86_400_000;
const HALF_YEAR = 180 * DAY;
/** Instants that a Date can hold. */
const LATEST = 8.64e15;

export interface ClockOptions {
  /** IANA name, "local", or fixed ("+02:00"): the zone of stamps that name none. */
  zone: string;
  /** Year of the first stamp without a year; null to infer it from `reference`. */
  year: number | null;
  /** The newest the log can be (ms): modification time of the file, or now. */
  reference: number;
  /** TAI64N label minus 2^62 minus Unix time, in seconds: 10 for multilog, 37 for s6-log's default build. */
  tai64Offset?: number;
  /** Instant of the last line read before (resume, or the file before this one); stronger than `year`. */
  previous?: number;
}

export class Clock {
  readonly tai64Offset: number;
  private readonly offsets: ZoneOffsets;
  private readonly firstYear: number | null;
  private readonly reference: number;
  /** Instant and local time of the last stamp that was not out of order across New Year; NaN at first. */
  private lastInstant = Number.NaN;
  private lastLocal = Number.NaN;
  private year = 0;
  private readonly options: ClockOptions;

  /** Throws RangeError for an unknown zone. */
  constructor(options: ClockOptions) {
    this.options = options;
    this.tai64Offset = options.tai64Offset ?? 10;
    this.offsets = new ZoneOffsets(options.zone);
    this.firstYear = options.year;
    this.reference = Number.isFinite(options.reference) ? options.reference : Date.now();
    if (options.previous !== undefined && Math.abs(options.previous) <= LATEST) {
      this.lastInstant = options.previous;
      this.lastLocal = this.offsets.local(options.previous);
      this.year = new Date(this.lastLocal).getUTCFullYear();
    }
  }

  /** All of the clock's memory: give it as `previous` to the clock that goes on. NaN before the first stamp. */
  get previous(): number {
    return this.lastInstant;
  }

  /** Another one for the same input, which knows what this one knows. */
  twin(): Clock {
    const twin = new Clock(this.options);
    twin.follow(this);
    return twin;
  }

  /** Knows what its twin knows. */
  follow(other: Clock): void {
    this.lastInstant = other.lastInstant;
    this.lastLocal = other.lastLocal;
    this.year = other.year;
  }

  /** What `yearless` does for a stamp of the minute of the last one, read by somebody else. */
  moveOn(instant: number): void {
    this.lastLocal += instant - this.lastInstant;
    this.lastInstant = instant;
  }

  /** A stamp without year and zone; month 0..11, `time` in ms since midnight. */
  yearless(month: number, day: number, time: number): number {
    if (Number.isNaN(this.lastLocal)) return this.first(month, day, time);
    const local = Date.UTC(this.year, month, day) + time;
    const step = local - this.lastLocal;
    if (step < -HALF_YEAR) return this.goOn(this.year + 1, Date.UTC(this.year + 1, month, day) + time);
    // December after January: an old line that came late. It does not set the clock.
    if (step > HALF_YEAR) {
      return this.offsets.instant(Date.UTC(this.year - 1, month, day) + time, Number.NaN);
    }
    return this.goOn(this.year, local);
  }

  /**
   * A stamp with year but without zone; `local` is what Date.UTC gives for its digits. One that no log can hold, or
   * half a year away from the lines around it (a damaged digit, text that looks like a stamp), does not set the clock:
   * every yearless stamp behind it would follow.
   */
  zoneless(local: number): number {
    if (Math.abs(local - this.lastLocal) > HALF_YEAR || local > this.reference + DAY) {
      return this.offsets.instant(local, Number.NaN);
    }
    return this.goOn(new Date(local).getUTCFullYear(), local);
  }

  /** Instant of a TAI64 label, given as its upper and lower 32 bits; NaN when it is none of our times. */
  tai64(high: number, low: number): number {
    const instant = ((high - 0x40000000) * 0x100000000 + low - this.tai64Offset) * 1000;
    return Math.abs(instant) <= LATEST ? instant : Number.NaN;
  }

  private first(month: number, day: number, time: number): number {
    const newest = this.reference + DAY;
    // One year more than the reference's: its local date may be a day ahead of UTC.
    let year = this.firstYear ?? new Date(newest).getUTCFullYear() + 1;
    const tooLate = () =>
      this.firstYear === null && this.offsets.instant(Date.UTC(year, month, day) + time, Number.NaN) > newest;
    const noSuchDay = () => month === 1 && day === 29 && !isLeap(year);
    while (noSuchDay() || tooLate()) year--;
    return this.goOn(year, Date.UTC(year, month, day) + time);
  }

  private goOn(year: number, local: number): number {
    this.year = year;
    this.lastLocal = local;
    this.lastInstant = this.offsets.instant(local, this.lastInstant);
    return this.lastInstant;
  }
}

function isLeap(year: number): boolean {
  return new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;
}
