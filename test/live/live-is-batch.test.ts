/** After the last byte a live run says what a batch run says of the same bytes, however they came. */
import { appendFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FollowedFile, FollowedStream } from '../../src/follow/inputs.ts';
import type { Report } from '../../src/summary/report.ts';
import { batchReport, Running, temporaryFolder } from './running.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);
const logs = readdirSync(FIXTURES).filter((name) => name.endsWith('.log.gz'));
const folder = temporaryFolder();

function bytesOf(name: string): Buffer {
  return gunzipSync(readFileSync(new URL(name, FIXTURES)));
}

/** Everything but the number of files: a rotated log is one that is followed and two that are read. */
function meaning({ input: { files: _, ...input }, ...rest }: Report): unknown {
  return { ...rest, input };
}

describe.each(logs)('%s', (name) => {
  const bytes = bytesOf(name);
  const whole = join(folder, name.replace('.gz', ''));
  writeFileSync(whole, bytes);

  test('a third is there, a third is appended in pieces, a third comes after a rotation', async () => {
    const path = join(folder, `live-${name.replace('.gz', '')}`);
    const third = Math.floor(bytes.length / 3);
    writeFileSync(path, bytes.subarray(0, third));
    const running = new Running();
    const file = new FollowedFile(path, (text) => running.problems.push(text));
    const source = file.begin(0);
    const done = running.run(source === null ? [] : [source], [file]);
    for (let at = third; at < 2 * third; at += 20_011) {
      appendFileSync(path, bytes.subarray(at, Math.min(at + 20_011, 2 * third)));
      await sleep(1);
    }
    // A rotation between two lines, as logrotate's is.
    const newline = bytes.indexOf(10, 2 * third) + 1;
    appendFileSync(path, bytes.subarray(2 * third, newline));
    renameSync(path, `${path}.1`);
    writeFileSync(path, bytes.subarray(newline));
    await running.taken(countLines(bytes));
    running.engine.stop();
    const view = await done;
    const batch = await batchReport([whole]);
    expect(meaning(running.report())).toEqual(meaning(batch));
    const { incoming, delivered, estimated, actual, suppressed } = batch.statistics;
    expect(view.whole).toEqual([incoming, delivered, estimated, actual, suppressed]);
    expect(running.problems).toEqual([]);
  });
});

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}

describe('a pipe', () => {
  test('gives the figures of the file, whatever the pieces', async () => {
    const bytes = bytesOf('postfix-mixed.log.gz');
    const path = join(folder, 'piped.log');
    writeFileSync(path, bytes);
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 7001) pieces.push(bytes.subarray(at, at + 7001));
    const running = new Running();
    const pipe = new FollowedStream(
      '-',
      Readable.from(pieces),
      () => undefined,
      (error) => {
        throw error;
      },
    );
    const view = await running.run([], [pipe]);
    const batch = await batchReport([path]);
    expect(meaning(running.report())).toEqual(meaning(batch));
    expect(view.whole[0]).toBe(batch.statistics.incoming);
    // The series add up to the whole.
    const sum = view.steps.day.reduce((n, { figures }) => n + figures[0], 0);
    expect(sum).toBe(batch.statistics.incoming);
  });
});
