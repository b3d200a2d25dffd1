/**
 * The report: a pure view of a summary, and what every output renders.
 *
 * The first part is the contract's JSON, key by key; the tables after it are for people.
 * Counts are exact integers, times ISO 8601 UTC with Z (null when there was no line with a time).
 */
import type { MtaName } from '../records/record.ts';

export interface Statistics {
  incoming: number;
  delivered: number;
  estimated: number;
  actual: number;
  suppressed: number;
}

/** estimated = with_dsn + suppressed + withheld + open */
export interface Accounting {
  with_dsn: number;
  suppressed: number;
  withheld: number;
  open: number;
}

export interface InputCounts {
  files: number;
  bytes: number;
  /** lines = recorded + ignored + foreign + unrecognised + malformed */
  lines: number;
  recorded: number;
  ignored: number;
  foreign: number;
  unrecognised: number;
  malformed: number;
  headless_chains: number;
}

/** A row of one of the report's tables: what it is about and how often; `detail` says more where needed. */
export interface TableRow {
  readonly key: string;
  readonly count: number;
  /** Messages, where `count` is of something else (recipients, DSNs). */
  readonly messages?: number;
}

/** One of the report's tables; `rows` is sorted by count, most first, and cut at --top. */
export interface ReportTable {
  /** Name for --table and JSON: "dsn_reasons". */
  readonly name: string;
  readonly title: string;
  /** Heading of the key column and of the count column. */
  readonly key_heading: string;
  readonly count_heading: string;
  readonly rows: readonly TableRow[];
  /** Rows that --top cut off, and what they counted. */
  readonly more_rows: number;
  readonly more_count: number;
  /** True when the table met its bound and rare keys may be missing. */
  readonly bounded: boolean;
}

/** One step of a time series: a UTC hour or day and what was accepted in it. */
export interface SeriesStep extends Statistics {
  /** Beginning of the hour or day. */
  readonly at: string;
}

/** Something the log cannot tell, or that a reader of the figures must know. */
export interface Note {
  readonly code: string;
  readonly text: string;
}

/** Chains suspected of backscatter (suspects/judge.ts), and what SPF says about them. */
export interface Backscatter {
  /** confirmed + likely + possible */
  suspects: number;
  confirmed: number;
  likely: number;
  possible: number;
  /** Their DSNs that went outside. */
  dsns: number;
  /** Suspects by reason; one has several. */
  reasons: Partial<Record<string, number>>;
  spf: {
    /** Messages by the result that a milter or policy daemon logged. */
    results: Partial<Record<string, number>>;
    /** Failure DSNs that suppressing on fail and softfail would have spared, and their messages. */
    would_suppress_dsns: number;
    would_suppress_messages: number;
    /** Headers that the WIDE patch passed over: its map lacks the host. */
    header_ignored: number;
  };
  per_hour: SuspectStep[];
  per_day: SuspectStep[];
}

/** One UTC hour or day, and the suspects accepted in it. */
export interface SuspectStep {
  readonly at: string;
  readonly suspects: number;
}

export type Severity = 'critical' | 'warning' | 'info';

/** What to change, for one MTA; null is for any. */
export interface Remedy {
  readonly mta: MtaName | null;
  /** What the lines do, in a sentence or two. */
  readonly text: string;
  /** Where they go: "main.cf", "sendmail.mc"; null where the remedy is no configuration line. */
  readonly file: string | null;
  /** Exact lines. */
  readonly lines: readonly string[];
  /** The manual or document that they come from. */
  readonly source: string;
}

/** Something that the log shows to be wrong, with its evidence and what to do about it. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** What was seen, with the counts. */
  readonly text: string;
  readonly why: string;
  readonly counts: Readonly<Record<string, number>>;
  /** Whom or what it concerns, most first: a domain and its hop, a client, an address. */
  readonly concerns: readonly { readonly key: string; readonly count: number }[];
  /** Chains that show it, the earliest first. */
  readonly examples: readonly {
    readonly mta: MtaName;
    readonly queue_id: string;
    readonly at: string | null;
  }[];
  /** What this log cannot decide, and what to log to decide it; null where nothing is open. */
  readonly undecided: string | null;
  readonly remedies: readonly Remedy[];
}

export interface Report {
  schema_version: 1;
  kind: 'report';
  complete: boolean;
  generated_at: string;
  period: { from: string | null; to: string | null };
  input: InputCounts;
  statistics: Statistics;
  accounting: Accounting;
  statistics_by_mta: Partial<Record<MtaName, Statistics>>;
  /** suppressed / estimated, null when nothing was estimated. */
  suppression_ratio: number | null;
  dsn: { failure: number; delay: number; success: number; postmaster: number; double_bounce: number };
  /** What became of the DSNs themselves (all kinds). */
  dsn_outcomes: {
    delivered: number;
    failed: number;
    expired: number;
    deferred: number;
    discarded: number;
    unknown: number;
  };
  recipients: {
    delivered: number;
    failed: number;
    expired: number;
    deferred: number;
    discarded: number;
    held: number;
    deleted: number;
  };
  /** Refused for good in the SMTP dialogue, by what was refused; `for_now` are the 4xx answers to any of it. */
  rejected: { recipients: number; messages: number; for_now: number };
  backscatter: Backscatter;
  /** Messages accepted with a null reverse-path from outside this MTA: DSNs of others, auto-replies. */
  incoming_null: number;
  findings: Finding[];
  notes: Note[];
  tables: ReportTable[];
  per_hour: SeriesStep[];
  per_day: SeriesStep[];
}
