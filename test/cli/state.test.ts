/**
 * `--state`: a report after every new piece of a log is the report on all of it, wherever the pieces were cut and
 * however the log was rotated in between; and a state that cannot be used is told and left alone.
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArguments, type ReportOptions } from '../../src/cli/arguments.ts';
import { runReport } from '../../src/cli/report.ts';
import { logBytes } from '../support/pieces.ts';
import {
  bytesOf,
  dsnstat,
  PROGRAM,
  ROOT,
  report,
  type StableReport,
  shell,
  stable,
  temporaryFolder,
} from './program.ts';

const { folder, file } = temporaryFolder();
let runs = 0;
/** No fixture is newer; a log whose year is nowhere is as old as its file says. */
const WRITTEN = new Date('2027-01-02T00:00:00Z');

/** A report in this process, which is faster than a process each: for many runs. */
async function reported(args: readonly string[]): Promise<StableReport> {
  const to = join(folder, 'report.json');
  const parsed = parseArguments(['--tz', 'UTC', '--format', 'json', '--no-progress', '-o', to, ...args]);
  if (parsed.command !== 'report') throw new Error('report');
  expect(await runReport(parsed.inputs, parsed.options as ReportOptions)).toBe(0);
  return stable(readFileSync(to, 'utf8'));
}

function fresh(): { log: string; state: string } {
  runs += 1;
  return { log: join(folder, `run${runs}.log`), state: join(folder, `run${runs}.state`) };
}

describe.each([
  'postfix-mixed.log.gz',
  'postfix-newyear.log.gz',
  'qmail-mixed.log.gz',
  'sendmail-wide.log.gz',
])('a log that grows: %s', (name) => {
  const bytes = logBytes(name);

  it('is reported as if it had been read at once, cut at any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: bytes.length }), { minLength: 1, maxLength: 4 }),
        async (cuts) => {
          const { log, state } = fresh();
          writeFileSync(log, '');
          for (const end of [...cuts.sort((a, b) => a - b), bytes.length]) {
            // Lines that were there are read by position: what the file says of them by now means nothing.
            writeFileSync(log, bytes.subarray(0, end));
            utimesSync(log, WRITTEN, WRITTEN);
            if (end === 0 || !bytes.subarray(0, end).includes(10)) continue;
            expect(await reported(['--state', state, log])).toEqual(await reported([log]));
          }
        },
      ),
      { numRuns: 5, seed: 20261128 },
    );
  });
});

