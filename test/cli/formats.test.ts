/** Every format of both commands, on the samples. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { samples } from '../support/golden.mjs';
import { chains, dsnstat, linesOf, MIXED, output, ROOT, report, temporaryFolder, WIDE } from './program.ts';

const FIGURES = ['incoming', 'delivered', 'estimated', 'actual', 'suppressed'] as const;
const { folder, file } = temporaryFolder();

function schema(name: string): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
  return ajv.compile(JSON.parse(readFileSync(join(ROOT, 'docs', name), 'utf8')));
}

function complaints(validate: ValidateFunction, value: unknown): unknown {
  return validate(value) ? [] : validate.errors;
}

describe('report', () => {
  test('text: headings, and the five figures first', () => {
    const text = output(['--tz', 'UTC', WIDE]);
    expect(text).toMatch(/^dsnstat report\n/);
    const { statistics } = report(['--tz', 'UTC', WIDE]);
    const figures = text
      .split('\n')
      .filter((line) => /^ {2}(Incoming|Delivered|Estimated|Actual|Suppressed) /.test(line));
    expect(figures.map((line) => Number(line.trim().split(/ +/)[1]))).toEqual(
      FIGURES.map((key) => statistics[key]),
    );
  });

  test('text: a zone has a name, whatever TZ says', () => {
    const named = (TZ: string): string | undefined =>
      /\(([^()]*)\)\n/.exec(output([WIDE], { env: { TZ } }))?.[1];
    expect(named('Europe/Berlin')).toBe('Europe/Berlin');
    expect(named(':/etc/localtime')).not.toBe('undefined');
    expect(named('No/Such')).toBe('local time');
  });

  test('est-dsn: exactly five lines', () => {
    const { statistics: s } = report([WIDE]);
    expect(output(['--format', 'est-dsn', WIDE])).toBe(
      `Total incoming messages: ${s.incoming}\nTotal delivered messages: ${s.delivered}\n` +
        `Estimated DSN messages: ${s.estimated}\nActual DSN messages: ${s.actual}\nSuppressed DSN messages: ${s.suppressed}\n`,
    );
  });

  const validate = schema('report-v1.schema.json');

  test.each(samples())('json of %s is what the schema says, and adds up', (sample) => {
    const value = JSON.parse(output(['--format', 'json', sample]));
    expect(complaints(validate, value)).toEqual([]);
    const { input, statistics, accounting } = value;
    expect(input.recorded + input.ignored + input.foreign + input.unrecognised + input.malformed).toBe(
      input.lines,
    );
    expect(input.lines).toBe(linesOf(sample).length);
    expect(accounting.with_dsn + accounting.suppressed + accounting.withheld + accounting.open).toBe(
      statistics.estimated,
    );
  });

  test.each(samples())('the expected json beside %s fits the schema, too', (sample) => {
    const golden = JSON.parse(readFileSync(join(ROOT, sample.replace(/\.log$/, '.report.json')), 'utf8'));
    expect(complaints(validate, { ...golden, generated_at: '2026-01-01T00:00:00.000Z' })).toEqual([]);
  });

  test('the schema refuses a figure that is no count', () => {
    const value = JSON.parse(output(['--format', 'json', WIDE]));
    value.statistics.actual = 1.5;
    expect(validate(value)).toBe(false);
    value.statistics.actual = 1;
    value.period.from = 'yesterday';
    expect(validate(value)).toBe(false);
  });

  test('csv: the five figures, or the table that is named', () => {
    const whole = report([WIDE]);
    const rows = (table?: string) =>
      output(['--format', 'csv', ...(table ? ['--table', table] : []), WIDE])
        .trimEnd()
        .split(/\r?\n/)
        .map((line) => line.split(','));
    const figures = FIGURES.map((key) => [key, String(whole.statistics[key])]);
    expect(rows()).toEqual([['metric', 'value'], ...figures]);
    for (const table of [
      'statistics',
      'accounting',
      'dsn',
      'dsn_outcomes',
      'recipients',
      'rejected',
      'input',
    ] as const) {
      const expected = Object.entries(whole[table]).map(([key, count]) => [key, String(count)]);
      expect(rows(table), table).toEqual([['metric', 'value'], ...expected]);
    }
    expect(rows('statistics_by_mta')).toEqual([
      ['mta', ...FIGURES],
      ['sendmail', ...FIGURES.map((key) => String(whole.statistics[key]))],
    ]);
    for (const [table, unit, steps] of [
      ['per_hour', 'hour', whole.per_hour],
      ['per_day', 'day', whole.per_day],
    ] as const) {
      expect(rows(table)).toEqual([
        [unit, ...FIGURES],
        ...steps.map((step) => [step.at, ...FIGURES.map((key) => String(step[key]))]),
      ]);
    }
    expect(rows('notes')[0]).toEqual(['code', 'text']);
    for (const table of whole.tables) {
      const [heading, ...body] = rows(table.name);
      expect(heading.slice(0, 2), table.name).toEqual(['key', 'count']);
      expect(body.map((row) => Number(row.at(-1)))).toEqual(table.rows.map((row) => row.count));
    }
  });

  test('csv: a table that does not exist is named with those that do', () => {
    const { status, stdout, stderr } = dsnstat(['--format', 'csv', '--table', 'nope', WIDE]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^dsnstat: --table: nope is not one of statistics, .*\n$/);
  });

  test('html: one page without scripts and without anything from elsewhere', () => {
    const html = output(['--format', 'html', MIXED]);
    expect(html).toMatch(/^<!doctype html>/i);
    expect(html.trimEnd()).toMatch(/<\/html>$/);
    expect(html).not.toMatch(/<script|\bsrc=|<link|url\(/i);
  });

  test('prometheus: every sample has a type, and the figures are there', () => {
    const text = output(['--format', 'prometheus', MIXED]);
    const types = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]));
    for (const line of text.trimEnd().split('\n')) {
      if (line.startsWith('#')) continue;
      const match = /^([a-z_]+)(?:\{[^}]*\})? (-?[\d.e+]+)$/.exec(line);
      expect(match, line).not.toBeNull();
      expect(types, line).toContain(match?.[1]);
    }
    expect(text).not.toContain('@');
  });

  test('-o writes the same bytes to a file, and nothing to standard output', () => {
    const path = join(folder, 'report.csv');
    expect(output(['--format', 'csv', '-o', path, WIDE])).toBe('');
    expect(readFileSync(path, 'utf8')).toBe(output(['--format', 'csv', WIDE]));
  });

  test('--top cuts the tables, 0 leaves them out', () => {
    const { tables } = report(['--top', '1', MIXED]);
    expect(tables.map((table) => table.rows.length)).toEqual(tables.map(() => 1));
    expect(tables.length).toBe(10);
    expect(report(['--top', '0', MIXED]).tables.flatMap((table) => table.rows)).toEqual([]);
  });
});

describe('chains', () => {
  const validate = schema('chain-v1.schema.json');

  test.each(samples())('ndjson of %s is what the schema says', (sample) => {
    const all = chains([sample]);
    expect(all.length).toBeGreaterThan(0);
    for (const chain of all) expect(complaints(validate, chain), chain.queue_id).toEqual([]);
  });

  test('csv: a row per recipient', () => {
    const rows = output(['chains', '--format', 'csv', WIDE]).trimEnd().split(/\r?\n/);
    expect(rows[0]).toMatch(/^mta,host,queue_id,/);
    const expected = chains([WIDE]).reduce((n, chain) => n + Math.max(1, chain.recipients.length), 0);
    expect(rows.length).toBe(1 + expected);
  });

  test('csv: a cell that a spreadsheet would run is made harmless', () => {
    const lines = linesOf('samples/sendmail/return-receipt.log')
      .join('\n')
      .replaceAll('spamvictim@', '=cmd|calc@');
    const rows = output(['chains', '--format', 'csv', file('formula.log', `${lines}\n`)]);
    expect(rows).toContain('=cmd|calc@');
    expect(rows).not.toMatch(/(^|,)"?=/m);
  });

  test('text: a block per chain', () => {
    const text = output(['chains', '--tz', 'UTC', '--format', 'text', 'samples/sendmail/return-receipt.log']);
    expect(text.split('\n')[0]).toBe('06FAFTbL012697  2020-07-15 10:15:31 UTC, sendmail');
    expect(text).toContain('DSN (success) 06FAFVbL012698 to <spamvictim@billauer.co.il>: delivered 2.0.0');
  });

  test('filters choose among the same chains', () => {
    const all = chains([WIDE]);
    expect(chains(['--with-dsn', WIDE])).toEqual(all.filter((chain) => chain.dsns.length > 0));
    const failed = all.filter((chain) =>
      chain.recipients.some(({ outcome }) => outcome === 'failed' || outcome === 'expired'),
    );
    expect(chains(['--failed', WIDE])).toEqual(failed);
    const [one] = failed;
    expect(chains(['--queue-id', one.queue_id, WIDE])).toEqual([one]);
    expect(chains(['--sender', one.reverse_path as string, WIDE])).toContainEqual(one);
    expect(chains(['--recipient', `@${one.recipients[0].recipient?.split('@')[1]}`, WIDE])).toContainEqual(
      one,
    );
    expect(chains(['--sender', '<>', WIDE])).toEqual(all.filter((chain) => chain.reverse_path === ''));
    expect(chains(['--suspect', WIDE])).toEqual(all.filter((chain) => chain.suspect !== null));
  });
});

describe('colour', () => {
  const ESCAPE = '\x1b[';

  test('none in a pipe, as asked for with --color', () => {
    expect(output([MIXED])).not.toContain(ESCAPE);
    expect(output(['--color', 'always', MIXED])).toContain(ESCAPE);
    expect(output(['chains', '--format', 'text', '--color', 'always', MIXED])).toContain(ESCAPE);
  });

  test('NO_COLOR and never', () => {
    // Newer Node has something to say about the two.
    const { stdout, status } = dsnstat([MIXED], { env: { NO_COLOR: '1', FORCE_COLOR: '1' } });
    expect(status).toBe(0);
    expect(stdout).toContain('Incoming');
    expect(stdout).not.toContain(ESCAPE);
    expect(output(['--color', 'never', MIXED], { env: { FORCE_COLOR: '1' } })).not.toContain(ESCAPE);
  });

  test('machine formats have none, whatever is asked for', () => {
    for (const format of ['json', 'csv', 'est-dsn', 'prometheus', 'html']) {
      expect(output(['--color', 'always', '--format', format, MIXED]), format).not.toContain(ESCAPE);
    }
    for (const format of ['ndjson', 'csv']) {
      expect(output(['chains', '--color', 'always', '--format', format, MIXED]), format).not.toContain(
        ESCAPE,
      );
    }
  });
});
