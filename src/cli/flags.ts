/**
 * Every command and every flag, once. Parsing (arguments.ts) and help (help.ts) are made from these tables.
 *
 * Pure data: what a flag is called, takes and means. Must not know how values are read or what they do.
 */

export type Command =
  | 'report'
  | 'chains'
  | 'merge'
  | 'watch'
  | 'trace'
  | 'recipients'
  | 'check'
  | 'explain'
  | 'probe';

export interface CommandEntry {
  readonly name: Command;
  /** What follows the name on the command line. */
  readonly synopsis: string;
  readonly doc: string;
}

/** The first is the default. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'report',
    synopsis: '[OPTION]... [FILE|DIR|-]...',
    doc: 'One report over all input: the five figures and what explains them. The default command.',
  },
  {
    name: 'chains',
    synopsis: '[OPTION]... [FILE|DIR|-]...',
    doc: 'One record per message chain, as chains end: the message, its recipients, its DSNs and their fate.',
  },
  {
    name: 'merge',
    synopsis: '[OPTION]... SUMMARY...',
    doc: 'One report from summaries that report --save wrote: of other days, other hosts, other MTAs, in any order.',
  },
  {
    name: 'trace',
    synopsis: 'WHAT [OPTION]... [FILE|DIR|-]...',
    doc: 'The whole life of a message in time order. WHAT is a queue id, a qmail message number or qp, a Message-ID, an address or @domain.',
  },
  {
    name: 'recipients',
    synopsis: '--domain DOMAIN [OPTION]... [FILE|DIR|-]...',
    doc: 'Addresses that the log proves valid or invalid, for a map that refuses unknown recipients at RCPT.',
  },
  {
    name: 'check',
    synopsis: '[OPTION]... [FILE|DIR|-]...',
    doc: 'A monitoring plugin: one line with performance data; exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, by the worst finding.',
  },
  {
    name: 'explain',
    synopsis: '[OPTION]... BOUNCE.eml [FILE|DIR]...',
    doc: 'What a received bounce is, and with logs, the chain that caused it. Takes a mail, an mbox, a Maildir or -.',
  },
  {
    name: 'probe',
    synopsis: '[OPTION]... HOST[:PORT]',
    doc: 'Asks a server whether it offers DSN, and with --rcpt what it does with recipients. Sends no mail.',
  },
  {
    name: 'watch',
    synopsis: '[OPTION]... [FILE|DIR|-]...',
    doc: 'Follows logs by name, across rotation, and shows a live screen; into a pipe, a snapshot now and then. Without FILE: the usual places, else the systemd journal.',
  },
];

export const CATEGORIES = ['Input', 'Time', 'Filters', 'Dialogue', 'Output', 'Other'] as const;
export type Category = (typeof CATEGORIES)[number];

/** How a value is read; the readers are in arguments.ts. */
export type ValueType =
  | 'text'
  | 'file'
  | 'choice'
  | 'integer'
  | 'instant'
  | 'zone'
  | 'inside'
  | 'address'
  | 'domain'
  | 'speed';

/** The name of a flag's value in the typed result. */
export type Key =
  | 'format'
  | 'output'
  | 'since'
  | 'until'
  | 'mta'
  | 'tz'
  | 'year'
  | 'inside'
  | 'jobs'
  | 'state'
  | 'maxPending'
  | 'maxKeys'
  | 'save'
  | 'top'
  | 'table'
  | 'unrecognised'
  | 'anonymise'
  | 'noProgress'
  | 'color'
  | 'withDsn'
  | 'suspect'
  | 'warning'
  | 'critical'
  | 'failed'
  | 'queueId'
  | 'sender'
  | 'recipient'
  | 'lines'
  | 'domain'
  | 'delimiter'
  | 'force'
  | 'rcpt'
  | 'mailFrom'
  | 'helo'
  | 'timeout'
  | 'tls'
  | 'history'
  | 'replay'
  | 'speed'
  | 'interval'
  | 'help'
  | 'version';

export interface Flag {
  readonly long: string;
  readonly short?: string;
  readonly key: Key;
  readonly category: Category;
  readonly commands: readonly Command[];
  /** Why it means nothing to others, where somebody might expect it. */
  readonly notFor?: Readonly<Partial<Record<Command, string>>>;
  /** A sentence or two for --help. */
  readonly doc: string;
  /** What the value is called in help; a flag without is a switch. */
  readonly value?: string;
  readonly type?: ValueType;
  /** For `choice`: the words per command, the default first. */
  readonly choices?: Readonly<Partial<Record<Command, readonly string[]>>>;
  /** For `integer`. */
  readonly least?: number;
  readonly most?: number;
  /** Every use counts; otherwise the last one. */
  readonly repeatable?: boolean;
}

