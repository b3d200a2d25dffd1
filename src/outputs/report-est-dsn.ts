/**
 * The report as est_dsn.pl of the WIDE project printed it: these five lines and nothing else (contract section 3).
 */
import type { Report } from '../summary/report.ts';

export function reportEstDsn({ statistics }: Report): string {
  return [
    `Total incoming messages: ${statistics.incoming}`,
    `Total delivered messages: ${statistics.delivered}`,
    `Estimated DSN messages: ${statistics.estimated}`,
    `Actual DSN messages: ${statistics.actual}`,
    `Suppressed DSN messages: ${statistics.suppressed}`,
    '',
  ].join('\n');
}
