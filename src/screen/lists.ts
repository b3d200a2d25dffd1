/**
 * What each panel lists, in which order, and which chains stand behind an item.
 *
 * Pure. Owns orders and selections; must not know how an item looks.
 */
import type { View } from '../live/board.ts';
import { type Entry, type Grouping, groupKeys } from '../live/entry.ts';
import { type GroupRow, VERDICTS } from '../live/groups.ts';
import { STEP, type Step, type Zoom } from '../live/timeline.ts';
import type { Page, Panel, Ui } from './ui.ts';

/** Chains that something stands for. */
export type Selection =
  | { readonly kind: 'group'; readonly grouping: Grouping; readonly key: string }
  | { readonly kind: 'figure'; readonly figure: number }
  | { readonly kind: 'step'; readonly zoom: Zoom; readonly at: number };

/** Something that a cursor can be on. */
export interface Item {
  readonly key: string;
  readonly selection: Selection;
  /** One chain; null for what stands for several. */
  readonly entry: Entry | null;
  readonly group: GroupRow | null;
}

export const FIGURES = ['Incoming', 'Delivered', 'Estimated', 'Actual', 'Suppressed'] as const;

/** Orders of each panel, the first is the one it begins with. */
export const SORTS: Readonly<Record<Panel, readonly string[]>> = {
  figures: [],
  chart: [],
  client: ['count', 'last seen', 'verdict', 'name'],
  victim: ['count', 'last seen', 'verdict', 'name'],
  hop: ['count', 'last seen', 'verdict', 'name'],
  reason: ['count', 'last seen', 'verdict', 'name'],
  feed: ['newest', 'recipient', 'outcome', 'reason'],
};

/** Rows beyond are not shown; who looks for one filters. */
const MOST_ITEMS = 2_000;
/** Lists of one view that are remembered. */
const MOST_LISTS = 16;

/** Lists that were made of a view: a key and its frame ask for the same one, and thousands of rows take their time. */
const made = new WeakMap<View, Map<string, readonly Item[]>>();

function once(view: View, name: string, make: () => readonly Item[]): readonly Item[] {
  let lists = made.get(view);
  if (lists === undefined) {
    lists = new Map();
    made.set(view, lists);
  }
  let items = lists.get(name);
  if (items === undefined) {
    items = make();
    // Who looks into one group after the other while paused keeps one view.
    if (lists.size >= MOST_LISTS) lists.clear();
    lists.set(name, items);
  }
  return items;
}

/** The items of what has the focus: a panel, or the list that was drilled into. */
export function itemsOf(ui: Pick<Ui, 'focus' | 'sorts' | 'pages' | 'zoom'>, view: View): readonly Item[] {
  const page = ui.pages.at(-1);
  if (page?.kind === 'list')
    return once(view, JSON.stringify([page.selection, page.sort]), () =>
      entryItems(sortEntries(selected(page, view), page.sort)),
    );
  if (page?.kind === 'chain') return [];
  return panelItems(ui.focus, ui, view);
}

export function panelItems(
  panel: Panel,
  { sorts, zoom }: Pick<Ui, 'sorts' | 'zoom'>,
  view: View,
): readonly Item[] {
  return once(view, `${panel} ${panel === 'chart' ? zoom : sorts[panel]}`, () =>
    madeItems(panel, sorts[panel], zoom, view),
  );
}

function madeItems(panel: Panel, sort: number, zoom: Zoom, view: View): readonly Item[] {
  switch (panel) {
    case 'figures':
      return FIGURES.map((key, figure) => item(key, { kind: 'figure', figure }));
    case 'chart':
      // The newest is where the cursor begins.
      return view.steps[zoom].toReversed().map(({ at }) => item(String(at), { kind: 'step', zoom, at }));
    case 'feed':
      return entryItems(sortEntries(feed(view), sort));
    default:
      return sortGroups(view.groups[panel], sort).map((group) => ({
        ...item(group.key, { kind: 'group', grouping: panel, key: group.key }),
        group,
      }));
  }
}

