/**
 * Local wall-clock time to instants in one zone, with both ends of summer time.
 *
 * Owns the zone (the only user of luxon among the lines). Knows nothing about stamps or years.
 * "Local" times are numbers: what Date.UTC would give for the same digits.
 */
import { FixedOffsetZone, Info, type Zone } from 'luxon';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** No zone is further from UTC, so a local day lies within this many hours of the UTC day of the same name. */
const WIDEST = 15 * HOUR;
/** Lines of one second may change places; a step back by more than this is the clock being put back. */
const REORDERING = MINUTE;

/** @param zone IANA name, "local", "UTC", or a fixed offset such as "+02:00". Throws RangeError for others. */
export function zoneNamed(zone: string): Zone {
  const fixed = /^(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d{2}))?$/i.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3] ?? 0);
    if (minutes * MINUTE > WIDEST) throw new RangeError(`unknown time zone: ${zone}`);
    return FixedOffsetZone.instance(fixed[1] === '-' ? -minutes : minutes);
  }
  const named = Info.normalizeZone(zone);
  if (!named.isValid) throw new RangeError(`unknown time zone: ${zone}`);
  return named;
}

export class ZoneOffsets {
  private readonly zone: Zone;
  // One local day is cached: its offsets (ms) before and after the change that lies in or next to it, and the
  // instant of the change. Luxon costs some 20 us a question; so it is asked twice a day instead of per line.
  private day = Number.NaN;
  private before = 0;
  private after = 0;
  private change = Number.POSITIVE_INFINITY;

  constructor(zone: string) {
    this.zone = zoneNamed(zone);
  }

  /**
   * The instant of a local time. `last` (NaN if unknown) is the instant of the line before: of the two readings
   * in the hour that comes twice, the earlier is taken until that would step back behind `last`.
   * A local time that was skipped is read with the offset from before the change.
   */
  instant(local: number, last: number): number {
    const day = Math.floor(local / DAY);
    if (day !== this.day) this.load(day);
    const first = local - this.before;
    if (this.before === this.after) return first;
    const second = local - this.after;
    if (second < this.change) return first;
    if (first >= this.change) return second;
    return first < last - REORDERING ? second : first;
  }

  /** The local time of an instant. */
  local(instant: number): number {
    return instant + this.offset(instant);
  }

  private offset(instant: number): number {
    return this.zone.offset(instant) * MINUTE;
  }

  private load(day: number): void {
    let low = day * DAY - WIDEST;
    let high = (day + 1) * DAY + WIDEST;
    this.day = day;
    this.before = this.offset(low);
    this.after = this.offset(high);
    this.change = Number.POSITIVE_INFINITY;
    if (this.before === this.after) return;
    while (high - low > 1000) {
      const middle = low + Math.floor((high - low) / 2000) * 1000;
      if (this.offset(middle) === this.before) low = middle;
      else high = middle;
    }
    this.change = high;
  }
}
