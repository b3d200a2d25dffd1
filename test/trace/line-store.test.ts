/** Lines that are kept for the screen: what is told from them is what `trace` tells of the whole log, and they are bounded. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Analysis } from '../../src/analysis/analysis.ts';
import type { Life } from '../../src/chains/life.ts';
import { Clock } from '../../src/lines/clock.ts';
import { HeadParser } from '../../src/lines/head-parser.ts';
import { Names } from '../../src/lines/names.ts';
import { LineSplitter } from '../../src/lines/splitter.ts';
import { Tags } from '../../src/lines/tags.ts';
import { Inside } from '../../src/suspects/inside.ts';
import { LineArena } from '../../src/trace/line-arena.ts';
import { LineStore, type StoredChain } from '../../src/trace/line-store.ts';
import { retrace } from '../../src/trace/retrace.ts';
import { Tracer } from '../../src/trace/tracer.ts';
import { type What, whatOf } from '../../src/trace/what.ts';
import { REFERENCE, yearOf } from '../support/answer.ts';
import { readStories, type StoryOptions } from '../support/story.ts';

const ROOT = join(import.meta.dirname, '../..');
const inside = new Inside();

/** Reads a log as `watch` does; what is seen of each chain at its end, or at the end of the log. */
function follow(
  log: Uint8Array,
  store: LineStore,
  see: (root: Life, stored: StoredChain | null, now: number, tracer: Tracer, hosts: Names) => void,
  options: Partial<StoryOptions> = {},
): void {
  const hosts = new Names();
  const tracer = new Tracer(whatOf('all') as What, {
    raw: true,
    since: null,
    until: null,
    judged: () => null,
  });
  const analysis: Analysis = new Analysis({
    mta: options.mta,
    inside,
    onChain: (root) => {
      store.keep(`${root.serial}`, root, 0);
      see(root, store.of(`${root.serial}`), analysis.joiner.state.now, tracer, hosts);
      tracer.forget(root);
      store.forget(root);
    },
    onLine: (line, joiner) => {
      tracer.line(line, joiner);
      store.line(line, joiner);
    },
  });
  const year = options.tz === undefined ? null : yearOf(log, options as StoryOptions);
  const clock = new Clock({ zone: options.tz ?? 'UTC', year, reference: REFERENCE });
  const heads = new HeadParser(clock, hosts, new Tags());
  const splitter = new LineSplitter(
    (bytes, start, end) => analysis.line(heads, bytes, start, end),
    () => analysis.overlong(),
  );
  splitter.push(log);
  splitter.finish();
  for (const root of analysis.pending())
    see(root, store.ofPending(root), analysis.joiner.state.now, tracer, hosts);
}

/** Chains compared. */
function compare(log: Buffer, options?: StoryOptions): number {
  let chains = 0;
  follow(
    log,
    new LineStore([10]),
    (root, stored, now, tracer, hosts) => {
      const found = { root, suspect: null, matchedBy: [], number: 0, lossy: false };
      const whole = tracer.trace(found, (host) => hosts.text(host));
      if (stored === null) {
        // Ids that were only named; or lines put together from pieces, of which only the last is there.
        if (!log.includes(' stdout P ')) expect(whole.lives.flatMap(({ events }) => events)).toEqual([]);
        return;
      }
      chains += 1;
      const alone = retrace(stored, { suspect: null, now, inside, mta: options?.mta ?? null, raw: true });
      expect(alone).toEqual({ ...whole, what: root.id });
    },
    options,
  );
  return chains;
}

describe('told from its own lines only, a chain is what trace tells of the whole log', () => {
  test('every story', () => {
    let chains = 0;
    for (const { log, options } of readStories(join(ROOT, 'test/stories'))) chains += compare(log, options);
    expect(chains).toBeGreaterThan(150);
  });

  const fixtures = readdirSync(join(ROOT, 'test/fixtures')).filter(
    (name) => name.endsWith('.log.gz') && !name.includes('load'),
  );
  test.each(fixtures)('%s', (name) => {
    expect(compare(gunzipSync(readFileSync(join(ROOT, 'test/fixtures', name))))).toBeGreaterThan(20);
  });
});

