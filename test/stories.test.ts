/**
 * Runs test/stories/*.md: each log must give what its story says, by every way that its bytes can come in.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import {
  type Answer,
  answerBySplit2,
  answerByteByByte,
  answerFromGzip,
  answerInChunks,
  answerWhole,
  withCrLf,
  yearOf,
} from './support/answer.ts';
import { plainFigures, printChains, printFigures, sorted } from './support/notation.ts';
import { Starts } from './support/starts.ts';
import { readStories, type Story } from './support/story.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Logs up to this size are cut at every byte; longer ones at random places. */
const SHORT = 700;
const RANDOM_CUTS = 200;
const TRAPS = 61;

const stories = readStories(join(import.meta.dirname, 'stories'));
const folder = mkdtempSync(join(tmpdir(), 'dsnstat-stories-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

for (const story of stories) (story.knownWrong ? test.fails : test)(story.name, () => runStory(story));

test('every trap of log-formats.md section 8 has a story', () => {
  const told = new Set(stories.flatMap((story) => story.traps));
  const missing = Array.from({ length: TRAPS }, (_, i) => i + 1).filter((trap) => !told.has(trap));
  expect(missing).toEqual([]);
});

async function runStory(story: Story): Promise<void> {
  const { log, options } = story;
  const year = yearOf(log, options);
  const whole = answerWhole(log, options, year);
  tellsTheStory(story, whole);

  const answersTheSame = sameAs(whole);
  for (const cut of cutsOf(log))
    answersTheSame(`cut at byte ${cut}`, answerInChunks(log, [cut], options, year));
  answersTheSame('byte by byte', answerByteByByte(log, options, year));
  answersTheSame('with CRLF', answerWhole(withCrLf(log), options, year));
  answersTheSame('by split2', await answerBySplit2(log, options, year));
  answersTheSame('gzipped', await answerFromGzip(log, options, join(folder, 'story.log.gz')));

  if (story.startsUnjudged !== null) return;
  const starts = new Starts(log, whole);
  for (let line = 1; line < starts.count; line += 1) {
    const answer = answerWhole(starts.from(line), options, year);
    addsUp(answer);
    expect(starts.faults(line, answer), `started at line ${line + 1}`).toEqual([]);
  }
}

function tellsTheStory(story: Story, answer: Answer): void {
  expect(printChains(answer.chains, story.chains)).toBe(sorted(story.chains));
  expect(printFigures(answer.report, story.figures)).toBe(plainFigures(story.figures));
  // A line that nobody can read is part of the story, or it is a fault.
  if (!story.figures.some((line) => line.startsWith('lines '))) {
    expect(printFigures(answer.report, ['lines unrecognised 0 malformed 0'])).toBe(
      'lines unrecognised 0 malformed 0',
    );
  }
  addsUp(answer);
}

/** What holds for every answer: sums, and chains and figures that do not contradict each other (contract 2 and 3). */
function addsUp({ report, chains }: Answer): void {
  const { input, statistics, accounting } = report;
  const { recorded, ignored, foreign, unrecognised, malformed } = input;
  expect(recorded + ignored + foreign + unrecognised + malformed, 'classes of lines').toBe(input.lines);
  const { with_dsn, suppressed, withheld, open } = accounting;
  expect(with_dsn + suppressed + withheld + open, 'accounting').toBe(statistics.estimated);

  const messages = chains.filter((chain) => !chain.headless && chain.reverse_path !== '');
  const failures = messages.flatMap((chain) => chain.dsns.filter((dsn) => dsn.kind === 'failure'));
  const failed = messages.filter(
    (chain) =>
      chain.recipients.some((r) => r.outcome === 'failed' || r.outcome === 'expired') ||
      chain.dsns.some((dsn) => dsn.kind === 'failure'),
  );
  expect(
    {
      incoming: statistics.incoming,
      estimated: statistics.estimated,
      actual: statistics.actual,
      suppressed: statistics.suppressed,
      headless: input.headless_chains,
    },
    'figures against chains',
  ).toEqual({
    incoming: messages.length,
    estimated: failed.length,
    actual: failures.length,
    suppressed: messages.filter((chain) => chain.suppressed !== null).length,
    headless: chains.filter((chain) => chain.headless).length,
  });
}

function sameAs(whole: Answer): (way: string, answer: Answer) => void {
  const json = JSON.stringify(whole);
  return (way, answer) => {
    // Comparing texts is what makes thousands of cuts affordable; the rest only explains a difference.
    if (JSON.stringify(answer) === json) return;
    expect(printChains(answer.chains, []), way).toBe(printChains(whole.chains, []));
    expect(answer, way).toEqual(whole);
  };
}

function cutsOf(log: Uint8Array): number[] {
  if (log.length <= SHORT) return Array.from({ length: log.length + 1 }, (_, i) => i);
  let random = 42;
  return Array.from({ length: RANDOM_CUTS }, () => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    return random % log.length;
  });
}
