/**
 * Summary -> report: a pure view. What is pending is counted as it stands, without changing the summary.
 */
import type { Life } from '../chains/life.ts';
import { isoTime } from '../chains/view.ts';
import { FOREIGN, IGNORED, MALFORMED, MTA_NAMES, RECORDED, UNRECOGNISED } from '../records/record.ts';
import { Counter } from './counter.ts';
import type { Note, Report, ReportTable, SeriesStep, Statistics, SuspectStep } from './report.ts';
import {
  ACTUAL,
  DELIVERED,
  ESTIMATED,
  type Figures,
  HOUR,
  INCOMING,
  SUPPRESSED,
  type Summary,
} from './summary.ts';
import { TRAFFIC_TABLES } from './traffic.ts';

export interface ReportOptions {
  /** Rows per table; 0 is none. */
  readonly top: number;
  readonly complete: boolean;
  readonly generatedAt: Date;
}

export function reportOf(summary: Summary, pending: Iterable<Life>, options: ReportOptions): Report {
  return viewOf(withPending(summary, pending), options);
}

/** The summary with what is pending counted as it stands; the one given stays as it is. */
export function withPending(summary: Summary, pending: Iterable<Life>): Summary {
  const all = summary.clone();
  for (const root of pending) all.tally(root);
  return all;
}

/** The report of everything that was counted, without findings (findings/all.ts has them). */
export function viewOf(all: Summary, options: ReportOptions): Report {
  const total = new Float64Array(5);
  for (const figures of all.figures) for (let i = 0; i < 5; i += 1) total[i] += figures[i];
  const statistics = statisticsOf(total);
  const byMta: Report['statistics_by_mta'] = {};
  for (let mta = 0; mta < 3; mta += 1)
    if (all.seen[mta]) byMta[MTA_NAMES[mta]] = statisticsOf(all.figures[mta]);
  const { delivered, failed, expired, deferred, discarded, held, deleted } = all.recipients;
  const lines = all.lines;
  return {
    schema_version: 1,
    kind: 'report',
    complete: options.complete,
    generated_at: options.generatedAt.toISOString(),
    period: { from: finiteTime(all.from), to: finiteTime(all.to) },
    input: {
      files: all.files,
      bytes: all.bytes,
      lines: lines.reduce((n, c) => n + c, 0),
      recorded: lines[RECORDED],
      ignored: lines[IGNORED],
      foreign: lines[FOREIGN],
      unrecognised: lines[UNRECOGNISED],
      malformed: lines[MALFORMED],
      headless_chains: all.headless,
    },
    statistics,
    accounting: { ...all.accounting },
    statistics_by_mta: byMta,
    suppression_ratio: statistics.estimated === 0 ? null : statistics.suppressed / statistics.estimated,
    dsn: { ...all.dsn },
    dsn_outcomes: {
      delivered: all.dsnOutcomes.delivered,
      failed: all.dsnOutcomes.failed,
      expired: all.dsnOutcomes.expired,
      deferred: all.dsnOutcomes.deferred,
      discarded: all.dsnOutcomes.discarded + all.dsnOutcomes.deleted + all.dsnOutcomes.held,
      unknown: all.dsnOutcomes.unknown,
    },
    recipients: { delivered, failed, expired, deferred, discarded, held, deleted },
    rejected: {
      recipients: all.rejectedRecipients,
      messages: all.rejectedMessages,
      for_now: all.rejectedForNow,
    },
    backscatter: backscatterOf(all),
    incoming_null: all.incomingNull,
    findings: [],
    notes: notesOf(all, statistics),
    tables: [
      tableOf(
        'dsn_reasons',
        'Why failure DSNs were sent',
        'Status and reason',
        'Messages',
        all.reasons,
        options.top,
      ),
      tableOf('dsn_domains', 'Domains that our DSNs went to', 'Domain', 'DSNs', all.dsnDomains, options.top),
      tableOf(
        'refusing_relays',
        'Next hops that refused after we had accepted',
        'Relay',
        'Recipients',
        all.refusingRelays,
        options.top,
      ),
      ...suspectTables(all, options.top),
    ],
    per_hour: seriesOf(all.hours, 1),
    per_day: seriesOf(all.hours, 24),
  };
}

