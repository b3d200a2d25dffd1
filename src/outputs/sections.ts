/**
 * The report in words: which counts stand together, what they are called, what they are a part of.
 *
 * Owns the wording that text and HTML share. Must not know columns, colours or tags; escapes nothing.
 */

import type { Finding, Remedy, Report, SeriesStep } from '../summary/report.ts';
import { reasonWords } from '../suspects/reasons.ts';
import { byteSize, counted, grouped, percent } from './figures.ts';

export interface SectionRow {
  readonly label: string;
  readonly count: number;
  /** "15.0 %", "15.0 % of estimated", or "". */
  readonly share: string;
  /** What the label means, or "". */
  readonly meaning: string;
}

export interface Section {
  readonly title: string;
  readonly rows: readonly SectionRow[];
  /** Sentences below the rows. */
  readonly remarks: readonly string[];
}

/** Columns of counts under headings: one line per MTA, or per report table key. */
export interface Grid {
  readonly title: string;
  readonly headings: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly string[] }[];
  readonly remarks: readonly string[];
}

/** The five figures, in the words of est_dsn.pl. */
export function figuresSection(report: Report): Section {
  const { incoming, delivered, estimated, actual, suppressed } = report.statistics;
  const of = (part: number, whole: number, name: string): string => {
    const share = percent(part, whole);
    return share && `${share} of ${name}`;
  };
  return {
    title: 'Messages and their DSNs',
    rows: [
      row('Incoming', incoming, '', 'all incoming messages, error messages excluded'),
      row(
        'Delivered',
        delivered,
        of(delivered, incoming, 'incoming'),
        'messages that the MTA attempted to deliver',
      ),
      row(
        'Estimated',
        estimated,
        of(estimated, incoming, 'incoming'),
        'delivery failures in which a DSN is due',
      ),
      row('Actual', actual, of(actual, estimated, 'estimated'), 'DSNs really sent'),
      row('Suppressed', suppressed, of(suppressed, estimated, 'estimated'), 'DSNs suppressed by the MTA'),
    ],
    remarks: [],
  };
}

/** Suspects by verdict and by reason; nothing where there is no suspect. */
export function backscatterSections(report: Report): Section[] {
  const { suspects, confirmed, likely, possible, dsns, reasons, spf } = report.backscatter;
  const remarks: string[] = [];
  if (spf.would_suppress_dsns > 0) {
    remarks.push(
      `SPF had failed for ${counted(spf.would_suppress_messages, 'message')}: suppressing on that would spare ` +
        `${percent(spf.would_suppress_dsns, report.statistics.actual)} of all failure DSNs (${grouped(spf.would_suppress_dsns)}).`,
    );
  }
  const sections: Section[] = [
    {
      title: `Backscatter: ${counted(suspects, 'suspect')}, ${counted(dsns, 'DSN')} to outside addresses`,
      rows:
        suspects === 0
          ? []
          : shares(suspects, [
              ['confirmed', confirmed, 'the DSN could not be delivered either: the sender is forged'],
              ['likely', likely, 'accepted from a stranger, failed or receipted, DSN to an outside address'],
              ['possible', possible, 'a warning, or a failure that may be honest'],
            ]),
      remarks,
    },
    {
      title: 'Why they are suspect (one can have several reasons)',
      rows: Object.entries(reasons)
        .map(([name, count]): [string, number] => [name, count ?? 0])
        .sort((a, b) => b[1] - a[1])
        .map(([name, count]) => row(name, count, percent(count, suspects), reasonWords(name))),
      remarks: [],
    },
  ];
  return sections.filter(({ rows, remarks }) => rows.length > 0 || remarks.length > 0);
}

export const FINDINGS_TITLE = 'Findings';
export const DETAILS_TITLE = 'Findings in detail';

/** "E42DA21A56E, 0B1C221A59F", with the times where ids come again (qmail). */
export function examplesText({ examples }: Finding): string {
  return examples
    .map(({ mta, queue_id, at }) => (mta === 'qmail' && at !== null ? `${queue_id} (${at})` : queue_id))
    .join(', ');
}

/** "Postfix, main.cf". */
export function remedyHead({ mta, file }: Remedy): string {
  return [mta === null ? 'any MTA' : MTA_WORDS[mta], ...(file === null ? [] : [file])].join(', ');
}

