/** Tables of counts, and the examples that findings show. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AND, Counter } from '../../src/summary/counter.ts';
import { Evidence } from '../../src/summary/evidence.ts';

const FEW_KEYS = fc.constantFrom('', 'a', 'b', 'ab', 'example.org', 'mx.example.org[192.0.2.1]:25', 'ü');

describe('a table', () => {
  test('counts by key, in the order in which the keys came', () => {
    const table = new Counter();
    for (const key of ['b', 'a', 'b']) table.add(key);
    table.add('example.org'.slice(2), 5);
    table.see('b');
    table.see('c');
    expect([...table]).toEqual([
      ['b', 2],
      ['a', 1],
      ['ample.org', 5],
      ['c', 1],
    ]);
    expect([table.size, table.total, table.countOf('b'), table.countOf('d')]).toEqual([4, 9, 2, 0]);
    expect(table.most()).toEqual(['ample.org', 5]);
    expect(new Counter().most()).toBeNull();
  });

  test('keeps so many keys and says what found no place', () => {
    const table = new Counter(2);
    for (const key of ['a', 'b', 'c', 'a', 'd']) table.add(key);
    table.add('e', 3);
    table.addParts('f', 'g');
    table.addParts('f', 'g');
    expect([...table]).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect([table.overflow, table.total]).toEqual([7, 10]);
    const more = new Counter();
    more.merge(table);
    more.merge(table);
    expect([more.countOf('a'), more.overflow]).toEqual([4, 14]);
  });

  test('counts under parts as under the key that they make', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(FEW_KEYS, FEW_KEYS, FEW_KEYS)), (keys) => {
        const parts = new Counter();
        const whole = new Counter();
        for (const [a, b, c] of keys) {
          parts.addParts(a, b, c);
          whole.add([a, b, ...(c === '' ? [] : [c])].join(AND));
        }
        expect([...parts]).toEqual([...whole]);
      }),
      { seed: 20261121 },
    );
  });

  test('gives the first so many as they stand in the whole order', () => {
    const counts = fc.array(fc.nat({ max: 30 }), { minLength: 900, maxLength: 6000 });
    fc.assert(
      fc.property(counts, fc.constantFrom(0, 1, 10, 300), (numbers, most) => {
        const table = new Counter();
        // Many are equal: then the text decides.
        for (const [i, n] of numbers.entries()) table.add(`key ${(i * 7919) % 6007}`, n + 1);
        expect(table.sorted(most)).toEqual(table.sorted().slice(0, most));
      }),
      { numRuns: 20, seed: 20261121 },
    );
  });
});

describe('examples', () => {
  const chain = fc.record({
    mta: fc.constantFrom(0 as const, 1 as const, 2 as const),
    id: fc.constantFrom('A1', 'B2', 'C3', 'D4', 'E5'),
    first: fc.nat({ max: 4 }).map((s) => s * 1000),
  });

  test('are the earliest three, in whatever order and in how many pieces the chains come', () => {
    fc.assert(
      fc.property(fc.array(chain, { maxLength: 12 }), fc.nat({ max: 12 }), (chains, cut) => {
        const [left, right] = [new Evidence(), new Evidence()];
        for (const [i, root] of chains.entries()) (i < cut ? left : right).add('topic', root);
        left.merge(right);
        const earliest = chains
          .map(({ id, first }) => `${first} ${id}`)
          .sort()
          .slice(0, 3);
        const shown = [...left.rows()].flatMap(([, , seen]) => seen.map(([, id, at]) => `${at} ${id}`));
        expect(shown).toEqual(earliest);
        expect(left.count('topic')).toBe(chains.length);
        expect(left.countOf('topic', 'qmail')).toBe(chains.filter(({ mta }) => mta === 2).length);
        const again = new Evidence();
        for (const row of left.rows()) again.addRow(row);
        expect([...again.rows()]).toEqual([...left.rows()]);
      }),
      { seed: 20261121 },
    );
  });

  test('of several topics name a chain once; without times, the first three are taken', () => {
    const evidence = new Evidence();
    const root = { mta: 1, id: 'A1', first: 0 } as const;
    evidence.add('one', root);
    evidence.add('two', root);
    for (const id of ['D4', 'C3', 'B2', 'A1']) evidence.add('no times', { mta: 2, id, first: Number.NaN });
    expect(evidence.examples('one', 'two', 'three')).toEqual([
      { mta: 'postfix', queue_id: 'A1', at: '1970-01-01T00:00:00.000Z' },
    ]);
    expect(evidence.examples('no times').map(({ queue_id }) => queue_id)).toEqual(['D4', 'C3', 'B2']);
    expect(evidence.mtas('no times')).toEqual(['qmail']);
  });
});