/** Those that read logs. */
const LOGS: readonly Command[] = ['report', 'chains', 'trace', 'recipients', 'check', 'explain', 'watch'];
/** The same, and what reads no logs but has a report. */
const LOGS_AND_MERGE: readonly Command[] = [...LOGS, 'merge'];
const ALL: readonly Command[] = [...LOGS, 'merge', 'probe'];
/** Commands that print what the logs say. */
const CHAINED: readonly Command[] = ['report', 'chains', 'trace', 'recipients', 'explain', 'watch', 'merge'];
/** Commands with a choice of formats. */
const FORMATS: readonly Command[] = [...CHAINED, 'probe'];
const CHAINS: readonly Command[] = ['chains'];
const TRACE: readonly Command[] = ['trace'];
const RECIPIENTS: readonly Command[] = ['recipients'];
const CHECK: readonly Command[] = ['check'];
const PROBE: readonly Command[] = ['probe'];
const WATCH: readonly Command[] = ['watch'];
/** Those that can go on where the run before them ended. */
const STATED: readonly Command[] = ['report', 'chains', 'check', 'watch'];
/** What has a report in the end. */
const REPORTS: readonly Command[] = ['report', 'merge'];

/** The same words for each command. */
function same(commands: readonly Command[], words: readonly string[]): Flag['choices'] {
  return Object.fromEntries(commands.map((command) => [command, words]));
}