const MTA_WORDS = { sendmail: 'sendmail', postfix: 'Postfix', qmail: 'qmail' } as const;

/** Tables that the page leaves to CSV, JSON and HTML: it already tells the same more coarsely. */
export const DETAIL_TABLES: ReadonlySet<string> = new Set([
  'suspect_reasons',
  'suspect_networks',
  'suspect_victims',
  'suspect_next_hops',
  'suspect_recipients',
]);

/** Everything else that is a list of counts; nothing empty. */
export function countSections(report: Report): Section[] {
  return [
    accounting(report),
    kinds(report),
    outcomes(report),
    recipients(report),
    rejected(report),
    besides(report),
  ].filter((section) => section.rows.length > 0);
}

function accounting(report: Report): Section {
  const { with_dsn, suppressed, withheld, open } = report.accounting;
  const { estimated } = report.statistics;
  const ratio = report.suppression_ratio;
  return {
    title: `Of ${counted(estimated, 'message')} with failure`,
    rows: shares(estimated, [
      ['got a DSN', with_dsn],
      ['suppressed', suppressed, 'a mark in the log says that the DSN was withheld'],
      ['withheld', withheld, 'ended without DSN and without mark'],
      ['open', open, 'had not ended when the log did'],
    ]),
    remarks:
      ratio === null
        ? []
        : [
            `Suppression ratio: ${percent(report.statistics.suppressed, estimated)} (suppressed / estimated).`,
          ],
  };
}

function kinds(report: Report): Section {
  const { failure, delay, success, postmaster, double_bounce } = report.dsn;
  const all = sum(report.dsn);
  return {
    title: 'DSNs by kind',
    rows: shares(all, [
      ['failure', failure, 'could not be delivered'],
      ['delay', delay, 'warnings: still in the queue'],
      ['success', success, 'return receipts: delivered, relayed or expanded'],
      ['postmaster', postmaster, 'copies and notices to the postmaster'],
      ['double bounce', double_bounce, 'DSNs about undeliverable DSNs'],
    ]),
    remarks: [],
  };
}

function outcomes(report: Report): Section {
  return {
    title: 'What became of the DSNs',
    rows: shares(sum(report.dsn_outcomes), Object.entries(report.dsn_outcomes)),
    remarks: [],
  };
}

function recipients(report: Report): Section {
  const { delivered, failed, expired, deferred, discarded, held, deleted } = report.recipients;
  return {
    title: 'What became of the recipients',
    rows: shares(sum(report.recipients), [
      ['delivered', delivered],
      ['failed', failed],
      ['expired', expired, 'given up after too long in the queue'],
      ['deferred', deferred, 'still in the queue at the end'],
      ['discarded', discarded],
      ['held', held, 'on hold or in quarantine'],
      ['deleted', deleted, 'by the operator'],
    ]),
    remarks: [],
  };
}

function rejected(report: Report): Section {
  const { recipients, messages, for_now } = report.rejected;
  return {
    title: 'Rejected in the SMTP dialogue (makes no DSN of ours)',
    rows: shares(0, [
      ['recipients', recipients],
      ['messages', messages],
      ['for now', for_now, 'answered with 4xx: try again later'],
    ]),
    remarks: [],
  };
}

function besides(report: Report): Section {
  return {
    title: 'Besides',
    rows: shares(0, [
      ['null reverse-path', report.incoming_null, "others' DSNs and auto-replies that came in"],
      ['chains without a beginning', report.input.headless_chains, 'in none of the figures'],
    ]),
    remarks: [],
  };
}

/** The figures of each MTA, if the log is of more than one. */
export function mtaGrid(report: Report): Grid | null {
  const mtas = Object.entries(report.statistics_by_mta);
  if (mtas.length < 2) return null;
  return {
    title: 'By MTA',
    headings: ['MTA', 'Incoming', 'Delivered', 'Estimated', 'Actual', 'Suppressed'],
    rows: mtas.map(([mta, s]) => ({
      key: mta,
      cells: [s.incoming, s.delivered, s.estimated, s.actual, s.suppressed].map(grouped),
    })),
    remarks: [],
  };
}