function item(key: string, selection: Selection): Item {
  return { key, selection, entry: null, group: null };
}

function entryItems(entries: readonly Entry[]): Item[] {
  return entries
    .slice(0, MOST_ITEMS)
    .map((entry) => ({ ...item(entry.key, { kind: 'figure', figure: 0 }), entry }));
}

/** Chains with a DSN, newest first. */
export function feed(view: View): readonly Entry[] {
  return view.entries.filter(({ dsn }) => dsn !== null);
}

/** The chains behind a selection, newest first, as far as they are kept. */
export function selected(
  { selection }: Pick<Page & { kind: 'list' }, 'selection'>,
  view: View,
): readonly Entry[] {
  switch (selection.kind) {
    case 'group':
      return view.entries.filter(
        (entry) =>
          entry.chain.suspect !== null &&
          groupKeys(entry, entry.chain.suspect, selection.grouping).includes(selection.key),
      );
    case 'figure':
      return figureEntries(selection.figure, view);
    default: {
      const end = selection.at + STEP[selection.zoom];
      return [...view.entries, ...view.plain].filter(({ first }) => first >= selection.at && first < end);
    }
  }
}

function figureEntries(figure: number, view: View): readonly Entry[] {
  // Counted messages only: what came in with a null reverse-path, or without its beginning, is in none of the figures.
  const counted = (entry: Entry): boolean =>
    entry.chain.reverse_path !== '' && !entry.chain.headless && entry.first >= view.from;
  const failed = ({ chain }: Entry): boolean =>
    chain.dsns.some(({ kind }) => kind === 'failure') ||
    chain.recipients.some(({ outcome }) => outcome === 'failed' || outcome === 'expired');
  switch (figure) {
    case 2:
      return view.entries.filter((entry) => counted(entry) && failed(entry));
    case 3:
      return view.entries.filter(
        (entry) => counted(entry) && entry.chain.dsns.some(({ kind }) => kind === 'failure'),
      );
    case 4:
      return view.entries.filter((entry) => counted(entry) && entry.chain.suppressed !== null);
    default: {
      const all = [...view.entries, ...view.plain].filter(counted);
      const some =
        figure === 0 ? all : all.filter(({ chain }) => chain.recipients.some((r) => r.attempts > 0));
      return some.sort((a, b) => b.at - a.at);
    }
  }
}

function sortGroups(rows: readonly GroupRow[], sort: number): readonly GroupRow[] {
  const byKey = (a: GroupRow, b: GroupRow): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  const byCount = (a: GroupRow, b: GroupRow): number => b.count - a.count || byKey(a, b);
  const orders: readonly ((a: GroupRow, b: GroupRow) => number)[] = [
    byCount,
    (a, b) => b.lastSeen - a.lastSeen || byKey(a, b),
    (a, b) => VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict) || byCount(a, b),
    byKey,
  ];
  return rows.toSorted(orders[sort]).slice(0, MOST_ITEMS);
}

function sortEntries(entries: readonly Entry[], sort: number): readonly Entry[] {
  if (sort === 0) return entries;
  const word = ({ dsn, chain }: Entry): string => {
    if (sort === 1) return dsn?.recipient ?? chain.reverse_path ?? '';
    if (sort === 2) return dsn?.outcome ?? '';
    return dsn?.reason ?? chain.recipients[0]?.reply ?? '';
  };
  const words = new Map(entries.map((entry) => [entry, word(entry)]));
  return entries.toSorted((a, b) => {
    const [x, y] = [words.get(a) as string, words.get(b) as string];
    return x < y ? -1 : x > y ? 1 : b.at - a.at;
  });
}

/** Steps that fit, oldest first. */
export function shownSteps(view: View, zoom: Zoom, columns: number): readonly Step[] {
  return view.steps[zoom].slice(-Math.max(0, columns));
}
