/**
 * The whole screen for a size of terminal: which panels, where, with how many rows.
 *
 * Pure. A frame is bands from top to bottom, each of columns side by side; it never has more rows than the terminal
 * less one, because a full screen makes the renderer clear it at every frame. Must not know Ink.
 */
import type { View } from '../live/board.ts';
import type { Progress } from '../live/engine.ts';
import { type Entry, GROUPINGS } from '../live/entry.ts';
import { byteSize, counted, grouped } from '../outputs/figures.ts';
import { wrap } from '../outputs/width.ts';
import { FIGURES, itemsOf, type Selection, SORTS } from './lists.ts';
import { clean, displayWidth, pad, spread, truncate } from './paint.ts';
import { entryRows, LARGE_FIGURES, type Look, panelRows, timeText, titleRow } from './panels.ts';
import { currentEntry, PANELS, type Page, type Panel, placeOf, type Ui } from './ui.ts';

export interface FrameData {
  /** null before the first look. */
  readonly view: View | null;
  readonly progress: Progress;
  readonly ui: Ui;
  readonly look: Look;
  /** Names of the inputs, as they were chosen. */
  readonly sources: readonly string[];
  /** Lines of an MTA that were not recognised, and broken ones. */
  readonly unread: number;
  /** The newest thing to say about the inputs; "" for none. */
  readonly notice: string;
  /** Wall time, ms. */
  readonly now: number;
  /** A chain's whole life as text, with the lines of the log on demand. */
  readonly lifeOf: (entry: Entry, lines: boolean) => string;
}

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
}

export interface Column {
  readonly key: string;
  readonly width: number;
  /** As many as the band has; none wider than the column. */
  readonly rows: readonly string[];
}

export type Band = readonly Column[];

/** Least sizes of the full screen and of the reduced one; below there is one line of text. */
export const FULL: Terminal = { columns: 80, rows: 24 };
export const REDUCED: Terminal = { columns: 40, rows: 10 };

export function frame(data: FrameData, { columns, rows }: Terminal): Band[] {
  const width = columns;
  const height = rows - 1;
  const whole = (key: string, texts: readonly string[]): Band => [{ key, width, rows: texts }];
  if (columns < REDUCED.columns || rows < REDUCED.rows) {
    return [whole('line', [truncate(oneLine(data), Math.max(1, width))])];
  }
  const full = columns >= FULL.columns && rows >= FULL.rows;
  const head = whole('head', full ? headRows(data, width) : [shortHead(data, width)]);
  const foot = whole('foot', [footRow(data, width)]);
  const room = height - head[0].rows.length - 1;
  const body = (texts: readonly string[]): Band[] => [head, whole('body', fitted(texts, room)), foot];
  if (data.ui.help) return body(helpRows(width, data.look));
  const { view, ui } = data;
  if (view === null) return body(['', ' Reading ...']);
  const page = ui.pages.at(-1);
  if (page !== undefined) return body(pageRows(page, data, view, width, room));
  const scene = { view, ui, look: data.look };
  if (ui.enlarged) return body(panelRows(ui.focus, scene, { width, height: room }));
  if (!full) return [head, ...reducedBands(data, view, width, room), foot];
  const bands = fullLayout(ui, width, room).map((band) =>
    band.panels.map((panel, i): Column => {
      const own = columnWidth(width, band.panels.length, i);
      const gap = i < band.panels.length - 1 ? 1 : 0;
      return {
        key: panel,
        width: own,
        rows: panelRows(panel, scene, { width: own - gap, height: band.height }),
      };
    }),
  );
  return [head, ...bands, foot];
}

interface Placed {
  readonly panels: readonly Panel[];
  readonly height: number;
}

