/**
 * What the user has done to the screen: focus, cursors, filter, zoom, drill-down. Keys in, state and wishes out.
 *
 * Pure: the state is never changed, only replaced. Owns the keys. Must not know rows of text, terminals or Ink.
 */
import type { View } from '../live/board.ts';
import type { Entry, Grouping } from '../live/entry.ts';
import { ZOOMS, type Zoom } from '../live/timeline.ts';
import { itemsOf, type Selection, SORTS } from './lists.ts';

export const PANELS = ['figures', 'chart', 'client', 'victim', 'hop', 'reason', 'feed'] as const;
export type Panel = (typeof PANELS)[number];

/** Which item the cursor is on; the key holds it there while items come and go around it. */
export interface Cursor {
  readonly index: number;
  readonly key: string | null;
}

/** A step of drilling down: the chains of something, then one chain. */
export type Page =
  | { readonly kind: 'list'; readonly selection: Selection; readonly cursor: Cursor; readonly sort: number }
  | { readonly kind: 'chain'; readonly entry: Entry; readonly top: number };

export interface Ui {
  readonly focus: Panel;
  /** The grouping that is shown where there is room for one. */
  readonly grouping: Grouping;
  readonly cursors: Readonly<Record<Panel, Cursor>>;
  readonly sorts: Readonly<Record<Panel, number>>;
  readonly zoom: Zoom;
  /** The panel with the focus has the screen for itself. */
  readonly enlarged: boolean;
  readonly paused: boolean;
  readonly filter: string;
  /** Typing a filter, or choosing an export's format. */
  readonly prompt: { readonly kind: 'filter'; readonly text: string } | { readonly kind: 'export' } | null;
  readonly help: boolean;
  /** A chain's events are shown with the lines that tell them. */
  readonly lines: boolean;
  readonly pages: readonly Page[];
  /** What the last key did, for the bottom line. */
  readonly message: string;
}

export type Wish =
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'pause'; readonly paused: boolean }
  | { readonly kind: 'filter'; readonly text: string }
  | { readonly kind: 'reset' }
  | { readonly kind: 'export'; readonly format: 'json' | 'csv' };

export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageup'
  | 'pagedown'
  | 'home'
  | 'end'
  | 'enter'
  | 'esc'
  | 'tab'
  | 'backtab'
  | 'backspace'
  | 'ctrl-c'
  | 'ctrl-u'
  | 'ctrl-z';

/** A named key, or the character that was typed. */
export type Key = { readonly name: KeyName } | { readonly char: string };

const TOP: Cursor = { index: 0, key: null };
const LONGEST_FILTER = 200;
/** Rows that a page key moves by. */
const PAGE = 10;

export function newUi(): Ui {
  const of = <T>(value: T): Record<Panel, T> =>
    Object.fromEntries(PANELS.map((panel) => [panel, value])) as Record<Panel, T>;
  return {
    focus: 'feed',
    grouping: 'client',
    cursors: of(TOP),
    sorts: of(0),
    zoom: 'minute',
    enlarged: false,
    paused: false,
    filter: '',
    prompt: null,
    help: false,
    lines: false,
    pages: [],
    message: '',
  };
}

export interface Pressed {
  readonly ui: Ui;
  readonly wishes: readonly Wish[];
}

export function press(before: Ui, key: Key, view: View | null): Pressed {
  const ui = before.message === '' ? before : { ...before, message: '' };
  if ('name' in key && key.name === 'ctrl-c') return { ui, wishes: [{ kind: 'quit' }] };
  if ('name' in key && key.name === 'ctrl-z') return { ui, wishes: [{ kind: 'suspend' }] };
  if (ui.prompt?.kind === 'filter') return typeFilter(ui, ui.prompt.text, key);
  if (ui.prompt?.kind === 'export') return chooseExport(ui, key);
  if (ui.help) return pressInHelp(ui, key);
  const wishes: Wish[] = [];
  const next = 'char' in key ? pressChar(ui, key.char, view, wishes) : pressNamed(ui, key.name, view);
  return { ui: next, wishes };
}

