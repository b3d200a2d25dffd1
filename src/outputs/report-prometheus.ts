/**
 * The figures in Prometheus' text exposition format (0.0.4), for the node exporter's textfile collector.
 *
 * Gauges, because a report is a snapshot. Labels are mta, kind and outcome only: never what a log line can choose.
 */
import type { Report, Severity, Statistics } from '../summary/report.ts';

interface Sample {
  readonly label: string;
  readonly value: number;
}

export function reportPrometheus(report: Report): string {
  const { accounting, input, period, rejected } = report;
  let text = '';
  const gauge = (name: string, help: string, samples: number | null | readonly Sample[]): void => {
    if (samples === null) return;
    const all = typeof samples === 'number' ? [{ label: '', value: samples }] : samples;
    if (all.length === 0) return;
    text += `# HELP dsnstat_${name} ${help}\n# TYPE dsnstat_${name} gauge\n`;
    for (const { label, value } of all) text += `dsnstat_${name}${label} ${value}\n`;
  };
  const figure = (key: keyof Statistics): readonly Sample[] => {
    const mtas = Object.entries(report.statistics_by_mta);
    if (mtas.length === 0) return [{ label: '', value: report.statistics[key] }];
    return mtas.map(([mta, figures]) => sample('mta', mta, figures[key]));
  };
  gauge('incoming_messages', 'Messages accepted, error messages excluded.', figure('incoming'));
  gauge('delivered_messages', 'Messages that the MTA attempted to deliver.', figure('delivered'));
  gauge(
    'estimated_dsn_messages',
    'Messages with a delivery failure in which a DSN is due.',
    figure('estimated'),
  );
  gauge('actual_dsn_messages', 'Failure DSNs really sent.', figure('actual'));
  gauge(
    'suppressed_dsn_messages',
    'Messages whose failure DSN was suppressed by the MTA.',
    figure('suppressed'),
  );
  gauge('suppression_ratio', 'Suppressed divided by estimated.', report.suppression_ratio);
  gauge('failed_messages', 'Estimated messages by what became of their DSN.', samples('outcome', accounting));
  gauge('dsns', 'DSNs made, by kind.', samples('kind', report.dsn));
  gauge('dsns_by_outcome', 'DSNs made, by what became of them.', samples('outcome', report.dsn_outcomes));
  gauge('recipients', 'Recipients by outcome.', samples('outcome', report.recipients));
  gauge('rejected', 'Rejected in the SMTP dialogue.', samples('kind', rejected));
  gauge('null_reverse_path_messages', 'Messages accepted with a null reverse-path.', report.incoming_null);
  gauge('backscatter_suspects', 'Chains suspected of backscatter.', report.backscatter.suspects);
  const { confirmed, likely, possible } = report.backscatter;
  gauge(
    'backscatter_suspects_by_verdict',
    'Suspects by verdict.',
    samples('verdict', { confirmed, likely, possible }),
  );
  gauge('backscatter_dsns', 'DSNs of suspects that went to outside addresses.', report.backscatter.dsns);
  gauge(
    'spf_suppressible_dsns',
    'Failure DSNs that suppressing on failed SPF would spare.',
    report.backscatter.spf.would_suppress_dsns,
  );
  gauge('findings', 'Findings by severity.', samples('severity', severities(report)));
  gauge('headless_chains', 'Chains whose beginning is not in the log.', input.headless_chains);
  const { recorded, ignored, foreign, unrecognised, malformed } = input;
  gauge(
    'lines',
    'Log lines read, by kind.',
    samples('kind', { recorded, ignored, foreign, unrecognised, malformed }),
  );
  gauge('input_bytes', 'Bytes read.', input.bytes);
  gauge('input_files', 'Files read.', input.files);
  gauge('complete', '1 if all input was read, 0 if the run was interrupted.', report.complete ? 1 : 0);
  gauge('period_start_timestamp_seconds', 'Time of the first line.', seconds(period.from));
  gauge('period_end_timestamp_seconds', 'Time of the last line.', seconds(period.to));
  gauge('generated_timestamp_seconds', 'When this report was made.', seconds(report.generated_at));
  return text;
}

function severities({ findings }: Report): Record<Severity, number> {
  const counts: Record<Severity, number> = { critical: 0, warning: 0, info: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

function samples(label: string, counts: object): Sample[] {
  return Object.entries(counts).map(([key, count]) => sample(label, key, count));
}

/** The label values are our own words (letters and underscores), so there is nothing to escape. */
function sample(label: string, key: string, value: number): Sample {
  return { label: `{${label}="${key}"}`, value };
}

function seconds(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso) / 1000;
}
