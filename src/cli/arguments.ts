/**
 * The command line to a typed result, or to one line that says what is wrong with it.
 *
 * Owns the reading of values; which flags there are is in flags.ts. Touches no file and reads no clock but `now`.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { parseArgs } from 'node:util';
import { DateTime, type DurationLikeObject } from 'luxon';
import { MOST_PENDING } from '../chains/joiner.ts';
import { zoneNamed } from '../lines/zone-offsets.ts';
import { DEFAULT_TABLE_LIMIT } from '../summary/counter.ts';
import type { InsideEntry } from '../suspects/inside.ts';
import { UsageError } from './errors.ts';
import { COMMANDS, type Command, FLAGS, type Flag, type Key } from './flags.ts';

export type ReportFormat = 'text' | 'est-dsn' | 'json' | 'csv' | 'html' | 'prometheus';
export type ChainsFormat = 'ndjson' | 'csv' | 'text';
export type TraceFormat = 'text' | 'ndjson';
export type RecipientsFormat = 'csv' | 'json' | 'sendmail' | 'postfix' | 'qmail';
export type ExplainFormat = 'text' | 'ndjson';
export type ProbeFormat = 'text' | 'json';

export interface CommonOptions {
  /** null is standard output. */
  readonly output: string | null;
  /** Milliseconds since the epoch: from `since` on, before `until`. */
  readonly since: number | null;
  readonly until: number | null;
  readonly mta: 'auto' | 'sendmail' | 'postfix' | 'qmail';
  /** For the clock: IANA name, "+02:00" or "local". */
  readonly tz: string;
  readonly year: number | null;
  readonly inside: readonly InsideEntry[];
  /** null: we may choose. */
  readonly jobs: number | null;
  /** Bounds of memory: pending lives, and keys of each table. */
  readonly maxPending: number;
  readonly maxKeys: number;
  readonly unrecognised: string | null;
  /** What was read before, and the summary of it; for the commands that can go on from there. */
  readonly state: string | null;
  readonly anonymise: boolean;
  readonly noProgress: boolean;
  readonly color: 'auto' | 'always' | 'never';
}

export interface ReportOptions extends CommonOptions {
  readonly format: ReportFormat;
  /** 0 leaves the tables out. */
  readonly top: number;
  readonly table: string | null;
  /** Where the mergeable summary goes. */
  readonly save: string | null;
}

export interface ChainsOptions extends CommonOptions {
  readonly format: ChainsFormat;
  readonly withDsn: boolean;
  readonly suspect: boolean;
  readonly failed: boolean;
  /** Empty lists filter nothing. */
  readonly queueId: readonly string[];
  /** Addresses or "@domain", domains in lower case; "" is the null reverse-path. */
  readonly sender: readonly string[];
  readonly recipient: readonly string[];
}

export interface TraceOptions extends CommonOptions {
  readonly format: TraceFormat;
  readonly lines: boolean;
  /** Matches told in full; text only. */
  readonly top: number;
}

export interface RecipientsOptions extends CommonOptions {
  readonly format: RecipientsFormat;
  /** In lower case, never empty; those of --inside included. */
  readonly domain: readonly string[];
  /** Characters that begin an extension; "" for none. */
  readonly delimiter: string;
  readonly force: boolean;
}

export interface ExplainOptions extends CommonOptions {
  readonly format: ExplainFormat;
}

export interface ProbeOptions extends Pick<CommonOptions, 'output' | 'color'> {
  readonly format: ProbeFormat;
  /** null: only the greeting and EHLO. */
  readonly rcpt: string | null;
  /** "" is the null reverse-path. */
  readonly mailFrom: string;
  /** null: this machine's name. */
  readonly helo: string | null;
  /** auto: implicit on port 465, else STARTTLS where it is offered. */
  readonly tls: 'auto' | 'implicit' | 'none';
  /** Seconds for each step. */
  readonly timeout: number;
}

export interface CheckOptions extends CommonOptions {
  /** Most suspects before it is WARNING or CRITICAL; null leaves it to the findings. */
  readonly warning: number | null;
  readonly critical: number | null;
}

