import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/lines/splitter.ts';

/** Lines as strings, `<overlong>` for one that was dropped. The chunk is wiped after each push, as a reader may. */
function split(chunks: Uint8Array[], maxLine?: number): string[] {
  const out: string[] = [];
  const splitter = new LineSplitter(
    (bytes, start, end) => out.push(Buffer.from(bytes.subarray(start, end)).toString('latin1')),
    () => out.push('<overlong>'),
    maxLine,
  );
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    splitter.push(reused);
    reused.fill(0x3f);
  }
  splitter.finish();
  return out;
}

function cutAt(bytes: Uint8Array, ...cuts: number[]): Uint8Array[] {
  const at = [0, ...cuts, bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe('the splitter', () => {
  const sample = Buffer.from('first\n\nthird\r\n\nlast without newline');

  it('delivers lines, empty ones and the last one without newline', () => {
    expect(split([sample])).toEqual(['first', '', 'third\r', '', 'last without newline']);
  });

  it('delivers nothing behind the last newline, and nothing for an empty input', () => {
    expect(split([Buffer.from('a\n')])).toEqual(['a']);
    expect(split([])).toEqual([]);
    expect(split([Buffer.alloc(0)])).toEqual([]);
  });

  it('gives the same lines when the bytes are cut at every place', () => {
    const whole = split([sample]);
    for (let cut = 0; cut <= sample.length; cut++) expect(split(cutAt(sample, cut))).toEqual(whole);
    expect(split([...sample].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  it('has a newline behind every line, never a rest of an older one', () => {
    const bytes = Buffer.from(`${'x'.repeat(50)}=\nshort\nt`);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const behind: number[] = [];
      const splitter = new LineSplitter(
        (line, _, end) => behind.push(line[end]),
        () => {},
      );
      for (const chunk of cutAt(bytes, cut)) splitter.push(chunk);
      splitter.finish();
      expect(behind).toEqual([10, 10, 10]);
    }
  });

  it('reports an over-long line once, wherever it is cut, and goes on behind it', () => {
    const bytes = Buffer.from('0123456789\n01234567890\nshort\n0123456789abcdef');
    const expected = ['0123456789', '<overlong>', 'short', '<overlong>'];
    expect(split([bytes], 10)).toEqual(expected);
    for (let a = 0; a <= bytes.length; a++) {
      for (let b = a; b <= bytes.length; b++) expect(split(cutAt(bytes, a, b), 10)).toEqual(expected);
    }
  });

  it('accepts a plain Uint8Array with an offset into its buffer', () => {
    const whole = new Uint8Array(Buffer.from('xxone\ntwo\nyy'));
    expect(split([whole.subarray(2, 10)])).toEqual(['one', 'two']);
  });

  it('gives the same lines for all bytes and all cuts', () => {
    const bytes = fc.array(fc.constantFrom(10, 13, 0, 65, 255), { maxLength: 60 });
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.nat(60), { maxLength: 5 }),
        fc.integer({ min: 1, max: 12 }),
        (list, cuts, max) => {
          const all = Buffer.from(list);
          const places = cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b);
          expect(split(cutAt(all, ...places), max)).toEqual(split([all], max));
        },
      ),
    );
  });
});