function backscatterOf({ suspects, spf }: Summary): Report['backscatter'] {
  return {
    suspects: suspects.suspects,
    ...suspects.verdicts,
    dsns: suspects.dsns,
    reasons: Object.fromEntries(suspects.reasons().filter(([, count]) => count > 0)),
    spf: {
      results: Object.fromEntries(spf.results.sorted()),
      would_suppress_dsns: spf.wouldSuppressDsns,
      would_suppress_messages: spf.wouldSuppressMessages,
      header_ignored: spf.headerIgnored,
    },
    per_hour: suspectSteps(suspects.hours, 1),
    per_day: suspectSteps(suspects.hours, 24),
  };
}

function suspectSteps(hours: ReadonlyMap<number, number>, width: number): SuspectStep[] {
  const steps = new Map<number, number>();
  for (const [hour, n] of hours) {
    const key = Math.floor(hour / width);
    steps.set(key, (steps.get(key) ?? 0) + n);
  }
  return [...steps]
    .sort((a, b) => a[0] - b[0])
    .map(([key, suspects]) => ({ at: new Date(key * width * HOUR).toISOString(), suspects }));
}

function suspectTables({ suspects }: Summary, top: number): ReportTable[] {
  const reasons = new Counter();
  for (const [reason, count] of suspects.reasons()) if (count > 0) reasons.add(reason, count);
  const table = (name: string, title: string, key: string, counter: Counter): ReportTable =>
    tableOf(name, title, key, 'Suspects', counter, top);
  return [
    table('suspect_reasons', 'Why chains are suspect', 'Reason', reasons),
    table('suspect_clients', 'Clients behind the suspects', 'Client', suspects.clients),
    table('suspect_networks', 'Networks behind the suspects', 'Network', suspects.networks),
    table('suspect_victims', 'Addresses that the DSNs of suspects went to', 'Address', suspects.victims),
    table(
      'suspect_victim_domains',
      'Domains that the DSNs of suspects went to',
      'Domain',
      suspects.victimDomains,
    ),
    table('suspect_next_hops', 'Next hops that made suspects by refusing', 'Relay', suspects.nextHops),
    table(
      'suspect_recipients',
      'Our recipients that made suspects by failing',
      'Recipient',
      suspects.recipients,
    ),
  ];
}

function statisticsOf(figures: Figures): Statistics {
  return {
    incoming: figures[INCOMING],
    delivered: figures[DELIVERED],
    estimated: figures[ESTIMATED],
    actual: figures[ACTUAL],
    suppressed: figures[SUPPRESSED],
  };
}

function finiteTime(at: number): string | null {
  return Number.isFinite(at) ? isoTime(at) : null;
}

function tableOf(
  name: string,
  title: string,
  keyHeading: string,
  countHeading: string,
  counter: Counter,
  top: number,
): ReportTable {
  const rows = counter.sorted(top).map(([key, count]) => ({ key, count }));
  let more = counter.total;
  for (const { count } of rows) more -= count;
  return {
    name,
    title,
    key_heading: keyHeading,
    count_heading: countHeading,
    rows,
    more_rows: counter.size - rows.length,
    more_count: more,
    bounded: counter.overflow > 0,
  };
}

/** Steps of so many hours, from the first to the last that has anything; days are UTC days. */
function seriesOf(hours: ReadonlyMap<number, Figures>, width: number): SeriesStep[] {
  const steps = new Map<number, Float64Array>();
  for (const [hour, figures] of hours) {
    const key = Math.floor(hour / width);
    const step = steps.get(key) ?? new Float64Array(5);
    for (let i = 0; i < 5; i += 1) step[i] += figures[i];
    steps.set(key, step);
  }
  return [...steps]
    .sort((a, b) => a[0] - b[0])
    .map(([key, figures]) => ({ at: new Date(key * width * HOUR).toISOString(), ...statisticsOf(figures) }));
}

/** Messages of which some must have been delivered by the end of any log. */
const ENOUGH = 20;

const DEPENDS_ON_CUTS = 'Which ones depends on where the log was cut: merged parts may drop others';

