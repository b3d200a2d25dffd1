/**
 * Several inputs, read by the kernel in blocks that end where another input has to speak: the same report as line by
 * line, for files that follow each other and for files side by side, also where lines are not where they should be.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import { prepareInputs, readInputs } from '../../src/analysis/reading.ts';
import { Names } from '../../src/lines/names.ts';
import { Tags } from '../../src/lines/tags.ts';
import { findSources } from '../../src/source/find.ts';
import { answer, LOGS, linesOf, logBytes } from '../support/pieces.ts';

const folder = mkdtempSync(join(tmpdir(), 'dsnstat-reading-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function write(content: Uint8Array | string): string {
  const path = join(folder, `${(files += 1)}.log`);
  writeFileSync(path, content);
  return path;
}

const latin = (lines: readonly string[]): Buffer => Buffer.from(lines.join(''), 'latin1');

async function said(paths: readonly string[], kernel: boolean): Promise<unknown> {
  const { sources } = await findSources(paths, { stdinIsTty: true });
  const names = { hosts: new Names(), tags: new Tags() };
  const inputs = await prepareInputs(sources, { zone: 'UTC', year: null, ...names });
  const analysis = new Analysis({ lean: true, kernel });
  const complete = await readInputs(inputs, analysis, {
    onProblem: (error) => {
      throw error;
    },
  });
  expect(complete).toBe(true);
  return [answer(analysis), ...inputs.map(({ lines, ours, malformed }) => [lines, ours, malformed])];
}

async function expectSame(paths: readonly string[]): Promise<void> {
  expect(await said(paths, true)).toEqual(await said(paths, false));
}

describe.each(LOGS)('%s in several files', (name) => {
  const lines = linesOf(logBytes(name));

  it('one after another, one of them compressed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(lines.length), { minLength: 1, maxLength: 3 }), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), lines.length];
        const parts = places.slice(1).map((to, i) => latin(lines.slice(places[i], to)));
        const paths = parts
          .filter(({ length }) => length > 0)
          .map((part, i) => write(i === 1 ? gzipSync(part) : part));
        await expectSame(paths);
      }),
      { numRuns: 2, seed: 20261121 },
    );
  });

  it('beside the same log of other hosts', async () => {
    const onHost = (host: string): string[] =>
      lines.map((line) => line.replace(/^(\w{3} +\d+ [\d:]+ |\d{4}-\S+ )\S+/, `$1${host}`));
    // One begins and ends in the midst of the others.
    const middle = onHost('mx9').slice(Math.floor(lines.length / 5), Math.floor((lines.length * 4) / 5));
    await expectSame([lines, onHost('mx7'), middle].map((part) => write(latin(part))));
  });

  it('beside the lines of its other half, taken by turns', async () => {
    const halves = [0, 1].map((half) => latin(lines.filter((_, i) => i % 2 === half)));
    await expectSame(halves.map(write));
  });
});

describe('lines that are not where they should be', () => {
  const stamp = (second: number): string =>
    new Date(Date.UTC(2026, 4, 5, 8) + 1000 * second).toISOString().replace('Z', '+00:00');
  const line = (second: number, host: string): string =>
    `${stamp(second)} ${host} postfix/smtpd[7]: ${`${second}`.padStart(4, '0')}ABCDEF: client=c.example[192.0.2.1]\n`;

  it('an archive that goes on where its beginning does not show it', async () => {
    const first = Array.from({ length: 9000 }, (_, i) => line(i, 'mx1')).join('');
    const second = Array.from({ length: 50 }, (_, i) => line(8000 + i, 'mx1')).join('');
    await expectSame([write(gzipSync(first)), write(second)]);
  });

  it('lines that are hours late, side by side', async () => {
    const late = (host: string): string =>
      Array.from({ length: 3000 }, (_, i) => line(i % 500 === 77 ? i + 2000 : i, host)).join('');
    await expectSame([write(late('mx1')), write(late('mx2'))]);
  });

  it('lines without a time, broken ones and one that is too long', async () => {
    const odd = (host: string): string =>
      Array.from({ length: 600 }, (_, i) =>
        i % 50 === 7 ? 'no time here\n' : i === 300 ? `${'x'.repeat(300_000)}\n` : line(3 * i, host),
      ).join('');
    await expectSame([write(odd('mx1')), write(odd('mx2')), write(odd('mx3').slice(0, -20))]);
  });
});