export interface WatchOptions extends CommonOptions {
  /** auto: a screen, if there is a terminal; else text. */
  readonly format: 'auto' | 'text' | 'ndjson';
  readonly top: number;
  readonly history: boolean;
  readonly replay: boolean;
  /** Seconds of log per second; null is as fast as possible. */
  readonly speed: number | null;
  /** Seconds. */
  readonly interval: number;
}

export type Arguments =
  | { readonly command: 'report'; readonly inputs: readonly string[]; readonly options: ReportOptions }
  | { readonly command: 'merge'; readonly inputs: readonly string[]; readonly options: ReportOptions }
  | { readonly command: 'chains'; readonly inputs: readonly string[]; readonly options: ChainsOptions }
  | {
      readonly command: 'trace';
      readonly what: string;
      readonly inputs: readonly string[];
      readonly options: TraceOptions;
    }
  | {
      readonly command: 'recipients';
      readonly inputs: readonly string[];
      readonly options: RecipientsOptions;
    }
  | { readonly command: 'explain'; readonly inputs: readonly string[]; readonly options: ExplainOptions }
  | { readonly command: 'probe'; readonly inputs: readonly string[]; readonly options: ProbeOptions }
  | { readonly command: 'check'; readonly inputs: readonly string[]; readonly options: CheckOptions }
  | { readonly command: 'watch'; readonly inputs: readonly string[]; readonly options: WatchOptions }
  | { readonly command: 'help'; readonly about: Command | null }
  | { readonly command: 'version' };

type Values = Partial<Record<Key, unknown>>;

const COMMON_DEFAULTS = {
  output: null,
  since: null,
  until: null,
  mta: 'auto',
  tz: 'local',
  year: null,
  inside: [],
  jobs: null,
  maxPending: MOST_PENDING,
  maxKeys: DEFAULT_TABLE_LIMIT,
  unrecognised: null,
  state: null,
  anonymise: false,
  noProgress: false,
  color: 'auto',
} as const;

/** Throws UsageError. `now` (ms) is what `2h ago` counts from. */
export function parseArguments(argv: readonly string[], now: number = Date.now()): Arguments {
  const { command, named, uses, inputs } = sort(argv);
  if (uses.some((use) => use.flag.key === 'help')) return { command: 'help', about: named ? command : null };
  if (uses.some((use) => use.flag.key === 'version')) return { command: 'version' };
  const what = command === 'trace' ? inputs.shift() : undefined;
  if (inputs.includes('')) throw new UsageError('an input has an empty name');
  const values = read(command, uses, now);
  check(values);
  // The table's readers make what the options' types say; the compiler cannot see that, the tests do.
  if (command === 'chains') {
    const defaults: ChainsOptions = {
      ...COMMON_DEFAULTS,
      format: 'ndjson',
      withDsn: false,
      suspect: false,
      failed: false,
      queueId: [],
      sender: [],
      recipient: [],
    };
    return { command, inputs, options: { ...defaults, ...values } as ChainsOptions };
  }
  if (command === 'trace') {
    if (what === undefined)
      throw new UsageError(
        'trace what? Give a queue id, a qp, a Message-ID or an address: dsnstat trace WHAT [FILE]...',
      );
    const traceDefaults: TraceOptions = { ...COMMON_DEFAULTS, format: 'text', lines: false, top: 10 };
    const options = { ...traceDefaults, ...values } as TraceOptions;
    if (options.lines && options.anonymise)
      throw new UsageError('--lines and --anonymise exclude each other: raw lines name everybody');
    return { command, what, inputs, options };
  }
  if (command === 'recipients') {
    const recipientsDefaults: RecipientsOptions = {
      ...COMMON_DEFAULTS,
      format: 'csv',
      domain: [],
      delimiter: '',
      force: false,
    };
    const given = { ...recipientsDefaults, ...values } as RecipientsOptions;
    const inside = given.inside.flatMap((ours) => (ours.kind === 'domain' ? [ours.name] : []));
    const options = { ...given, domain: [...new Set([...given.domain, ...inside])] };
    checkRecipients(options);
    return { command, inputs, options };
  }
  if (command === 'explain') {
    const defaults: ExplainOptions = { ...COMMON_DEFAULTS, format: 'text' };
    return { command, inputs, options: { ...defaults, ...values } as ExplainOptions };
  }
  if (command === 'probe') {
    const defaults: ProbeOptions = {
      output: null,
      color: 'auto',
      format: 'text',
      rcpt: null,
      mailFrom: '',
      helo: null,
      tls: 'auto',
      timeout: 30,
    };
    return { command, inputs, options: { ...defaults, ...values } as ProbeOptions };
  }
  if (command === 'check') {
    const options = { ...COMMON_DEFAULTS, warning: null, critical: null, ...values } as CheckOptions;
    if (options.warning !== null && options.critical !== null && options.warning > options.critical)
      throw new UsageError('--warning is above --critical');
    return { command, inputs, options };
  }
  if (command === 'watch') {
    const defaults: WatchOptions = {
      ...COMMON_DEFAULTS,
      format: 'auto',
      top: 10,
      history: false,
      replay: false,
      speed: null,
      interval: 10,
    };
    const options = { ...defaults, ...values } as WatchOptions;
    if (options.speed !== null && !options.replay) throw new UsageError('--speed needs --replay');
    return { command, inputs, options };
  }
  const defaults: ReportOptions = {
    ...COMMON_DEFAULTS,
    format: 'text',
    top: 10,
    table: null,
    save: null,
  };
  const options = { ...defaults, ...values } as ReportOptions;
  if (options.table !== null && options.format !== 'csv') throw new UsageError('--table needs --format csv');
  return { command, inputs, options };
}

