import { parseString } from 'fast-csv';
import { expect, test } from 'vitest';
import { csvFormatter } from '../../src/outputs/csv.ts';
import { csvTableNames, reportCsv } from '../../src/outputs/report-csv.ts';
import { reportEstDsn } from '../../src/outputs/report-est-dsn.ts';
import { reportHtml } from '../../src/outputs/report-html.ts';
import { reportJson } from '../../src/outputs/report-json.ts';
import { reportPrometheus } from '../../src/outputs/report-prometheus.ts';
import { ACTIVE, exampleReport, HOSTILE, hostileReport } from './examples.ts';

function parsed(csv: string): Promise<string[][]> {
  return new Promise((resolve, reject) => {
    const rows: string[][] = [];
    parseString<string[], string[]>(csv)
      .on('data', (row) => rows.push(row))
      .on('end', () => resolve(rows))
      .on('error', reject);
  });
}

test('est-dsn is exactly the five lines of est_dsn.pl', () => {
  expect(reportEstDsn(exampleReport())).toBe(`Total incoming messages: 5307
Total delivered messages: 4901
Estimated DSN messages: 3418
Actual DSN messages: 2906
Suppressed DSN messages: 512
`);
});

test('JSON is the report itself, indented by two, with a newline at the end', () => {
  const json = reportJson(exampleReport());
  expect(JSON.parse(json)).toEqual(exampleReport());
  expect(json).toMatch(/^\{\n {2}"schema_version": 1,\n/);
  expect(json.endsWith('}\n')).toBe(true);
});

test('hostile text survives JSON exactly and acts on no terminal', () => {
  const json = reportJson(hostileReport());
  expect(JSON.parse(json).notes[0].text).toBe(HOSTILE);
  expect(json).not.toMatch(ACTIVE);
});

test('CSV without a table is the five figures', async () => {
  expect(await reportCsv(exampleReport(), null)).toBe(
    'metric,value\r\nincoming,5307\r\ndelivered,4901\r\nestimated,3418\r\nactual,2906\r\nsuppressed,512\r\n',
  );
});

test('every table parses back with as many cells in each row as in its header', async () => {
  const report = exampleReport();
  for (const name of csvTableNames(report)) {
    const rows = await parsed(await reportCsv(report, name));
    expect(rows.length, name).toBeGreaterThan(0);
    for (const row of rows) expect(row.length, name).toBe(rows[0].length);
  }
  expect(await parsed(await reportCsv(report, 'statistics_by_mta'))).toEqual([
    ['mta', 'incoming', 'delivered', 'estimated', 'actual', 'suppressed'],
    ['sendmail', '307', '301', '18', '6', '12'],
    ['postfix', '5000', '4600', '3400', '2900', '500'],
  ]);
  expect((await parsed(await reportCsv(report, 'per_hour')))[1][0]).toBe('2026-07-01T06:00:00.000Z');
  expect((await parsed(await reportCsv(report, 'dsn_reasons')))[1]).toEqual(['5.1.1 no such user', '2500']);
});

test('an unknown table is answered with the names there are', async () => {
  await expect(reportCsv(exampleReport(), 'nope')).rejects.toThrow(
    /^--table: nope is not one of statistics, accounting, .*, notes, backscatter, suspects_per_hour, suspects_per_day, findings, dsn_reasons, empty$/,
  );
});

test('hostile cells are quoted, disarmed and on one line', async () => {
  for (const table of ['dsn_reasons', 'notes']) {
    const csv = await reportCsv(hostileReport(), table);
    expect(csv).not.toMatch(ACTIVE);
    expect(csv.split('\r\n').length).toBe(3);
    expect((await parsed(csv))[1].join()).toMatch(/'=cmd\(\)\\x1b\]0;owned\\x07/);
  }
});

test('the CSV formatter gives each row at once, however many and long they are', async () => {
  const format = await csvFormatter();
  const long = 'x'.repeat(100_000);
  for (let i = 0; i < 200; i += 1)
    expect(format([[i, long, 'a,"b"', null, true]])).toBe(`${i},${long},"a,""b""",,true\r\n`);
  expect(format([])).toBe('');
  expect(format([['a'], ['b']])).toBe('a\r\nb\r\n');
});

test('Prometheus text has HELP and TYPE before each metric and no labels but mta, kind, outcome, verdict and severity', () => {
  const text = reportPrometheus(hostileReport());
  const typed = new Set<string>();
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE (dsnstat_[a-z_]+) gauge$/.exec(line);
    if (type !== null) {
      expect(typed.has(type[1]), line).toBe(false);
      typed.add(type[1]);
    } else if (!/^# HELP dsnstat_[a-z_]+ [^\\]+$/.test(line)) {
      const sample =
        /^(dsnstat_[a-z_]+)(?:\{(?:mta|kind|outcome|verdict|severity)="[a-z_]+"\})? -?[\d.]+(?:e-?\d+)?$/.exec(
          line,
        );
      expect(sample, line).not.toBeNull();
      expect(typed.has(sample![1]), line).toBe(true);
    }
  }
  expect(text).toContain('\ndsnstat_incoming_messages{mta="postfix"} 5000\n');
  expect(text).toContain('\ndsnstat_dsns{kind="double_bounce"} 1\n');
  expect(text).toContain('\ndsnstat_failed_messages{outcome="withheld"} 12\n');
  expect(text).not.toContain('cmd()');
});

test('Prometheus text leaves out what is unknown', () => {
  const text = reportPrometheus(
    exampleReport({ statistics_by_mta: {}, suppression_ratio: null, period: { from: null, to: null } }),
  );
  expect(text).toContain('\ndsnstat_incoming_messages 5307\n');
  expect(text).not.toMatch(/suppression_ratio|period| (?:null|NaN)$/m);
});

test('HTML is one static page with the figures, bars, and nothing to load or run', () => {
  const html = reportHtml(exampleReport({ complete: false }), { zone: 'Europe/Berlin' });
  expect(html).toMatch(/^<!DOCTYPE html>/);
  expect(html).toContain('5,307');
  expect(html).toContain('<svg');
  expect(html).toContain('INCOMPLETE');
  expect(html).toContain('2026-07-01 08:00:01 to 2026-07-01 12:59:59 (Europe/Berlin)');
  expect(html).toContain('prefers-color-scheme: dark');
  expect(html).not.toMatch(/<script|<link|<img|\bsrc=|\bhref=|url\(|\bon\w+=|https?:/i);
});

test('every element of the HTML page is closed', () => {
  for (const name of ['table', 'tr', 'td', 'th', 'svg', 'h2', 'p', 'ul', 'li', 'body', 'html']) {
    const html = reportHtml(exampleReport());
    const count = (pattern: string): number => html.match(new RegExp(pattern, 'g'))?.length ?? 0;
    expect(count(`<${name}[ >]`), name).toBe(count(`</${name}>`));
  }
});

test('hostile text in HTML stays text', () => {
  const html = reportHtml(hostileReport());
  expect(html).not.toMatch(/<\/?script/);
  expect(html).toContain('&lt;/script&gt;&lt;script&gt;alert(1)');
  expect(html).not.toMatch(ACTIVE);
});
