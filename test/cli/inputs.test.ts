/** Where the bytes come from: pipes, archives, several files, directories; and input that is none. */
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  bytesOf,
  dsnstat,
  linesOf,
  MIXED,
  meaning,
  output,
  pack,
  ROOT,
  report,
  shell,
  stable,
  temporaryFolder,
  WIDE,
} from './program.ts';

const { folder, file } = temporaryFolder();
const PLAIN = report([MIXED]);
const TOOLS = ['gzip', 'zstd', 'xz', 'bzip2'];

describe('standard input', () => {
  test('a pipe without arguments, or as -', () => {
    for (const args of [[], ['-']]) {
      expect(meaning(report(args, { input: bytesOf(MIXED) })), args.join(' ')).toEqual(meaning(PLAIN));
    }
  });

  test('compressed', () => {
    for (const tool of TOOLS) {
      expect(meaning(report(['-'], { input: pack(tool, bytesOf(MIXED)) })), tool).toEqual(meaning(PLAIN));
    }
  });
});

describe('archives', () => {
  test.each(TOOLS)('%s: the same report as the plain file, whatever the name', (tool) => {
    expect(meaning(report([file(`${tool}.log`, pack(tool, bytesOf(MIXED)))]))).toEqual(meaning(PLAIN));
  });

  // More than a block of bzip2 (900 kB), so that there is a good part.
  const big = Buffer.concat(
    [
      'postfix-mixed',
      'qmail-mixed',
      'sendmail-mixed.journal',
      'sendmail-extras',
      'sendmail-privacy',
      'postfix-newyear',
    ].map((name) => bytesOf(`test/fixtures/${name}.log.gz`)),
  );

  test.each(TOOLS)('%s: a truncated one gives its good part, a warning and exit 2', (tool) => {
    const packed = pack(tool, big);
    const cut = packed.subarray(0, packed.length - 1000);
    const { status, stdout, stderr } = dsnstat(['--format', 'json', file(`cut-${tool}.log`, cut)]);
    expect(status).toBe(2);
    expect(stderr).toMatch(new RegExp(`^dsnstat: damaged ${tool} data in .*cut-${tool}\\.log: .*\n$`));
    const { complete, input } = stable(stdout);
    expect(complete).toBe(true);
    expect(input.lines).toBeGreaterThan(100);
  });

  test('gzip: a damaged one gives what was before the damage', () => {
    const packed = Buffer.from(pack('gzip', bytesOf(MIXED)));
    packed.fill(0xff, packed.length - 4000, packed.length - 3000);
    const { status, stdout, stderr } = dsnstat(['--format', 'json', file('damaged.gz', packed)]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^dsnstat: damaged gzip data in .*\n$/);
    expect(stable(stdout).input.lines).toBeGreaterThan(100);
  });

  test('the inputs beside a damaged one are read in full', () => {
    const cut = file('cut.gz', pack('gzip', bytesOf(WIDE)).subarray(0, 2000));
    const { status, stdout } = dsnstat(['--format', 'json', cut, MIXED]);
    expect(status).toBe(2);
    expect(stable(stdout).statistics_by_mta.postfix).toEqual(PLAIN.statistics);
  });
});

