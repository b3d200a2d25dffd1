/** Lines of a slow stream are the lines of a batch run, whatever the bytes and the cuts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineStream, LONGEST_LINE } from '../../src/follow/line-stream.ts';
import { LineSplitter } from '../../src/lines/splitter.ts';

async function streamed(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  const stream = new LineStream({ line: (text) => lines.push(text), overlong: () => lines.push('OVERLONG') });
  for (const chunk of chunks) stream.push(chunk);
  await stream.end();
  return lines;
}

function split(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(
    (bytes, start, end) => lines.push(Buffer.from(bytes.subarray(start, end)).toString('latin1')),
    () => lines.push('OVERLONG'),
    LONGEST_LINE,
  );
  for (const chunk of chunks) splitter.push(chunk);
  splitter.finish();
  return lines;
}

describe('the stream of lines', () => {
  test('any bytes, cut anywhere, give the lines that a batch run sees', async () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((b) => b.map((c) => (c % 7 === 0 ? 10 : c)));
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 12 }), async (chunks) => {
        expect(await streamed(chunks)).toEqual(split(chunks));
      }),
    );
  });

  test('lines come out before push returns, and a partial one waits for its newline', () => {
    const lines: string[] = [];
    const stream = new LineStream({ line: (text) => lines.push(text), overlong: () => undefined });
    stream.push(Buffer.from('one\ntw'));
    expect(lines).toEqual(['one']);
    stream.push(Buffer.from('o\n'));
    expect(lines).toEqual(['one', 'two']);
  });

  test('bytes that are no UTF-8 survive, also where a chunk cuts a character', async () => {
    const bytes = Buffer.from('J\xfcrgen \xff\xfe caf\xc3\xa9\n', 'latin1');
    const chunks = [...bytes].map((byte) => Uint8Array.of(byte));
    expect(await streamed(chunks)).toEqual(['J\xfcrgen \xff\xfe caf\xc3\xa9']);
  });

  test.each([LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE])(
    'a line of %i bytes is treated as in a batch run, and the next one is whole',
    async (length) => {
      const bytes = Buffer.concat([
        Buffer.alloc(length, 'x'),
        Buffer.from('\nnext\n'),
        Buffer.alloc(length, 'y'),
      ]);
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += 50_000) chunks.push(bytes.subarray(at, at + 50_000));
      for (const cut of [[bytes], chunks]) expect(await streamed(cut)).toEqual(split(cut));
    },
  );
});
