/** Keys: what each does, as people know them. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { View } from '../../src/live/board.ts';
import { exportOf } from '../../src/screen/export.ts';
import { itemsOf } from '../../src/screen/lists.ts';
import { newUi, PANELS, placeOf } from '../../src/screen/ui.ts';
import { dataOf, pressed, rowsOf, sample, viewOf } from './stage.ts';

let view: View;
beforeAll(async () => {
  view = await viewOf(sample('postfix/mixed.log'));
});

describe('moving', () => {
  test('Tab and Shift-Tab go round the panels, 1 to 7 go to one', () => {
    expect(pressed(view, ['1', ...PANELS.map(() => 'tab')]).ui.focus).toBe('figures');
    expect(pressed(view, ['1', 'backtab']).ui.focus).toBe('feed');
    PANELS.forEach((panel, i) => {
      expect(pressed(view, [String(i + 1)]).ui.focus).toBe(panel);
    });
  });

  test('arrows and j k move the cursor, g and G go to the ends, and it stays within', () => {
    const at = (keys: readonly string[]): number => {
      const { ui } = pressed(view, ['7', ...keys]);
      return placeOf(ui.cursors.feed, itemsOf(ui, view));
    };
    const last = itemsOf(newUi(), view).length - 1;
    expect(at(['j', 'down', 'j', 'k'])).toBe(2);
    expect(at(['up'])).toBe(0);
    expect(at(['G'])).toBe(last);
    expect(at(['G', 'j', 'pagedown'])).toBe(last);
    expect(at(['G', 'g'])).toBe(0);
    expect(at(['pagedown', 'home', 'end', 'pageup'])).toBe(last - 10);
  });

  test('the cursor stays on its chain when newer ones come above it', () => {
    const older = { ...view, entries: view.entries.slice(3) };
    const { ui } = pressed(older, ['7', 'j', 'j']);
    const before = itemsOf(ui, older)[2].key;
    const items = itemsOf(ui, view);
    expect(items[placeOf(ui.cursors.feed, items)].key).toBe(before);
  });

  test('on the newest it stays on the newest', () => {
    const older = { ...view, entries: view.entries.slice(3) };
    const { ui } = pressed(older, ['7', 'j', 'k']);
    expect(placeOf(ui.cursors.feed, itemsOf(ui, view))).toBe(0);
  });
});

describe('drilling down', () => {
  test('a group: its chains, then the life of one, then back again', () => {
    const group = pressed(view, ['5', 'enter']);
    const rows = rowsOf(dataOf(view, group.ui), 100, 30);
    expect(rows[2]).toMatch(/\[Suspects: hop .*\].* kept, newest first/);
    const count = view.groups.hop.toSorted((a, b) => b.count - a.count)[0].count;
    expect(itemsOf(group.ui, view)).toHaveLength(count);
    const chain = pressed(view, ['enter'], group.ui);
    expect(rowsOf(dataOf(view, chain.ui), 100, 30).join('\n')).toMatch(
      /\[Chain [0-9A-F]+\].*DSN \(failure\)/s,
    );
    expect(pressed(view, ['esc', 'esc', 'esc'], chain.ui).ui.pages).toEqual([]);
  });

  test.each([
    ['j', 52],
    ['jj', 18],
    ['jjj', 16],
  ])('a figure (%s): the chains that it counts', (keys, count) => {
    const { ui } = pressed(view, ['1', ...keys, 'enter']);
    expect(itemsOf(ui, view)).toHaveLength(count);
  });

  test('a minute of the chart: what was accepted in it', () => {
    const busy = view.steps.minute.toReversed().findIndex(({ figures }) => figures[0] > 0);
    const { ui } = pressed(view, ['2', ...Array.from({ length: busy }, () => 'left'), 'enter']);
    const minute = view.steps.minute.toReversed()[busy];
    expect(itemsOf(ui, view).length).toBeGreaterThanOrEqual(minute.figures[0]);
    for (const { entry } of itemsOf(ui, view)) {
      const first = Date.parse(entry?.chain.first_seen ?? '');
      expect(first >= minute.at && first < minute.at + 60_000).toBe(true);
    }
  });

  test('l shows the lines of the log with a chain, and takes them away again', () => {
    const asked: boolean[] = [];
    const shown = (keys: readonly string[]): void => {
      const lifeOf = (_: unknown, lines: boolean): string => {
        asked.push(lines);
        return 'life';
      };
      rowsOf(dataOf(view, pressed(view, ['7', 'enter', ...keys]).ui, { lifeOf }), 80, 24);
    };
    shown([]);
    shown(['l']);
    shown(['l', 'l']);
    expect(asked).toEqual([false, true, false]);
  });

  test("a chain's life can be scrolled, not beyond its end", () => {
    const { ui } = pressed(view, ['7', 'enter', 'G']);
    const rows = rowsOf(dataOf(view, ui), 60, 12);
    expect(rows.slice(2, -1).some((row) => row.trim() !== '')).toBe(true);
  });
});

describe('wishes', () => {
  test.each([
    [['q'], [{ kind: 'quit' }]],
    [['ctrl-c'], [{ kind: 'quit' }]],
    [['?', 'q'], [{ kind: 'quit' }]],
    [['/', 'q', 'ctrl-c'], [{ kind: 'quit' }]],
    [['ctrl-z'], [{ kind: 'suspend' }]],
    [[' '], [{ kind: 'pause', paused: true }]],
    [
      [' ', ' '],
      [
        { kind: 'pause', paused: true },
        { kind: 'pause', paused: false },
      ],
    ],
    [['r'], [{ kind: 'reset' }]],
    [['e', 'j'], [{ kind: 'export', format: 'json' }]],
    [['e', 'c'], [{ kind: 'export', format: 'csv' }]],
    [['e', 'q'], []],
    [['/', 'a', 'b', 'backspace', 'c', 'enter'], [{ kind: 'filter', text: 'ac' }]],
    [['/', 'a', 'ctrl-u', 'b', 'enter'], [{ kind: 'filter', text: 'b' }]],
    [['/', 'a', 'esc'], []],
    [
      ['/', 'a', 'enter', '/', 'backspace', 'enter'],
      [
        { kind: 'filter', text: 'a' },
        { kind: 'filter', text: '' },
      ],
    ],
  ])('%j', (keys, wishes) => {
    expect(pressed(view, keys).wishes).toEqual(wishes);
  });

  test('t changes the time of the chart, s the order, z the size; h and ? help, any key leaves it', () => {
    expect(pressed(view, ['t']).ui.zoom).toBe('hour');
    expect(pressed(view, ['t', 't', 't']).ui.zoom).toBe('minute');
    const byName = itemsOf(pressed(view, ['3', 's', 's', 's']).ui, view).map(({ key }) => key);
    expect(byName).toEqual(byName.toSorted());
    expect(pressed(view, ['3', 's']).ui.message).toBe('sorted by last seen');
    expect(pressed(view, ['z']).ui.enlarged).toBe(true);
    expect(pressed(view, ['h']).ui.help).toBe(true);
    expect(pressed(view, ['?', 'x']).ui.help).toBe(false);
  });
});

describe('export', () => {
  test('the feed: whole chains, as JSON and as CSV', async () => {
    const { ui } = pressed(view, ['7']);
    const json = await exportOf(ui, view, 'json');
    const chains = JSON.parse(json.text) as { queue_id: string }[];
    expect(chains.map(({ queue_id }) => queue_id)).toEqual(
      itemsOf(ui, view).map(({ entry }) => entry?.chain.queue_id),
    );
    const csv = await exportOf(ui, view, 'csv');
    expect(csv.text).toMatch(/^mta,host,queue_id,/);
  });

  test('figures, chart and groups: what the panel shows', async () => {
    const figures = JSON.parse((await exportOf(pressed(view, ['1']).ui, view, 'json')).text);
    expect(figures.period).toEqual({ incoming: 55, delivered: 52, estimated: 18, actual: 16, suppressed: 0 });
    const chart = (await exportOf(pressed(view, ['2', 't']).ui, view, 'csv')).text.trim().split('\r\n');
    expect(chart[0]).toBe('at,incoming,delivered,estimated,actual,suppressed');
    expect(chart.slice(1).reduce((n, row) => n + Number(row.split(',')[1]), 0)).toBe(55);
    const groups = JSON.parse((await exportOf(pressed(view, ['4']).ui, view, 'json')).text) as {
      count: number;
    }[];
    expect(groups.length).toBe(view.groups.victim.length);
  });
});
