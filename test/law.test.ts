/**
 * The law of the mergeable summary (design): summary(A ++ B) = merge(summary(A), summary(B)) for every cut between two
 * lines; merge is associative; the empty summary is neutral. On real logs, chains included.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Analysis } from '../src/analysis/analysis.ts';
import type { Chain } from '../src/chains/chain.ts';
import type { Life } from '../src/chains/life.ts';
import { chainOf, NOTHING, natureOf } from '../src/chains/view.ts';
import { fullReport } from '../src/findings/all.ts';
import { Inside } from '../src/suspects/inside.ts';
import { judge } from '../src/suspects/judge.ts';
import { LOGS, logBytes, PiecedLog, Place } from './support/pieces.ts';
import { readStories } from './support/story.ts';

/** A log whose pieces can be analysed: each piece knows the year, as the reading of a cut file would tell it. */
class CutLog {
  readonly #log: PiecedLog;
  readonly #place = new Place();

  constructor(log: PiecedLog) {
    this.#log = log;
  }

  get lines(): PiecedLog['lines'] {
    return this.#log.lines;
  }

  piece(from: number, to: number, leftOpen: boolean, chains: Chain[]): Analysis {
    const analysis = new Analysis({ leftOpen, onChain: (root) => this.#keep(root, chains) });
    this.#log.read(analysis, from, to, this.#place);
    return analysis;
  }

  #keep(root: Life, chains: Chain[]): void {
    if (natureOf(root) !== NOTHING)
      chains.push(
        chainOf(
          root,
          (host) => this.#place.hosts.text(host),
          (...chain) => judge(...chain, INSIDE)?.suspect ?? null,
        ),
      );
  }

  /** Everything that an analysis says: its report, and every chain, in an order of their own. */
  answer(analysis: Analysis, chains: readonly Chain[]): unknown {
    const all = [...chains];
    for (const root of analysis.pending()) this.#keep(root, all);
    return {
      report: fullReport(analysis.summary, analysis.pending(), {
        top: 1000,
        complete: true,
        generatedAt: new Date(0),
      }),
      chains: all.map(canonical).sort(),
    };
  }
}

const INSIDE = new Inside();

/** Lists whose order means nothing in one order. */
function canonical(chain: Chain): string {
  return JSON.stringify({
    ...chain,
    queue_ids: [...chain.queue_ids].sort(),
    recipients: chain.recipients.map((r) => JSON.stringify(r)).sort(),
    dsns: chain.dsns.map((d) => JSON.stringify(d)).sort(),
  });
}

function pieces(log: CutLog, cuts: readonly number[], chains: Chain[]): Analysis[] {
  const ends = [0, ...[...new Set(cuts)].sort((a, b) => a - b), log.lines.length];
  return ends.slice(1).map((end, i) => log.piece(ends[i], end, i > 0, chains));
}

describe.each(LOGS)('the law on %s', (name) => {
  const log = new CutLog(new PiecedLog(logBytes(name)));
  const whole: Chain[] = [];
  const expected = log.answer(log.piece(0, log.lines.length, false, whole), whole);
  const cut = fc.nat({ max: log.lines.length });

  it('gives the same answer for pieces merged from the left, however the log is cut', () => {
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 5 }), (cuts) => {
        const chains: Chain[] = [];
        const [first, ...others] = pieces(log, cuts, chains);
        for (const piece of others) first.merge(piece);
        expect(log.answer(first, chains)).toEqual(expected);
      }),
      { numRuns: 12, seed: 20261121 },
    );
  });

  it('is associative: merged from the right, the answer is the same', () => {
    fc.assert(
      fc.property(fc.array(cut, { minLength: 2, maxLength: 4 }), (cuts) => {
        const chains: Chain[] = [];
        const all = pieces(log, cuts, chains);
        const merged = all.reduceRight((right, left) => {
          left.merge(right);
          return left;
        });
        expect(log.answer(merged, chains)).toEqual(expected);
      }),
      { numRuns: 8, seed: 20261122 },
    );
  });

  it('has the empty piece as neutral element', () => {
    const middle = Math.floor(log.lines.length / 2);
    const chains: Chain[] = [];
    const first = log.piece(0, middle, false, chains);
    first.merge(log.piece(middle, middle, true, chains));
    const second = log.piece(middle, middle, true, chains);
    second.merge(log.piece(middle, log.lines.length, true, chains));
    first.merge(second);
    expect(log.answer(first, chains)).toEqual(expected);
  });
});

/**
 * The log cannot tell whether an SPF filter that names no id spoke before or after an envelope of the same second:
 * the one exception (docs/decisions/0010).
 */
const TELLS_NO_ORDER = 'spf-daemons.log.gz';

