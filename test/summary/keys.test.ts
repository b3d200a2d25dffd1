/** The rows of texts: what a Map of strings would say, in less room. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Keys } from '../../src/summary/keys.ts';

/** As logs have them, and awkward ones: of one character, of several bytes, longer than what was made room for. */
const texts = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.nat({ max: 400 }).map((n) => `user${n}@example.org`),
  fc.constantFrom('', '\0', 'a\0', 'ÿ', 'aÿ', '日本語@example.org', 'x'.repeat(5000), 'ü'.repeat(3000)),
);

describe('rows of texts', () => {
  test('are those of a Map', () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 300 }), texts, (list, other) => {
        const keys = new Keys(100_000);
        const rows = new Map<string, number>();
        for (const text of list) {
          if (!rows.has(text)) rows.set(text, rows.size);
          expect(keys.place(text)).toBe(rows.get(text));
        }
        expect([...keys]).toEqual([...rows.keys()]);
        expect(keys.find(other)).toBe(rows.get(other) ?? -1);
        for (const [text, row] of rows) {
          expect(keys.begins(row, Buffer.from(other))).toBe(text.startsWith(other));
          expect(keys.begins(row, Buffer.from(text))).toBe(true);
        }
      }),
      { numRuns: 60, seed: 20261121 },
    );
  });

  test('are found again among many', () => {
    const keys = new Keys(50_000);
    const name = (n: number): string => `user${n}.${n % 7}@host${n % 1000}.example.org`;
    for (let n = 0; n < 50_000; n += 1) expect(keys.place(name(n))).toBe(n);
    for (let n = 0; n < 50_000; n += 1) if (keys.find(name(n)) !== n) expect.unreachable(name(n));
    expect(keys.find(name(50_000))).toBe(-1);
    expect(keys.text(12_345)).toBe(name(12_345));
  });

  test('of one table are those of another', () => {
    const [from, to] = [new Keys(10), new Keys(10)];
    for (const text of ['a', 'ü@example.org', 'b']) from.place(text);
    to.place('b');
    expect([0, 1, 2].map((row) => to.placeFrom(from, row))).toEqual([1, 2, 0]);
    expect([...to]).toEqual(['b', 'a', 'ü@example.org']);
    expect(to.find('ü@example.org')).toBe(2);
  });

  test('end where there is no more room, for keys or for their bytes', () => {
    const few = new Keys(2);
    expect(['a', 'b', 'c', 'a'].map((text) => few.place(text))).toEqual([0, 1, -1, 0]);
    expect(few.find('c')).toBe(-1);
    // A megabyte for ten keys; a hostile one takes no place from others.
    const long = new Keys(10);
    const text = 'x'.repeat(600_000);
    expect([`${text}1`, `${text}2`, 'a'].map((key) => long.place(key))).toEqual([0, -1, 1]);
    expect(long.find(`${text}1`)).toBe(0);
  });
});
