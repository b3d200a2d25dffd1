/**
 * What every finding is made of: the facts it may look at, and the few judgements that all share.
 *
 * A finding is one file here: a pure function from facts to a finding, or to null where the log has no evidence.
 * Findings know nothing of each other, of formats, or of lines.
 */
import type { MtaName } from '../records/record.ts';
import type { Counter } from '../summary/counter.ts';
import type { Finding, Remedy, Report, Severity } from '../summary/report.ts';
import type { Summary } from '../summary/summary.ts';

export interface Facts {
  readonly report: Report;
  /** Everything counted, pending chains included. */
  readonly all: Summary;
}

export type Rule = (facts: Facts) => Finding | null;

/** Whom a finding concerns: the first so many of a table. */
export const MOST_CONCERNED = 5;

export function concerns(counter: Counter): Finding['concerns'] {
  return counter.sorted(MOST_CONCERNED).map(([key, count]) => ({ key, count }));
}

/** A part of the incoming mail from which on it is critical, and a number from which on it is, whatever the part. */
const CRITICAL_PART = 0.05;
const CRITICAL_NUMBER = 1000;
/** So few are no pattern, whatever part of a short log they are. */
const FEW = 10;

/** By how much of the incoming mail does it. */
export function severityOf(count: number, { report }: Facts): Severity {
  if (count < FEW) return 'warning';
  const part = count / Math.max(1, report.statistics.incoming);
  return part >= CRITICAL_PART || count >= CRITICAL_NUMBER ? 'critical' : 'warning';
}

/** The remedies for the MTAs that are concerned; those of any MTA (null) as well. */
export function remediesFor(mtas: readonly MtaName[], remedies: readonly Remedy[]): Remedy[] {
  return remedies.filter(({ mta }) => mta === null || mtas.includes(mta));
}

/**
 * A domain or address of the log for a line that somebody will copy into a configuration: only if it is one, and harmless
 * there. Otherwise an example's.
 */
export function safeDomain(domain: string | undefined): string {
  return domain !== undefined && /^[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?$/.test(domain)
    ? domain
    : 'example.com';
}

/** "3 messages", "1 message". */
export function number(n: number, noun: string, plural = `${noun}s`): string {
  return `${String(n).replace(/\B(?=(\d{3})+$)/g, ',')} ${n === 1 ? noun : plural}`;
}

/** "a", "a and b", "a, b and c". */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

/** pipe(8)'s line for dovecot-lda, with the original recipient (Pitfalls when running a mail server, 4). */
export const DOVECOT_ARGUMENTS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Postfix expands these, not we.
  '  flags=DRhu user=vmail:vmail argv=/usr/lib/dovecot/dovecot-lda -f ${sender} -a ${original_recipient} -d ${user}@${nexthop}';