function typeFilter(ui: Ui, text: string, key: Key): Pressed {
  const typed = (now: string): Pressed => ({
    ui: { ...ui, prompt: { kind: 'filter', text: now } },
    wishes: [],
  });
  if ('char' in key) return typed((text + key.char).slice(0, LONGEST_FILTER));
  switch (key.name) {
    case 'backspace':
      return typed([...text].slice(0, -1).join(''));
    case 'ctrl-u':
      return typed('');
    case 'esc':
      return { ui: { ...ui, prompt: null }, wishes: [] };
    case 'enter':
      return filterBy({ ...ui, prompt: null }, text.trim());
    default:
      return { ui, wishes: [] };
  }
}

function filterBy(ui: Ui, text: string): Pressed {
  if (text === ui.filter) return { ui, wishes: [] };
  const cursors = { ...newUi().cursors };
  const message = text === '' ? 'no filter' : '';
  return { ui: { ...ui, filter: text, cursors, message }, wishes: [{ kind: 'filter', text }] };
}

function chooseExport(ui: Ui, key: Key): Pressed {
  const char = 'char' in key ? key.char.toLowerCase() : '';
  const format = char === 'j' ? 'json' : char === 'c' ? 'csv' : null;
  return {
    ui: { ...ui, prompt: null, message: format === null ? 'nothing was exported' : '' },
    wishes: format === null ? [] : [{ kind: 'export', format }],
  };
}

function pressInHelp(ui: Ui, key: Key): Pressed {
  const quits = 'char' in key && key.char === 'q';
  return quits ? { ui, wishes: [{ kind: 'quit' }] } : { ui: { ...ui, help: false }, wishes: [] };
}

function pressChar(ui: Ui, char: string, view: View | null, wishes: Wish[]): Ui {
  switch (char) {
    case 'q':
      wishes.push({ kind: 'quit' });
      return ui;
    case '?':
    case 'h':
      return { ...ui, help: true };
    case 'j':
      return move(ui, view, 1);
    case 'k':
      return move(ui, view, -1);
    case 'g':
      return move(ui, view, Number.NEGATIVE_INFINITY);
    case 'G':
      return move(ui, view, Number.POSITIVE_INFINITY);
    case '/':
      return { ...ui, prompt: { kind: 'filter', text: ui.filter } };
    case 's':
      return sorted(ui);
    case ' ':
      wishes.push({ kind: 'pause', paused: !ui.paused });
      return { ...ui, paused: !ui.paused };
    case 't':
      return {
        ...ui,
        zoom: ZOOMS[(ZOOMS.indexOf(ui.zoom) + 1) % ZOOMS.length],
        cursors: { ...ui.cursors, chart: TOP },
      };
    case 'r':
      wishes.push({ kind: 'reset' });
      return { ...ui, message: 'the period begins now' };
    case 'e':
      return { ...ui, prompt: { kind: 'export' } };
    case 'l':
      return {
        ...ui,
        lines: !ui.lines,
        message: ui.lines ? 'without log lines' : 'chains with their log lines',
      };
    case 'z':
      return { ...ui, enlarged: !ui.enlarged };
    default:
  }
  const panel = PANELS[Number(char) - 1];
  return panel === undefined ? ui : focus(ui, panel);
}

function pressNamed(ui: Ui, name: KeyName, view: View | null): Ui {
  switch (name) {
    case 'up':
      return move(ui, view, -1);
    case 'down':
      return move(ui, view, 1);
    case 'left':
      return sideways(ui, view, -1);
    case 'right':
      return sideways(ui, view, 1);
    case 'pageup':
      return move(ui, view, -PAGE);
    case 'pagedown':
      return move(ui, view, PAGE);
    case 'home':
      return move(ui, view, Number.NEGATIVE_INFINITY);
    case 'end':
      return move(ui, view, Number.POSITIVE_INFINITY);
    case 'tab':
      return focus(ui, PANELS[(PANELS.indexOf(ui.focus) + 1) % PANELS.length]);
    case 'backtab':
      return focus(ui, PANELS[(PANELS.indexOf(ui.focus) + PANELS.length - 1) % PANELS.length]);
    case 'enter':
      return view === null ? ui : drill(ui, view);
    case 'esc':
      return ui.pages.length > 0 ? { ...ui, pages: ui.pages.slice(0, -1) } : { ...ui, enlarged: false };
    default:
      return ui;
  }
}

