/**
 * `--save` and `dsnstat merge`: saved parts give the report that the whole log gives, in any order, over hosts and days,
 * and as a map on many machines with a reduce on one.
 */
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { linesOf, logBytes } from '../support/pieces.ts';
import {
  dsnstat,
  output,
  PROGRAM,
  ROOT,
  report,
  type StableReport,
  stable,
  temporaryFolder,
} from './program.ts';

const { folder, file } = temporaryFolder();
const run = promisify(execFile);

function logOf(name: string, lines: readonly string[]): string {
  return file(name, Buffer.from(lines.join(''), 'latin1'));
}

function saved(log: string, ...args: string[]): string {
  const to = `${log}.summary`;
  output(['--tz', 'UTC', '--save', to, ...args, log]);
  return to;
}

function merged(args: readonly string[]): StableReport {
  return stable(output(['merge', '--format', 'json', ...args]));
}

/** Parts of one file are several files. */
function withoutFiles({ input, ...rest }: StableReport): unknown {
  return { ...rest, input: { ...input, files: 0 } };
}

describe('merge', () => {
  const name = 'sendmail-load.log.gz';
  const lines = linesOf(logBytes(name));
  const whole = logOf('whole.log', lines);
  const third = Math.floor(lines.length / 3);
  const parts = [lines.slice(0, third), lines.slice(third, 2 * third), lines.slice(2 * third)].map(
    (part, i) => saved(logOf(`part${i}.log`, part)),
  );

  it('heals the seams of one log, whatever the order of the arguments', () => {
    const expected = withoutFiles(report(['--tz', 'UTC', whole]));
    const all = merged(parts);
    expect(withoutFiles(all)).toEqual(expected);
    expect(all.input.files).toBe(3);
    expect(merged([parts[2], parts[0], parts[1]])).toEqual(all);
    // A part of the sum does not: messages begin in one and end in the other.
    const sum = parts.reduce((n, part) => n + merged([part]).input.headless_chains, 0);
    expect(sum).toBeGreaterThan(all.input.headless_chains);
  });

  it('adds up step by step: merged summaries are summaries', () => {
    const two = join(folder, 'two.summary.gz');
    output(['merge', '--save', two, parts[1], parts[0]]);
    expect(merged([parts[2], two])).toEqual(merged(parts));
    expect(gunzipSync(readFileSync(two)).subarray(0, 20).toString()).toBe('{"schema_version":1,');
    const files = file('files.summary', Buffer.concat(parts.map((part) => readFileSync(part))));
    expect(merged([files])).toEqual(merged(parts));
  });

  it('adds hosts up that say the same ids at the same time', () => {
    const other = logOf(
      'other.log',
      lines.map((line) => line.replace(/^(\w{3} +\d+ [\d:]+ )\S+/, '$1mx7')),
    );
    const both = merged([saved(other), saved(whole)]);
    const one = report(['--tz', 'UTC', whole]);
    for (const key of ['incoming', 'delivered', 'estimated', 'actual'] as const)
      expect(both.statistics[key]).toBe(2 * one.statistics[key]);
    expect(both.input.headless_chains).toBe(2 * one.input.headless_chains);
  });

  it('gives every format of a report', () => {
    const estDsn = output(['--tz', 'UTC', '--format', 'est-dsn', whole]);
    expect(output(['merge', '--format', 'est-dsn', ...parts])).toBe(estDsn);
    expect(output(['merge', '--tz', 'UTC', ...parts])).toContain('Incoming');
    expect(output(['merge', '--format', 'csv', '--table', 'per_hour', ...parts])).toContain('hour,incoming');
    expect(output(['merge', '--anonymise', '--format', 'json', ...parts])).not.toContain('corp.test');
  });

  it('counts nothing twice: the same file, the same summary, a log that overlaps itself', () => {
    const copy = file('copy.summary', readFileSync(parts[0]));
    const same = dsnstat(['merge', '--format', 'json', parts[0], parts[0], copy]);
    expect(same.stderr).toContain(`${parts[0]}: the same file as ${parts[0]}; it is counted once`);
    expect(same.stderr).toContain(`the same summary as in`);
    expect(stable(same.stdout)).toEqual(merged([parts[0]]));
    const overlap = dsnstat(['merge', parts[1], saved(whole)]);
    expect(overlap.stderr).toContain('overlaps in time with');
    expect(overlap.status).toBe(0);
  });

  it('says what cannot be merged, and merges the rest', () => {
    const damaged = file('damaged.summary', readFileSync(parts[0]).subarray(0, 5000));
    const mixed = dsnstat(['merge', '--format', 'json', damaged, whole, join(folder, 'none'), parts[1]]);
    expect(mixed.stderr.split('\n')).toEqual([
      expect.stringContaining('damaged.summary: cut off'),
      expect.stringContaining('whole.log: not a summary that dsnstat saved'),
      expect.stringContaining('no such file'),
      '',
    ]);
    expect(mixed.status).toBe(2);
    expect(stable(mixed.stdout)).toEqual(merged([parts[1]]));
    const options = dsnstat(['merge', parts[0], saved(whole, '--mta', 'sendmail')]);
    expect(options.stderr).toContain('do not add up: they were saved with other options');
    expect(options.status).toBe(2);
    expect(dsnstat(['merge']).status).toBe(2);
  });

  it('is written for its owner alone, and in the form that the schema says', () => {
    expect(statSync(parts[0]).mode & 0o777).toBe(0o600);
    const schema = JSON.parse(readFileSync(join(ROOT, 'docs/summary-v1.schema.json'), 'utf8'));
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
    const state = join(folder, 'schema.state');
    output(['--tz', 'UTC', '--state', state, whole]);
    // What watch keeps beside that.
    const watched = join(folder, 'watched.state');
    const log = logOf('watched.log', linesOf(logBytes('sendmail-wide.log.gz')));
    output(['watch', '--replay', '--format', 'ndjson', '--tz', 'UTC', '--state', watched, log]);
    const printed = join(folder, 'chains.state');
    output(['chains', '--tz', 'UTC', '--state', printed, log]);
    for (const path of [
      ...parts,
      state,
      watched,
      printed,
      saved(logOf('q.log', linesOf(logBytes('qmail-mixed.log.gz')))),
    ]) {
      for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) {
        const valid = validate(JSON.parse(line));
        expect(valid ? null : [line.slice(0, 300), validate.errors]).toBeNull();
      }
    }
  });
});

