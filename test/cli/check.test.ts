/** `dsnstat check`: one line, and the statuses of monitoring plugins. */
import { describe, expect, test } from 'vitest';
import { dsnstat, MIXED, temporaryFolder } from './program.ts';

const LINE = /^DSNSTAT (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(?: \| (?:[a-z_]+=\d+;\d*;\d*;0 ?)+)?\n$/;
const LOAD = 'test/fixtures/postfix-load-lossy.log.gz';

function check(...args: string[]) {
  const ended = dsnstat(['check', '--tz', 'UTC', ...args]);
  expect(ended.stdout).toMatch(LINE);
  return ended;
}

describe('by the worst finding', () => {
  test('warning', () => {
    const { status, stdout, stderr } = check(MIXED);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toMatch(
      /^DSNSTAT WARNING - \d+ suspects of backscatter \(\d+ confirmed\) in 55 messages; /,
    );
    expect(stdout).toContain(' incoming=55;;;0 ');
  });

  test('critical', () => expect(check('--inside', '198.51.100.0/26', LOAD).status).toBe(2));

  test('ok: all of it is ours', () => {
    const { status, stdout } = check('--inside', '198.51.100.0/24', MIXED);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^DSNSTAT OK - no backscatter in 55 messages/);
  });
});

test('thresholds of suspects decide instead, where they are given', () => {
  const suspects = Number(/ suspects=(\d+);/.exec(check(MIXED).stdout)?.[1]);
  expect(suspects).toBeGreaterThan(2);
  expect(check('-w', String(suspects), MIXED).status).toBe(0);
  expect(check('-w', String(suspects - 1), MIXED).status).toBe(1);
  expect(check('-w', '1', '-c', String(suspects - 1), MIXED).status).toBe(2);
  expect(check('-w', '1', '-c', '2000', MIXED).stdout).toContain(`suspects=${suspects};1;2000;0`);
});

describe('what cannot be judged is unknown, never critical', () => {
  const { file } = temporaryFolder();
  test.each([
    ['an unknown option', ['--bogus'], /unknown option --bogus/],
    ['a missing file', ['/nonexistent.log'], /could not be read/],
    ['no log', [file('notes.txt', 'Dear diary\nnothing today\n')], /could not be read/],
    ['thresholds the wrong way round', ['-w', '5', '-c', '2', MIXED], /--warning is above --critical/],
  ])('%s', (_, args, said) => {
    const { status, stdout, stderr } = check(...args);
    expect(status).toBe(3);
    expect(stdout).toMatch(said);
    expect(stderr).not.toBe('');
  });
});

test('a hostile log writes no status of its own', () => {
  const { file } = temporaryFolder();
  const bad = 'x\x1b[31m | DSNSTAT OK - fine';
  const log = `Jul 15 10:15:31 mx postfix/smtpd[1]: A0000001: client=${bad}[198.51.100.9]\n`;
  const { stdout } = check('--year', '2026', file('hostile.log', log));
  expect(stdout).not.toContain('fine');
  expect(stdout.split('\n').length).toBe(2);
});
