/**
 * Archives decompressed by another thread: the same bytes, and the same words about what is wrong with them.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBlocks } from '../../src/source/blocks.ts';
import { fileSource, type Source } from '../../src/source/source.ts';
import { DecodingThread } from '../../src/workers/decoding-thread.ts';
import { temporaryFolder } from '../cli/program.ts';

const { folder, file } = temporaryFolder();
let thread: DecodingThread;

beforeAll(() => {
  thread = new DecodingThread();
});
afterAll(() => thread.close());

/** More than is on its way at once, in lines that tell where they stand. */
const log = Buffer.from(
  Array.from({ length: 400_000 }, (_, i) => `line ${i} of a log that repeats itself\n`).join(''),
);
const third = Math.floor(log.length / 3);
const members = Buffer.concat([
  gzipSync(log.subarray(0, third)),
  gzipSync(''),
  gzipSync(log.subarray(third)),
]);

function sourceOf(path: string, apart: boolean): Source {
  const source = fileSource(path, statSync(path));
  if (apart) source.decoding = () => thread.blocks(source);
  return source;
}

async function readOf(source: Source): Promise<{ bytes: Buffer; error: string | null; bytesRead: number }> {
  const blocks: Buffer[] = [];
  let error: string | null = null;
  try {
    for await (const block of openBlocks(source)) blocks.push(Buffer.from(block));
  } catch (thrown) {
    error = `${(thrown as Error).name}: ${(thrown as Error).message}`;
  }
  return { bytes: Buffer.concat(blocks), error, bytesRead: source.bytesRead };
}

describe('an archive in another thread', () => {
  it('gives all of its members, though its blocks use the same memory again and again', async () => {
    const path = file('members.gz', members);
    const { bytes, error, bytesRead } = await readOf(sourceOf(path, true));
    expect(error).toBe(null);
    expect(bytes.equals(log)).toBe(true);
    expect(bytesRead).toBe(members.length);
  });

  it('may be read beside another one', async () => {
    const one = sourceOf(file('one.gz', members), true);
    const other = sourceOf(file('other.gz', gzipSync(log.subarray(third))), true);
    const [a, b] = await Promise.all([readOf(one), readOf(other)]);
    expect(a.bytes.equals(log)).toBe(true);
    expect(b.bytes.equals(log.subarray(third))).toBe(true);
  });

  it.each([
    ['cut off', members.subarray(0, members.length - 100_000)],
    ['followed by something else', Buffer.concat([members, Buffer.from('garbage')])],
    [
      'with a wrong checksum',
      Buffer.concat([members.subarray(0, -8), Buffer.alloc(4), members.subarray(-4)]),
    ],
  ])('that is damaged (%s) gives its good part, and the same error', async (_, bytes) => {
    const path = file('damaged.gz', bytes);
    const here = await readOf(sourceOf(path, false));
    const there = await readOf(sourceOf(path, true));
    expect(here.error).toContain('DamagedInput: damaged gzip data');
    expect(there.error).toBe(here.error);
    expect(there.bytes.equals(here.bytes)).toBe(true);
  });

  it('that has gone meanwhile cannot be read', async () => {
    const gone = sourceOf(file('gone.gz', members), true);
    Object.assign(gone, { path: join(folder, 'gone before.gz') });
    expect((await readOf(gone)).error).toMatch(
      /^UnreadableInput: no such file: .*gone before\.gz; check the name$/,
    );
  });

  it('ends when nobody wants more, and the thread goes on with the next', async () => {
    const stopped = sourceOf(file('stopped.gz', members), true);
    for await (const block of openBlocks(stopped)) if (block.length > 0) stopped.stop();
    for await (const block of openBlocks(sourceOf(file('left.gz', members), true)))
      if (block.length > 0) break;
    expect((await readOf(sourceOf(file('next.gz', members), true))).bytes.equals(log)).toBe(true);
  });

  it('fails in one line when the thread dies', async () => {
    const dying = new DecodingThread(4);
    const source = sourceOf(file('dying.gz', members), false);
    source.decoding = () => dying.blocks(source);
    expect((await readOf(source)).error).toBe(
      'WorkerFailure: the thread that decompresses failed: it ran out of memory; use --jobs 1, which has all of the memory for itself',
    );
  });
});