function fullLayout(ui: Ui, width: number, room: number): Placed[] {
  const large = width >= LARGE_FIGURES.width && room >= 36;
  const figures = large ? LARGE_FIGURES.height + 1 : room >= 28 ? 8 : 7;
  // What is left is shared; who has the focus gets a half more.
  const weights = { chart: 3, groups: 3, feed: 4 };
  if (ui.focus === 'chart') weights.chart += 2;
  else if (ui.focus === 'feed') weights.feed += 2;
  else if (ui.focus !== 'figures') weights.groups += 2;
  const least = { chart: 5, groups: 4, feed: 4 };
  const spare = room - figures - least.chart - least.groups - least.feed;
  const all = weights.chart + weights.groups + weights.feed;
  const chart = least.chart + Math.floor((spare * weights.chart) / all);
  const groups = least.groups + Math.floor((spare * weights.groups) / all);
  const feed = room - figures - chart - groups;
  const others = GROUPINGS.filter((grouping) => grouping !== ui.grouping);
  const bands: Placed[] = [
    { panels: ['figures'], height: figures },
    { panels: ['chart'], height: chart },
  ];
  if (width >= 150 && groups >= 10) {
    const half = Math.floor(groups / 2);
    bands.push(
      { panels: ['client', 'victim'], height: groups - half },
      { panels: ['hop', 'reason'], height: half },
    );
  } else if (width >= 150) bands.push({ panels: [ui.grouping, others[0]], height: groups });
  else bands.push({ panels: [ui.grouping], height: groups });
  bands.push({ panels: ['feed'], height: feed });
  return bands;
}

function columnWidth(width: number, count: number, i: number): number {
  const own = Math.floor(width / count);
  return i === count - 1 ? width - own * (count - 1) : own;
}

/** The five figures in short, and the panel with the focus. */
function reducedBands(data: FrameData, view: View, width: number, room: number): Band[] {
  const { ui, look } = data;
  const rows = FIGURES.map((name, i) => {
    const text = ` ${pad(name, 11)}${pad(grouped(view.whole[i]), 12, 'right')}  hour ${grouped(view.hour[i])}`;
    return truncate(text, width);
  });
  const figures = room >= 11 ? rows : [truncate(` ${shortFigures(view)}`, width)];
  const focus: Panel = ui.focus === 'figures' && figures.length > 1 ? 'feed' : ui.focus;
  const height = room - figures.length;
  return [
    [{ key: 'figures', width, rows: figures }],
    [{ key: focus, width, rows: panelRows(focus, { view, ui, look }, { width, height }) }],
  ];
}

function shortFigures({ whole }: View): string {
  return FIGURES.map((name, i) => `${name.slice(0, 3).toLowerCase()} ${grouped(whole[i])}`).join(' ');
}

function oneLine({ view, ui, progress }: FrameData): string {
  if (view === null) return 'dsnstat: reading';
  const state = ui.paused ? 'paused ' : progress.phase === 'live' ? '' : `${progress.phase} `;
  const [incoming, , estimated, actual, suppressed] = view.whole;
  return `dsnstat ${state}in ${grouped(incoming)} est ${grouped(estimated)} act ${grouped(actual)} sup ${grouped(suppressed)}`;
}

// ---- head and foot

const PHASES = { reading: 'READING', live: 'LIVE', replay: 'REPLAY', ended: 'END' } as const;

function headRows(data: FrameData, width: number): string[] {
  const { look, progress, view, ui, now } = data;
  const words = [counted(progress.lines, 'line')];
  if (progress.phase !== 'ended') words.push(`${grouped(Math.round(progress.rate))}/s`);
  const late = lateness(data);
  if (late !== '') words.push(late);
  words.push(`${grouped(data.unread)} unrecognised`);
  if (view !== null) words.push(`${grouped(view.pending)} pending`);
  const time = view === null ? '' : `log ${timeText(view.newest, look.zone, 'yyyy-LL-dd HH:mm:ss')}`;
  const names = data.sources.map(clean).join(' ');
  return [
    look.paint.strong(spread(` dsnstat watch  ${stateText(ui, progress)}  ${names}`, `${time} `, width)),
    spread(
      ` ${words.join(', ')}`,
      `${filterText(view, ui, look)} ${timeText(now, look.zone, 'HH:mm:ss')} `,
      width,
    ),
  ];
}

