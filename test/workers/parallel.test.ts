/**
 * Units merge into what one reading gives: for any size of units, for one file, for files that follow each other and
 * for files side by side, also where the guesses of the plan are wrong. Units are run here without threads, which
 * change nothing about them; test/cli/jobs.test.ts has the threads.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import { type PreparedInput, prepareInputs, readInputs } from '../../src/analysis/reading.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';
import { findSources } from '../../src/source/find.ts';
import { readParallel } from '../../src/workers/parallel.ts';
import { runUnit } from '../../src/workers/unit.ts';
import { answer, LOGS, linesOf, logBytes } from '../support/pieces.ts';

const folder = mkdtempSync(join(tmpdir(), 'dsnstat-units-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function write(bytes: Uint8Array): string {
  const path = join(folder, `${(files += 1)}.log`);
  writeFileSync(path, bytes);
  return path;
}

const JOB = { mta: null, since: null, until: null, inside: [], mostPending: 500_000, mostKeys: 100_000 };
const hooks = {
  onProblem: (error: Error) => {
    throw error;
  },
};

async function prepare(paths: readonly string[]): Promise<[PreparedInput[], Names, Tags]> {
  const { sources } = await findSources(paths, { stdinIsTty: true });
  const hosts = new Names();
  const tags = new Tags();
  return [await prepareInputs(sources, { zone: 'UTC', year: null, hosts, tags }), hosts, tags];
}

async function alone(paths: readonly string[]): Promise<unknown> {
  const [inputs] = await prepare(paths);
  const analysis = new Analysis({ lean: true });
  await readInputs(inputs, analysis, hooks);
  return [answer(analysis), ...inputs.map(({ lines, ours, malformed }) => [lines, ours, malformed])];
}

/** Also how many units there were. */
async function inUnits(paths: readonly string[], piece: number): Promise<{ said: unknown; units: number }> {
  const [inputs, hosts, tags] = await prepare(paths);
  const analysis = new Analysis({ lean: true });
  let units = 0;
  const complete = await readParallel(inputs, analysis, hooks, {
    piece,
    workers: 2,
    window: 4,
    hosts,
    tags,
    run: (unit) => {
      units += 1;
      return runUnit(structuredClone(unit), JOB);
    },
    runHere: (unit) => runUnit(structuredClone(unit), JOB),
  });
  expect(complete).toBe(true);
  const said = [answer(analysis), ...inputs.map(({ lines, ours, malformed }) => [lines, ours, malformed])];
  return { said, units };
}

describe.each(LOGS)('%s in units', (name) => {
  const bytes = logBytes(name);

  it('as one file', async () => {
    const path = write(bytes);
    const expected = await alone([path]);
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.05, max: 1, noNaN: true }), async (share) => {
        const { said, units } = await inUnits([path], Math.ceil(bytes.length * share));
        expect(said).toEqual(expected);
        if (share < 0.6) expect(units).toBeGreaterThan(1);
      }),
      { numRuns: 3, seed: 20261126 },
    );
  });

  it('as rotated files, one of them compressed', async () => {
    const lines = linesOf(bytes);
    const third = Math.floor(lines.length / 3);
    const parts = [lines.slice(0, third), lines.slice(third, 2 * third), lines.slice(2 * third)];
    const paths = parts.map((part, i) => {
      const content = Buffer.from(part.join(''), 'latin1');
      return write(i === 0 ? gzipSync(content) : content);
    });
    const expected = await alone(paths);
    for (const piece of [bytes.length / 11])
      expect((await inUnits(paths, Math.ceil(piece))).said).toEqual(expected);
  });

  it('beside the same log of other hosts', async () => {
    const lines = linesOf(bytes);
    const onHost = (host: string): string[] =>
      lines.map((line) => line.replace(/^(\w{3} +\d+ [\d:]+ |\d{4}-\S+ )\S+/, `$1${host}`));
    if (onHost('mx7').filter((line, i) => line !== lines[i]).length < 0.9 * lines.length) return;
    // One begins and ends in the midst of the others.
    const middle = onHost('mx9').slice(Math.floor(lines.length / 5), Math.floor((lines.length * 4) / 5));
    const paths = [lines, onHost('mx7'), middle].map((part) => write(Buffer.from(part.join(''), 'latin1')));
    const expected = await alone(paths);
    for (const share of [0.07, 0.4])
      expect((await inUnits(paths, Math.ceil(bytes.length * share))).said).toEqual(expected);
  });
});

const stamp = (second: number): string => new Date(Date.UTC(2026, 4, 5, 8) + 1000 * second).toISOString();
const line = (second: number, host: string): string =>
  `${stamp(second)} ${host} postfix/smtpd[7]: ${`${second}`.padStart(4, '0')}ABCDEF: client=c.example[192.0.2.1]\n`;

it('cuts the files of three hosts at the same instants', async () => {
  const paths = ['mx1', 'mx2', 'mx3'].map((host, n) =>
    write(
      Buffer.from(Array.from({ length: 2000 + 500 * n }, (_, i) => line(700 * n + 3 * i, host)).join('')),
    ),
  );
  const { said, units } = await inUnits(paths, 60_000);
  expect(said).toEqual(await alone(paths));
  expect(units).toBeGreaterThan(5);
});

describe('guesses that are wrong', () => {
  it('an archive that goes on where its beginning does not show it', async () => {
    const first = Array.from({ length: 9000 }, (_, i) => line(i, 'mx1')).join('');
    const second = Array.from({ length: 50 }, (_, i) => line(8000 + i, 'mx1')).join('');
    const paths = [write(gzipSync(first)), write(Buffer.from(second))];
    expect((await inUnits(paths, 20_000)).said).toEqual(await alone(paths));
  });

  it('a line that is hours late, near a cut of files side by side', async () => {
    const late = (host: string): Buffer =>
      Buffer.from(Array.from({ length: 3000 }, (_, i) => line(i % 500 === 77 ? i + 2000 : i, host)).join(''));
    const paths = [write(late('mx1')), write(late('mx2'))];
    expect((await inUnits(paths, 40_000)).said).toEqual(await alone(paths));
  });

  it('a year that only the lines between two cuts show', async () => {
    const months = ['Sep', 'Nov', 'Feb', 'May', 'Aug', 'Dec', 'Mar'];
    const text = months
      .flatMap((month, m) =>
        Array.from(
          { length: 300 },
          (_, i) =>
            `${month} 14 10:${String(i % 60).padStart(2, '0')}:00 mx postfix/qmgr[9]: A${m}${i}BCDEF: removed\n`,
        ),
      )
      .join('');
    const path = write(Buffer.from(text));
    const expected = await alone([path]);
    for (const piece of [text.length / 2, text.length / 3, text.length / 50])
      expect((await inUnits([path], Math.ceil(piece))).said).toEqual(expected);
  });
});
