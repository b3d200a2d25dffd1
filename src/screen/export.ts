/**
 * What the screen shows at the moment, as a file: the rows of a panel, or the chains of a list, whole.
 *
 * Pure but for the loading of the CSV writer. Must not know where files go.
 */
import type { View } from '../live/board.ts';
import { statisticsOf } from '../live/snapshot.ts';
import type { Step } from '../live/timeline.ts';
import { chainCsvHeader, chainCsvRows } from '../outputs/chain-csv.ts';
import { type CsvRow, csvFormatter } from '../outputs/csv.ts';
import { jsonText } from '../outputs/escape.ts';
import { FIGURES, itemsOf, panelItems } from './lists.ts';
import { currentEntry, type Ui } from './ui.ts';

export interface Export {
  /** A word for the file's name: "feed", "client", "chains". */
  readonly name: string;
  readonly text: string;
}

export async function exportOf(ui: Ui, view: View, format: 'json' | 'csv'): Promise<Export> {
  const { name, values, rows } = content(ui, view);
  if (format === 'json') return { name, text: `${jsonText(values, 2)}\n` };
  return { name, text: (await csvFormatter())(rows) };
}

interface Content {
  readonly name: string;
  readonly values: unknown;
  /** With their heading. */
  readonly rows: readonly CsvRow[];
}

function content(ui: Ui, view: View): Content {
  const page = ui.pages.at(-1);
  if (page?.kind === 'chain') return chains('chain', [currentEntry(page, view).chain]);
  if (page?.kind === 'list' || ui.focus === 'feed') {
    const found = itemsOf(ui, view).flatMap(({ entry }) => (entry === null ? [] : [entry.chain]));
    return chains(page === undefined ? 'feed' : 'chains', found);
  }
  if (ui.focus === 'figures') {
    const whole = statisticsOf(view.whole);
    const hour = statisticsOf(view.hour);
    const rows = FIGURES.map((name, i) => [name.toLowerCase(), view.whole[i], view.hour[i]]);
    return {
      name: 'figures',
      values: { from: isoOf(view.from), to: isoOf(view.newest), period: whole, last_hour: hour },
      rows: [['figure', 'period', 'last_hour'], ...rows],
    };
  }
  if (ui.focus === 'chart') {
    const steps = view.steps[ui.zoom];
    const row = ({ at, figures }: Step): CsvRow => [isoOf(at), ...figures];
    return {
      name: ui.zoom,
      values: steps.map(({ at, figures }) => ({ at: isoOf(at), ...statisticsOf(figures) })),
      rows: [['at', 'incoming', 'delivered', 'estimated', 'actual', 'suppressed'], ...steps.map(row)],
    };
  }
  const groups = panelItems(ui.focus, ui, view).flatMap(({ group }) => (group === null ? [] : [group]));
  return {
    name: ui.focus,
    values: groups.map(({ key, count, verdict, lastSeen }) => ({
      key,
      count,
      verdict,
      last_seen: isoOf(lastSeen),
    })),
    rows: [
      ['key', 'count', 'verdict', 'last_seen'],
      ...groups.map(({ key, count, verdict, lastSeen }) => [key, count, verdict, isoOf(lastSeen)]),
    ],
  };
}

function chains(name: string, found: readonly View['entries'][number]['chain'][]): Content {
  return { name, values: found, rows: [chainCsvHeader(), ...found.flatMap(chainCsvRows)] };
}

function isoOf(at: number): string | null {
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : null;
}
