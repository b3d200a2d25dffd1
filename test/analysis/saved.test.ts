/**
 * A saved analysis is the analysis: pieces that were written and read again merge into what the whole log gives, each
 * with host numbers of its own; and reading goes on behind a saved beginning as if it had never stopped.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import { FORMAT, SavedDamage } from '../../src/analysis/saved.ts';
import { Life, Recipient } from '../../src/chains/life.ts';
import { KEPT } from '../../src/chains/saved.ts';
import { JoinerState } from '../../src/chains/state.ts';
import { LineHead } from '../../src/lines/head.ts';
import { FIELDS } from '../../src/summary/saved.ts';
import { Summary } from '../../src/summary/summary.ts';
import { answer, LOGS, load, logBytes, PiecedLog, Place, save } from '../support/pieces.ts';

describe.each(LOGS)('saved pieces of %s', (name) => {
  const log = new PiecedLog(logBytes(name));
  const end = log.lines.length;
  const expected = answer(log.piece(0, end, false));
  const cut = fc.nat({ max: end });

  it('merge into the whole, however the log is cut', () => {
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 5 }), (cuts) => {
        const ends = [0, ...[...new Set(cuts)].sort((a, b) => a - b), end];
        const here = new Place();
        const whole = new Analysis({ lean: true, kernel: false });
        for (const [i, to] of ends.slice(1).entries()) {
          const there = new Place();
          // A process that met other hosts before.
          for (let n = 0; n < i; n += 1) there.hosts.named(Buffer.from(`other${n}`));
          whole.merge(load(save(log.piece(ends[i], to, true, there), there), here));
        }
        expect(answer(whole)).toEqual(expected);
      }),
      { numRuns: 10, seed: 20261123 },
    );
  });

  it('is gone on with where it was saved, any number of times', () => {
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 4 }), (cuts) => {
        const ends = [0, ...[...new Set(cuts)].sort((a, b) => a - b), end];
        let text: string | null = null;
        for (const [i, to] of ends.slice(1).entries()) {
          const place = new Place();
          const analysis = new Analysis({ leftOpen: true, lean: true, kernel: false });
          if (text !== null) analysis.merge(load(text, place));
          log.read(analysis, ends[i], to, place);
          text = save(analysis, place);
        }
        const whole = new Analysis({ lean: true, kernel: false });
        whole.merge(load(text!, new Place()));
        expect(answer(whole)).toEqual(expected);
      }),
      { numRuns: 8, seed: 20261124 },
    );
  });

  it('says the same after it was saved as before', () => {
    const place = new Place();
    const analysis = log.piece(0, Math.floor(end / 2), true, place);
    const before = answer(analysis);
    const text = save(analysis, place);
    expect(answer(analysis)).toEqual(before);
    expect(answer(load(text, new Place()))).toEqual(before);
    const again = new Place();
    expect(save(load(text, again), again).split('\n')).toHaveLength(text.split('\n').length);
  });
});

describe('what is kept', () => {
  const names = (object: object): string[] => Object.keys(object).sort();
  const listed = (kept: {
    fields: readonly string[];
    otherwise: readonly string[];
    anew: readonly string[];
  }) => [...kept.fields, ...kept.otherwise, ...kept.anew].sort();

  it('is every field of a summary', () => {
    expect(Object.keys(FIELDS).sort()).toEqual(names(new Summary()));
  });

  it('is every field of lives, recipients, heads and the state, or is listed as made anew', () => {
    expect(listed(KEPT.life)).toEqual(names(new Life()));
    expect(listed(KEPT.recipient)).toEqual(names(new Recipient()));
    expect(listed(KEPT.head)).toEqual(names(new LineHead()));
    expect(listed(KEPT.state)).toEqual(names(new JoinerState()));
  });
});

describe('a summary that cannot be read', () => {
  const place = new Place();
  const text = save(new PiecedLog(logBytes('postfix-mixed.log.gz')).piece(0, 300, true, place), place);
  const read = (damaged: string): (() => unknown) => {
    return () => load(damaged, new Place());
  };

  it('says what is wrong with it', () => {
    expect(read('Nov 21 01:02:03 mx postfix/smtpd[1]: connect\n')).toThrow(
      'not a summary that dsnstat saved',
    );
    expect(read('{"kind":"report"}\n')).toThrow('not a summary that dsnstat saved');
    expect(read(text.replace(`"schema_version":${FORMAT}`, '"schema_version":99'))).toThrow(
      'written by a newer dsnstat (format 99',
    );
    expect(read(text.split('\n').slice(0, -5).join('\n'))).toThrow(/cut off after line \d+/);
  });

  it('is not believed when a byte of it is another one', () => {
    const wrong = fc.property(
      fc.nat({ max: text.length - 1 }),
      fc.integer({ min: 32, max: 126 }),
      (at, byte) => {
        const damaged = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1);
        fc.pre(damaged !== text);
        expect(read(damaged)).toThrow(SavedDamage);
      },
    );
    fc.assert(wrong, { numRuns: 60, seed: 20261125 });
  });
});
