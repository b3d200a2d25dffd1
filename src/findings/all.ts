/**
 * Every finding, and the report with them. A new finding is one file and one line here.
 */
import type { Life } from '../chains/life.ts';
import type { Finding, Report, Severity } from '../summary/report.ts';
import type { Summary } from '../summary/summary.ts';
import { type ReportOptions, viewOf, withPending } from '../summary/view.ts';
import { bombedVictim } from './bombed-victim.ts';
import { contentRefused } from './content-refused.ts';
import { delayWarnings } from './delay-warnings.ts';
import { deliveredToLoops } from './delivered-to-loops.ts';
import { dsnStorm } from './dsn-storm.ts';
import { failedSpf } from './failed-spf.ts';
import { localBypass } from './local-bypass.ts';
import { nextHopRefuses } from './next-hop-refuses.ts';
import { oneClient } from './one-client.ts';
import { originalRecipientLost } from './original-recipient-lost.ts';
import { returnReceipts } from './return-receipts.ts';
import type { Facts, Rule } from './rule.ts';
import { senderIdentity } from './sender-identity.ts';
import { undeliverableDsns } from './undeliverable-dsns.ts';
import { unknownLocalUsers } from './unknown-local-users.ts';
import { weAreTheVictim } from './we-are-the-victim.ts';
import { wideSuppression } from './wide-suppression.ts';

/** In the order in which findings of the same severity are told. */
export const RULES: readonly Rule[] = [
  nextHopRefuses,
  unknownLocalUsers,
  contentRefused,
  returnReceipts,
  deliveredToLoops,
  failedSpf,
  wideSuppression,
  undeliverableDsns,
  dsnStorm,
  bombedVictim,
  oneClient,
  weAreTheVictim,
  delayWarnings,
  senderIdentity,
  localBypass,
  originalRecipientLost,
];

const RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** What the log shows, the worst first. */
export function findingsOf(facts: Facts): Finding[] {
  return RULES.map((rule) => rule(facts))
    .filter((finding) => finding !== null)
    .sort((a, b) => RANK[a.severity] - RANK[b.severity]);
}

/** The whole report: figures, tables and findings. What is pending is counted as it stands. */
export function fullReport(summary: Summary, pending: Iterable<Life>, options: ReportOptions): Report {
  return reportOfAll(withPending(summary, pending), options);
}

/** The same at the end of a run: the summary is used up, since a copy of full tables would take as much memory again. */
export function lastReport(summary: Summary, pending: Iterable<Life>, options: ReportOptions): Report {
  for (const root of pending) summary.tally(root);
  return reportOfAll(summary, options);
}

function reportOfAll(all: Summary, options: ReportOptions): Report {
  const report = viewOf(all, options);
  report.findings = findingsOf({ report, all });
  return report;
}