describe('rotation', () => {
  const bytes = bytesOf('samples/postfix/mixed.log');
  const lines = bytes.toString('latin1').split(/(?<=\n)/);
  const part = (from: number, to: number): Buffer =>
    Buffer.from(
      lines.slice(Math.floor(from * lines.length), Math.floor(to * lines.length)).join(''),
      'latin1',
    );
  const expected = report(['--tz', 'UTC', 'samples/postfix/mixed.log']);

  /** All but the number of files: the log was in as many as it was rotated into. */
  function same(said: StableReport): void {
    expect({ ...said, input: { ...said.input, files: 1 } }).toEqual(expected);
  }

  it('by create: the rest of the old log is found under its new name', async () => {
    const { log, state } = fresh();
    writeFileSync(log, part(0, 0.3));
    await reported(['--state', state, log]);
    appendFileSync(log, part(0.3, 0.5));
    renameSync(log, `${log}.1`);
    writeFileSync(log, part(0.5, 0.8));
    await reported(['--state', state, log]);
    appendFileSync(log, part(0.8, 1));
    const said = await reported(['--state', state, log]);
    same(said);
    expect(said.input.files).toBe(2);
  });

  it('by copytruncate: the same inode begins anew, the copy is the log that was known', async () => {
    const { log, state } = fresh();
    writeFileSync(log, part(0, 0.3));
    await reported(['--state', state, log]);
    appendFileSync(log, part(0.3, 0.5));
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
    appendFileSync(log, part(0.5, 1));
    same(await reported(['--state', state, log]));
  });

  it('compressed meanwhile, twice renamed, and named on the command line or not', async () => {
    for (const named of [true, false]) {
      const { log, state } = fresh();
      writeFileSync(log, part(0, 0.3));
      await reported(['--state', state, log]);
      appendFileSync(log, part(0.3, 0.4));
      writeFileSync(`${log}.2.gz`, gzipSync(readFileSync(log)));
      unlinkSync(log);
      writeFileSync(`${log}.1`, part(0.4, 0.7));
      // These logs begin in the same second; the one that was written to first is the older one.
      utimesSync(`${log}.1`, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
      writeFileSync(log, part(0.7, 0.9));
      const all = [log, `${log}.1`, ...(named ? [`${log}.2.gz`] : [])];
      await reported(['--state', state, ...all]);
      appendFileSync(log, part(0.9, 1));
      same(await reported(['--state', state, ...all]));
      // Once more, with nothing new.
      same(await reported(['--state', state, ...all]));
    }
  });

  it('in the midst of it: a log and its copy are one log', async () => {
    const { log, state } = fresh();
    writeFileSync(log, part(0, 0.3));
    await reported(['--state', state, log]);
    appendFileSync(log, part(0.3, 0.6));
    copyFileSync(log, `${log}.1`);
    await reported(['--state', state, log, `${log}.1`]);
    appendFileSync(log, part(0.6, 1));
    same(await reported(['--state', state, log, `${log}.1`]));
  });

  it('twice between two runs: the piece that nobody has seen is found, one from before the first run is not read', async () => {
    const { log, state } = fresh();
    const hourAgo = new Date(Date.now() - 3_600_000);
    writeFileSync(`${log}.1`, bytesOf('samples/postfix/long-ids.log'));
    utimesSync(`${log}.1`, hourAgo, hourAgo);
    writeFileSync(log, part(0, 0.3));
    await reported(['--state', state, log]);
    appendFileSync(log, part(0.3, 0.4));
    renameSync(`${log}.1`, `${log}.3`);
    writeFileSync(`${log}.2.gz`, gzipSync(readFileSync(log)));
    unlinkSync(log);
    writeFileSync(`${log}.1`, part(0.4, 0.7));
    writeFileSync(log, part(0.7, 1));
    const [older, newer] = [60_000, 30_000].map((ago) => new Date(Date.now() - ago));
    // All begin in the same second; the order in which they were written decides.
    utimesSync(state, older, older);
    utimesSync(`${log}.1`, newer, newer);
    same(await reported(['--state', state, log]));
    same(await reported(['--state', state, log]));
  });

  it('says what is missing when the old log is gone', () => {
    const log = file('gone.log', part(0, 0.5));
    const state = join(folder, 'gone.state');
    dsnstat(['--tz', 'UTC', '--state', state, log]);
    rmSync(log);
    writeFileSync(log, part(0.5, 1));
    const { stderr, status } = dsnstat(['--tz', 'UTC', '--state', state, log]);
    expect(stderr).toContain(`the log that was ${log} is not there any more`);
    expect(status).toBe(0);
    // It is said once.
    expect(dsnstat(['--tz', 'UTC', '--state', state, log]).stderr).toBe('');
  });
});

describe('a state file', () => {
  const state = join(folder, 'a.state');
  const log = 'samples/postfix/mixed.log';

  it('is readable by its owner alone, and nothing is left beside it', () => {
    expect(dsnstat(['--tz', 'UTC', '--state', state, log]).status).toBe(0);
    expect(statSync(state).mode & 0o777).toBe(0o600);
    expect(existsSync(`${state}.lock`)).toBe(false);
  });

  it('that is damaged, foreign, newer or of other options is told in a line and left alone', () => {
    const good = readFileSync(state, 'utf8');
    const summary = join(folder, 'a.summary');
    dsnstat(['--tz', 'UTC', '--save', summary, log]);
    const cases: [string, string, string[]][] = [
      [good.replace('"value":', '"valve":'), 'damaged in line', []],
      [good.split('\n').slice(0, -4).join('\n'), 'cut off after line', []],
      [good.slice(0, -200), 'damaged in line', []],
      ['Nov 21 01:02:03 mx postfix/qmgr[1]: 123: removed\n', 'not a summary that dsnstat saved', []],
      [good.replace('"schema_version":1', '"schema_version":2'), 'written by a newer dsnstat', []],
      [readFileSync(summary, 'utf8'), 'not the state of a reading', []],
      [good, 'made with other options (--tz UTC) than now (--mta postfix --tz UTC)', ['--mta', 'postfix']],
      ['', 'empty', []],
    ];
    for (const [content, message, args] of cases) {
      const damaged = file('damaged.state', content);
      const { status, stdout, stderr } = dsnstat(['--tz', 'UTC', '--state', damaged, ...args, log]);
      expect(stderr).toContain(message);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(stdout).toBe('');
      expect(status).toBe(2);
      expect(readFileSync(damaged, 'utf8')).toBe(content);
      expect(existsSync(`${damaged}.lock`)).toBe(false);
    }
  });

  it('is not used by two runs at once', async () => {
    const busy = join(folder, 'busy.state');
    const first = spawn(process.execPath, [PROGRAM, '--tz', 'UTC', '--state', busy, '-'], { cwd: ROOT });
    while (!existsSync(`${busy}.lock`)) await new Promise((resolve) => setTimeout(resolve, 20));
    const { status, stderr } = dsnstat(['--tz', 'UTC', '--state', busy, log]);
    expect(stderr).toContain(`is in use by another dsnstat (process ${first.pid})`);
    expect(status).toBe(2);
    first.stdin.end(readFileSync(join(ROOT, log)));
    expect(await new Promise((resolve) => first.on('exit', resolve))).toBe(0);
    expect(existsSync(`${busy}.lock`)).toBe(false);
    // A lock of a process that is no more holds nobody up.
    writeFileSync(`${busy}.lock`, '999999999\n');
    expect(dsnstat(['--tz', 'UTC', '--state', busy, log]).status).toBe(0);
  });

  it('is not held up by what a killed run of the same number has left, as in a container', () => {
    const state = join(folder, 'same.state');
    const script = `echo $$ >${state}.lock; echo half >${state}.$$.tmp; exec "${process.execPath}" "${PROGRAM}" --tz UTC --state ${state} ${log}`;
    const { status, stderr } = shell(`bash -c '${script}' >/dev/null`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(folder).filter((name) => name.startsWith('same.state'))).toEqual(['same.state']);
  });

  it('is left as it was when the reading is interrupted', async () => {
    const kept = join(folder, 'kept.state');
    dsnstat(['--tz', 'UTC', '--state', kept, log]);
    const before = readFileSync(kept, 'utf8');
    const run = spawn(process.execPath, [PROGRAM, '--tz', 'UTC', '--state', kept, '-'], { cwd: ROOT });
    let stderr = '';
    run.stderr.on('data', (text: Buffer) => {
      stderr += text;
    });
    run.stdin.write(readFileSync(join(ROOT, 'samples/sendmail/wide.log')));
    while (!existsSync(`${kept}.lock`)) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    run.kill('SIGINT');
    expect(await new Promise((resolve) => run.on('exit', resolve))).toBe(130);
    expect(stderr).toContain('was left as it was');
    expect(readFileSync(kept, 'utf8')).toBe(before);
  });

  it('on a full disk costs the state, not the report', () => {
    if (!existsSync('/dev/full')) return;
    const { status, stdout, stderr } = dsnstat(['--tz', 'UTC', '--save', '/dev/full', log]);
    expect(stderr).toContain('/dev/full: no space left on device');
    expect(stdout).toContain('Incoming');
    expect(status).toBe(2);
  });
});
