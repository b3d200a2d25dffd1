import { expect, test } from 'vitest';
import { reportText } from '../../src/outputs/report-text.ts';
import { displayWidth } from '../../src/outputs/width.ts';
import { ACTIVE, exampleReport, hostileReport, NO_BACKSCATTER, step } from './examples.ts';

const PLAIN = { color: false, width: 100 };

test('the page is the golden one', async () => {
  const page = reportText(exampleReport(), { ...PLAIN, zone: 'Europe/Berlin' });
  await expect(page).toMatchFileSnapshot('golden/report.txt');
});

test('the page of an interrupted run on a narrow terminal is the golden one', async () => {
  const page = reportText(exampleReport({ complete: false }), { color: false, width: 64 });
  await expect(page).toMatchFileSnapshot('golden/report-narrow.txt');
});

test('no line is wider than the page', () => {
  for (const width of [64, 80, 100, 132]) {
    for (const report of [exampleReport({ complete: false }), hostileReport()]) {
      for (const line of reportText(report, { color: false, width }).split('\n')) {
        expect(displayWidth(line), line).toBeLessThanOrEqual(width);
      }
    }
  }
});

test('colour changes nothing but colour', () => {
  const coloured = reportText(exampleReport(), { ...PLAIN, color: true });
  expect(coloured).toContain('\x1b[');
  expect(coloured.replace(/\x1b\[[\d;]*m/g, '')).toBe(reportText(exampleReport(), PLAIN));
});

test('hostile text is shown, not obeyed, and makes no line of its own', () => {
  const page = reportText(hostileReport(), { color: false, width: 400 });
  expect(page).not.toMatch(ACTIVE);
  expect(page).toContain('=cmd()\\x1b]0;owned\\x07');
  expect(page).not.toMatch(/^fake/m);
});

test('an empty report is the five figures and no empty headings', () => {
  const none = { incoming: 0, delivered: 0, estimated: 0, actual: 0, suppressed: 0 };
  const page = reportText(
    exampleReport({
      period: { from: null, to: null },
      input: {
        files: 1,
        bytes: 0,
        lines: 0,
        recorded: 0,
        ignored: 0,
        foreign: 0,
        unrecognised: 0,
        malformed: 0,
        headless_chains: 0,
      },
      statistics: none,
      accounting: { with_dsn: 0, suppressed: 0, withheld: 0, open: 0 },
      statistics_by_mta: {},
      suppression_ratio: null,
      dsn: { failure: 0, delay: 0, success: 0, postmaster: 0, double_bounce: 0 },
      dsn_outcomes: { delivered: 0, failed: 0, expired: 0, deferred: 0, discarded: 0, unknown: 0 },
      recipients: { delivered: 0, failed: 0, expired: 0, deferred: 0, discarded: 0, held: 0, deleted: 0 },
      rejected: { recipients: 0, messages: 0, for_now: 0 },
      backscatter: NO_BACKSCATTER,
      findings: [],
      incoming_null: 0,
      notes: [],
      tables: [],
      per_hour: [],
      per_day: [],
    }),
    PLAIN,
  );
  expect(page).toBe(
    [
      'dsnstat report',
      '  no line with a time',
      '  1 file, 0 bytes, 0 lines',
      '',
      'Messages and their DSNs',
      '  Incoming    0  all incoming messages, error messages excluded',
      '  Delivered   0  messages that the MTA attempted to deliver',
      '  Estimated   0  delivery failures in which a DSN is due',
      '  Actual      0  DSNs really sent',
      '  Suppressed  0  DSNs suppressed by the MTA',
      '',
    ].join('\n'),
  );
});

test('one MTA alone is not listed by MTA', () => {
  const { postfix } = exampleReport().statistics_by_mta;
  expect(reportText(exampleReport({ statistics_by_mta: { postfix } }), PLAIN)).not.toContain('By MTA');
});

test('tables that --top 0 emptied are left out', () => {
  const tables = exampleReport().tables.map((table) => ({ ...table, rows: [], more_rows: 5 }));
  expect(reportText(exampleReport({ tables }), PLAIN)).not.toContain('Why failure DSNs');
});

test('more than two days are shown by day, the last month of them', () => {
  const at = (day: number) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString();
  const days = Array.from({ length: 40 }, (_, day) => step(at(day), day, 0, 0));
  const page = reportText(exampleReport({ per_hour: days, per_day: days }), PLAIN);
  expect(page).toContain('Messages per day (UTC)');
  expect(page).toContain('... and 9 days earlier');
  expect(page).toContain('2026-02-09  ');
  expect(page).not.toContain('2026-01-09  ');
});

test('a gap of years is not a page of years', () => {
  const steps = ['1970-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'].map((at) => step(at, 1, 0, 0));
  expect(
    reportText(
      exampleReport({ per_hour: steps, per_day: steps, findings: [], backscatter: NO_BACKSCATTER }),
      PLAIN,
    ).split('\n').length,
  ).toBeLessThan(90);
});

test('the hint on --unrecognised is given once, by the report itself or by its notes', () => {
  expect(reportText(exampleReport(), PLAIN)).toContain('--unrecognised FILE keeps');
  const notes = [{ code: 'unread_lines', text: 'See there.' }];
  expect(reportText(exampleReport({ notes }), PLAIN)).not.toContain('--unrecognised');
});