function checkRecipients({ format, domain, delimiter, anonymise }: RecipientsOptions): void {
  if (domain.length === 0)
    throw new UsageError(
      'recipients needs --domain DOMAIN (may be repeated): a log cannot tell a relayed domain from any other',
    );
  if (anonymise && format !== 'csv' && format !== 'json')
    throw new UsageError('--anonymise is for csv and json: a map of stand-ins refuses everybody');
  if (/[\w@."\s]/.test(delimiter))
    throw new UsageError(`--delimiter: ${delimiter} cannot begin an extension; give + or -, or both`);
}

/** The command that is asked for, whatever is wrong with the rest: statuses depend on it. */
export function commandOf(argv: readonly string[]): Command {
  try {
    return sort(argv).command;
  } catch {
    return argv.find(isCommand) ?? COMMANDS[0].name;
  }
}

/** A flag as it was given. */
interface Use {
  readonly flag: Flag;
  /** As typed: "-o", "--output". */
  readonly name: string;
  readonly text: string | undefined;
}

interface Sorted {
  readonly command: Command;
  /** Whether the command was said. */
  readonly named: boolean;
  readonly uses: readonly Use[];
  readonly inputs: string[];
}

/** Tells flags, command and inputs apart. parseArgs is not strict here, so that the messages can be ours. */
function sort(argv: readonly string[]): Sorted {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      FLAGS.map((flag) => [
        flag.long,
        {
          type: flag.value === undefined ? ('boolean' as const) : ('string' as const),
          ...(flag.short === undefined ? {} : { short: flag.short }),
        },
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const uses: Use[] = [];
  const inputs: string[] = [];
  let command: Command | null = null;
  let onlyInputs = false;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') {
      onlyInputs = true;
    } else if (token.kind === 'option') {
      const { rawName, value, inlineValue } = token;
      const flag = FLAGS.find(
        (f) =>
          f.long === token.name && rawName === (rawName.startsWith('--') ? `--${f.long}` : `-${f.short}`),
      );
      if (flag === undefined) throw unknownFlag(rawName);
      if (flag.value === undefined && value !== undefined) throw new UsageError(`${rawName} takes no value`);
      if (flag.value !== undefined && (value === undefined || value === '')) {
        throw new UsageError(`${rawName} needs a value: ${rawName} ${flag.value}`);
      }
      // "--output --json": the value was forgotten, more likely than a file named so.
      if (!inlineValue && value?.startsWith('-') && value.length > 1) {
        throw new UsageError(
          `${rawName} needs a value; one that begins with - is written --${flag.long}=${value}`,
        );
      }
      uses.push({ flag, name: rawName, text: value });
    } else if (!onlyInputs && command === null && inputs.length === 0 && isCommand(token.value)) {
      command = token.value;
    } else {
      inputs.push(token.value);
    }
  }
  return { command: command ?? COMMANDS[0].name, named: command !== null, uses, inputs };
}

function isCommand(word: string): word is Command {
  return COMMANDS.some((entry) => entry.name === word);
}

function unknownFlag(name: string): UsageError {
  const typed = name.replace(/^-+/, '');
  const near = name.startsWith('--')
    ? nearest(
        typed,
        FLAGS.map((flag) => flag.long),
      )
    : null;
  return new UsageError(
    `unknown option ${name}${near === null ? '; see dsnstat --help' : `; did you mean --${near}?`}`,
  );
}

/** The word that is meant, if one is near: begun by what was typed, or at most two slips away. */
function nearest(typed: string, words: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.min(3, typed.length);
  for (const word of words) {
    const slips = typed.length > 1 && word.startsWith(typed) ? 1 : distance(typed, word);
    if (slips < least) {
      least = slips;
      best = word;
    }
  }
  return best;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return 4;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

interface Context {
  readonly command: Command;
  readonly zone: string;
  readonly now: number;
}

function read(command: Command, uses: readonly Use[], now: number): Values {
  // The zone first, wherever it stands: --since and --until are read in it.
  const zone = uses.filter((use) => use.flag.type === 'zone').at(-1);
  const context: Context = {
    command,
    zone: zone?.text === undefined ? 'local' : readZone(zone.text, zone.name),
    now,
  };
  const values: Values = {};
  for (const { flag, name, text } of uses) {
    if (!flag.commands.includes(command)) {
      const why = flag.notFor?.[command];
      throw new UsageError(
        `${name} is not for dsnstat ${command}, only for dsnstat ${flag.commands.join(', ')}${why === undefined ? '' : `: ${why}`}`,
      );
    }
    const value = text === undefined ? true : readValue(flag, name, text, context);
    values[flag.key] = flag.repeatable ? [...((values[flag.key] as unknown[]) ?? []), value] : value;
  }
  return values;
}

function check({ since, until, unrecognised, state, save }: Values): void {
  if (state === null) throw new UsageError('--state needs a file');
  if (save === null) throw new UsageError('--save needs a file; standard output carries the report');
  if (typeof since === 'number' && typeof until === 'number' && since >= until) {
    throw new UsageError('--since is not before --until');
  }
  if (unrecognised === null)
    throw new UsageError('--unrecognised needs a file; standard output carries the result');
}

function readValue(flag: Flag, name: string, text: string, context: Context): unknown {
  switch (flag.type) {
    case 'choice':
      return readChoice(flag.choices?.[context.command] ?? [], text, name);
    case 'integer':
      return readInteger(flag, text, name);
    case 'zone':
      return context.zone;
    case 'instant':
      return readInstant(text, name, context);
    case 'inside':
      return readInside(text, name);
    case 'address':
      return readAddress(text);
    case 'domain':
      return readDomain(text, name);
    case 'speed':
      return readSpeed(text, name);
    case 'file':
      return text === '-' ? null : text;
    default:
      return text;
  }
}

function readChoice(words: readonly string[], text: string, name: string): string {
  if (words.includes(text)) return text;
  throw new UsageError(`${name}: ${text} is not one of ${words.join(', ')}`);
}

function readInteger(
  { least = 0, most = Number.MAX_SAFE_INTEGER }: Flag,
  text: string,
  name: string,
): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${name}: ${text} is not a whole number from ${least} to ${most}`);
}

function readSpeed(text: string, name: string): number {
  const speed = /^\d{1,9}(?:\.\d{1,6})?x?$/.test(text) ? Number.parseFloat(text) : 0;
  if (speed > 0) return speed;
  throw new UsageError(`${name}: ${text} is not a speed; give a number of times, such as 60x or 0.5x`);
}

function readZone(text: string, name: string): string {
  try {
    zoneNamed(text);
    return text;
  } catch {
    throw new UsageError(`${name}: ${text} is not a time zone; give a name such as Europe/Berlin, or +HH:MM`);
  }
}

const UNITS: readonly (readonly [RegExp, keyof DurationLikeObject])[] = [
  [/^s(?:ec(?:ond)?s?)?$/, 'seconds'],
  [/^m(?:in(?:ute)?s?)?$/, 'minutes'],
  [/^h(?:ours?)?$/, 'hours'],
  [/^d(?:ays?)?$/, 'days'],
  [/^w(?:eeks?)?$/, 'weeks'],
  [/^months?$/, 'months'],
  [/^y(?:ears?)?$/, 'years'],
];

function readInstant(text: string, name: string, { zone, now }: Context): number {
  const instant = timeOf(text.trim(), DateTime.fromMillis(now, { zone: zoneNamed(zone) }));
  if (instant?.isValid) return instant.toMillis();
  throw new UsageError(
    `${name}: ${text} is not a time; give 2026-07-01, 2026-07-01T09:30, today, yesterday or '2h ago'`,
  );
}

function timeOf(text: string, now: DateTime): DateTime | null {
  const words = text.toLowerCase();
  if (words === 'now') return now;
  if (words === 'today') return now.startOf('day');
  if (words === 'yesterday') return now.minus({ days: 1 }).startOf('day');
  const ago = /^(\d{1,9}) *([a-z]+) +ago$/.exec(words);
  if (ago !== null) {
    const unit = UNITS.find(([pattern]) => pattern.test(ago[2]))?.[1];
    return unit === undefined ? null : now.minus({ [unit]: Number(ago[1]) });
  }
  // Luxon takes a time alone for today's in UTC or elsewhere; a date is wanted here.
  if (!/^\d{4}-/.test(text)) return null;
  return DateTime.fromISO(text.replace(/^(\S+) (?=\d)/, '$1T'), { zone: now.zone });
}

function readInside(text: string, name: string): InsideEntry {
  const [address, prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (rest.length === 0 && (family === 4 || family === 6) && !address.includes('%')) {
    const bits = family === 4 ? 32 : 128;
    if (prefix === undefined) return { kind: 'network', family, address, prefix: bits };
    if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits) {
      return { kind: 'network', family, address, prefix: Number(prefix) };
    }
  }
  const domain = prefix === undefined && family === 0 ? domainOf(text) : null;
  if (domain !== null) return { kind: 'domain', name: domain };
  throw new UsageError(
    `${name}: ${text} is neither a network (192.0.2.0/24, 2001:db8::/32) nor a domain (example.com)`,
  );
}

function readDomain(text: string, name: string): string {
  const domain = /^[@.]/.test(text) ? domainOf(text.slice(1)) : domainOf(text);
  if (domain !== null) return domain;
  throw new UsageError(`${name}: ${text} is not a domain; give one such as example.com`);
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Lower case, IDNA as the DNS has it, no dots around; null if it is no domain. */
function domainOf(text: string): string | null {
  const bare = text.toLowerCase().replace(/^\./, '').replace(/\.$/, '');
  // domainToASCII makes an address of 10.1, so what looks like one is out before it is asked.
  if (/(?:^|\.)\d+$/.test(bare)) return null;
  const ascii = /^[\x21-\x7e]*$/.test(bare) ? bare : domainToASCII(bare);
  const labels = ascii.split('.');
  return ascii.length <= 253 && labels.every((label) => LABEL.test(label)) ? ascii : null;
}

/** Without angle brackets, as the chains have them; the domain in lower case. */
function readAddress(text: string): string {
  const bare = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text;
  const at = bare.lastIndexOf('@');
  return at < 0 ? bare : bare.slice(0, at) + bare.slice(at).toLowerCase();
}