export function tableGrids(report: Report, leaveOut: ReadonlySet<string> = new Set()): Grid[] {
  return report.tables
    .filter((table) => table.rows.length > 0 && !leaveOut.has(table.name))
    .map((table) => {
      const whole = table.rows.reduce((n, r) => n + r.count, table.more_count);
      const withMessages = table.rows.some((r) => r.messages !== undefined);
      const remarks: string[] = [];
      if (table.more_rows > 0)
        remarks.push(`... and ${grouped(table.more_rows)} more (${grouped(table.more_count)})`);
      if (table.bounded) remarks.push('This table met its bound: rare keys may be missing.');
      return {
        title: table.title,
        headings: [table.key_heading, table.count_heading, '%', ...(withMessages ? ['Messages'] : [])],
        rows: table.rows.map((r) => ({
          key: r.key === '' ? '(empty)' : r.key,
          cells: [
            grouped(r.count),
            percent(r.count, whole).replace(' %', ''),
            ...(withMessages ? [r.messages === undefined ? '' : grouped(r.messages)] : []),
          ],
        })),
        remarks,
      };
    });
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MOST_DAYS = 31;

export interface Series {
  readonly title: string;
  readonly unit: 'hour' | 'day';
  readonly steps: readonly SeriesStep[];
  readonly remarks: readonly string[];
}

/** Hours for up to two days, days for more; null when there is one step only. Silent steps in between are there, too. */
export function seriesOf(report: Report): Series | null {
  const hours = report.per_hour;
  if (hours.length < 2) return null;
  const span = Date.parse(hours[hours.length - 1].at) - Date.parse(hours[0].at) + HOUR;
  if (span <= 2 * DAY) {
    return { title: 'Messages per hour', unit: 'hour', steps: filled(hours, HOUR), remarks: [] };
  }
  const days = report.per_day;
  if (days.length < 2) return null;
  const steps = filled(days.slice(-MOST_DAYS), DAY).slice(-MOST_DAYS);
  const shown = steps[0].at;
  const earlier = days.filter((day) => day.at < shown).length;
  return {
    title: 'Messages per day (UTC)',
    unit: 'day',
    steps,
    remarks: earlier === 0 ? [] : [`... and ${counted(earlier, 'day')} earlier`],
  };
}

/** Only for steps that are close together: a log with a gap of years must not make a page of years. */
function filled(steps: readonly SeriesStep[], width: number): SeriesStep[] {
  const all: SeriesStep[] = [];
  for (const step of steps) {
    const at = Date.parse(step.at);
    let next = all.length === 0 ? at : Date.parse(all[all.length - 1].at) + width;
    if (at - next > 2 * MOST_DAYS * DAY) next = at;
    for (; next < at; next += width) {
      const zero = { incoming: 0, delivered: 0, estimated: 0, actual: 0, suppressed: 0 };
      all.push({ at: new Date(next).toISOString(), ...zero });
    }
    all.push(step);
  }
  return all;
}

export function linesSection(report: Report): Section {
  const { lines, recorded, ignored, foreign, unrecognised, malformed } = report.input;
  const unread = unrecognised + malformed;
  const said = report.notes.some((note) => note.code === 'unread_lines');
  return {
    title: `Of ${counted(lines, 'line')}`,
    rows: shares(lines, [
      ['recorded', recorded, 'gave a fact'],
      ['ignored', ignored, 'known, of no interest here'],
      ['foreign', foreign, "other programs'"],
      ['unrecognised', unrecognised, 'new text from an MTA we know'],
      ['malformed', malformed, 'broken'],
    ]),
    remarks: unread === 0 || said ? [] : ['--unrecognised FILE keeps the unrecognised and malformed lines.'],
  };
}

/** "3 files, 1.2 MB, 12,345 lines". */
export function inputLine(report: Report): string {
  const { files, bytes, lines } = report.input;
  return `${counted(files, 'file')}, ${byteSize(bytes)}, ${counted(lines, 'line')}`;
}

export const INCOMPLETE =
  'INCOMPLETE: the run was interrupted; these figures cover only what was read until then.';
export const NOTES_TITLE = 'What the log cannot tell';

function row(label: string, count: number, share: string, meaning: string): SectionRow {
  return { label, count, share, meaning };
}

/** Rows with their part of the whole (0: no whole); zeros are left out. */
function shares(whole: number, counts: readonly (readonly [string, number, string?])[]): SectionRow[] {
  return counts
    .filter(([, count]) => count > 0)
    .map(([label, count, meaning]) => row(label, count, percent(count, whole), meaning ?? ''));
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((n, count) => n + count, 0);
}