function shortHead(data: FrameData, width: number): string {
  const { view, look, ui, progress } = data;
  const time = view === null ? '' : timeText(view.newest, look.zone, 'HH:mm:ss');
  const filter = ui.filter === '' ? '' : ` /${clean(ui.filter)}`;
  return look.paint.strong(spread(` dsnstat ${stateText(ui, progress)}${filter}`, time, width));
}

function stateText({ paused }: Ui, { phase }: Progress): string {
  return paused ? `${PHASES[phase]} PAUSED` : PHASES[phase];
}

/** How far behind the reading is: what waits, and how old the newest line is. */
function lateness({ progress, view, now }: FrameData): string {
  if (progress.phase === 'ended') return '';
  if (progress.backlog > 0) return `${byteSize(progress.backlog)} behind`;
  if (progress.phase !== 'live') return '';
  const quiet = view === null || !Number.isFinite(view.newest) ? 0 : Math.floor((now - view.newest) / 1000);
  if (quiet < 60) return 'up to date';
  if (quiet < 7200) return `up to date, quiet for ${Math.floor(quiet / 60)} min`;
  return `up to date, quiet for ${grouped(Math.floor(quiet / 3600))} h`;
}

function filterText(view: View | null, ui: Ui, { zone }: Look): string {
  if (ui.filter === '') return '';
  if (view === null || view.filter !== ui.filter) return `filter ${clean(ui.filter)} ...`;
  const from = view.filteredFrom;
  const since = from === null ? '' : ` (since ${timeText(from, zone, 'LL-dd HH:mm')})`;
  return `filter ${clean(ui.filter)}${since} `;
}

const HINT =
  'q quit  ? help  Tab panel  Enter open  / filter  s sort  t time  Space pause  e export  z enlarge';
const SHORT_HINT = 'q quit  ? help  Tab panel  Enter open  / filter  s sort  Space pause';

function footRow({ ui, notice, look }: FrameData, width: number): string {
  const { prompt } = ui;
  if (prompt?.kind === 'filter') {
    const typed = clean(prompt.text);
    const label = ' Filter (address, domain, IP, queue id): ';
    // The end of a long filter is what is being typed.
    let shown = typed;
    while (displayWidth(label) + displayWidth(shown) + 1 > width && shown !== '')
      shown = [...shown].slice(1).join('');
    return truncate(`${label}${shown}█`, width);
  }
  if (prompt?.kind === 'export')
    return truncate(' Export this view: j JSON, c CSV, any other key: no', width);
  const text =
    ui.message !== '' ? ui.message : notice !== '' ? notice : width >= HINT.length + 2 ? HINT : SHORT_HINT;
  return ui.message === '' && notice === ''
    ? look.paint.faint(truncate(` ${text}`, width))
    : truncate(` ${clean(text)}`, width);
}

// ---- pages

function pageRows(page: Page, data: FrameData, view: View, width: number, height: number): string[] {
  const { ui, look } = data;
  if (page.kind === 'chain') {
    const entry = currentEntry(page, view);
    const lines = laidOut(data.lifeOf(entry, ui.lines), width - 2);
    const top = Math.max(0, Math.min(page.top, lines.length - height + 1));
    const more = lines.length - top - height + 1;
    const words = ui.lines ? 'l without log lines' : 'l with log lines';
    const detail = more > 0 ? `${more} more rows below, ${words}` : words;
    const title = titleRow({ ui, look }, null, `Chain ${clean(entry.chain.queue_id)}`, detail, width);
    return [title, ...lines.slice(top, top + height - 1).map((line) => ` ${line}`)];
  }
  const items = itemsOf(ui, view);
  const place = placeOf(page.cursor, items);
  const detail = `${grouped(items.length)} kept, ${SORTS.feed[page.sort]} first`;
  const title = titleRow({ ui, look }, null, selectionName(page.selection, look), detail, width);
  if (items.length === 0) {
    const text = isSilent(page.selection, view)
      ? 'No message was accepted then.'
      : 'No chain of it is kept any more.';
    return [title, look.paint.faint(truncate(` ${text}`, width))];
  }
  return [title, ...entryRows(items, place, true, look, { width, height: height - 1 })];
}