it('the example of docs/summary-format.md: a map on the hosts, a reduce in between and at the end', async () => {
  const hosts = ['mx1', 'mx2', 'mx3', 'mx4'];
  const lines = linesOf(logBytes('postfix-mixed.log.gz'));
  const half = Math.floor(lines.length / 2);
  const logs = hosts.flatMap((host) => {
    const own = lines.map((line) => line.replace(/^(\w{3} +\d+ [\d:]+ )\S+/, `$1${host}`));
    return [logOf(`${host}.1.log`, own.slice(0, half)), logOf(`${host}.2.log`, own.slice(half))];
  });
  // Map: a process for each log, side by side.
  const summaries = await Promise.all(
    logs.map(async (log) => {
      const to = `${log}.summary.gz`;
      await run(process.execPath, [PROGRAM, '--tz', 'UTC', '--save', to, '-o', `${log}.txt`, log]);
      return to;
    }),
  );
  // Reduce: in two groups, which need not be those of hosts or days, then in one.
  const groups = [summaries.filter((_, i) => i % 3 === 0), summaries.filter((_, i) => i % 3 !== 0)];
  const halves = await Promise.all(
    groups.map(async (group, i) => {
      const to = join(folder, `group${i}.summary`);
      await run(process.execPath, [PROGRAM, 'merge', '--save', to, '-o', `${to}.txt`, ...group]);
      return to;
    }),
  );
  const all = merged(halves);
  const one = report(['--tz', 'UTC', logOf('one.log', lines)]);
  for (const key of ['incoming', 'delivered', 'estimated', 'actual', 'suppressed'] as const)
    expect(all.statistics[key]).toBe(hosts.length * one.statistics[key]);
  expect(all.accounting.open).toBe(hosts.length * one.accounting.open);
  expect(all.input.headless_chains).toBe(hosts.length * one.input.headless_chains);
});
