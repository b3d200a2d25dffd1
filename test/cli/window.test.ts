/** --since and --until leave out whole files that cannot matter, and only those; bounds say that they were met. */
import { utimesSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { report, temporaryFolder } from './program.ts';

const { file } = temporaryFolder();

/** A message accepted at one time and delivered at another. */
function message(id: string, accepted: string, delivered: string): string {
  return [
    `${accepted}Z mx postfix/smtpd[1]: ${id}: client=c.example[192.0.2.1]`,
    `${accepted}Z mx postfix/cleanup[2]: ${id}: message-id=<${id}@c.example>`,
    `${accepted}Z mx postfix/qmgr[3]: ${id}: from=<a@c.example>, size=500, nrcpt=1 (queue active)`,
    `${delivered}Z mx postfix/smtp[4]: ${id}: to=<b@d.example>, relay=d.example[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)`,
    `${delivered}Z mx postfix/qmgr[3]: ${id}: removed`,
    '',
  ].join('\n');
}

function archive(name: string, content: string, mtime: string): string {
  const path = file(name, gzipSync(content));
  utimesSync(path, new Date(mtime), new Date(mtime));
  return path;
}

describe('--since and --until', () => {
  const old = archive(
    'mail.log.3.gz',
    message('AAAA1AAAAAA', '2026-05-01T10:00:00', '2026-05-01T10:00:01'),
    '2026-05-02T00:00:00Z',
  );
  // Begins long before the window, ends in it: its mtime says so.
  const long = archive(
    'mail.log.2.gz',
    message('BBBB2BBBBBB', '2026-05-02T10:00:00', '2026-05-03T10:00:00') +
      message('CCCC3CCCCCC', '2026-05-30T10:00:00', '2026-06-01T08:00:00'),
    '2026-06-01T09:00:00Z',
  );
  const plain = file(
    'mail.log.1',
    message('DDDD4DDDDDD', '2026-06-01T10:00:00', '2026-06-01T10:00:01') +
      message('EEEE5EEEEEE', '2026-06-02T10:00:00', '2026-06-03T10:00:00'),
  );
  const oldPlain = file('other.log', message('FFFF6FFFFFF', '2026-04-01T10:00:00', '2026-04-02T10:00:00'));
  const later = file('mail.log', message('ABCD7ABCDEF', '2026-07-20T10:00:00', '2026-07-20T10:00:01'));
  const all = [old, long, plain, oldPlain, later];

  it('skip files without reading them through, and the report says so', () => {
    const said = report(['--tz', 'UTC', '--since', '2026-06-01', '--until', '2026-06-05', ...all]);
    expect(said.input.files).toBe(2);
    expect(said.statistics.incoming).toBe(2);
    expect(said.input.headless_chains).toBe(0);
    expect(said.notes.find(({ code }) => code === 'files_skipped')?.text).toContain('3 files were not read');
    // With everything read, the figures are the same.
    const { statistics, recipients } = report([
      '--tz',
      'UTC',
      '--since',
      '2026-06-01',
      '--until',
      '2026-06-05',
      long,
      plain,
    ]);
    expect(said.statistics).toEqual(statistics);
    expect(said.recipients).toEqual(recipients);
  });

  it('do not break a message whose lines lie on both sides', () => {
    const said = report(['--tz', 'UTC', '--since', '2026-05-30', '--until', '2026-05-31', ...all]);
    expect(said.statistics).toMatchObject({ incoming: 1, delivered: 1 });
    expect(said.recipients.delivered).toBe(1);
  });

  it('do not believe a time of change that is before the log', () => {
    const copied = archive(
      'copied.gz',
      message('AAAB1AAAAAA', '2026-06-02T10:00:00', '2026-06-02T10:00:01'),
      '1985-10-26T08:15:00Z',
    );
    expect(report(['--tz', 'UTC', '--since', '2026-06-01', copied, later]).statistics.incoming).toBe(2);
  });

  it('leave something to report on', () => {
    const said = report(['--tz', 'UTC', '--since', '2026-12-01', old]);
    expect(said.input.files).toBe(1);
    expect(said.statistics.incoming).toBe(0);
  });
});

describe('bounds', () => {
  const many = file(
    'many.log',
    Array.from({ length: 3000 }, (_, i) => {
      const at = new Date(Date.UTC(2026, 5, 1) + 1000 * i).toISOString().slice(0, 19);
      const id = `${i.toString(16).toUpperCase().padStart(5, '0')}ABCDEF`;
      return [
        `${at}Z mx postfix/smtpd[1]: ${id}: client=c.example[192.0.2.1]`,
        `${at}Z mx postfix/qmgr[3]: ${id}: from=<a${i}@c${i}.example>, size=500, nrcpt=1 (queue active)`,
        `${at}Z mx postfix/smtp[4]: ${id}: to=<b@d.example>, relay=r${i}.example[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred (450 later)`,
        '',
      ].join('\n');
    }).join(''),
  );

  it('of pending messages: the oldest are counted as they stand, and the report says so', () => {
    const whole = report(['--tz', 'UTC', many]);
    expect(whole.statistics.incoming).toBe(3000);
    expect(whole.notes.map(({ code }) => code)).not.toContain('pending_bounded');
    const bounded = report(['--tz', 'UTC', '--max-pending', '1000', many]);
    expect(bounded.statistics.incoming).toBe(3000);
    const note = bounded.notes.find(({ code }) => code === 'pending_bounded');
    expect(Number(/(\d+) were counted as they stood/.exec(note?.text ?? '')?.[1])).toBeGreaterThan(1900);
  });

  it('of tables: what found no place is said', () => {
    const refused = file(
      'refused.log',
      Array.from({ length: 150 }, (_, i) => {
        const id = `${i.toString(16).toUpperCase().padStart(5, '0')}ABCDEF`;
        return [
          `2026-06-01T10:00:00Z mx postfix/smtpd[1]: ${id}: client=c.example[192.0.2.1]`,
          `2026-06-01T10:00:00Z mx postfix/qmgr[3]: ${id}: from=<a@c.example>, size=500, nrcpt=1 (queue active)`,
          `2026-06-01T10:00:01Z mx postfix/smtp[4]: ${id}: to=<b@d.example>, relay=r${i}.example[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (550 unknown)`,
          `2026-06-01T10:00:01Z mx postfix/qmgr[3]: ${id}: removed`,
          '',
        ].join('\n');
      }).join(''),
    );
    const said = report(['--tz', 'UTC', '--max-keys', '100', refused]);
    expect(said.statistics.incoming).toBe(150);
    const table = said.tables.find(({ name }) => name === 'refusing_relays');
    expect(table).toMatchObject({ bounded: true });
    expect(
      said.notes
        .filter(({ code }) => code === 'bounded')
        .map(({ text }) => text)
        .join(' '),
    ).toMatch(/refusing_relays met its bound of 100 keys .* depends on where the log was cut/);
    expect(report(['--tz', 'UTC', refused]).tables.some(({ bounded }) => bounded)).toBe(false);
  });
});