let last: { readonly text: string; readonly width: number; readonly rows: readonly string[] } | null = null;

/** The rows of a text; those of the last one are remembered, for it stays while the user scrolls. */
function laidOut(text: string, width: number): readonly string[] {
  if (last === null || last.text !== text || last.width !== width) {
    const lines = text.trimEnd().split('\n');
    last = { text, width, rows: lines.flatMap((line) => wrapped(clean(line), width)) };
  }
  return last.rows;
}

/** Long lines go on below, a little to the right. */
function wrapped(line: string, width: number): string[] {
  if (displayWidth(line) <= width) return [line];
  const indent = /^ */.exec(line)?.[0] ?? '';
  const room = Math.max(10, width - indent.length - 2);
  // Replies of qmail have no blanks, and a part of one is what nobody is looking for.
  const words = line
    .trimStart()
    .split(' ')
    .flatMap((word) => broken(word, room));
  const [first, ...rest] = wrap(words.join(' '), room);
  return [indent + first, ...rest.map((text) => `${indent}  ${text}`)];
}

function broken(word: string, width: number): string[] {
  const parts: string[] = [];
  let rest = [...word];
  while (displayWidth(rest.join('')) > width) {
    let n = width;
    while (displayWidth(rest.slice(0, n).join('')) > width) n -= 1;
    parts.push(rest.slice(0, n).join(''));
    rest = rest.slice(n);
  }
  return [...parts, rest.join('')];
}

/** A step of the chart in which nothing came in. */
function isSilent(selection: Selection, view: View): boolean {
  if (selection.kind !== 'step') return false;
  const { zoom, at } = selection;
  return view.steps[zoom].some((step) => step.at === at && step.figures[0] === 0);
}

export function selectionName(selection: Selection, look: Look): string {
  switch (selection.kind) {
    case 'group':
      return `Suspects: ${selection.grouping} ${clean(selection.key)}`;
    case 'figure':
      return `${FIGURES[selection.figure]}`;
    default:
      return `Accepted in the ${selection.zoom} of ${timeText(selection.at, look.zone, 'yyyy-LL-dd HH:mm')}`;
  }
}

// ---- help

export const HELP: readonly (readonly [string, string])[] = [
  ['q, Ctrl-C', 'quit; the figures are printed'],
  ['?, h', 'this help'],
  ['Tab, Shift-Tab', 'next panel, panel before'],
  ['1 to 7', `panel: ${PANELS.join(', ')}`],
  ['arrows, j, k', 'move; left and right change the panel, or move in time'],
  ['PgUp, PgDn', 'move by ten'],
  ['g, G, Home, End', 'first, last'],
  ['Enter', 'open: the chains of a row, then the whole life of a chain'],
  ['Esc', 'back'],
  ['z', 'the panel alone on the screen, and back'],
  ['l', 'a chain with the lines of the log, and without'],
  ['/', 'filter: part of an address, domain, IP address, queue id'],
  ['s', 'sort by something else'],
  ['t', 'time of the chart: by minute, hour, day'],
  ['Space', 'pause what is shown; a replay stops, following does not'],
  ['r', 'reset: the period begins now'],
  ['e', 'export the view to a JSON or CSV file'],
  ['Ctrl-Z', 'suspend'],
];

function helpRows(width: number, look: Look): string[] {
  const rows = [titleRow({ ui: { focus: 'feed' } as Ui, look }, null, 'Keys', 'any key leaves', width)];
  for (const [keys, meaning] of HELP) {
    const [first, ...rest] = wrap(meaning, Math.max(10, width - 20));
    rows.push(truncate(` ${pad(keys, 16)}  ${first}`, width));
    for (const line of rest) rows.push(truncate(`${' '.repeat(19)}${line}`, width));
  }
  return rows;
}

function fitted(rows: readonly string[], height: number): string[] {
  const all = rows.slice(0, height);
  while (all.length < height) all.push('');
  return all;
}