export const FLAGS: readonly Flag[] = [
  {
    long: 'mta',
    key: 'mta',
    category: 'Input',
    commands: LOGS,
    value: 'MTA',
    type: 'choice',
    choices: same(LOGS, ['auto', 'sendmail', 'postfix', 'qmail']),
    doc: 'Whose lines these are. auto decides line by line, so mixed logs work.',
  },
  {
    long: 'inside',
    key: 'inside',
    category: 'Input',
    commands: LOGS,
    value: 'NETWORK|DOMAIN',
    type: 'inside',
    repeatable: true,
    doc: 'What belongs to us: networks of clients (192.0.2.0/24, 2001:db8::/32), domains of addresses (example.com). Loopback and private networks always do. May be repeated.',
  },
  {
    long: 'jobs',
    key: 'jobs',
    category: 'Input',
    commands: LOGS,
    value: 'N',
    type: 'integer',
    least: 1,
    most: 1024,
    doc: 'Work in N threads, by default as many as there are processors; the result is the same for any N. Two are of use, for report and check on 512 MB and more (51 MB of archives) without --since, --until and --mta: one reads and joins, one counts; archives are decompressed by a thread of their own.',
  },
  {
    long: 'state',
    key: 'state',
    category: 'Input',
    commands: STATED,
    notFor: {
      trace: 'a state has no lines to tell a message from',
      recipients: 'a state does not keep what each address proves',
      explain: 'a state does not keep the messages that it would look for',
      merge: 'it reads summaries in full; report --save writes them',
      probe: 'it reads no log',
    },
    value: 'FILE',
    type: 'file',
    doc: 'Resume: read what is new since the last run with FILE, and remember it there; the result is on all of it, of chains on those that ended since. Logs may have been rotated and compressed meanwhile.',
  },
  {
    long: 'max-pending',
    key: 'maxPending',
    category: 'Input',
    commands: LOGS,
    value: 'N',
    type: 'integer',
    least: 1000,
    most: 100_000_000,
    doc: 'Messages under way that are remembered, 500000 by default, about 1 KB each. The report says when there were more.',
  },
  {
    long: 'max-keys',
    key: 'maxKeys',
    category: 'Input',
    commands: LOGS_AND_MERGE,
    value: 'N',
    type: 'integer',
    least: 100,
    most: 10_000_000,
    doc: 'Addresses, domains or hosts that each table remembers, 50000 by default. The report says when there were more; which ones are dropped then depends on --jobs, too.',
  },
  {
    long: 'unrecognised',
    key: 'unrecognised',
    category: 'Input',
    commands: LOGS,
    value: 'FILE',
    type: 'file',
    doc: 'Write the lines that were not recognised, and the broken ones, to FILE.',
  },
  {
    long: 'history',
    key: 'history',
    category: 'Input',
    commands: WATCH,
    doc: 'First the rotated files of each log, compressed or not, or all that the journal keeps.',
  },
  {
    long: 'replay',
    key: 'replay',
    category: 'Input',
    commands: WATCH,
    doc: 'Play finished logs and stay open to look around.',
  },
  {
    long: 'speed',
    key: 'speed',
    category: 'Input',
    commands: WATCH,
    value: 'N',
    type: 'speed',
    doc: 'With --replay: N seconds of log a second, such as 60x; by default as fast as possible.',
  },
  {
    long: 'since',
    key: 'since',
    category: 'Time',
    commands: LOGS,
    value: 'TIME',
    type: 'instant',
    doc: "From this time on: ISO 8601, today, yesterday, now, '2h ago', '3 days ago'.",
  },
  {
    long: 'until',
    key: 'until',
    category: 'Time',
    commands: LOGS,
    value: 'TIME',
    type: 'instant',
    doc: 'Before this time; a date stands for its midnight.',
  },
  {
    long: 'tz',
    key: 'tz',
    category: 'Time',
    commands: LOGS_AND_MERGE,
    value: 'ZONE',
    type: 'zone',
    doc: "The log's zone where its times name none: Europe/Berlin, +02:00. Also that of --since and --until. By default, this machine's.",
  },
  {
    long: 'year',
    key: 'year',
    category: 'Time',
    commands: LOGS,
    value: 'YYYY',
    type: 'integer',
    least: 1970,
    most: 9999,
    doc: 'Year of the first line where its times name none. By default, inferred.',
  },
  {
    long: 'with-dsn',
    key: 'withDsn',
    category: 'Filters',
    commands: CHAINS,
    doc: 'Only chains with a DSN.',
  },
  {
    long: 'failed',
    key: 'failed',
    category: 'Filters',
    commands: CHAINS,
    doc: 'Only chains with a recipient that failed or expired.',
  },
  {
    long: 'suspect',
    key: 'suspect',
    category: 'Filters',
    commands: CHAINS,
    doc: 'Only chains suspected of backscatter: a DSN to an outside address for a message that a stranger handed in.',
  },
  {
    long: 'warning',
    short: 'w',
    key: 'warning',
    category: 'Filters',
    commands: CHECK,
    value: 'N',
    type: 'integer',
    doc: 'WARNING with more than N suspects, whatever the findings say.',
  },
  {
    long: 'critical',
    short: 'c',
    key: 'critical',
    category: 'Filters',
    commands: CHECK,
    value: 'N',
    type: 'integer',
    doc: 'CRITICAL with more than N suspects, whatever the findings say.',
  },
  {
    long: 'queue-id',
    key: 'queueId',
    category: 'Filters',
    commands: CHAINS,
    value: 'ID',
    type: 'text',
    repeatable: true,
    doc: 'Only chains that passed through this queue id. May be repeated.',
  },
  {
    long: 'sender',
    key: 'sender',
    category: 'Filters',
    commands: CHAINS,
    value: 'ADDRESS',
    type: 'address',
    repeatable: true,
    doc: "Only chains with this reverse-path: an address, @domain, or '<>' for the null reverse-path. May be repeated.",
  },
  {
    long: 'recipient',
    key: 'recipient',
    category: 'Filters',
    commands: CHAINS,
    value: 'ADDRESS',
    type: 'address',
    repeatable: true,
    doc: 'Only chains to this address or @domain. May be repeated.',
  },
  {
    long: 'domain',
    key: 'domain',
    category: 'Filters',
    commands: RECIPIENTS,
    value: 'DOMAIN',
    type: 'domain',
    repeatable: true,
    doc: 'Addresses of this domain, which we serve; domains given with --inside count, too. May be repeated.',
  },
  {
    long: 'delimiter',
    key: 'delimiter',
    category: 'Filters',
    commands: RECIPIENTS,
    value: 'CHARACTERS',
    type: 'text',
    doc: 'What begins an extension (recipient_delimiter): with +, user+list counts for user. By default, extensions are parts of addresses.',
  },
  {
    long: 'rcpt',
    key: 'rcpt',
    category: 'Dialogue',
    commands: PROBE,
    value: 'ADDRESS',
    type: 'address',
    doc: 'Also ask MAIL FROM and RCPT TO with NOTIFY for ADDRESS, and for a surely unknown recipient of its domain.',
  },
  {
    long: 'mail-from',
    key: 'mailFrom',
    category: 'Dialogue',
    commands: PROBE,
    value: 'ADDRESS',
    type: 'address',
    doc: 'The reverse-path for --rcpt; by default the null reverse-path.',
  },
  {
    long: 'helo',
    key: 'helo',
    category: 'Dialogue',
    commands: PROBE,
    value: 'NAME',
    type: 'text',
    doc: "What to say in EHLO; by default this machine's name.",
  },
  {
    long: 'tls',
    key: 'tls',
    category: 'Dialogue',
    commands: PROBE,
    value: 'MODE',
    type: 'choice',
    choices: { probe: ['auto', 'implicit', 'none'] },
    doc: 'auto is implicit on port 465, else STARTTLS where it is offered.',
  },
  {
    long: 'timeout',
    key: 'timeout',
    category: 'Dialogue',
    commands: PROBE,
    value: 'SECONDS',
    type: 'integer',
    least: 1,
    most: 600,
    doc: 'How long to wait for the connection and for each reply, 30 by default; the whole probe takes at most five times that.',
  },
  {
    long: 'force',
    key: 'force',
    category: 'Output',
    commands: RECIPIENTS,
    doc: 'Write a map even from too little evidence.',
  },
  {
    long: 'lines',
    key: 'lines',
    category: 'Output',
    commands: TRACE,
    doc: "Add the log's own lines to each event.",
  },
  {
    long: 'format',
    key: 'format',
    category: 'Output',
    commands: FORMATS,
    value: 'FORMAT',
    type: 'choice',
    choices: {
      report: ['text', 'est-dsn', 'json', 'csv', 'html', 'prometheus'],
      chains: ['ndjson', 'csv', 'text'],
      trace: ['text', 'ndjson'],
      recipients: ['csv', 'json', 'sendmail', 'postfix', 'qmail'],
      explain: ['text', 'ndjson'],
      watch: ['auto', 'text', 'ndjson'],
      merge: ['text', 'est-dsn', 'json', 'csv', 'html', 'prometheus'],
      probe: ['text', 'json'],
    },
    doc: 'What to print; for watch, auto is the screen on a terminal and text elsewhere.',
  },
  {
    long: 'output',
    short: 'o',
    key: 'output',
    category: 'Output',
    commands: ALL,
    value: 'FILE',
    type: 'file',
    doc: 'Write the result to FILE instead of standard output.',
  },
  {
    long: 'save',
    key: 'save',
    category: 'Output',
    commands: REPORTS,
    value: 'FILE',
    type: 'file',
    doc: 'Write the summary to FILE as well, for dsnstat merge; compressed if its name ends in .gz.',
  },
  {
    long: 'top',
    key: 'top',
    category: 'Output',
    commands: ['report', 'trace', 'watch', 'merge'],
    value: 'N',
    type: 'integer',
    least: 0,
    most: 1_000_000,
    doc: 'Rows per table, 10 by default; 0 leaves the tables out. In trace: matches told in full, the others are listed.',
  },
  {
    long: 'table',
    key: 'table',
    category: 'Output',
    commands: REPORTS,
    value: 'NAME',
    type: 'text',
    doc: 'With --format csv: the table to print, such as statistics_by_mta, per_hour, dsn_reasons. By default, the five figures.',
  },
  {
    long: 'interval',
    key: 'interval',
    category: 'Output',
    commands: WATCH,
    value: 'SECONDS',
    type: 'integer',
    least: 1,
    most: 86_400,
    doc: 'Without a screen: a snapshot every so many seconds, 10 by default, and one at the end.',
  },
  {
    long: 'anonymise',
    key: 'anonymise',
    category: 'Output',
    commands: CHAINED,
    doc: 'Replace addresses and hosts by stable pseudonyms.',
  },
  {
    long: 'color',
    key: 'color',
    category: 'Output',
    commands: FORMATS,
    value: 'WHEN',
    type: 'choice',
    choices: same(FORMATS, ['auto', 'always', 'never']),
    doc: 'Colour in text; auto looks at the terminal and at NO_COLOR.',
  },
  {
    long: 'no-progress',
    key: 'noProgress',
    category: 'Output',
    commands: LOGS,
    doc: 'No progress on standard error.',
  },
  {
    long: 'help',
    short: 'h',
    key: 'help',
    category: 'Other',
    commands: ALL,
    doc: 'Print this help, or that of a command.',
  },
  {
    long: 'version',
    short: 'V',
    key: 'version',
    category: 'Other',
    commands: ALL,
    doc: 'Print the version.',
  },
];
