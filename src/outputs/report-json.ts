/**
 * The report as JSON (contract section 3), exact, for programs.
 */
import type { Report } from '../summary/report.ts';
import { jsonText } from './escape.ts';

export function reportJson(report: Report): string {
  return `${jsonText(report, 2)}\n`;
}
