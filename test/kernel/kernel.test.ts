/**
 * The kernel is a shortcut: with it and without it, the same bytes make the same report.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Analysis, type AnalysisOptions } from '../../src/analysis/analysis.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import { answer, expectSameApart } from '../support/course.ts';
import { generatedLog } from '../support/generated.ts';
import { PiecedLog } from '../support/pieces.ts';
import { readStories } from '../support/story.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);
const logs = readdirSync(FIXTURES).filter((name) => name.endsWith('.log.gz'));
const bytesOf = (name: string): Buffer => gunzipSync(readFileSync(new URL(name, FIXTURES)));

const { folder } = temporaryFolder();

/** Some thousand messages. */
function generated(mta: string, seed: number): Promise<Buffer> {
  return generatedLog(join(folder, 'log'), mta, seed, 2e6);
}

/** The same log after an accident: `share` of its lines are lost, doubled or late. */
function disturbed(log: Buffer, chaos: number, share: number): string {
  const lines = log.toString('latin1').trimEnd().split('\n');
  let state = chaos;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
  const after: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (random() >= share) after.push(line);
    else if (i % 3 === 1) after.push(line, line);
    else if (i % 3 === 2) after.splice(Math.max(0, after.length - Math.floor(random() * 20)), 0, line);
  }
  return `${after.join('\n')}\n`;
}

/** The same lines, of which some have stamps of so many seconds later: a clock that was set, and set right again. */
function clockSet(log: Buffer, from: number, count: number, seconds: number): Buffer {
  const lines = log.toString('latin1').split('\n');
  const later = (_: string, h: string, m: string, s: string): string => {
    const all = Math.min(86_399, Math.max(0, 3600 * Number(h) + 60 * Number(m) + Number(s) + seconds));
    return [all / 3600, (all / 60) % 60, all % 60].map((n) => `${Math.floor(n)}`.padStart(2, '0')).join(':');
  };
  const first = from % lines.length;
  for (let i = first; i < Math.min(first + count, lines.length); i += 1)
    lines[i] = lines[i]
      .replace(/(\d\d):(\d\d):(\d\d)/, later)
      .replace(/(?<=qmail: )\d{10}(?=\.)/, (stamp) => `${Number(stamp) + seconds}`);
  return Buffer.from(lines.join('\n'), 'latin1');
}

