/**
 * Numbers and times as people read them. Text and HTML only: machine formats are exact.
 */
import { DateTime } from 'luxon';
import { zoneNamed } from '../lines/zone-offsets.ts';

/** 1234567 -> "1,234,567". */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "1 message", "2 messages". */
export function counted(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** "15.0 %"; "" when there is nothing to be part of. Never says 0 or 100 when that is only nearly so. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '';
  const rounded = ((part / whole) * 100).toFixed(1);
  if (rounded === '0.0' && part > 0) return '<0.1 %';
  if (rounded === '100.0' && part < whole) return '>99.9 %';
  return `${rounded} %`;
}

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** 1234567 -> "1.2 MB" (decimal units, as disks and networks count). */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return counted(bytes, 'byte');
  let size = bytes / 1000;
  let unit = 0;
  while (size >= 999.95 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size.toFixed(1)} ${UNITS[unit]}`;
}

/** "2026-07-01 09:30:00" in a zone (IANA name, "local", "+02:00"); UTC when there is none. */
export function localTime(iso: string, zone = 'UTC', format = 'yyyy-LL-dd HH:mm:ss'): string {
  // A locale that is named need not be found out, which takes 20 to 40 ms; digits are all that is asked for.
  return DateTime.fromISO(iso, { zone: zoneNamed(zone), locale: 'en-US' }).toFormat(format);
}

/** What to call the zone beside a time: "UTC", "Europe/Berlin", "UTC+2"; "local time" where TZ names a file or nothing known. */
export function zoneName(zone = 'UTC'): string {
  // luxon asks without a locale (see localTime).
  if (zone === 'local') return new Intl.DateTimeFormat('en-US').resolvedOptions().timeZone ?? 'local time';
  return zoneNamed(zone).name;
}
