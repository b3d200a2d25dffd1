/** Frames: what stands where, at every size, and that nothing of a log reaches the terminal raw. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { View } from '../../src/live/board.ts';
import { displayWidth } from '../../src/outputs/width.ts';
import { HELP } from '../../src/screen/frame.ts';
import { paintFor } from '../../src/screen/paint.ts';
import { newUi, PANELS } from '../../src/screen/ui.ts';
import { dataOf, plain, pressed, rowsOf, sample, viewOf } from './stage.ts';

let view: View;
beforeAll(async () => {
  view = await viewOf(sample('postfix/mixed.log'));
});

describe('the screen of 80 by 24', () => {
  test('the figures are those of the report, with the last hour beside them', () => {
    const rows = rowsOf(dataOf(view, newUi()), 80, 24);
    expect(rows).toHaveLength(23);
    expect(rows[0]).toMatch(
      /^ dsnstat watch {2}LIVE {2}\/var\/log\/mail\.log +log 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/,
    );
    expect(rows[1]).toContain(' 600 lines, 51/s, up to date, 3 unrecognised, ');
    const figures = rows.slice(3, 8).map((row) => row.slice(0, 59).trim().split(/ {2,}/));
    expect(figures).toEqual([
      ['Incoming', '55', 'hour 55'],
      ['Delivered', '52 94.5 % of incoming', 'hour 52'],
      ['Estimated', '18 32.7 % of incoming', 'hour 18'],
      ['Actual', '16 88.9 % of estimated', 'hour 16'],
      ['Suppressed', '0 0.0 % of estimated', 'hour 0'],
    ]);
    expect(rows[8]).toContain('Suppression ratio 0.0 %, last hour 0.0 %');
    expect(rows.find((row) => row.includes('[7 DSNs as they happen]'))).toContain('chains, newest first');
    expect(rows.at(-1)).toContain('q quit  ? help');
  });

  test('a row of the feed: time, kind, outcome, who gets it, why', () => {
    const rows = rowsOf(dataOf(view, pressed(view, ['7', 'z']).ui), 100, 24);
    expect(rows[3]).toMatch(/^>\d\d:\d\d:\d\d (failure|delay|success|postmaster|double bounce) /);
    expect(rows.filter((row) => row.startsWith('>'))).toHaveLength(1);
    expect(rows.join('\n')).toMatch(/failure +delivered +\S+@\S+ +user unknown 5\.1\.1/);
  });

  test('suspects by client, with count, verdict and time', () => {
    const rows = rowsOf(dataOf(view, pressed(view, ['3', 'z']).ui), 80, 24);
    expect(rows[2]).toContain('[3 Suspects by client]');
    expect(rows[3]).toMatch(/^> +\d+ (possible|likely) +\d\d-\d\d \d\d:\d\d:\d\d \d+\.\d+\.\d+\.\d+$/);
  });
});

describe('sizes', () => {
  test.each([
    [80, 24],
    [100, 30],
    [120, 50],
    [200, 60],
    [79, 24],
    [60, 15],
    [40, 10],
    [39, 24],
    [200, 9],
    [20, 3],
    [1, 1],
  ])('%i by %i: one row less than the terminal has, and no row too wide, in every state', (columns, rows) => {
    const states = [
      ...PANELS.map((_, i) => [String(i + 1)]),
      ...PANELS.map((_, i) => [String(i + 1), 'z']),
      ['?'],
      ['7', 'enter'],
      ['1', 'j', 'j', 'enter'],
      ['1', 'j', 'j', 'enter', 'enter'],
      ['2', 't', 'left', 'enter'],
      ['/', 'a', 'b'],
      ['e'],
    ];
    for (const keys of states) {
      const shown = rowsOf(dataOf(view, pressed(view, keys).ui), columns, rows);
      const most = columns < 40 || rows < 10 ? 1 : rows - 1;
      expect(shown.length, keys.join()).toBe(most);
      for (const row of shown)
        expect(displayWidth(row), `${keys.join()}: ${row}`).toBeLessThanOrEqual(columns);
    }
  });

  test('below 40 by 10 there is one line of text', () => {
    expect(rowsOf(dataOf(view, newUi()), 39, 20)).toEqual(['dsnstat in 55 est 18 act 16 sup 0']);
  });

  test('200 by 60 has all four groupings and large digits', () => {
    const text = rowsOf(dataOf(view, newUi()), 200, 60).join('\n');
    for (const name of ['client', "DSN recipient's domain", 'refusing next hop', 'reason'])
      expect(text).toContain(`Suspects by ${name}`);
    expect(text).toContain('┏━╸┏━╸'); // 55
  });

  test('before the first look there is a frame, too', () => {
    for (const [columns, rows] of [
      [80, 24],
      [50, 12],
      [10, 2],
    ])
      expect(rowsOf(dataOf(null, newUi()), columns, rows).join('\n')).toMatch(/dsnstat/);
  });
});

describe('hostile logs', () => {
  const evil = '\x1b[2J\x1b]0;owned\x07\u202e\u200d\ufe0f漢字ｶﾅ e\u0301🙂';
  const line = (text: string): string => `2026-11-20T00:00:00Z mx postfix/${text}\n`;
  const log =
    line('smtpd[1]: 3C8A01234: client=c.example[192.0.2.1]') +
    line(`qmgr[2]: 3C8A01234: from=<${evil}@sender.example>, size=9, nrcpt=1 (queue active)`) +
    line(
      `smtp[3]: 3C8A01234: to=<${evil}@rcpt.example>, relay=${evil}[192.0.2.2]:25, delay=1, dsn=5.1.1, status=bounced (host said: 550 5.1.1 ${evil})`,
    ) +
    line('bounce[4]: 3C8A01234: sender non-delivery notification: 3C8A0EEEE') +
    line('qmgr[2]: 3C8A0EEEE: from=<>, size=9, nrcpt=1 (queue active)') +
    line(`smtp[3]: 3C8A0EEEE: to=<${evil}@sender.example>, relay=none, delay=1, dsn=2.0.0, status=sent (ok)`);

  test('no control character in any row, and the columns stay straight', async () => {
    const hostile = await viewOf(log);
    expect(hostile.entries).toHaveLength(1);
    for (const keys of [
      ['7'],
      ['7', 'enter'],
      ['3', 'enter'],
      ['5', 'z'],
      ['4'],
      ['/', '\x1b', ']', 'enter'],
    ]) {
      for (const [columns, rows] of [
        [80, 24],
        [200, 60],
        [50, 12],
      ]) {
        const data = dataOf(hostile, pressed(hostile, keys).ui, { sources: [evil], notice: evil });
        for (const row of rowsOf(data, columns, rows)) {
          expect(row).not.toMatch(/[\p{Cc}\p{Cf}]/u);
          expect(displayWidth(row)).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  test('wide and combining characters do not move what stands behind them', async () => {
    const hostile = await viewOf(log.replaceAll(evil, '漢字e\u0301'));
    const [row] = rowsOf(dataOf(hostile, pressed(hostile, ['7', 'z']).ui), 80, 24).slice(3);
    const before = row.slice(0, row.indexOf('user unknown'));
    const [usual] = rowsOf(dataOf(view, pressed(view, ['7', 'z']).ui), 80, 24)
      .slice(3)
      .filter((other) => other.includes('user unknown'));
    expect(displayWidth(before)).toBe(displayWidth(usual.slice(0, usual.indexOf('user unknown'))));
  });
});

describe('colours', () => {
  test('say nothing that the text does not: without them the rows are the same', () => {
    const ui = pressed(view, ['3', 'j']).ui;
    const bare = rowsOf(dataOf(view, ui), 120, 40);
    const coloured = rowsOf(dataOf(view, ui, { look: { paint: paintFor(true), zone: 'UTC' } }), 120, 40);
    expect(coloured.map((row) => plain(row).trimEnd())).toEqual(bare);
    expect(coloured.join('')).toMatch(/\x1b\[7m>/);
  });

  test('only the 16 colours and attributes are used', () => {
    const ui = newUi();
    const text = rowsOf(dataOf(view, ui, { look: { paint: paintFor(true), zone: 'UTC' } }), 200, 60).join('');
    for (const [, codes] of text.matchAll(/\x1b\[([\d;]*)m/g))
      for (const code of codes.split(';')) expect(Number(code)).toBeLessThan(50);
  });
});

describe('head and foot', () => {
  const ui = newUi();
  test.each([
    [
      { progress: { phase: 'reading', paused: false, rate: 1e5, lines: 5, backlog: 12_345_678 } },
      /READING .*12\.3 MB behind/s,
    ],
    [
      {
        progress: { phase: 'replay', paused: true, rate: 0, lines: 5, backlog: 0 },
        ui: { ...ui, paused: true },
      },
      /REPLAY PAUSED/,
    ],
    [
      { now: Number.NaN, progress: { phase: 'ended', paused: false, rate: 0, lines: 5, backlog: 0 } },
      / END /,
    ],
    [{ notice: 'mail.log: was truncated' }, /mail\.log: was truncated/],
    [{ ui: { ...ui, filter: 'shop' } }, /filter shop/],
  ] as const)('%j', (more, text) => {
    expect(rowsOf(dataOf(view, ui, more as never), 100, 24).join('\n')).toMatch(text);
  });

  test('a quiet log is not taken for a reading that is behind', () => {
    const rows = rowsOf(dataOf(view, ui, { now: view.newest + 3 * 3_600_000 }), 100, 24);
    expect(rows[1]).toContain('up to date, quiet for 3 h');
  });

  test('the help names every key, and fits', () => {
    const rows = rowsOf(dataOf(view, pressed(view, ['?']).ui), 80, 24);
    for (const [keys] of HELP)
      expect(
        rows.some((row) => row.startsWith(` ${keys} `)),
        keys,
      ).toBe(true);
  });
});

test('no state and no size makes a frame fail', () => {
  const anyKey = fc.constantFrom(
    ...'jkgGq?h/s tre z1234567x'.split(''),
    ...['up', 'down', 'left', 'right', 'pageup', 'pagedown', 'home', 'end', 'enter', 'esc', 'tab', 'backtab'],
  );
  fc.assert(
    fc.property(
      fc.array(anyKey, { maxLength: 25 }),
      fc.integer({ min: 1, max: 220 }),
      fc.integer({ min: 1, max: 70 }),
      (keys, columns, rows) => {
        const { ui } = pressed(view, keys);
        const shown = rowsOf(dataOf(view, ui), columns, rows);
        expect(shown.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
        for (const row of shown) expect(displayWidth(row)).toBeLessThanOrEqual(columns);
      },
    ),
    { numRuns: 60 },
  );
});