describe('the kernel', () => {
  it('is there: the build made it', () => {
    expect(Kernel.create()).not.toBeNull();
  });

  it('is for reports: whoever hears every line, or every chain, gets it from the long way', () => {
    const light = (options: AnalysisOptions) => new Analysis(options).joiner.light;
    expect(light({ lean: true })).not.toBeNull();
    expect(light({})).toBeNull();
    expect(light({ lean: true, onLine: () => undefined })).toBeNull();
    expect(light({ lean: true, onChain: () => undefined })).toBeNull();
  });

  it.each(logs)('gives the same report: %s', (name) => {
    const log = bytesOf(name);
    const expected = answer(log, 1 << 20, false).report;
    for (const chunk of [1 << 20, 65_537, 4_099]) expect(answer(log, chunk, true).report).toEqual(expected);
  });

  it.each(logs)('gives the same report where lines of a second lie in any order: %s', (name) => {
    const log = new PiecedLog(bytesOf(name));
    for (const seed of [1, 2, 3]) {
      const { bytes } = log.shuffled(seed);
      const expected = answer(bytes, 65_537, false).report;
      expect(answer(bytes, 65_537, true).report).toEqual(expected);
    }
  });

  it.each(logs)('gives the same report where another thread counts the chains that are over: %s', (name) => {
    for (const later of [1, 200]) expectSameApart(bytesOf(name), later);
  });

  it('counts a line as too long whatever block it stands in', () => {
    const lines = bytesOf('postfix-mixed.log.gz').toString('latin1').split('\n');
    lines.splice(200, 0, `${lines[200].slice(0, 15)} mail CRON[7]: ${'x'.repeat(300_000)}`);
    const log = Buffer.from(lines.join('\n'));
    const expected = answer(log, 1 << 20, false).report;
    expect(expected).toMatchObject({ input: { malformed: 1 } });
    for (const chunk of [1 << 20, 1 << 17]) expect(answer(log, chunk, true).report).toEqual(expected);
  });

  it('keeps instances apart, more of them than it has numbers for', () => {
    // The same queue id in every instance: an ordinary message each, every seventh of them bounced.
    const lines: string[] = [];
    const stamp = '2026-11-21T10:00:00.000000+00:00 mx';
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 400; i += 1) {
        const id = `0A1B2C${round}D${i % 5}`;
        const outcome = i % 7 === 0 ? 'dsn=5.1.1, status=bounced (no)' : 'dsn=2.0.0, status=sent (250 ok)';
        lines.push(
          `${stamp} postfix-${i}/smtpd[7]: ${id}: client=c.example[192.0.2.7]`,
          `${stamp} postfix-${i}/cleanup[7]: ${id}: message-id=<${round}.${i}@c.example>`,
          `${stamp} postfix-${i}/qmgr[7]: ${id}: from=<s@c.example>, size=500, nrcpt=1 (queue active)`,
          `${stamp} postfix-${i}/smtp[7]: ${id}: to=<r@d.example>, relay=d.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, ${outcome}`,
          `${stamp} postfix-${i}/qmgr[7]: ${id}: removed`,
        );
      }
    }
    const log = Buffer.from(`${lines.join('\n')}\n`);
    const expected = answer(log, 1 << 20, false).report;
    expect(expected).toMatchObject({ statistics: { incoming: 800, estimated: 116 } });
    expect(answer(log, 1 << 20, true).report).toEqual(expected);
  });

  it("waits for a clone of sendmail's as long as for any message: it is tried again hours later", () => {
    const sent = (id: string, at: string, stat: string) =>
      `Oct 25 ${at} mx sm-mta[7]: ${id}: to=<d@example.org>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=30148, relay=mail.example.org. [192.0.2.25], dsn=${stat}`;
    const from = (id: string, at: string) =>
      `Oct 25 ${at} mx sm-mta[7]: ${id}: from=<s@example.net>, size=292, class=0, nrcpts=1, msgid=<m@example.net>, proto=ESMTP, daemon=MTA-v4, relay=c.example.net [198.51.100.7]`;
    // The first message makes the minute and the names known.
    const lines = [
      from('59PA2A08000308', '05:30:01'),
      sent('59PA2A08000308', '05:30:02', '2.0.0, stat=Sent (ok)'),
      from('59PA2A09000313', '05:30:03'),
      'Oct 25 05:30:04 mx sm-mta[7]: 59PA2A09000313: 59PA2A0c000315: clone: owner=owner-news',
      sent('59PA2A0c000315', '05:30:05', '4.0.0, stat=Deferred'),
      sent('59PA2A0c000315', '09:30:05', '2.0.0, stat=Sent (ok)'),
    ];
    const log = Buffer.from(`${lines.join('\n')}\n`);
    const { report, slow } = answer(log, 1 << 20, true, { later: 9 * 24 });
    expect(report).toMatchObject({
      statistics: { incoming: 2, delivered: 2 },
      recipients: { delivered: 2 },
      input: { headless_chains: 0 },
    });
    expect(slow).toBeLessThan(4);
    expect(report).toEqual(answer(log, 1 << 20, false, { later: 9 * 24 }).report);
  });

  it("knows the address of qmail's deliveries that come after one that succeeded, and by which channel", () => {
    const head = 'Oct 25 05:30:0';
    const lines = [0, 1].flatMap((i) => {
      const said = (second: number, text: string) =>
        `${head}${second} mx qmail: 1792906${20 + i}${second}.000000 ${text}`;
      return [
        said(1, `new msg ${200 + i}`),
        said(1, `info msg ${200 + i}: bytes 546 from <a@example.net> qp ${300 + i} uid 64011`),
        said(2, `starting delivery ${4 + 3 * i}: msg ${200 + i} to local x@mail.test`),
        said(3, `delivery ${4 + 3 * i}: success: did_1+0+0/`),
        said(4, `starting delivery ${5 + 3 * i}: msg ${200 + i} to remote x@mail.test`),
        said(5, `delivery ${5 + 3 * i}: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/`),
        said(6, `bounce msg ${200 + i} qp ${400 + i}`),
        said(6, `end msg ${200 + i}`),
      ];
    });
    const log = Buffer.from(`${lines.join('\n')}\n`);
    for (const later of [0, 9 * 24])
      expect(answer(log, 1 << 20, true, { later }).report).toEqual(
        answer(log, 1 << 20, false, { later }).report,
      );
  });

  it('takes most lines of a busy server', () => {
    for (const name of ['postfix-load-lossy.log.gz', 'sendmail-load.log.gz', 'qmail-load.log.gz']) {
      const log = bytesOf(name);
      const lines = log.toString('latin1').split('\n').length;
      expect(answer(log, 1 << 20, true).slow / lines, name).toBeLessThan(0.7);
    }
  });

  describe.each(['postfix', 'sendmail', 'qmail'])("on the bench's %s log", (mta) => {
    const seeds = fc.integer({ min: 1, max: 1e6 });

    it('takes nearly all lines', async () => {
      const log = await generated(mta, 7);
      const lines = log.toString('latin1').split('\n').length;
      // Also of those that two blocks share, and of those that begin a minute.
      for (const chunk of [1 << 20, 4_099]) expect(answer(log, chunk, true).slow / lines).toBeLessThan(0.005);
      // And what it has found out about a chain is good for those like it.
      expect(answer(log, 1 << 20, true, { later: 9 * 24 }).repeated / lines).toBeGreaterThan(0.003);
      expect(expectSameApart(log)).toBeGreaterThan(10_000);
    });

    it('gives the same report, whatever lines are lost, doubled or late', async () => {
      const fate = fc.record({ seed: seeds, chaos: seeds, share: fc.constantFrom(0, 0.003, 0.03) });
      await fc.assert(
        fc.asyncProperty(fate, async ({ seed, chaos, share }) => {
          const log = Buffer.from(disturbed(await generated(mta, seed), chaos, share));
          const expected = answer(log, 1 << 20, false).report;
          expect(answer(log, 1 << 20, true).report).toEqual(expected);
          expectSameApart(log);
        }),
        { numRuns: 6 },
      );
    });
  });

  it('gives the same report on every story', () => {
    for (const story of readStories(join(import.meta.dirname, '../stories'))) {
      const expected = answer(story.log, 1 << 20, false).report;
      expect(answer(story.log, 1 << 20, true).report, story.name).toEqual(expected);
      expectSameApart(story.log, 9 * 24);
      // Twice in a row: names and minutes are known the second time, and all ids come again.
      const twice = Buffer.concat([story.log, Buffer.from('\n'), story.log]);
      expect(answer(twice, 1 << 20, true).report, story.name).toEqual(answer(twice, 1 << 20, false).report);
    }
  });

  it.each(logs)('gives the same report where a clock was set: %s', (name) => {
    const log = bytesOf(name);
    const shifts = fc.constantFrom(-10_800, -3_700, -700, -130, -11, 11, 130, 310, 700, 3_700, 10_800);
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 300 }),
        shifts,
        (start, from, count, seconds) => {
          const at = log.indexOf(10, start % Math.max(1, log.length - 50_000)) + 1;
          const piece = clockSet(log.subarray(at, at + 50_000), from, count, seconds);
          expect(answer(piece, 1 << 20, true).report).toEqual(answer(piece, 1 << 20, false).report);
          expectSameApart(piece);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('remembers a forward that waits for its message, though a stamp days ahead came between', () => {
    const said = (seconds: number, text: string) => `Nov 21 02:14:17 qm qmail: ${seconds}.488119 ${text}`;
    const lines = [
      said(1795227257, 'end msg 7'),
      said(1795227257, 'new msg 24'),
      said(1795227257, 'info msg 24: bytes 548 from <a@example.net> qp 228 uid 1002'),
      said(1795227257, 'starting delivery 6: msg 24 to local news@shop.test'),
      said(1795227257, 'delivery 6: success: did_0+2+0/qp_233/'),
      said(1795527257, 'end msg 24'),
      said(1795227257, 'new msg 36'),
      said(1795227257, 'info msg 36: bytes 644 from <news-owner@shop.test> qp 233 uid 1001'),
    ];
    const log = Buffer.from(`${lines.join('\n')}\n`);
    const expected = answer(log, 1 << 20, false).report;
    expect(expected).toMatchObject({ statistics: { incoming: 1 } });
    expect(answer(log, 1 << 20, true).report).toEqual(expected);
  });

  it.each(logs)('gives the same report on damaged lines: %s', (name) => {
    const log = bytesOf(name);
    const damage = fc.array(
      fc.tuple(
        fc.nat(),
        fc.oneof(fc.constantFrom(...Buffer.from(' :[]<>-+.,/|"{}@0159TZ=()\\\0\t\r\n')), fc.nat(255)),
      ),
      { minLength: 1, maxLength: 400 },
    );
    fc.assert(
      fc.property(fc.nat(), damage, (from, changes) => {
        const start = log.indexOf(10, from % Math.max(1, log.length - 30_000)) + 1;
        const piece = Buffer.from(log.subarray(start, start + 30_000));
        if (piece.length === 0) return;
        for (const [at, byte] of changes) piece[at % piece.length] = byte;
        const expected = answer(piece, 1 << 20, false).report;
        expect(answer(piece, 1 << 20, true).report).toEqual(expected);
        expectSameApart(piece);
      }),
      { numRuns: 20 },
    );
  });
});