describe('memory is bounded', () => {
  /** 200 messages, one a minute; the first waits for ever. */
  const ids = Array.from({ length: 200 }, (_, n) => `4${n.toString(16).padStart(8, '0').toUpperCase()}`);
  const mixed = Buffer.from(
    ids
      .flatMap((id, n) => {
        const at = new Date(Date.UTC(2026, 10, 20, 0, n)).toISOString();
        const lines = [
          `smtpd[1]: ${id}: client=c.example[192.0.2.1]`,
          `qmgr[2]: ${id}: from=<a@b.example>, size=9, nrcpt=1 (queue active)`,
          `smtp[3]: ${id}: to=<c@d.example>, relay=none, delay=1, dsn=2.0.0, status=sent (250 ok)`,
          `qmgr[2]: ${id}: removed`,
        ];
        return lines.slice(0, n === 0 ? 2 : 4).map((text) => `${at} mx postfix/${text}\n`);
      })
      .join(''),
  );

  test('the oldest go: of what was over the oldest, of what is pending the one that waits longest', () => {
    const store = new LineStore([1000], 32_768);
    const over: string[] = [];
    const pending: (string | null)[] = [];
    follow(mixed, store, (root, stored) => {
      if (root.retired) over.push(`${root.serial}`);
      else pending.push(stored === null ? null : root.id);
    });
    const there = over.map((key) => store.of(key));
    const kept = there.filter((chain) => chain !== null);
    expect(kept.length).toBeGreaterThan(20);
    expect(there.slice(-kept.length)).toEqual(kept);
    expect(over.length).toBeGreaterThan(2 * kept.length);
    for (const { lines } of kept) expect(lines).toHaveLength(4);
    expect(pending[0]).toBe(ids[0]);
    expect(pending.at(-1)).toBe(ids.at(-1));
  });

  test('with little room even what is pending goes, the oldest first', () => {
    const pending: (string | null)[] = [];
    const never = mixed.toString().replaceAll(/^.*(?:removed|status=sent).*\n/gm, '');
    follow(Buffer.from(never), new LineStore([1000], 32_768), (root, stored) =>
      pending.push(stored === null ? null : root.id),
    );
    const kept = pending.filter((id) => id !== null);
    expect(pending).toHaveLength(200);
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.length).toBeLessThan(100);
    expect(pending.slice(-kept.length)).toEqual(ids.slice(-kept.length));
  });

  test('of what began before these lines, nothing is at hand', () => {
    const store = new LineStore([1000]);
    let pending = 0;
    follow(mixed, store, (root, stored) => {
      if (root.retired || stored === null) return;
      pending += 1;
      store.miss(root);
      expect(store.ofPending(root)).toBeNull();
    });
    expect(pending).toBeGreaterThan(0);
  });

  test('only so many chains of a sort are kept', () => {
    const store = new LineStore([5]);
    const all: string[] = [];
    follow(mixed, store, (root, stored) => {
      if (stored !== null) all.push(`${root.serial}`);
    });
    expect(all.filter((key) => store.of(key) !== null).length).toBeLessThanOrEqual(5);
  });

  test('a message with very many lines does not take the room of all others', () => {
    const line = (n: number): string =>
      `2026-11-20T00:00:00Z mx postfix/smtp[3]: 3C8A01234: to=<r${n}@rcpt.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (${'x'.repeat(900)})\n`;
    const front =
      '2026-11-20T00:00:00Z mx postfix/qmgr[2]: 3C8A01234: from=<a@b.example>, size=9, nrcpt=1 (queue active)\n';
    const log =
      front +
      Array.from({ length: 2000 }, (_, n) => line(n)).join('') +
      front.replaceAll('3C8A01234', '3C8A0EEEE');
    const seen: (number | null)[] = [];
    follow(Buffer.from(log), new LineStore([5]), (_, stored) => seen.push(stored?.lines.length ?? null));
    expect(seen).toEqual([null, 1]);
  });
});

test('the arena gives back what was put in, and its room when a list goes', () => {
  const step = fc.record({
    act: fc.constantFrom('add', 'add', 'add', 'release'),
    list: fc.nat(4),
    length: fc.integer({ min: 0, max: 1500 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const arena = new LineArena(64 * LineArena.BLOCK);
      const all = arena.free;
      const lists = new Map<number, { list: number; texts: string[] }>();
      const source = Buffer.alloc(2000);
      steps.forEach(({ act, list: name, length }, n) => {
        const known = lists.get(name);
        if (act === 'release') {
          if (known !== undefined) arena.release(known.list);
          lists.delete(name);
          return;
        }
        if (arena.free < LineArena.blocksFor(length) + 1) return;
        const { list, texts } = known ?? { list: arena.begin(), texts: [] };
        lists.set(name, { list, texts });
        source.fill(n % 256);
        arena.add(list, n, n / 2, source, 100, 100 + length);
        texts.push(`${n} ${n / 2} ${source.toString('latin1', 100, 100 + length)}`);
      });
      for (const { list, texts } of lists.values())
        expect(
          arena.records(list).map(({ order, at, bytes }) => `${order} ${at} ${bytes.toString('latin1')}`),
        ).toEqual(texts);
      for (const { list } of lists.values()) arena.release(list);
      expect(arena.free).toBe(all);
    }),
    { numRuns: 200 },
  );
});
