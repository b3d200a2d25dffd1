/**
 * Time stamps in every shape of log-formats.md 1.1, read from bytes.
 *
 * Owns how a stamp is written; the clock owns what it means when year or zone is missing. Never throws.
 */
import {
  AT,
  COLON,
  COMMA,
  DASH,
  DOT,
  decimal,
  digitsEnd,
  HEX,
  isBlank,
  isDigit,
  isLetter,
  needle,
  PLUS,
  SPACE,
  skipBlanks,
  startsWith,
  twoDigits,
  UNDERSCORE,
  UPPER_T,
  UPPER_Z,
  wordEnd,
} from './bytes.ts';
import type { Clock } from './clock.ts';

const MINUTE = 60_000;
const LONGEST_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map(
  needle,
);
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].map(needle);
const UTC_NAMES = ['UTC', 'GMT', 'Z'].map(needle);

/** No zone was read. */
const NO_ZONE = Number.NaN;

/** Month 0..11 whose English short name stands at `at`, or -1. */
export function monthAt(bytes: Uint8Array, at: number, end: number): number {
  return MONTHS.findIndex((month) => startsWith(bytes, at, end, month));
}

/** One reused object: reads one stamp and says where it ended and what it was. */
export class StampReader {
  /** First byte after the stamp. */
  end = 0;
  /** The instant of the stamp (ms). */
  instant = Number.NaN;
  /** The stamp named its instant by itself: no year and no zone had to be supplied. */
  absolute = false;
  /**
   * The stamp of a program that writes no host and tag behind it (multilog, tai64nlocal, s6-log, svlogd), or of
   * one that may do so (plain epoch, Docker's and CRI's nanoseconds).
   */
  bare = false;
  /** Digits of the fraction, 0 without one. */
  precision = 0;