describe('several files', () => {
  const lines = linesOf(MIXED);
  const parts = [lines.slice(0, 200), lines.slice(200, 400), lines.slice(400)].map((part, i) =>
    file(`part.${i}`, Buffer.from(`${part.join('\n')}\n`, 'latin1')),
  );

  test('any order of arguments gives the report of the whole', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      expect(meaning(report(order.map((i) => parts[i]))), order.join()).toEqual(meaning(PLAIN));
    }
  });

  test('a rotated pair, the old one compressed', () => {
    const old = Buffer.from(`${lines.slice(0, 350).join('\n')}\n`, 'latin1');
    const now = Buffer.from(`${lines.slice(350).join('\n')}\n`, 'latin1');
    const names = [file('mail.log', now), file('mail.log.1.gz', pack('gzip', old))];
    expect(meaning(report(names))).toEqual(meaning(PLAIN));
  });

  test('a file without a newline at its end loses nothing', () => {
    const old = file('unended.1', Buffer.from(lines.slice(0, 350).join('\n'), 'latin1'));
    const now = file('unended', Buffer.from(lines.slice(350).join('\n'), 'latin1'));
    expect(meaning(report([now, old]))).toEqual(meaning(PLAIN));
  });

  test('two hosts side by side have the sum of both, though their queue ids are the same', () => {
    const other = file(
      'mx2.log',
      Buffer.from(bytesOf(MIXED).toString('latin1').replaceAll(' mx1 ', ' mx2 '), 'latin1'),
    );
    const both = report([other, MIXED]);
    for (const [key, count] of Object.entries(PLAIN.statistics)) {
      expect(both.statistics[key as keyof typeof both.statistics], key).toBe(2 * count);
    }
    expect(both.dsn.failure).toBe(2 * PLAIN.dsn.failure);
    expect(both.input.lines).toBe(2 * PLAIN.input.lines);
  });

  test('two hosts in one file, line by line', () => {
    const woven = lines.flatMap((line) => [line, line.replace(' mx1 ', ' mx2 ')]).join('\n');
    const both = report([file('central.log', Buffer.from(`${woven}\n`, 'latin1'))]);
    expect(both.statistics.actual).toBe(2 * PLAIN.statistics.actual);
    expect(both.statistics.incoming).toBe(2 * PLAIN.statistics.incoming);
  });

  test("two qmail-sends whose logs name no host are not told apart, and that is said; one's own files are", () => {
    // A message that waits for three seconds: the other log begins meanwhile.
    const log = (number: number, to: string): Buffer =>
      Buffer.from(
        [
          `@400000006b0260a729000001 new msg ${number}`,
          `@400000006b0260a729000002 info msg ${number}: bytes 146 from <one@example.com> qp ${number + 7} uid 1008`,
          `@400000006b0260a729000003 starting delivery 5: msg ${number} to remote ${to}`,
          '@400000006b0260b929000000 delivery 5: success: 192.0.2.25_accepted_message./',
          `@400000006b0260b929000001 end msg ${number}`,
          '',
        ].join('\n'),
      );
    for (const name of ['one', 'two', 'smtpd']) mkdirSync(join(folder, name));
    const one = file('one/current', log(101, 'a@example.net'));
    const two = file('two/current', log(202, 'b@example.net'));
    const older = file('one/@400000006b0260b929000001.s', log(303, 'c@example.net'));
    const smtpd = file('smtpd/current', Buffer.from('@400000006b0260a829000001 tcpserver: status: 1/40\n'));
    const mixed = dsnstat([one, two]);
    expect(mixed.stderr).toMatch(/^dsnstat: .*one.current and .*two.current: logs of two qmail-sends .*\n$/);
    expect(mixed.status).toBe(0);
    expect(dsnstat([one, older, smtpd]).stderr).toBe('');
  });

  test('the same file twice is read once, and that is said', () => {
    const { status, stdout, stderr } = dsnstat(['--format', 'json', MIXED, MIXED]);
    expect(status).toBe(0);
    expect(stable(stdout)).toEqual(PLAIN);
    expect(stderr).toMatch(/^dsnstat: .*read once\n$/);
  });
});

test('a directory stands for the logs in it', () => {
  const logs = join(folder, 'var-log');
  mkdirSync(logs);
  copyFileSync(join(ROOT, MIXED), join(logs, 'mail.log'));
  file('var-log/dpkg.txt', 'not a log\n');
  expect(report([logs])).toEqual(PLAIN);
});

describe('input that is none', () => {
  const empty = file('empty.log', '');
  const binary = file(
    'binary.log',
    Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46]), randomBytes(5000)]),
  );
  const noLogs = join(folder, 'no-logs');
  mkdirSync(noLogs);
  file('no-logs/README.md', '# nothing\n');
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['missing', join(folder, 'gone.log'), /no such file/],
    ['empty', empty, /empty/],
    ['binary', binary, /not a log: /],
    ['a directory without logs', noLogs, /no log in directory/],
    [
      'a log of another program',
      'test/fixtures/access.log',
      /not a log: its \d+ lines have none of the forms syslog/,
    ],
  ];

  test.each(cases)('%s: one clear line, exit 2', (_, path, message) => {
    const { status, stderr } = dsnstat([path]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^dsnstat: [^\n]*\n$/);
    expect(stderr).toMatch(message);
  });

  test('the good ones beside them are processed', () => {
    const { status, stdout, stderr } = dsnstat(['--format', 'json', ...cases.map(([, path]) => path), MIXED]);
    expect(status).toBe(2);
    expect(stable(stdout).statistics).toEqual(PLAIN.statistics);
    expect(stderr).toMatch(/gone\.log/);
    expect(stderr).toMatch(/no-logs/);
  });

  test('an empty file, a binary and an access log beside a good log have a line each', () => {
    const { status, stdout, stderr } = dsnstat([
      '--format',
      'json',
      empty,
      binary,
      'test/fixtures/access.log',
      MIXED,
    ]);
    expect(status).toBe(2);
    expect(stable(stdout).statistics).toEqual(PLAIN.statistics);
    expect(stderr).toMatch(/empty.*: empty; nothing to read/);
    expect(stderr).toMatch(/binary.*: not a log: /);
    expect(stderr).toMatch(/access\.log: not a log: /);
  });

  test('- on a terminal is refused with what to do', () => {
    const { stdout } = shell(
      `script -qec '"${process.execPath}" dist/dsnstat.js -; echo "status $?"' /dev/null </dev/null || true`,
    );
    if (!stdout.includes('status')) return; // no script(1) here
    expect(stdout).toMatch(/standard input is a terminal/);
    expect(stdout).toMatch(/status 2/);
  });

  test('unreadable lines are counted, not fatal', () => {
    const text = output([
      '--format',
      'json',
      file('torn.log', Buffer.concat([randomBytes(300), Buffer.from('\n'), bytesOf(MIXED)])),
    ]);
    expect(stable(text).statistics).toEqual(PLAIN.statistics);
  });
});
