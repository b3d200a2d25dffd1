/**
 * The report as a page that a postmaster understands at a glance: the five figures first, nothing empty.
 *
 * Owns columns and bars. The words are in sections.ts; colour and width are the caller's.
 */
import type { Report } from '../summary/report.ts';
import { printable } from './escape.ts';
import { grouped, localTime, zoneName } from './figures.ts';
import {
  backscatterSections,
  countSections,
  DETAIL_TABLES,
  DETAILS_TITLE,
  examplesText,
  FINDINGS_TITLE,
  figuresSection,
  type Grid,
  INCOMPLETE,
  inputLine,
  linesSection,
  mtaGrid,
  NOTES_TITLE,
  remedyHead,
  type Section,
  type Series,
  seriesOf,
  tableGrids,
} from './sections.ts';
import { type Style, styleFor } from './style.ts';
import { displayWidth, pad, wrap } from './width.ts';

export interface TextOptions {
  readonly color: boolean;
  /** Columns of the page; less than 64 is taken as 64. */
  readonly width: number;
  /** IANA name, "local" or "+02:00" for the times shown; UTC when there is none. */
  readonly zone?: string;
}

const INDENT = '  ';
/** Of the column in front of the findings' titles. */
const SEVERITY_WIDTH = 10;
const GAP = '  ';
/** What the figures by MTA need. */
const LEAST_WIDTH = 64;
/** A meaning in a narrower column than this is harder to read than none. */
const LEAST_MEANING = 24;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

export function reportText(report: Report, options: TextOptions): string {
  const page = new Page(options);
  page.title(report);
  page.section(figuresSection(report));
  page.findings(report);
  for (const section of backscatterSections(report)) page.section(section);
  for (const section of countSections(report)) page.section(section);
  const mtas = mtaGrid(report);
  if (mtas !== null) page.grid(mtas);
  for (const grid of tableGrids(report, DETAIL_TABLES)) page.grid(grid);
  const series = seriesOf(report);
  if (series !== null) page.series(series);
  page.details(report);
  page.notes(report);
  const lines = linesSection(report);
  if (lines.rows.length > 0) page.section(lines);
  return page.text();
}

class Page {
  private readonly lines: string[] = [];
  private readonly width: number;
  private readonly zone: string | undefined;
  private readonly style: Style;

  constructor(options: TextOptions) {
    this.width = Math.max(LEAST_WIDTH, options.width);
    this.zone = options.zone;
    this.style = styleFor(options.color);
  }

  text(): string {
    return `${this.lines.join('\n')}\n`;
  }

  title(report: Report): void {
    const { from, to } = report.period;
    this.lines.push(this.style.strong('dsnstat report'));
    if (from !== null && to !== null) {
      this.indented(`${this.time(from)} to ${this.time(to)} (${zoneName(this.zone)})`);
    } else {
      this.indented('no line with a time');
    }
    this.indented(inputLine(report));
    if (!report.complete) this.indented(INCOMPLETE, this.style.alarm);
  }

  section({ title, rows, remarks }: Section): void {
    this.heading(title);
    const labels = columnWidth(rows.map((row) => row.label));
    const counts = columnWidth(rows.map((row) => grouped(row.count)));
    const aligned = alignedShares(rows.map((row) => row.share));
    const parts = columnWidth(aligned);
    const used =
      INDENT.length + labels + GAP.length + counts + (parts > 0 ? GAP.length + parts : 0) + GAP.length;
    const room = this.width - used;
    rows.forEach((row, i) => {
      let line = `${INDENT}${pad(row.label, labels)}${GAP}${this.style.strong(pad(grouped(row.count), counts, 'right'))}`;
      if (parts > 0) line += `${GAP}${pad(aligned[i], parts)}`;
      const meaning = room < LEAST_MEANING || row.meaning === '' ? [] : wrap(row.meaning, room);
      this.push(meaning.length === 0 ? line : `${line}${GAP}${this.style.faint(meaning[0])}`);
      for (const rest of meaning.slice(1)) this.push(`${' '.repeat(used)}${this.style.faint(rest)}`);
    });
    for (const remark of remarks) this.indented(remark);
  }

  grid({ title, headings, rows, remarks }: Grid): void {
    this.heading(title);
    const widths = headings
      .slice(1)
      .map((heading, i) => columnWidth([heading, ...rows.map((row) => row.cells[i])]));
    const cells = widths.reduce((n, width) => n + GAP.length + width, 0);
    const keys = rows.map((row) => printable(row.key));
    const room = Math.max(10, this.width - INDENT.length - cells);
    const keyWidth = Math.min(room, columnWidth([headings[0], ...keys]));
    const line = (key: string, texts: readonly string[]): string =>
      `${INDENT}${pad(key, keyWidth)}${texts.map((text, i) => GAP + pad(text, widths[i], 'right')).join('')}`;
    this.push(this.style.faint(line(headings[0], headings.slice(1))));
    rows.forEach((row, i) => {
      this.push(line(keys[i], row.cells));
    });
    for (const remark of remarks) this.indented(remark);
  }