function several(n: number, one: string, more: string): string {
  return `${n} ${n === 1 ? one : more}`;
}

/** What the figures do not say by themselves. */
function notesOf(all: Summary, statistics: Statistics): Note[] {
  const notes: Note[] = [];
  const say = (code: string, text: string): void => {
    notes.push({ code, text });
  };
  if (all.headless > 0) {
    say(
      'headless_chains',
      `${several(all.headless, 'chain has', 'chains have')} no beginning in this log: counted apart, and in none of the figures. Give the older log as well.`,
    );
  }
  if (all.evicted > 0) {
    say(
      'pending_bounded',
      `More messages were under way than are kept (--max-pending): ${all.evicted} were counted as they stood, and what came later for them counts as chains without a beginning. ${DEPENDS_ON_CUTS}. With a larger --max-pending none is.`,
    );
  }
  if (all.skippedFiles > 0) {
    say(
      'files_skipped',
      `${several(all.skippedFiles, 'file was', 'files were')} not read: all of it is more than nine days outside of --since and --until.`,
    );
  }
  if (all.accounting.open > 0) {
    say(
      'open',
      `${several(all.accounting.open, 'message with a failure was', 'messages with a failure were')} still in the queue when the log ended; ${all.accounting.open === 1 ? 'its' : 'their'} DSN may follow.`,
    );
  }
  if (all.accounting.withheld > 0) {
    say(
      'withheld',
      `${several(all.accounting.withheld, 'message', 'messages')} failed without a DSN and without a mark: NOTIFY=NEVER or without FAILURE, quiet mode, or lost lines. The log does not say which.`,
    );
  }
  if (statistics.actual > all.accounting.with_dsn) {
    say(
      'several_dsns',
      `${statistics.actual} failure DSNs were made for ${several(all.accounting.with_dsn, 'message', 'messages')}: one message can cause several.`,
    );
  }
  if (all.seen[0] && all.figures[0][INCOMING] > 0) {
    say(
      'silent_expiry',
      'sendmail gives up a message with NOTIFY=NEVER without a word, unless its LogLevel is 10 or more: such a message counts as still deferred.',
    );
  }
  if (
    all.figures[0][INCOMING] >= ENOUGH &&
    all.figures[0][DELIVERED] === 0 &&
    all.figures[0][ESTIMATED] === 0
  ) {
    say(
      'sendmail_log_level',
      'No line of sendmail tells of a delivery, a failure or a DSN: its LogLevel is too low (9 is the default), or these lines are in another file.',
    );
  }
  if (all.seen[2] && all.figures[2][INCOMING] > 0) {
    say(
      'qmail_client',
      'qmail-send names no client: where a message came from is known only with the log of the SMTP side.',
    );
  }
  if (all.lines[UNRECOGNISED] + all.lines[MALFORMED] > 0) {
    say(
      'unread_lines',
      `${all.lines[UNRECOGNISED]} lines were not recognised and ${all.lines[MALFORMED]} are broken; --unrecognised FILE keeps them.`,
    );
  }
  if (TRAFFIC_TABLES.some((name) => all.traffic[name].overflow > 0) || all.suspects.concerned.overflow > 0)
    say(
      'findings_bounded',
      `Findings met a bound of different keys (--max-keys): whatever came later is missing in their counts. ${DEPENDS_ON_CUTS}, and other --jobs.`,
    );
  for (const [name, counter] of [
    ['dsn_domains', all.dsnDomains],
    ['refusing_relays', all.refusingRelays],
    ['suspect_clients', all.suspects.clients],
    ['suspect_networks', all.suspects.networks],
    ['suspect_victims', all.suspects.victims],
    ['suspect_victim_domains', all.suspects.victimDomains],
    ['suspect_next_hops', all.suspects.nextHops],
    ['suspect_recipients', all.suspects.recipients],
  ] as const) {
    if (counter.overflow > 0)
      say(
        'bounded',
        `The table ${name} met its bound of ${counter.keys.limit} keys (--max-keys): keys that came later are missing there. ${DEPENDS_ON_CUTS}, and other --jobs.`,
      );
  }
  return notes;
}