  private readonly clock: Clock;
  /** Milliseconds of the fraction read last. */
  private fraction = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Reads a stamp at `at`; false if there is none. Nothing is said about the byte behind it but that it is blank. */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    this.absolute = false;
    this.bare = false;
    this.precision = 0;
    const byte = bytes[at];
    let found = false;
    if (byte === AT) found = this.tai64n(bytes, at, end);
    else if (isDigit(byte))
      found = this.iso(bytes, at, end) || this.yearFirst(bytes, at, end) || this.epoch(bytes, at, end);
    else if (isLetter(byte)) found = this.classic(bytes, at, end) || this.weekday(bytes, at, end);
    return found && (this.end >= end || isBlank(bytes[this.end]));
  }

  /** `Nov  1 04:05:06`, `Nov 01 …`, `Nov 1 …`, `… 04:05:06.123456`, `Nov 01 2026 04:05:06`. */
  private classic(bytes: Uint8Array, at: number, end: number): boolean {
    const month = monthAt(bytes, at, end);
    if (month < 0 || bytes[at + 3] !== SPACE) return false;
    const dayStart = skipBlanks(bytes, at + 4, end);
    const dayEnd = digitsEnd(bytes, dayStart, end);
    const day = dayEnd - dayStart <= 2 ? decimal(bytes, dayStart, dayEnd) : -1;
    if (day < 1 || day > LONGEST_MONTH[month] || bytes[dayEnd] !== SPACE) return false;
    let timeStart = dayEnd + 1;
    const yearEnd = digitsEnd(bytes, timeStart, end);
    const hasYear = yearEnd - timeStart === 4;
    const year = hasYear ? decimal(bytes, timeStart, yearEnd) : 0;
    if (hasYear) timeStart = yearEnd + 1;
    const time = this.timeOfDay(bytes, timeStart, end);
    if (time < 0) return false;
    this.instant =
      (hasYear
        ? this.clock.zoneless(Date.UTC(year, month, day) + time)
        : this.clock.yearless(month, day, time)) + this.fraction;
    return true;
  }

  /** `2013 Jun 16 16:05:07.123`. */
  private yearFirst(bytes: Uint8Array, at: number, end: number): boolean {
    if (digitsEnd(bytes, at, end) !== at + 4 || bytes[at + 4] !== SPACE) return false;
    const month = monthAt(bytes, at + 5, end);
    if (month < 0 || bytes[at + 8] !== SPACE) return false;
    const dayStart = skipBlanks(bytes, at + 9, end);
    const dayEnd = digitsEnd(bytes, dayStart, end);
    const day = dayEnd - dayStart <= 2 ? decimal(bytes, dayStart, dayEnd) : -1;
    if (day < 1 || day > LONGEST_MONTH[month] || bytes[dayEnd] !== SPACE) return false;
    const year = decimal(bytes, at, at + 4);
    const time = this.timeOfDay(bytes, dayEnd + 1, end);
    if (time < 0 || year < 1900) return false;
    this.instant = this.clock.zoneless(Date.UTC(year, month, day) + time) + this.fraction;
    return true;
  }

  /** `2026-11-21T01:51:04.366563+00:00`, `… 01:51:04.366563500`, `…_01:51:04.36656`; zone optional. */
  private iso(bytes: Uint8Array, at: number, end: number): boolean {
    const date = isoDate(bytes, at, end);
    const separator = bytes[at + 10];
    if (Number.isNaN(date) || (separator !== UPPER_T && separator !== SPACE && separator !== UNDERSCORE))
      return false;
    const time = this.timeOfDay(bytes, at + 11, end);
    if (time < 0) return false;
    let zone = this.zone(bytes, this.end, end);
    // svlogd writes UTC with five digits behind the point: -tt with an underscore, -ttt with a T.
    const isSvlogd =
      Number.isNaN(zone) && (separator === UNDERSCORE || (separator === UPPER_T && this.precision === 5));
    if (isSvlogd) zone = 0;
    this.absolute = !Number.isNaN(zone);
    this.instant = (this.absolute ? date + time - zone : this.clock.zoneless(date + time)) + this.fraction;
    this.bare = this.precision === 9 || isSvlogd;
    return true;
  }

  /** `Sat 2026-11-21 01:58:41 UTC` (journalctl short-full). */
  private weekday(bytes: Uint8Array, at: number, end: number): boolean {
    if (!WEEKDAYS.some((day) => startsWith(bytes, at, end, day)) || bytes[at + 3] !== SPACE) return false;
    const date = isoDate(bytes, at + 4, end);
    if (Number.isNaN(date) || bytes[at + 14] !== SPACE) return false;
    const time = this.timeOfDay(bytes, at + 15, end);
    if (time < 0 || bytes[this.end] !== SPACE) return false;
    const nameStart = this.end + 1;
    const nameEnd = wordEnd(bytes, nameStart, end);
    const numeric = this.zone(bytes, nameStart, nameEnd);
    const isUtc = UTC_NAMES.some(
      (name) => name.length === nameEnd - nameStart && startsWith(bytes, nameStart, end, name),
    );
    this.end = nameEnd;
    this.absolute = isUtc || !Number.isNaN(numeric);
    // journalctl prints in the zone of its machine; "CET" says no more than that.
    const local = date + time;
    this.instant =
      (isUtc ? local : this.absolute ? local - numeric : this.clock.zoneless(local)) + this.fraction;
    return true;
  }

  /** `1054189746.123136`. */
  private epoch(bytes: Uint8Array, at: number, end: number): boolean {
    const secondsEnd = digitsEnd(bytes, at, end);
    if (secondsEnd - at < 9 || secondsEnd - at > 10 || bytes[secondsEnd] !== DOT) return false;
    this.fractionAt(bytes, secondsEnd, end);
    if (this.precision === 0) return false;
    this.instant = decimal(bytes, at, secondsEnd) * 1000 + this.fraction;
    this.absolute = true;
    this.bare = true;
    return true;
  }

  /** `@400000006b00fa5d05fc2484`; also TAI64 (16 digits) and TAI64NA (32). */
  private tai64n(bytes: Uint8Array, at: number, end: number): boolean {
    const digitsStart = at + 1;
    let digitsStop = digitsStart;
    while (digitsStop < end && HEX[bytes[digitsStop]] >= 0) digitsStop++;
    const digits = digitsStop - digitsStart;
    if (digits !== 16 && digits !== 24 && digits !== 32) return false;
    const nanoseconds = digits >= 24 ? hex32(bytes, digitsStart + 16) : 0;
    this.instant =
      this.clock.tai64(hex32(bytes, digitsStart), hex32(bytes, digitsStart + 8)) + nanoseconds / 1e6;
    this.precision = digits >= 24 ? 9 : 0;
    this.absolute = true;
    this.bare = true;
    this.end = digitsStop;
    return true;
  }

  /** `04:05:06` with optional fraction: milliseconds of the whole seconds, or -1. Sets end, fraction, precision. */
  private timeOfDay(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < 8 || bytes[at + 2] !== COLON || bytes[at + 5] !== COLON) return -1;
    const hour = twoDigits(bytes, at);
    const minute = twoDigits(bytes, at + 3);
    const second = twoDigits(bytes, at + 6);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return -1;
    this.fractionAt(bytes, at + 8, end);
    return ((hour * 60 + minute) * 60 + second) * 1000;
  }

  /** `.123456` or `,123`: sets fraction (ms), precision and end. */
  private fractionAt(bytes: Uint8Array, at: number, end: number): void {
    this.fraction = 0;
    this.precision = 0;
    this.end = at;
    if (bytes[at] !== DOT && bytes[at] !== COMMA) return;
    const stop = digitsEnd(bytes, at + 1, end);
    const precision = stop - at - 1;
    if (precision < 1 || precision > 9) return;
    this.precision = precision;
    this.fraction = (decimal(bytes, at + 1, stop) * 1000) / 10 ** precision;
    this.end = stop;
  }

  /** `Z`, `+00:00`, `+0000`, `+00`: offset in ms, NaN if none. Sets end. */
  private zone(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) return NO_ZONE;
    if (bytes[at] === UPPER_Z) {
      this.end = at + 1;
      return 0;
    }
    const negative = bytes[at] === DASH;
    if ((!negative && bytes[at] !== PLUS) || end - at < 3) return NO_ZONE;
    const hours = twoDigits(bytes, at + 1);
    if (hours < 0 || hours > 18) return NO_ZONE;
    let next = at + 3;
    if (next < end && bytes[next] === COLON) next++;
    let minutes = end - next >= 2 ? twoDigits(bytes, next) : -1;
    if (minutes < 0 || minutes > 59) {
      minutes = 0;
      next = at + 3;
    } else next += 2;
    this.end = next;
    return (negative ? -1 : 1) * (hours * 60 + minutes) * MINUTE;
  }
}

/** `2026-11-21` as its midnight (UTC, ms), NaN if there is none. */
function isoDate(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 10 || bytes[at + 4] !== DASH || bytes[at + 7] !== DASH) return Number.NaN;
  const year = decimal(bytes, at, at + 4);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if (year < 1900 || month < 1 || month > 12 || day < 1 || day > LONGEST_MONTH[month - 1]) return Number.NaN;
  return Date.UTC(year, month - 1, day);
}

/** Eight hexadecimal digits. */
function hex32(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) value = value * 16 + HEX[bytes[i]];
  return value;
}
