/**
 * `--jobs N` with real threads: the same bytes for every N; and the ends of a run that go wrong.
 * DSNSTAT_LARGE makes these logs large enough for a second thread.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { generatedLog } from '../support/generated.ts';
import { LOGS, logBytes } from '../support/pieces.ts';
import { dsnstat, PROGRAM, ROOT, temporaryFolder } from './program.ts';

const { folder, file } = temporaryFolder();
const THREADS = { DSNSTAT_LARGE: '1' };
const FORMATS = ['text', 'json', 'csv'];

function said(args: readonly string[], env: Record<string, string> = {}): string {
  const { status, stdout, stderr } = dsnstat(['report', '--tz', 'UTC', '--year', '2026', ...args], { env });
  return `${status}\n${stderr}\n${stdout.replace(/"generated_at": "[^"]*"/, '')}`;
}

/** A quarter of an hour each, so that chains are over before the log is. */
const plain = ['postfix', 'sendmail', 'qmail'].map((mta) => join(folder, `${mta}.log`));
const logs = await Promise.all(
  ['postfix', 'sendmail', 'qmail'].map((mta, i) => generatedLog(plain[i], mta, 21, 10e6)),
);

describe('--jobs', () => {
  it('changes no byte of the report on one file', () => {
    for (const [i, log] of plain.entries()) {
      const format = ['--format', FORMATS[i]];
      const one = said(['--jobs', '1', ...format, log]);
      for (const jobs of i === 0 ? ['2', '3', '7'] : ['3'])
        expect(said(['--jobs', jobs, ...format, log], THREADS)).toBe(one);
    }
  });

  it('changes no byte of the report on many: archives, other MTAs, all at the same time', () => {
    const archives = LOGS.slice(0, 4).map((name) => join('test/fixtures', name));
    const all = [...plain, ...archives, file('again.gz', gzipSync('not a log\n'))];
    const one = said(['--jobs', '1', '--format', 'json', ...all]);
    for (const jobs of ['2', '7'])
      expect(said(['--jobs', jobs, '--format', 'json', ...all], THREADS)).toBe(one);
  });

  it('says the same of an archive that is cut off', () => {
    const whole = gzipSync(logBytes('postfix-mixed.log.gz'));
    const cut = file('cut.log.gz', whole.subarray(0, whole.length / 2));
    const one = said(['--jobs', '1', '--format', 'json', cut, plain[0]]);
    expect(one).toContain('damaged gzip data');
    expect(one.startsWith('2\n')).toBe(true);
    expect(said(['--jobs', '3', '--format', 'json', cut, plain[0]], THREADS)).toBe(one);
  });

  it('changes no byte of the report with DSNSTAT_KERNEL=off, where nothing is left to a second thread', () => {
    const one = said(['--jobs', '1', '--format', 'json', plain[2]]);
    expect(said(['--jobs', '3', '--format', 'json', plain[2]], { ...THREADS, DSNSTAT_KERNEL: 'off' })).toBe(
      one,
    );
  });

  it('merges into the state of a run that goes on', () => {
    const states = ['1', '3'].map((jobs) => {
      const state = join(folder, `jobs${jobs}.state`);
      const bytes = logs[1];
      const log = file(`grows${jobs}.log`, bytes.subarray(0, bytes.length / 3));
      said(['--jobs', jobs, '--state', state, log], THREADS);
      file(`grows${jobs}.log`, bytes);
      return said(['--jobs', jobs, '--state', state, '--format', 'json', log], THREADS);
    });
    expect(states[1]).toBe(states[0]);
    expect(states[0]).toContain('"files": 1,');
  });
});

describe('a run with workers that ends early', () => {
  /** Large enough to be in the midst of it. */
  const large = file('large.log', Buffer.concat(Array.from({ length: 4 }, () => logs[0])));

  it('by Ctrl-C: a report on what was read, status 130', async () => {
    const run = spawn(
      process.execPath,
      [PROGRAM, '--jobs', '2', '--tz', 'UTC', '--format', 'json', '--no-progress', large],
      { cwd: ROOT, env: { ...process.env, ...THREADS } },
    );
    let stdout = '';
    run.stdout.on('data', (text: Buffer) => {
      stdout += text;
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    run.kill('SIGINT');
    expect(await new Promise((resolve) => run.on('close', resolve))).toBe(130);
    expect(JSON.parse(stdout).complete).toBe(false);
  });

  it('because a worker has too little memory: one clear line, status 2, no hang', () => {
    const { status, stdout, stderr } = dsnstat(['--jobs', '2', '--tz', 'UTC', large], {
      env: { ...THREADS, DSNSTAT_WORKER_MEMORY: '4' },
    });
    expect(stderr).toMatch(
      /^dsnstat: the thread that counts chains failed: it ran out of memory; use --jobs 1.*\n$/,
    );
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('because the disk is full: one clear line, status 2', () => {
    if (!existsSync('/dev/full')) return;
    const { status, stderr } = dsnstat(['--jobs', '2', '--tz', 'UTC', '-o', '/dev/full', large], {
      env: THREADS,
    });
    expect(stderr).toContain('no space left on device');
    expect(status).toBe(2);
  });
});

it('starts no thread for a log below 512 MB', () => {
  const { stderr, status } = dsnstat(['--tz', 'UTC', '--jobs', '4', plain[0]], {
    env: { DSNSTAT_WORKER_MEMORY: '4' },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
