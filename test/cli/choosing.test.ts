/** What of the input counts: --since and --until, --mta; and --unrecognised. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesOf, chains, MIXED, output, report, temporaryFolder, WIDE } from './program.ts';

const { folder, file } = temporaryFolder();
const UTC = ['--tz', 'UTC'];

describe('--since and --until', () => {
  const middle = '2026-11-21T01:46:16Z';

  test('two windows that meet have the messages of the whole', () => {
    const whole = report([...UTC, MIXED]).statistics;
    const before = report([...UTC, '--until', middle, MIXED]).statistics;
    const after = report([...UTC, '--since', middle, MIXED]).statistics;
    expect(before.incoming).toBeGreaterThan(0);
    expect(after.incoming).toBeGreaterThan(0);
    for (const key of ['incoming', 'delivered', 'estimated', 'actual', 'suppressed'] as const) {
      expect(before[key] + after[key], key).toBe(whole[key]);
    }
  });

  test('chains are those that began in the window, uncut', () => {
    const inWindow = chains([...UTC, MIXED]).filter(
      ({ first_seen }) => Date.parse(first_seen ?? '') >= Date.parse(middle),
    );
    const ids = (of: typeof inWindow) => of.map(({ queue_id }) => queue_id).sort();
    expect(ids(chains([...UTC, '--since', middle, MIXED]))).toEqual(ids(inWindow));
  });

  test('are read in --tz', () => {
    const utc = report([...UTC, '--since', '2026-11-21T01:46:16', MIXED]).statistics;
    expect(report([...UTC, '--since', '2026-11-21T02:46:16+01:00', MIXED]).statistics).toEqual(utc);
    expect(report(['--tz', 'Europe/Berlin', '--since', '2026-11-21T01:46:16', MIXED]).statistics).toEqual(
      utc,
    );
  });

  test('a window without lines has none of the figures', () => {
    expect(Object.values(report([...UTC, '--since', '2027-01-01', MIXED]).statistics)).toEqual([
      0, 0, 0, 0, 0,
    ]);
  });
});

test('--mta: lines of the others are foreign', () => {
  const both = report([...UTC, MIXED, WIDE]);
  const one = report([...UTC, '--mta', 'postfix', MIXED, WIDE]);
  expect(one.statistics).toEqual(both.statistics_by_mta.postfix);
  expect(Object.keys(one.statistics_by_mta)).toEqual(['postfix']);
  expect(one.input.lines).toBe(both.input.lines);
  expect(one.input.foreign).toBeGreaterThanOrEqual(395);
});

test('--year and --tz place a log in time', () => {
  const path = file('short-ids.log', bytesOf(MIXED).subarray(0, 20_000));
  expect(report([...UTC, '--year', '2024', path]).period.from).toBe('2024-11-21T01:46:12.000Z');
  expect(report(['--tz', '+02:00', '--year', '2024', path]).period.from).toBe('2024-11-20T23:46:12.000Z');
});

describe('--unrecognised', () => {
  const strange = 'Nov 21 01:46:20 mx1 postfix/smtp[77]: E42DA21A56E: frobnicated by aliens';
  const broken = 'no stamp at all, no program either';
  const log = file('strange.log', Buffer.concat([bytesOf(MIXED), Buffer.from(`${strange}\n${broken}\n`)]));

  test('keeps the lines that were not recognised and the broken ones, as they are', () => {
    const path = join(folder, 'unread');
    const { input } = report([...UTC, '--unrecognised', path, log]);
    expect({ unrecognised: input.unrecognised, malformed: input.malformed }).toEqual({
      unrecognised: 1,
      malformed: 1,
    });
    expect(readFileSync(path, 'utf8')).toBe(`${strange}\n${broken}\n`);
  });

  test('the report points to it', () => {
    expect(output([...UTC, log])).toContain('--unrecognised');
  });
});