describe.each(LOGS.filter((name) => name !== TELLS_NO_ORDER))(
  'the law where lines of a second of %s lie in any order',
  (name) => {
    const log = new PiecedLog(logBytes(name));

    it('holds for every cut, from the left and from the right', () => {
      fc.assert(
        fc.property(
          fc.integer(),
          fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
          (seed, places) => {
            const shuffled = new CutLog(log.shuffled(seed));
            const cuts = places.map((place) => Math.floor(place * shuffled.lines.length));
            const whole: Chain[] = [];
            const expected = shuffled.answer(shuffled.piece(0, shuffled.lines.length, false, whole), whole);
            const chains: Chain[] = [];
            const [first, ...others] = pieces(shuffled, cuts, chains);
            for (const piece of others) first.merge(piece);
            expect(shuffled.answer(first, chains)).toEqual(expected);
            const again: Chain[] = [];
            const merged = pieces(shuffled, cuts, again).reduceRight((right, left) => {
              left.merge(right);
              return left;
            });
            expect(shuffled.answer(merged, again)).toEqual(expected);
          },
        ),
        { numRuns: 12, seed: 20261125 },
      );
    });
  },
);

describe('the law at single seams', () => {
  /** Every cut between two lines. */
  function holdsFor(lines: readonly string[]): void {
    holdsForLog(new CutLog(new PiecedLog(Buffer.from(`${lines.join('\n')}\n`))));
  }

  function holdsForLog(log: CutLog): void {
    const whole: Chain[] = [];
    const expected = log.answer(log.piece(0, log.lines.length, false, whole), whole);
    for (let at = 1; at < log.lines.length; at += 1) {
      const chains: Chain[] = [];
      const [left, right] = pieces(log, [at], chains);
      left.merge(right);
      expect(log.answer(left, chains), `cut before line ${at + 1}`).toEqual(expected);
    }
  }

  const stories = readStories(join(import.meta.dirname, 'stories')).filter(({ knownWrong }) => !knownWrong);
  /** What some seam of them leaves open (docs/decisions/0010). */
  const OPEN = [
    'A partial record of the container runtime goes on in the next',
    'Local stamps of tai64nlocal, bare text, and the end of a torn file',
    'A line too long for syslog comes in numbered parts',
    'Parts of a list of bare addresses',
    'The re-entered bounce is known by its Message-ID alone',
    'A local submission that a header check refuses bounces',
    'A filter behind an alias',
  ];
  for (const { name, log } of stories) {
    const isOpen = OPEN.some((title) => name.endsWith(title));
    (isOpen ? it.fails : it)(`the story ${name}`, () => holdsForLog(new CutLog(new PiecedLog(log))));
  }

  it('a second delivery to an address does not take back the forward of the first', () => {
    // peggy is named twice, by herself and by an alias: once the mail is forwarded and fails there, once it waits.
    holdsFor([
      'Oct  5 06:30:30 qm qmail: 1791181830.267414 new msg 2285742',
      'Oct  5 06:30:30 qm qmail: 1791181830.267420 info msg 2285742: bytes 2838 from <s@one.example> qp 100 uid 1002',
      'Oct  5 06:30:30 qm qmail: 1791181830.267430 starting delivery 11: msg 2285742 to local peggy@shop.test',
      'Oct  5 06:30:30 qm qmail: 1791181830.267440 starting delivery 12: msg 2285742 to local peggy@shop.test',
      'Oct  5 06:30:30 qm qmail: 1791181830.290000 new msg 2286496',
      'Oct  5 06:30:30 qm qmail: 1791181830.290010 info msg 2286496: bytes 2900 from <s@one.example> qp 101 uid 1001',
      'Oct  5 06:30:30 qm qmail: 1791181830.290020 starting delivery 13: msg 2286496 to remote peggy@two.example',
      'Oct  5 06:30:30 qm qmail: 1791181830.300000 delivery 11: success: did_0+1+0/qp_101/',
      'Oct  5 06:30:30 qm qmail: 1791181830.310000 delivery 12: deferral: Temporary_error_on_maildir_delivery._(#4.3.0)/',
      'Oct  5 06:30:30 qm qmail: 1791181830.648876 delivery 13: failure: 198.18.0.1_does_not_like_recipient./Remote_host_said:_550_5.1.1_User_unknown/Giving_up_on_198.18.0.1./',
      'Oct  5 06:30:30 qm qmail: 1791181830.650000 bounce msg 2286496 qp 102',
      'Oct  5 06:30:30 qm qmail: 1791181830.650010 end msg 2286496',
      'Oct  5 06:30:30 qm qmail: 1791181830.660000 new msg 2286497',
      'Oct  5 06:30:30 qm qmail: 1791181830.660010 info msg 2286497: bytes 3500 from <> qp 102 uid 1007',
      'Oct  5 06:30:30 qm qmail: 1791181830.660020 starting delivery 14: msg 2286497 to remote s@one.example',
      'Oct  5 06:30:31 qm qmail: 1791181831.100000 delivery 14: success: 198.18.0.2_accepted_message./',
      'Oct  5 06:30:31 qm qmail: 1791181831.100010 end msg 2286497',
      'Oct  5 08:08:07 qm qmail: 1791187687.936661 starting delivery 15: msg 2285742 to local peggy@shop.test',
      'Oct  5 08:08:08 qm qmail: 1791187688.100000 delivery 15: success: did_1+0+0/',
      'Oct  5 08:08:08 qm qmail: 1791187688.100010 end msg 2285742',
    ]);
  });
});
