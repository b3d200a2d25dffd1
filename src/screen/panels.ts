/**
 * The rows of each panel: a title, then what the panel shows, fitted into its columns.
 *
 * Pure functions of what is known and of the user's state. All log text goes through `clean`. Must not know where on
 * the screen a panel stands.
 */

import { reasonClass } from '../dsn/reasons.ts';
import type { View } from '../live/board.ts';
import type { Entry, Grouping } from '../live/entry.ts';
import type { Zoom } from '../live/timeline.ts';
import { grouped, localTime, percent } from '../outputs/figures.ts';
import { bars, largeNumber, sparkline } from './draw.ts';
import { FIGURES, type Item, panelItems, SORTS, shownSteps } from './lists.ts';
import { clean, type Paint, pad, row, truncate } from './paint.ts';
import { PANELS, type Panel, placeOf, type Ui } from './ui.ts';

export interface Look {
  readonly paint: Paint;
  /** Zone of the times shown. */
  readonly zone: string;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What the panels draw from. */
export interface Scene {
  readonly view: View;
  readonly ui: Ui;
  readonly look: Look;
}

const GROUPING_NAMES: Readonly<Record<Grouping, string>> = {
  client: 'client',
  victim: "DSN recipient's domain",
  hop: 'refusing next hop',
  reason: 'reason',
};

/** Exactly `size.height` rows, none wider than `size.width`. */
export function panelRows(panel: Panel, scene: Scene, size: Size): string[] {
  const rows = drawn(panel, scene, size).slice(0, size.height);
  while (rows.length < size.height) rows.push('');
  return rows;
}

function drawn(panel: Panel, scene: Scene, size: Size): string[] {
  switch (panel) {
    case 'figures':
      return figures(scene, size);
    case 'chart':
      return chart(scene, size);
    case 'feed':
      return feedPanel(scene, size);
    default:
      return groups(panel, scene, size);
  }
}

/** `── [3] Suspects by client ── count ───`; the brackets mark the focus. */
export function titleRow(
  { ui, look }: Pick<Scene, 'ui' | 'look'>,
  panel: Panel | null,
  name: string,
  detail: string,
  width: number,
): string {
  const focused = panel === null || ui.focus === panel;
  const number = panel === null ? '' : `${PANELS.indexOf(panel) + 1} `;
  const head = focused ? `[${number}${name}]` : ` ${number}${name} `;
  const tail = detail === '' ? '' : ` ${detail} `;
  const left = truncate(`─${head}`, width);
  const line = '─'.repeat(Math.max(0, width - [...left].length - [...tail].length - 1));
  const text = truncate(`${left}${line}${tail}─`, width);
  return focused ? look.paint.title(text) : look.paint.faint(text);
}

/** Rows of a list around the cursor; the cursor's has a mark. */
function listRows(
  items: readonly Item[],
  place: number,
  height: number,
  marked: boolean,
  paint: Paint,
  text: (item: Item) => string,
): string[] {
  const from = windowStart(place, items.length, height);
  return items.slice(from, from + height).map((item, i) => {
    const here = marked && from + i === place;
    return here ? paint.selected(`>${text(item)}`) : ` ${text(item)}`;
  });
}

/** The first item shown, so that the cursor is among `height` rows. */
export function windowStart(place: number, length: number, height: number): number {
  if (place < height - 1) return 0;
  return Math.max(0, Math.min(place - height + 2, length - height));
}

// ---- figures

const SHARE_OF: readonly (number | null)[] = [null, 0, 0, 2, 2];
const WHOLE_NAMES = ['incoming', '', 'estimated'];

/** Rows that the figures take: large digits where there is room. */
export const LARGE_FIGURES: Size = { width: 100, height: 7 };

function figures(scene: Scene, size: Size): string[] {
  if (size.width >= LARGE_FIGURES.width && size.height >= LARGE_FIGURES.height + 1) return large(scene, size);
  return small(scene, size);
}

function small({ view, ui, look }: Scene, { width, height }: Size): string[] {
  const { paint } = look;
  const place = placeOf(ui.cursors.figures, panelItems('figures', ui, view));
  const columns = [11, 12, 20, 12];
  const spark = Math.max(0, Math.min(60, width - columns.reduce((n, c) => n + c + 1, 1) - 1));
  const head = titleRow({ ui, look }, 'figures', 'Figures', periodText(view, look), width);
  const heading = row(
    [
      { text: '', width: columns[0] },
      { text: 'period', width: columns[1], side: 'right' },
      { text: '', width: columns[2] },
      { text: 'last hour', width: columns[3], side: 'right' },
      { text: spark >= 12 ? 'last minutes' : '', width: spark },
    ],
    width - 1,
  );
  const rows = FIGURES.map((name, i) => {
    const text = row(
      [
        { text: name, width: columns[0] },
        { text: grouped(view.whole[i]), width: columns[1], side: 'right' },
        { text: shareText(view.whole, i), width: columns[2] },
        { text: `${height >= 8 ? '' : 'hour '}${grouped(view.hour[i])}`, width: columns[3], side: 'right' },
        { text: sparkline(minutes(view, i, spark)), width: spark },
      ],
      width - 1,
    );
    return ui.focus === 'figures' && ui.pages.length === 0 && i === place
      ? paint.selected(`>${text}`)
      : ` ${i > 1 ? paint.strong(text) : text}`;
  });
  const ratio = paint.faint(truncate(` ${ratioText(view)}`, width));
  if (height >= 8) return [head, paint.faint(` ${heading}`), ...rows, ratio];
  return [head, ...rows, ratio];
}

function large({ view, ui, look }: Scene, { width }: Size): string[] {
  const { paint } = look;
  const place = placeOf(ui.cursors.figures, panelItems('figures', ui, view));
  const cell = Math.floor((width - 2) / FIGURES.length);
  const line = (texts: readonly string[], dress = (text: string): string => text): string =>
    ` ${texts.map((text) => dress(pad(truncate(text, cell - 1), cell))).join('')}`;
  const digits = view.whole.map((n) => {
    const text = grouped(n);
    // Three columns a digit; a count of millions in a narrow cell goes without commas, or is written small.
    for (const shape of [text, String(n)]) {
      const rows = largeNumber(shape);
      if ([...rows[0]].length < cell) return rows;
    }
    return ['', text, ''];
  });
  const names = FIGURES.map((name, i) =>
    ui.focus === 'figures' && ui.pages.length === 0 && i === place ? `>${name}` : ` ${name}`,
  );
  return [
    titleRow({ ui, look }, 'figures', 'Figures', periodText(view, look), width),
    line(names, paint.strong),
    line(digits.map((rows) => ` ${rows[0]}`)),
    line(digits.map((rows) => ` ${rows[1]}`)),
    line(digits.map((rows) => ` ${rows[2]}`)),
    line(view.hour.map((n, i) => ` last hour ${grouped(n)}  ${shareText(view.whole, i)}`)),
    line(FIGURES.map((_, i) => ` ${sparkline(minutes(view, i, cell - 2))}`)),
    paint.faint(truncate(` ${ratioText(view)}`, width)),
  ];
}

function minutes(view: View, figure: number, columns: number): number[] {
  return shownSteps(view, 'minute', columns).map((step) => step.figures[figure]);
}

function shareText(figures: readonly number[], i: number): string {
  const whole = SHARE_OF[i];
  if (whole === null) return '';
  const share = percent(figures[i], figures[whole]);
  return share === '' ? '' : `${share} of ${WHOLE_NAMES[whole]}`;
}

function ratioText(view: View): string {
  const of = (figures: readonly number[]): string => percent(figures[4], figures[2]) || 'none due';
  return `Suppression ratio ${of(view.whole)}, last hour ${of(view.hour)} (suppressed / estimated)`;
}

function periodText({ from }: View, { zone }: Look): string {
  return Number.isFinite(from) ? `since ${timeText(from, zone, 'yyyy-LL-dd HH:mm:ss')}` : '';
}

// ---- chart

const SERIES = [
  ['incoming', 0],
  ['estimated', 2],
  ['actual', 3],
  ['suppressed', 4],
] as const;
const SERIES_LABEL = 18;
const AXIS: Readonly<Record<Zoom, string>> = {
  minute: 'LL-dd HH:mm',
  hour: 'LL-dd HH:mm',
  day: 'yyyy-LL-dd',
};

function chart({ view, ui, look }: Scene, { width, height }: Size): string[] {
  const { paint } = look;
  const columns = Math.max(0, width - SERIES_LABEL - 1);
  const steps = shownSteps(view, ui.zoom, columns);
  // Days are days of UTC, whatever zone the others are shown in.
  const time = (at: number): string => timeText(at, ui.zoom === 'day' ? 'UTC' : look.zone, AXIS[ui.zoom]);
  const back = ui.focus === 'chart' && ui.pages.length === 0 ? cursorBack(view, ui) : -1;
  const at = back >= 0 ? steps[steps.length - 1 - back] : undefined;
  const range = steps.length === 0 ? '' : `${time(steps[0].at)} to ${time(steps[steps.length - 1].at)}`;
  const detail =
    at === undefined
      ? range
      : `${time(at.at)}: ${SERIES.map(([name, i]) => `${grouped(at.figures[i])} ${width < 100 ? name.slice(0, 3) : name}`).join(', ')}`;
  const rows = [titleRow({ ui, look }, 'chart', `Chart by ${ui.zoom}`, detail, width)];
  // The mark under a column is left out where it would cost a series; the title names the time.
  const marks = at !== undefined && height > 6;
  const room = height - 1 - (marks ? 1 : 0);
  const heights = SERIES.map((_, i) => Math.floor(room / 4) + (i < room % 4 ? 1 : 0));
  // Failures and what became of them share a scale, so that their heights can be compared.
  const failures = Math.max(
    0,
    ...steps.map((step) => Math.max(step.figures[2], step.figures[3], step.figures[4])),
  );
  SERIES.forEach(([name, figure], s) => {
    const values = steps.map((step) => step.figures[figure]);
    const most = figure === 0 ? Math.max(0, ...values) : failures;
    const own = Math.max(0, ...values);
    bars(values, most, heights[s]).forEach((bar, i) => {
      const label =
        i === 0
          ? row(
              [
                { text: name, width: 10 },
                { text: own === 0 ? '' : `≤${grouped(own)}`, width: SERIES_LABEL - 12, side: 'right' },
              ],
              SERIES_LABEL,
            )
          : '';
      rows.push(
        ` ${pad(label, SERIES_LABEL - 1)} ${figure === 4 ? paint.good(bar) : figure > 1 ? paint.alarm(bar) : bar}`,
      );
    });
  });
  if (marks) rows.push(`${' '.repeat(SERIES_LABEL + 1 + steps.length - 1 - back)}${paint.strong('▲')}`);
  return rows;
}

/** How many steps before the newest the chart's cursor is. */
function cursorBack(view: View, ui: Ui): number {
  return placeOf(ui.cursors.chart, panelItems('chart', ui, view));
}

// ---- suspects

function groups(panel: Grouping, scene: Scene, { width, height }: Size): string[] {
  const { view, ui, look } = scene;
  const { paint } = look;
  const items = panelItems(panel, ui, view);
  const detail = `${grouped(view.suspects)} suspects, by ${SORTS[panel][ui.sorts[panel]]}`;
  const rows = [titleRow(scene, panel, `Suspects by ${GROUPING_NAMES[panel]}`, detail, width)];
  if (items.length === 0) {
    rows.push(paint.faint(truncate(' No suspect of backscatter so far.', width)));
    return rows;
  }
  const place = placeOf(ui.cursors[panel], items);
  const marked = ui.focus === panel && ui.pages.length === 0;
  const text = ({ group, key }: Item): string =>
    row(
      [
        { text: grouped(group?.count ?? 0), width: 8, side: 'right' },
        { text: group?.verdict ?? '', width: 9 },
        { text: timeText(group?.lastSeen ?? 0, look.zone, 'LL-dd HH:mm:ss'), width: 14 },
        { text: clean(panel === 'reason' ? key.replaceAll('_', ' ') : key), width: Math.max(4, width - 37) },
      ],
      width - 1,
    );
  rows.push(...listRows(items, place, height - 1, marked, paint, text));
  return rows;
}

// ---- chains

function feedPanel(scene: Scene, size: Size): string[] {
  const { view, ui } = scene;
  const items = panelItems('feed', ui, view);
  const detail = `${grouped(items.length)} chains, ${SORTS.feed[ui.sorts.feed]} first`;
  const title = titleRow(scene, 'feed', 'DSNs as they happen', detail, size.width);
  const place = placeOf(ui.cursors.feed, items);
  const marked = ui.focus === 'feed' && ui.pages.length === 0;
  if (items.length === 0) return [title, scene.look.paint.faint(truncate(' No DSN so far.', size.width))];
  return [title, ...entryRows(items, place, marked, scene.look, { ...size, height: size.height - 1 })];
}

/** One line a chain: time, kind of the newest DSN, who gets it, why, its outcome so far. */
export function entryRows(
  items: readonly Item[],
  place: number,
  marked: boolean,
  look: Look,
  { width, height }: Size,
): string[] {
  const text = ({ entry }: Item): string => (entry === null ? '' : entryText(entry, look, width - 1));
  return listRows(items, place, height, marked, look.paint, text);
}

function entryText(entry: Entry, { zone }: Look, width: number): string {
  const { chain, dsn } = entry;
  const failed = chain.recipients.find(({ outcome }) => outcome === 'failed' || outcome === 'expired');
  const more = chain.dsns.length > 1 ? `+${chain.dsns.length - 1}` : '';
  const kind =
    dsn !== null ? dsn.kind.replace('_', ' ') : chain.suppressed !== null ? 'suppressed' : 'no DSN';
  const to = dsn !== null ? (dsn.recipient ?? '(unknown)') : (chain.reverse_path ?? '(unknown)');
  const outcome = dsn?.outcome ?? failed?.outcome ?? chain.recipients[0]?.outcome ?? '';
  const why = whyText(entry, failed?.reply ?? null, failed?.status ?? null, failed?.outcome === 'expired');
  const time = timeText(entry.at, zone, width >= 110 ? 'LL-dd HH:mm:ss' : 'HH:mm:ss');
  const fixed = time.length + 1 + 13 + 1 + 3 + 1 + 10 + 1;
  const rest = Math.max(8, width - fixed - 1);
  const address = Math.max(4, Math.floor(rest * 0.5));
  return row(
    [
      { text: time, width: time.length },
      { text: kind, width: 13 },
      { text: more, width: 3 },
      { text: outcome, width: 10 },
      { text: to === '' ? '<>' : clean(to), width: address },
      { text: clean(why), width: Math.max(4, rest - address) },
    ],
    width,
  );
}

/** The class of the reason where there is one, and the words themselves. */
function whyText(
  { chain, dsn }: Entry,
  reply: string | null,
  status: string | null,
  expired: boolean,
): string {
  if (dsn === null && chain.suppressed !== null) return chain.suppressed.cause;
  const words = reply ?? dsn?.reason ?? null;
  if (words === null && status === null) return '';
  const name = reasonClass(words, status, expired);
  return name === 'other' ? (words ?? status ?? '') : `${name}${status === null ? '' : ` ${status}`}`;
}

export function timeText(at: number, zone: string, format: string): string {
  if (!Number.isFinite(at) || Math.abs(at) > 8.64e15) return '';
  return localTime(new Date(at).toISOString(), zone, format);
}