  series({ title, unit, steps, remarks }: Series): void {
    this.heading(title);
    const format = unit === 'hour' ? 'yyyy-LL-dd HH:mm' : 'yyyy-LL-dd';
    const columns = [
      { heading: 'Incoming', texts: steps.map((step) => grouped(step.incoming)) },
      { heading: 'Estimated', texts: steps.map((step) => grouped(step.estimated)) },
      { heading: 'Actual', texts: steps.map((step) => grouped(step.actual)) },
    ].map((column) => ({ ...column, width: columnWidth([column.heading, ...column.texts]) }));
    // Days are days of UTC, whatever zone the hours are shown in.
    const labels = steps.map((step) => localTime(step.at, unit === 'hour' ? this.zone : 'UTC', format));
    const label = columnWidth(labels);
    const left = INDENT.length + label + columns.reduce((n, c) => n + GAP.length + c.width, 0) + GAP.length;
    const room = Math.min(60, this.width - left);
    const most = Math.max(...steps.map((step) => step.incoming));
    for (const remark of remarks) this.indented(remark);
    this.push(
      this.style.faint(
        `${INDENT}${' '.repeat(label)}${columns.map((c) => GAP + pad(c.heading, c.width, 'right')).join('')}`,
      ),
    );
    steps.forEach((step, i) => {
      const numbers = columns.map((c) => GAP + pad(c.texts[i], c.width, 'right')).join('');
      this.push(`${INDENT}${pad(labels[i], label)}${numbers}${GAP}${bar(step.incoming, most, room)}`);
    });
  }

  /** One line each, the worst first: the details come at the end. */
  findings({ findings }: Report): void {
    if (findings.length === 0) return;
    this.heading(FINDINGS_TITLE);
    for (const { severity, title } of findings) {
      const [first, ...rest] = wrap(printable(title), this.width - INDENT.length - SEVERITY_WIDTH);
      const word = pad(severity, SEVERITY_WIDTH);
      this.push(`${INDENT}${severity === 'info' ? this.style.faint(word) : this.style.alarm(word)}${first}`);
      for (const line of rest) this.push(`${INDENT}${' '.repeat(SEVERITY_WIDTH)}${line}`);
    }
  }

  details({ findings }: Report): void {
    if (findings.length === 0) return;
    this.heading(DETAILS_TITLE);
    for (const [i, finding] of findings.entries()) {
      if (i > 0) this.push('');
      const { severity, title, text, why, undecided } = finding;
      this.indented(printable(`${severity.toUpperCase()}: ${title}`), this.style.strong);
      this.paragraph(text);
      for (const { key, count } of finding.concerns) this.paragraph(`${key}: ${grouped(count)}`, 1);
      if (finding.examples.length > 0) this.paragraph(`Examples: ${examplesText(finding)}`);
      this.paragraph(why);
      if (undecided !== null) this.paragraph(`Not decided here: ${undecided}`);
      for (const remedy of finding.remedies) {
        this.paragraph(`${remedyHead(remedy)}: ${remedy.text}`);
        // Lines to be copied: never wrapped.
        for (const line of remedy.lines) if (line !== '') this.push(`${INDENT.repeat(4)}${printable(line)}`);
        this.paragraph(`(${remedy.source})`, 2, this.style.faint);
      }
    }
  }

  private paragraph(text: string, depth = 0, style: (text: string) => string = (plain) => plain): void {
    const indent = INDENT.repeat(2 + depth);
    for (const line of wrap(printable(text), this.width - indent.length)) this.push(indent + style(line));
  }

  notes(report: Report): void {
    if (report.notes.length === 0) return;
    this.heading(NOTES_TITLE);
    for (const note of report.notes) {
      const [first, ...rest] = wrap(printable(note.text), this.width - INDENT.length - 2);
      this.push(`${INDENT}- ${first}`);
      for (const line of rest) this.push(`${INDENT}  ${line}`);
    }
  }

  private heading(title: string): void {
    this.lines.push('', this.style.heading(printable(title)));
  }

  private indented(text: string, style: (text: string) => string = (plain) => plain): void {
    for (const line of wrap(text, this.width - INDENT.length)) this.push(`${INDENT}${style(line)}`);
  }

  private push(line: string): void {
    this.lines.push(line.trimEnd());
  }

  private time(iso: string): string {
    return localTime(iso, this.zone);
  }
}

function columnWidth(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(displayWidth));
}

/** "5.0 % of incoming" under "15.0 % of incoming": the points stand under each other. */
function alignedShares(shares: readonly string[]): string[] {
  const digits = Math.max(...shares.map((share) => share.indexOf(' %')));
  return shares.map((share) => (share === '' ? '' : ' '.repeat(digits - share.indexOf(' %')) + share));
}

function bar(value: number, most: number, room: number): string {
  if (room < 1 || most === 0) return '';
  const eighths = Math.max(value > 0 ? 1 : 0, Math.round((value / most) * room * 8));
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}
