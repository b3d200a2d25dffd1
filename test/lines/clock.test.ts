import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { Clock, type ClockOptions } from '../../src/lines/clock.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Days of 2026 on which summer time begins or ends in one of the zones below, and an ordinary one. */
const CHANGES_NEAR = ['03-08', '03-29', '04-05', '07-01', '10-04', '10-25', '11-01'].map((day) =>
  Date.parse(`2026-${day}T00:00Z`),
);

/** A clock that reads `Oct 25 02:59:59`. */
class Stamps {
  readonly clock: Clock;

  constructor(options: Partial<ClockOptions> = {}) {
    this.clock = new Clock({ zone: 'UTC', year: null, reference: Date.UTC(2026, 10, 21), ...options });
  }

  instant(stamp: string): number {
    const [month, day, time] = stamp.split(/ +/);
    const [hour, minute, second] = time.split(':').map(Number);
    return this.clock.yearless(
      MONTHS.indexOf(month),
      Number(day),
      ((hour * 60 + minute) * 60 + second) * 1000,
    );
  }

  iso(stamp: string): string {
    return new Date(this.instant(stamp)).toISOString().replace('.000Z', 'Z');
  }
}

describe('the year', () => {
  it('is the latest in which the first stamp is no more than a day behind the reference', () => {
    expect(new Stamps().iso('Nov 21 10:00:00')).toBe('2026-11-21T10:00:00Z');
    expect(new Stamps().iso('Nov 22 00:00:00')).toBe('2026-11-22T00:00:00Z');
    expect(new Stamps().iso('Nov 22 00:00:01')).toBe('2025-11-22T00:00:01Z');
    const newYear = { reference: Date.UTC(2026, 11, 31, 23, 30), zone: 'Asia/Tokyo' };
    expect(new Stamps(newYear).iso('Jan  1 08:00:00')).toBe('2026-12-31T23:00:00Z');
  });

  it('is the given one for the first stamp', () => {
    expect(new Stamps({ year: 2020 }).iso('Jul 15 10:15:31')).toBe('2020-07-15T10:15:31Z');
  });

  it('rolls over from December to January', () => {
    const stamps = new Stamps({ year: 2025 });
    expect(stamps.iso('Dec 31 23:59:59')).toBe('2025-12-31T23:59:59Z');
    expect(stamps.iso('Jan  1 00:00:00')).toBe('2026-01-01T00:00:00Z');
    expect(stamps.iso('Dec 31 10:00:00')).toBe('2025-12-31T10:00:00Z');
    expect(stamps.iso('Jan  1 00:00:01')).toBe('2026-01-01T00:00:01Z');
    expect(stamps.iso('May  1 00:00:01')).toBe('2026-05-01T00:00:01Z');
    expect(stamps.iso('Dec 31 00:00:01')).toBe('2025-12-31T00:00:01Z');
    expect(stamps.iso('Oct  1 00:00:01')).toBe('2026-10-01T00:00:01Z');
    expect(stamps.iso('Jan  3 00:00:01')).toBe('2027-01-03T00:00:01Z');
  });

  it('takes a line of December behind January for the old year, and only that line', () => {
    const stamps = new Stamps({ year: 2026 });
    stamps.instant('Jan  1 00:00:02');
    expect(stamps.iso('Dec 31 23:59:59')).toBe('2025-12-31T23:59:59Z');
    expect(stamps.iso('Dec 31 23:59:58')).toBe('2025-12-31T23:59:58Z');
    expect(stamps.iso('Jan  1 00:00:03')).toBe('2026-01-01T00:00:03Z');
  });

  it('does not change for smaller steps back', () => {
    const stamps = new Stamps();
    stamps.instant('Nov 21 10:00:00');
    expect(stamps.iso('Nov 21 09:00:00')).toBe('2026-11-21T09:00:00Z');
    expect(stamps.iso('Aug 21 09:00:00')).toBe('2026-08-21T09:00:00Z');
    expect(stamps.iso('Nov 21 10:00:01')).toBe('2026-11-21T10:00:01Z');
  });

  it('is a leap year if the first stamp is of February 29', () => {
    expect(new Stamps().iso('Feb 29 12:00:00')).toBe('2024-02-29T12:00:00Z');
    expect(new Stamps({ year: 2026 }).iso('Feb 29 12:00:00')).toBe('2024-02-29T12:00:00Z');
    expect(new Stamps({ reference: Date.UTC(2103, 1, 1) }).iso('Feb 29 12:00:00')).toBe(
      '2096-02-29T12:00:00Z',
    );
  });

  it('does not follow a stamp with a damaged year', () => {
    const stamps = new Stamps({ reference: Date.UTC(2026, 10, 22) });
    expect(stamps.iso('Nov 21 10:00:00')).toBe('2026-11-21T10:00:00Z');
    for (const year of [1926, 2025, 2027, 9026]) {
      expect(stamps.clock.zoneless(Date.UTC(year, 10, 21, 10))).toBe(Date.UTC(year, 10, 21, 10));
      expect(stamps.iso('Nov 21 10:00:01')).toBe('2026-11-21T10:00:01Z');
    }
  });

  it('goes on behind the instant that another clock ended with', () => {
    const before = new Stamps({ year: 2019, zone: 'Europe/Berlin' });
    before.instant('Dec 31 23:59:59');
    const after = new Stamps({ zone: 'Europe/Berlin', previous: before.clock.previous });
    expect(after.iso('Jan  1 00:00:00')).toBe('2019-12-31T23:00:00Z');
  });
});

