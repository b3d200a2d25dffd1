/**
 * The report as one static file: inline CSS and SVG bars, no scripts, nothing loaded, light and dark.
 *
 * Owns the markup. The words are in sections.ts; every text goes through `htmlText`.
 */
import type { Finding, Report } from '../summary/report.ts';
import { htmlText } from './escape.ts';
import { grouped, localTime, zoneName } from './figures.ts';
import {
  backscatterSections,
  countSections,
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

export interface HtmlOptions {
  /** IANA name, "local" or "+02:00" for the times shown; UTC when there is none. */
  readonly zone?: string;
}

const CSS = `
:root { color-scheme: light dark; --text: #1c2024; --faint: #60646c; --page: #fcfcfd; --line: #d9d9e0; --bar: #3a6ea5; --alarm: #ad5700; }
@media (prefers-color-scheme: dark) {
  :root { --text: #edeef0; --faint: #b0b4ba; --page: #111113; --line: #363a3f; --bar: #70b8ff; --alarm: #ffa057; }
}
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0; }
pre { margin: .25rem 0 .5rem; padding: .5rem; border: 1px solid var(--line); overflow-x: auto; }
.faint { color: var(--faint); }
.alarm { color: var(--alarm); font-weight: bold; }
table { border-collapse: collapse; max-width: 100%; }
th, td { padding: .15rem 1rem .15rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: normal; color: var(--faint); }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.figures td { font-size: 1.15rem; }
.figures .number { font-weight: bold; }
svg rect { fill: var(--bar); }
`;

const BAR_WIDTH = 120;

export function reportHtml(report: Report, options: HtmlOptions = {}): string {
  const { from, to } = report.period;
  const time = (iso: string): string => localTime(iso, options.zone);
  const period =
    from === null || to === null
      ? 'no line with a time'
      : `${time(from)} to ${time(to)} (${zoneName(options.zone)})`;
  const mtas = mtaGrid(report);
  const series = seriesOf(report);
  const lines = linesSection(report);
  const parts = [
    '<h1>dsnstat report</h1>',
    `<p>${htmlText(period)}</p>`,
    `<p class="faint">${htmlText(inputLine(report))}</p>`,
    report.complete ? '' : `<p class="alarm">${htmlText(INCOMPLETE)}</p>`,
    sectionHtml(figuresSection(report), 'figures'),
    findingsHtml(report),
    ...backscatterSections(report).map((section) => sectionHtml(section)),
    ...countSections(report).map((section) => sectionHtml(section)),
    mtas === null ? '' : gridHtml(mtas),
    ...tableGrids(report).map(gridHtml),
    series === null ? '' : seriesHtml(series, options.zone),
    detailsHtml(report),
    notesHtml(report),
    lines.rows.length === 0 ? '' : sectionHtml(lines),
  ];
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${htmlText(`dsnstat report, ${period}`)}</title>
<style>${CSS}</style>
</head>
<body>
${parts.filter((part) => part !== '').join('\n')}
</body>
</html>
`;
}

function sectionHtml({ title, rows, remarks }: Section, name = ''): string {
  const most = Math.max(...rows.map((row) => row.count));
  const body = rows.map(
    (row) =>
      `<tr><td>${htmlText(row.label)}</td>${number(grouped(row.count))}<td>${barSvg(row.count, most)}</td>` +
      `<td>${htmlText(row.share)}</td><td class="faint">${htmlText(row.meaning)}</td></tr>`,
  );
  return `<h2>${htmlText(title)}</h2>\n<table${name && ` class="${name}"`}>\n${body.join('\n')}\n</table>${remarksHtml(remarks)}`;
}

function gridHtml({ title, headings, rows, remarks }: Grid): string {
  const [first, ...others] = headings;
  const head = `<tr><th>${htmlText(first)}</th>${others.map((text) => `<th class="number">${htmlText(text)}</th>`).join('')}</tr>`;
  const body = rows.map((row) => `<tr><td>${htmlText(row.key)}</td>${row.cells.map(number).join('')}</tr>`);
  return `<h2>${htmlText(title)}</h2>\n<table>\n${head}\n${body.join('\n')}\n</table>${remarksHtml(remarks)}`;
}

function seriesHtml({ title, unit, steps, remarks }: Series, zone: string | undefined): string {
  const most = Math.max(...steps.map((step) => step.incoming));
  const label = (at: string): string =>
    unit === 'hour' ? localTime(at, zone, 'yyyy-LL-dd HH:mm') : localTime(at, 'UTC', 'yyyy-LL-dd');
  const body = steps.map(
    (step) =>
      `<tr><td>${label(step.at)}</td>${[step.incoming, step.estimated, step.actual].map((n) => number(grouped(n))).join('')}` +
      `<td>${barSvg(step.incoming, most)}</td></tr>`,
  );
  const head =
    '<tr><th></th><th class="number">Incoming</th><th class="number">Estimated</th><th class="number">Actual</th><th></th></tr>';
  return `<h2>${htmlText(title)}</h2>${remarksHtml(remarks)}\n<table>\n${head}\n${body.join('\n')}\n</table>`;
}

function findingsHtml({ findings }: Report): string {
  if (findings.length === 0) return '';
  const rows = findings.map(
    ({ severity, title }) =>
      `<tr><td${severity === 'info' ? ' class="faint"' : ' class="alarm"'}>${severity}</td><td>${htmlText(title)}</td></tr>`,
  );
  return `<h2>${FINDINGS_TITLE}</h2>\n<table>\n${rows.join('\n')}\n</table>`;
}

function detailsHtml({ findings }: Report): string {
  if (findings.length === 0) return '';
  return `<h2>${DETAILS_TITLE}</h2>\n${findings.map(detailHtml).join('\n')}`;
}

function detailHtml(finding: Finding): string {
  const { severity, title, text, why, undecided, concerns, examples, remedies } = finding;
  const parts = [`<h3>${severity}: ${htmlText(title)}</h3>`, `<p>${htmlText(text)}</p>`];
  if (concerns.length > 0) {
    const rows = concerns.map(
      ({ key, count }) => `<tr><td>${htmlText(key)}</td>${number(grouped(count))}</tr>`,
    );
    parts.push(`<table>\n${rows.join('\n')}\n</table>`);
  }
  if (examples.length > 0) parts.push(`<p>Examples: ${htmlText(examplesText(finding))}</p>`);
  parts.push(`<p>${htmlText(why)}</p>`);
  if (undecided !== null) parts.push(`<p class="faint">Not decided here: ${htmlText(undecided)}</p>`);
  for (const remedy of remedies) {
    parts.push(
      `<p>${htmlText(`${remedyHead(remedy)}: ${remedy.text}`)} <span class="faint">(${htmlText(remedy.source)})</span></p>`,
    );
    const lines = remedy.lines.filter((line) => line !== '').map(htmlText);
    if (lines.length > 0) parts.push(`<pre>${lines.join('\n')}</pre>`);
  }
  return parts.join('\n');
}

function notesHtml(report: Report): string {
  if (report.notes.length === 0) return '';
  const items = report.notes.map((note) => `<li>${htmlText(note.text)}</li>`);
  return `<h2>${htmlText(NOTES_TITLE)}</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
}

function remarksHtml(remarks: readonly string[]): string {
  return remarks.map((remark) => `\n<p class="faint">${htmlText(remark)}</p>`).join('');
}

function number(text: string): string {
  return `<td class="number">${htmlText(text)}</td>`;
}

/** The number stands beside the bar, so it is hidden from screen readers. */
function barSvg(value: number, most: number): string {
  const width = most === 0 ? 0 : Math.round((value / most) * BAR_WIDTH);
  return `<svg width="${BAR_WIDTH}" height="10" aria-hidden="true"><rect width="${width}" height="10"/></svg>`;
}
