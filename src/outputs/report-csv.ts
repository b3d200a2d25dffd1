/**
 * One table of the report as CSV. Without a name: the five figures.
 */
import type { Report, SeriesStep, Statistics } from '../summary/report.ts';
import { type CsvRow, csvFormatter } from './csv.ts';

/** The tables that every report has; those in `report.tables` come on top. */
export const FIXED_TABLES = [
  'statistics',
  'accounting',
  'statistics_by_mta',
  'dsn',
  'dsn_outcomes',
  'recipients',
  'rejected',
  'input',
  'per_hour',
  'per_day',
  'notes',
  'backscatter',
  'suspects_per_hour',
  'suspects_per_day',
  'findings',
] as const;

const FIGURES = ['incoming', 'delivered', 'estimated', 'actual', 'suppressed'] as const;

export function csvTableNames(report: Report): string[] {
  return [...FIXED_TABLES, ...report.tables.map((table) => table.name)];
}

/** Throws an Error that names the tables when there is none of this name. */
export async function reportCsv(report: Report, table: string | null): Promise<string> {
  const rows = tableRows(report, table ?? 'statistics');
  return (await csvFormatter())(rows);
}

function tableRows(report: Report, name: string): CsvRow[] {
  switch (name) {
    case 'statistics':
    case 'accounting':
    case 'dsn':
    case 'dsn_outcomes':
    case 'recipients':
    case 'rejected':
    case 'input':
      return [['metric', 'value'], ...Object.entries<number>({ ...report[name] })];
    case 'statistics_by_mta':
      return [
        ['mta', ...FIGURES],
        ...Object.entries(report.statistics_by_mta).map(([mta, figures]) => [mta, ...figuresOf(figures)]),
      ];
    case 'per_hour':
      return seriesRows('hour', report.per_hour);
    case 'per_day':
      return seriesRows('day', report.per_day);
    case 'notes':
      return [['code', 'text'], ...report.notes.map((note) => [note.code, note.text])];
    case 'backscatter': {
      const { suspects, confirmed, likely, possible, dsns, reasons, spf } = report.backscatter;
      const { results, ...figures } = spf;
      return [
        ['metric', 'value'],
        ...Object.entries<number>({ suspects, confirmed, likely, possible, dsns }),
        ...Object.entries(reasons).map(([name, count]): CsvRow => [`reason_${name}`, count ?? 0]),
        ...Object.entries(results).map(([name, count]): CsvRow => [`spf_${name}`, count ?? 0]),
        ...Object.entries<number>(figures).map(([name, count]): CsvRow => [`spf_${name}`, count]),
      ];
    }
    case 'suspects_per_hour':
      return [
        ['hour', 'suspects'],
        ...report.backscatter.per_hour.map(({ at, suspects }): CsvRow => [at, suspects]),
      ];
    case 'suspects_per_day':
      return [
        ['day', 'suspects'],
        ...report.backscatter.per_day.map(({ at, suspects }): CsvRow => [at, suspects]),
      ];
    case 'findings':
      return [
        ['id', 'severity', 'title', 'text', 'examples'],
        ...report.findings.map(
          (finding): CsvRow => [
            finding.id,
            finding.severity,
            finding.title,
            finding.text,
            finding.examples.map(({ queue_id }) => queue_id).join(' '),
          ],
        ),
      ];
    default:
      return reportTableRows(report, name);
  }
}

function reportTableRows(report: Report, name: string): CsvRow[] {
  const table = report.tables.find((candidate) => candidate.name === name);
  if (table === undefined) {
    throw new Error(`--table: ${name} is not one of ${csvTableNames(report).join(', ')}`);
  }
  const withMessages = table.rows.some((row) => row.messages !== undefined);
  return [
    ['key', 'count', ...(withMessages ? ['messages'] : [])],
    ...table.rows.map((row) => [row.key, row.count, ...(withMessages ? [row.messages ?? null] : [])]),
  ];
}

function seriesRows(unit: string, steps: readonly SeriesStep[]): CsvRow[] {
  return [[unit, ...FIGURES], ...steps.map((step) => [step.at, ...figuresOf(step)])];
}

function figuresOf(statistics: Statistics): number[] {
  return FIGURES.map((figure) => statistics[figure]);
}