describe('the zone', () => {
  const berlin = { zone: 'Europe/Berlin', year: 2026 };

  it('has both passes of the hour that comes twice', () => {
    const stamps = new Stamps(berlin);
    expect(stamps.iso('Oct 25 01:59:59')).toBe('2026-10-24T23:59:59Z');
    expect(stamps.iso('Oct 25 02:00:00')).toBe('2026-10-25T00:00:00Z');
    expect(stamps.iso('Oct 25 02:59:59')).toBe('2026-10-25T00:59:59Z');
    expect(stamps.iso('Oct 25 02:59:57')).toBe('2026-10-25T00:59:57Z');
    expect(stamps.iso('Oct 25 02:00:00')).toBe('2026-10-25T01:00:00Z');
    expect(stamps.iso('Oct 25 02:59:59')).toBe('2026-10-25T00:59:59Z');
    expect(stamps.iso('Oct 25 02:00:01')).toBe('2026-10-25T01:00:01Z');
    expect(stamps.iso('Oct 25 02:30:00')).toBe('2026-10-25T01:30:00Z');
    expect(stamps.iso('Oct 25 02:29:58')).toBe('2026-10-25T01:29:58Z');
    expect(stamps.iso('Oct 25 03:00:00')).toBe('2026-10-25T02:00:00Z');
  });

  it('reads times that were skipped in spring, with the offset from before', () => {
    const stamps = new Stamps(berlin);
    expect(stamps.iso('Mar 29 01:59:59')).toBe('2026-03-29T00:59:59Z');
    expect(stamps.iso('Mar 29 02:30:00')).toBe('2026-03-29T01:30:00Z');
    expect(stamps.iso('Mar 29 03:00:00')).toBe('2026-03-29T01:00:00Z');
  });

  it('agrees with luxon around all changes of a year, also where the change is half an hour', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC']) {
      const { clock } = new Stamps({ zone, year: 2026 });
      for (let hour = 0; hour < 365 * 24; hour++) {
        const local = Date.UTC(2026, 0, 1, hour, 10);
        if (!CHANGES_NEAR.some((day) => Math.abs(local - day) < 2 * 86_400_000)) continue;
        const date = new Date(local);
        const expected = DateTime.fromObject(
          {
            year: date.getUTCFullYear(),
            month: date.getUTCMonth() + 1,
            day: date.getUTCDate(),
            hour: date.getUTCHours(),
            minute: 10,
          },
          { zone },
        );
        // Luxon moves skipped times, and may choose the later reading of a time that comes twice.
        const readings = [
          ...expected.getPossibleOffsets().map((time) => time.toMillis()),
          expected.toMillis(),
        ];
        expect(readings, `${zone} ${date.toISOString()}`).toContain(clock.zoneless(local));
      }
    }
  });

  it('may be a fixed offset', () => {
    expect(new Stamps({ zone: '+02:00' }).iso('Nov 21 02:00:00')).toBe('2026-11-21T00:00:00Z');
    expect(new Stamps({ zone: '-0330' }).iso('Nov 21 02:00:00')).toBe('2026-11-21T05:30:00Z');
    expect(new Stamps({ zone: 'UTC+1' }).iso('Nov 21 02:00:00')).toBe('2026-11-21T01:00:00Z');
  });

  it('may be that of this machine', () => {
    expect(new Stamps({ zone: 'local' }).instant('Nov 20 02:00:00')).toBe(
      new Date(2026, 10, 20, 2).getTime(),
    );
  });

  it('is refused when nobody knows it', () => {
    expect(() => new Stamps({ zone: 'Europe/Berlim' })).toThrow(RangeError);
    expect(() => new Stamps({ zone: '+99:00' })).toThrow(RangeError);
  });
});

describe('TAI64', () => {
  it('counts from 2^62 with ten seconds on top, unless told otherwise', () => {
    expect(new Stamps().clock.tai64(0x40000000, 0x6b00fa5d)).toBe(Date.UTC(2026, 10, 21, 1, 56, 35));
    expect(new Stamps({ tai64Offset: 37 }).clock.tai64(0x40000000, 0x6b00fa78)).toBe(
      Date.UTC(2026, 10, 21, 1, 56, 35),
    );
  });

  it('has no instant outside of what a date can hold', () => {
    expect(new Stamps().clock.tai64(0xffffffff, 0)).toBeNaN();
    expect(new Stamps().clock.tai64(0, 0)).toBeNaN();
  });
});
