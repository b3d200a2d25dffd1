import { EventEmitter } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import { complain, guardStreams, type Streams, UsageError } from '../../src/cli/errors.ts';
import { COMMANDS, FLAGS } from '../../src/cli/flags.ts';
import { helpText } from '../../src/cli/help.ts';
import { Progress } from '../../src/cli/progress.ts';

const NOW = Date.parse('2026-07-15T12:34:56Z');

/** What a command cannot do without. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  trace: ['6AL21gYh000218'],
  recipients: ['--domain', 'example.com'],
};

/** The options of a report in UTC. */
function report(...argv: string[]) {
  const result = parseArguments(['--tz', 'UTC', ...argv], NOW);
  if (result.command !== 'report') throw new Error(result.command);
  return result;
}

function chains(...argv: string[]) {
  const result = parseArguments(['chains', ...argv], NOW);
  if (result.command !== 'chains') throw new Error(result.command);
  return result;
}

describe('the table', () => {
  test('every flag has a name, a key and a short form of its own', () => {
    for (const names of [
      FLAGS.map((f) => f.long),
      FLAGS.map((f) => f.key),
      FLAGS.flatMap((f) => f.short ?? []),
    ]) {
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test('a flag takes a value exactly if it has a type, and a choice has choices for each of its commands', () => {
    for (const flag of FLAGS) {
      expect(flag.type === undefined, flag.long).toBe(flag.value === undefined);
      expect(flag.type === 'choice', flag.long).toBe(flag.choices !== undefined);
      if (flag.choices) expect(Object.keys(flag.choices)).toEqual(flag.commands);
    }
  });

  test('the first choice is the default', () => {
    for (const flag of FLAGS) {
      for (const [command, words] of Object.entries(flag.choices ?? {})) {
        const result = parseArguments([command, ...(NEEDED[command] ?? [])]) as unknown as {
          options: Record<string, unknown>;
        };
        expect(result.options[flag.key], flag.long).toBe(words[0]);
      }
    }
  });

  test('help lists every flag, and that of a command just its own', () => {
    const help = helpText(null);
    for (const flag of FLAGS) expect(help).toContain(`--${flag.long}`);
    for (const { name } of COMMANDS) {
      const lines = helpText(name);
      for (const flag of FLAGS) {
        const listed = new RegExp(`^ {2}(-\\w, | {4})--${flag.long}( |$)`, 'm').test(lines);
        expect(listed, `${name} --${flag.long}`).toBe(flag.commands.includes(name));
      }
    }
  });

  test('no line of help is wider than 80 columns', () => {
    for (const about of [null, ...COMMANDS.map((entry) => entry.name)]) {
      for (const line of helpText(about).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });
});

describe('arguments', () => {
  test('without a command it is a report with its defaults', () => {
    expect(parseArguments([])).toEqual({
      command: 'report',
      inputs: [],
      options: {
        format: 'text',
        output: null,
        since: null,
        until: null,
        mta: 'auto',
        tz: 'local',
        year: null,
        inside: [],
        jobs: null,
        maxPending: 500_000,
        maxKeys: 50_000,
        top: 10,
        table: null,
        state: null,
        save: null,
        unrecognised: null,
        anonymise: false,
        noProgress: false,
        color: 'auto',
      },
    });
  });

  test('the command may stand behind options and is a file when it comes later or behind --', () => {
    expect(parseArguments(['--no-progress', 'chains', 'a']).command).toBe('chains');
    expect(report('a', 'chains').inputs).toEqual(['a', 'chains']);
    expect(report('--', 'chains', '-x', '--').inputs).toEqual(['chains', '-x', '--']);
    expect(report('-', 'b').inputs).toEqual(['-', 'b']);
  });

  test('values are read in every way of writing', () => {
    for (const argv of [['-o', 'f'], ['-of'], ['--output', 'f'], ['--output=f']]) {
      expect(report(...argv).options.output).toBe('f');
    }
    expect(report('-o', 'f', '-o', '-').options.output).toBeNull();
    expect(report('--output=-f').options.output).toBe('-f');
    const { options } = report(
      '--format=csv',
      '--table',
      'notes',
      '--top',
      '0',
      '--jobs',
      '4',
      '--year',
      '2026',
      '--anonymise',
    );
    expect(options).toMatchObject({
      format: 'csv',
      table: 'notes',
      top: 0,
      jobs: 4,
      year: 2026,
      anonymise: true,
    });
  });

  test('chains has its filters', () => {
    const { options } = chains(
      '--with-dsn',
      '--failed',
      '--suspect',
      '--queue-id',
      'A',
      '--queue-id=B',
      '--sender',
      '<>',
      '--recipient',
      '<B@Example.NET>',
      '--sender=@Example.com',
    );
    expect(options).toMatchObject({
      format: 'ndjson',
      withDsn: true,
      failed: true,
      suspect: true,
      queueId: ['A', 'B'],
      sender: ['', '@example.com'],
      recipient: ['B@example.net'],
    });
  });

  test('trace has WHAT before its inputs, wherever options stand', () => {
    expect(parseArguments(['trace', '--lines', '<a@b>', 'x.log', '--top=3', 'y.log'])).toMatchObject({
      command: 'trace',
      what: '<a@b>',
      inputs: ['x.log', 'y.log'],
      options: { format: 'text', lines: true, top: 3 },
    });
  });

  test('recipients has its domains in lower case, those of --inside included', () => {
    const argv = ['recipients', '--domain', 'Corp.Test', '--domain=@two.test', '--inside=10.0.0.0/8'];
    expect(parseArguments([...argv, '--inside', 'three.test', '--inside', 'corp.test'])).toMatchObject({
      command: 'recipients',
      options: {
        format: 'csv',
        domain: ['corp.test', 'two.test', 'three.test'],
        delimiter: '',
        force: false,
      },
    });
  });

  test('help and version win over what else is asked', () => {
    expect(parseArguments(['-h'])).toEqual({ command: 'help', about: null });
    expect(parseArguments(['chains', '--format', 'xml', '--help'])).toEqual({
      command: 'help',
      about: 'chains',
    });
    expect(parseArguments(['-V', 'x'])).toEqual({ command: 'version' });
  });

  test.each([
    ['2026-07-01', '2026-07-01T00:00:00.000Z'],
    ['2026-07-01T09:30', '2026-07-01T09:30:00.000Z'],
    ['2026-07-01 09:30:15', '2026-07-01T09:30:15.000Z'],
    ['2026-07-01T09:30+02:00', '2026-07-01T07:30:00.000Z'],
    ['today', '2026-07-15T00:00:00.000Z'],
    ['Yesterday', '2026-07-14T00:00:00.000Z'],
    ['now', '2026-07-15T12:34:56.000Z'],
    ['2h ago', '2026-07-15T10:34:56.000Z'],
    ['3 days ago', '2026-07-12T12:34:56.000Z'],
    ['1 month ago', '2026-06-15T12:34:56.000Z'],
    ['90 min ago', '2026-07-15T11:04:56.000Z'],
  ])('--since %s is %s', (text, instant) => {
    expect(new Date(report('--since', text).options.since!).toISOString()).toBe(instant);
  });

  test('times without a zone are of --tz, wherever that stands', () => {
    const since = (...argv: string[]) => {
      const result = parseArguments(argv, NOW);
      return result.command === 'report' && result.options.since !== null
        ? new Date(result.options.since).toISOString()
        : null;
    };
    expect(since('--since', '2026-07-01', '--tz', 'Europe/Berlin')).toBe('2026-06-30T22:00:00.000Z');
    expect(since('--tz', '+05:30', '--since', 'today')).toBe('2026-07-14T18:30:00.000Z');
    expect(since('--tz=-03:00', '--since', '2026-07-01T00:00Z')).toBe('2026-07-01T00:00:00.000Z');
  });

  test('what is inside may be networks and domains', () => {
    const { inside } = report(
      ...[
        '192.0.2.0/24',
        '198.51.100.7',
        '2001:db8::/32',
        '::1',
        '.Example.COM.',
        'bücher.example',
        'localdomain',
      ].map((x) => `--inside=${x}`),
    ).options;
    expect(inside).toEqual([
      { kind: 'network', family: 4, address: '192.0.2.0', prefix: 24 },
      { kind: 'network', family: 4, address: '198.51.100.7', prefix: 32 },
      { kind: 'network', family: 6, address: '2001:db8::', prefix: 32 },
      { kind: 'network', family: 6, address: '::1', prefix: 128 },
      { kind: 'domain', name: 'example.com' },
      { kind: 'domain', name: 'xn--bcher-kva.example' },
      { kind: 'domain', name: 'localdomain' },
    ]);
  });
});

const NOT_INSIDE = 'is neither a network (192.0.2.0/24, 2001:db8::/32) nor a domain (example.com)';
const NOT_TIME = "is not a time; give 2026-07-01, 2026-07-01T09:30, today, yesterday or '2h ago'";

describe('usage errors', () => {
  test.each<[string[], string]>([
    [['--formt', 'json'], 'unknown option --formt; did you mean --format?'],
    [['--form=json'], 'unknown option --form; did you mean --format?'],
    [['--anonymize'], 'unknown option --anonymize; did you mean --anonymise?'],
    [['--frobnicate'], 'unknown option --frobnicate; see dsnstat --help'],
    [['-x'], 'unknown option -x; see dsnstat --help'],
    [['--o', 'f'], 'unknown option --o; see dsnstat --help'],
    [['--constructor'], 'unknown option --constructor; see dsnstat --help'],
    [['--format', 'xml'], '--format: xml is not one of text, est-dsn, json, csv, html, prometheus'],
    [['chains', '--format', 'json'], '--format: json is not one of ndjson, csv, text'],
    [['--mta', 'exim'], '--mta: exim is not one of auto, sendmail, postfix, qmail'],
    [['--color', 'yes'], '--color: yes is not one of auto, always, never'],
    [['--output'], '--output needs a value: --output FILE'],
    [['-o'], '-o needs a value: -o FILE'],
    [['--output='], '--output needs a value: --output FILE'],
    [['--output', '--top', '3'], '--output needs a value; one that begins with - is written --output=--top'],
    [['--no-progress=1'], '--no-progress takes no value'],
    [['chains', '--table', 'dsn'], '--table is not for dsnstat chains, only for dsnstat report, merge'],
    [['--failed'], '--failed is not for dsnstat report, only for dsnstat chains'],
    [['--table', 'dsn'], '--table needs --format csv'],
    [['--top', 'many'], '--top: many is not a whole number from 0 to 1000000'],
    [['--jobs', '0'], '--jobs: 0 is not a whole number from 1 to 1024'],
    [['--jobs', '1.5'], '--jobs: 1.5 is not a whole number from 1 to 1024'],
    [['--year', '26'], '--year: 26 is not a whole number from 1970 to 9999'],
    [
      ['--tz', 'Mars/Base'],
      '--tz: Mars/Base is not a time zone; give a name such as Europe/Berlin, or +HH:MM',
    ],
    [['--tz', '+25:00'], '--tz: +25:00 is not a time zone; give a name such as Europe/Berlin, or +HH:MM'],
    [['--since', 'tea'], `--since: tea ${NOT_TIME}`],
    [['--since', '2026-02-30'], `--since: 2026-02-30 ${NOT_TIME}`],
    [['--until', '3 moons ago'], `--until: 3 moons ago ${NOT_TIME}`],
    [['--since', '999999999 years ago'], `--since: 999999999 years ago ${NOT_TIME}`],
    [['--since', 'today', '--until', 'yesterday'], '--since is not before --until'],
    [['--inside', '192.0.2.0/33'], `--inside: 192.0.2.0/33 ${NOT_INSIDE}`],
    [['--inside', '10.1'], `--inside: 10.1 ${NOT_INSIDE}`],
    [['--inside', '300.1.1.1/8'], `--inside: 300.1.1.1/8 ${NOT_INSIDE}`],
    [['--inside', 'a b'], `--inside: a b ${NOT_INSIDE}`],
    [['--inside', 'example.com/24'], `--inside: example.com/24 ${NOT_INSIDE}`],
    [['--unrecognised', '-'], '--unrecognised needs a file; standard output carries the result'],
    [[''], 'an input has an empty name'],
  ])('%j is answered with one clear line', (argv, line) => {
    let error: unknown;
    try {
      parseArguments(argv, NOW);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(UsageError);
    expect(complaint(error)).toBe(`dsnstat: ${line}\n`);
  });

  test('a hostile argument is shown, not obeyed', () => {
    expect(() => parseArguments(['--format', '\x1b[2J\n\u202e'])).toThrow(UsageError);
    try {
      parseArguments(['--format', '\x1b[2J\n\u202e']);
    } catch (error) {
      expect(complaint(error)).toContain('--format: \\x1b[2J\\n\\u{202e} is not one of');
    }
  });
});

function complaint(problem: unknown): string {
  let text = '';
  complain(problem, {
    write: (more) => {
      text += more;
    },
  });
  return text;
}

describe('errors', () => {
  test("a system error is the file and the system's words", () => {
    const error = Object.assign(new Error('ENOENT: no such file or directory, open'), {
      errno: -2,
      code: 'ENOENT',
      syscall: 'open',
      path: 'mail\x1b.log',
    });
    expect(complaint(error)).toBe('dsnstat: mail\\x1b.log: no such file or directory\n');
  });

  test('a bug asks to be reported, other errors say what they say', () => {
    expect(complaint(new TypeError('x is undefined'))).toBe(
      'dsnstat: internal error: x is undefined; please report it, with the output of DSNSTAT_DEBUG=1\n',
    );
    expect(complaint(new Error('a.xz: xz not found; install xz-utils'))).toBe(
      'dsnstat: a.xz: xz not found; install xz-utils\n',
    );
    expect(complaint('plain words')).toBe('dsnstat: plain words\n');
  });

  test('the stack is shown only with DSNSTAT_DEBUG=1', () => {
    vi.stubEnv('DSNSTAT_DEBUG', '1');
    expect(complaint(new Error('x'))).toMatch(/^dsnstat: x\nError: x\n {4}at /);
    vi.stubEnv('DSNSTAT_DEBUG', '');
    expect(complaint(new Error('x'))).toBe('dsnstat: x\n');
    vi.unstubAllEnvs();
  });

  function guarded() {
    const told: string[] = [];
    const exits: number[] = [];
    const stdout = new EventEmitter();
    const stderr = Object.assign(new EventEmitter(), { write: (text: string) => told.push(text) });
    guardStreams({ stdout, stderr, exit: (status: number) => exits.push(status) } as unknown as Streams);
    const fail = (stream: EventEmitter, code: string, errno: number) =>
      stream.emit('error', Object.assign(new Error(`${code}: write`), { code, errno, syscall: 'write' }));
    return { told, exits, stdout, stderr, fail };
  }

  test('a reader that closed the pipe ends the run quietly with 0', () => {
    const { told, exits, stdout, fail } = guarded();
    fail(stdout, 'EPIPE', -32);
    expect({ told, exits }).toEqual({ told: [], exits: [0] });
  });

  test('a full disk is told and ends the run with 2', () => {
    const { told, exits, stdout, fail } = guarded();
    fail(stdout, 'ENOSPC', -28);
    expect({ told, exits }).toEqual({
      told: ['dsnstat: standard output: no space left on device\n'],
      exits: [2],
    });
  });

  test('standard error gone does not stop the result', () => {
    const { told, exits, stderr, fail } = guarded();
    fail(stderr, 'EPIPE', -32);
    expect({ told, exits }).toEqual({ told: [], exits: [] });
  });
});

describe('progress', () => {
  function run(total: number | null, wanted = true, isTTY = true) {
    let time = 0;
    const written: string[] = [];
    const progress = new Progress({
      total,
      wanted,
      stream: { isTTY, columns: 80, write: (text) => written.push(text) },
      now: () => time,
    });
    const add = (bytes: number, milliseconds: number) => {
      time += milliseconds;
      progress.add(bytes);
    };
    return { progress, written, add };
  }

  test('it says bytes of total, rate and time left, at most four times a second, and is cleared', () => {
    vi.stubEnv('TERM', 'xterm');
    const { progress, written, add } = run(1e9);
    for (let i = 0; i < 100; i += 1) add(1e6, 10);
    progress.clear();
    progress.clear();
    vi.unstubAllEnvs();
    expect(written).toEqual([
      '\r\x1b[K25.0 MB of 1.0 GB (2 %), 100.0 MB/s, 10 s left',
      '\r\x1b[K50.0 MB of 1.0 GB (5 %), 100.0 MB/s, 10 s left',
      '\r\x1b[K75.0 MB of 1.0 GB (7 %), 100.0 MB/s, 10 s left',
      '\r\x1b[K100.0 MB of 1.0 GB (10 %), 100.0 MB/s, 9 s left',
      '\r\x1b[K',
    ]);
  });

  test('of a pipe it says bytes and rate', () => {
    vi.stubEnv('TERM', 'xterm');
    const { written, add } = run(null);
    add(5e6, 500);
    vi.unstubAllEnvs();
    expect(written).toEqual(['\r\x1b[K5.0 MB, 10.0 MB/s']);
  });

  test('it is silent where there is no terminal or it is not wanted', () => {
    vi.stubEnv('TERM', 'xterm');
    for (const { progress, written, add } of [run(10, false), run(10, true, false)]) {
      add(5, 1000);
      progress.clear();
      expect(written).toEqual([]);
    }
    vi.unstubAllEnvs();
  });
});
