/**
 * How things stand at one moment, for programs and for pipes: the report's figures, the last hour's, and how far the
 * reading is. Keys are snake_case because this is the JSON.
 */
import type { Report, Statistics } from '../summary/report.ts';
import type { View } from './board.ts';
import type { Phase, Progress } from './engine.ts';
import { GROUPINGS, type Grouping } from './entry.ts';
import type { GroupRow } from './groups.ts';
import type { Five } from './timeline.ts';

export interface SnapshotRow {
  readonly key: string;
  readonly count: number;
  readonly verdict: string;
  /** ISO 8601 UTC; null when the log does not tell. */
  readonly last_seen: string | null;
}

export interface Snapshot
  extends Pick<
    Report,
    | 'schema_version'
    | 'generated_at'
    | 'period'
    | 'input'
    | 'statistics'
    | 'accounting'
    | 'suppression_ratio'
    | 'dsn'
    | 'recipients'
    | 'rejected'
  > {
  readonly kind: 'snapshot';
  /** The last one of this run. */
  readonly final: boolean;
  /** Accepted in the last 60 minutes of log time. */
  readonly last_hour: Statistics;
  readonly backscatter: { readonly suspects: number } & Readonly<Record<Grouping, readonly SnapshotRow[]>>;
  readonly reading: {
    readonly phase: Phase;
    readonly lines_per_second: number;
    readonly backlog_bytes: number;
  };
}

export function snapshotOf(
  report: Report,
  view: View,
  progress: Progress,
  { top, final }: { readonly top: number; readonly final: boolean },
): Snapshot {
  const groups = {} as Record<Grouping, readonly SnapshotRow[]>;
  for (const grouping of GROUPINGS) groups[grouping] = topRows(view.groups[grouping], top);
  return {
    schema_version: 1,
    kind: 'snapshot',
    final,
    generated_at: report.generated_at,
    period: report.period,
    input: report.input,
    statistics: report.statistics,
    last_hour: statisticsOf(view.hour),
    accounting: report.accounting,
    suppression_ratio: report.suppression_ratio,
    dsn: report.dsn,
    recipients: report.recipients,
    rejected: report.rejected,
    backscatter: { suspects: view.suspects, ...groups },
    reading: {
      phase: progress.phase,
      lines_per_second: Math.round(progress.rate),
      backlog_bytes: progress.backlog,
    },
  };
}

export function statisticsOf(figures: Five): Statistics {
  const [incoming, delivered, estimated, actual, suppressed] = figures;
  return { incoming, delivered, estimated, actual, suppressed };
}

function topRows(rows: readonly GroupRow[], top: number): SnapshotRow[] {
  return [...rows]
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
    .slice(0, top)
    .map(({ key, count, verdict, lastSeen }) => ({
      key,
      count,
      verdict,
      last_seen: Number.isFinite(lastSeen) && lastSeen > 0 ? new Date(lastSeen).toISOString() : null,
    }));
}