function focus(ui: Ui, panel: Panel): Ui {
  const grouping = isGrouping(panel) ? panel : ui.grouping;
  return { ...ui, focus: panel, grouping, pages: [] };
}

export function isGrouping(panel: Panel): panel is Grouping {
  return panel === 'client' || panel === 'victim' || panel === 'hop' || panel === 'reason';
}

/** Left and right move along the chart; elsewhere they change the panel. */
function sideways(ui: Ui, view: View | null, by: number): Ui {
  if (ui.pages.length > 0) return ui;
  if (ui.focus === 'chart') return move(ui, view, -by);
  const at = PANELS.indexOf(ui.focus) + by;
  return at < 0 || at >= PANELS.length ? ui : focus(ui, PANELS[at]);
}

function sorted(ui: Ui): Ui {
  const page = ui.pages.at(-1);
  if (page?.kind === 'list') {
    const sort = (page.sort + 1) % SORTS.feed.length;
    return onPage(ui, { ...page, sort, cursor: TOP }, `sorted by ${SORTS.feed[sort]}`);
  }
  const names = SORTS[ui.focus];
  if (page !== undefined || names.length === 0) return ui;
  const sort = (ui.sorts[ui.focus] + 1) % names.length;
  return {
    ...ui,
    sorts: { ...ui.sorts, [ui.focus]: sort },
    cursors: { ...ui.cursors, [ui.focus]: TOP },
    message: `sorted by ${names[sort]}`,
  };
}

function onPage(ui: Ui, page: Page, message = ui.message): Ui {
  return { ...ui, pages: [...ui.pages.slice(0, -1), page], message };
}

/** Where the cursor is among these items now. */
export function placeOf(cursor: Cursor, items: readonly { readonly key: string }[]): number {
  const found = cursor.key === null ? -1 : items.findIndex(({ key }) => key === cursor.key);
  return found >= 0 ? found : Math.max(0, Math.min(cursor.index, items.length - 1));
}

function move(ui: Ui, view: View | null, by: number): Ui {
  const page = ui.pages.at(-1);
  if (page?.kind === 'chain') {
    // How long the text is, the screen knows: it cuts what is too far.
    return onPage(ui, { ...page, top: Math.max(0, Math.min(page.top + by, 100_000)) });
  }
  if (view === null) return ui;
  const cursor = moved(page === undefined ? ui.cursors[ui.focus] : page.cursor, itemsOf(ui, view), by);
  if (page !== undefined) return onPage(ui, { ...page, cursor });
  return { ...ui, cursors: { ...ui.cursors, [ui.focus]: cursor } };
}

function moved(cursor: Cursor, items: readonly { readonly key: string }[], by: number): Cursor {
  const last = Math.max(0, items.length - 1);
  const index = Math.max(0, Math.min(last, placeOf(cursor, items) + by));
  // At the top it stays at the top: what is newest, or most.
  return { index, key: index === 0 ? null : (items[index]?.key ?? null) };
}

function drill(ui: Ui, view: View): Ui {
  const page = ui.pages.at(-1);
  if (page?.kind === 'chain') return ui;
  const items = itemsOf(ui, view);
  const cursor = page === undefined ? ui.cursors[ui.focus] : page.cursor;
  const item = items[placeOf(cursor, items)];
  if (item === undefined) return { ...ui, message: 'nothing here' };
  const next: Page =
    item.entry !== null
      ? { kind: 'chain', entry: item.entry, top: 0 }
      : { kind: 'list', selection: item.selection, cursor: TOP, sort: 0 };
  return { ...ui, pages: [...ui.pages, next] };
}

/** The chain that a page shows, as it stands in a newer view. */
export function currentEntry(page: { readonly entry: Entry }, view: View): Entry {
  const { key } = page.entry;
  return view.entries.find((entry) => entry.key === key) ?? page.entry;
}
