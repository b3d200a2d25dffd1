/**
 * The report as one line of a monitoring plugin: status, words, performance data.
 *
 * Format: Monitoring Plugins development guidelines, "Plugin output" and "Performance data". Only our own words and
 * numbers stand in it: log text could forge a status.
 */
import type { Report } from '../summary/report.ts';
import { counted } from './figures.ts';

export const CHECK_STATES = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;
/** Exit status of the plugin: place in CHECK_STATES. */
export type CheckState = 0 | 1 | 2 | 3;

export interface Thresholds {
  /** More suspects than this; null where none is given. */
  readonly warning: number | null;
  readonly critical: number | null;
}

/** By the number of suspects where a threshold is given; else by the worst finding. */
export function checkState({ backscatter, findings }: Report, { warning, critical }: Thresholds): CheckState {
  if (warning !== null || critical !== null) {
    if (critical !== null && backscatter.suspects > critical) return 2;
    return warning !== null && backscatter.suspects > warning ? 1 : 0;
  }
  if (findings.some(({ severity }) => severity === 'critical')) return 2;
  return findings.some(({ severity }) => severity === 'warning') ? 1 : 0;
}

/** Ends in a newline. */
export function checkLine(report: Report, thresholds: Thresholds): string {
  const state = checkState(report, thresholds);
  return `DSNSTAT ${CHECK_STATES[state]} - ${words(report)} | ${performanceData(report, thresholds)}\n`;
}

/** Nothing could be judged. `reason` is one printable line; a bar would begin the performance data. */
export function unknownLine(reason: string): string {
  return `DSNSTAT UNKNOWN - ${reason.replaceAll('|', '/')}\n`;
}

function words({ backscatter, findings, statistics }: Report): string {
  const { suspects, confirmed } = backscatter;
  const said = [
    suspects === 0
      ? `no backscatter in ${counted(statistics.incoming, 'message')}`
      : `${counted(suspects, 'suspect')} of backscatter (${confirmed} confirmed) in ${counted(statistics.incoming, 'message')}`,
  ];
  const [worst, ...others] = findings.filter(({ severity }) => severity !== 'info');
  if (worst !== undefined) {
    said.push(
      others.length === 0 ? worst.title : `${worst.title} and ${counted(others.length, 'more finding')}`,
    );
  }
  return said.join('; ');
}

function performanceData(report: Report, { warning, critical }: Thresholds): string {
  const { incoming, delivered, estimated, actual, suppressed } = report.statistics;
  const { suspects, confirmed, dsns } = report.backscatter;
  const severities = (wanted: string): number =>
    report.findings.filter(({ severity }) => severity === wanted).length;
  const limits = `${warning ?? ''};${critical ?? ''}`;
  const datum = (label: string, value: number, range = ';'): string => `${label}=${value};${range};0`;
  return [
    datum('suspects', suspects, limits),
    datum('confirmed', confirmed),
    datum('outside_dsns', dsns),
    datum('incoming', incoming),
    datum('delivered', delivered),
    datum('estimated', estimated),
    datum('actual', actual),
    datum('suppressed', suppressed),
    datum('findings_critical', severities('critical')),
    datum('findings_warning', severities('warning')),
  ].join(' ');
}
