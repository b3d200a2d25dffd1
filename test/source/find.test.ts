import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundle } from '../../src/bundle.mjs';
import { type FoundSources, findSources } from '../../src/source/find.ts';
import { compress, logLines, readAll, temporaryFolder } from './archives.ts';

const { folder: root } = temporaryFolder();
const folder = join(root, 'here');
const LINE = 'Nov 21 01:58:41 mx postfix/qmgr[24]: 0B1C221A59F: removed\n';
const JOURNAL =
  '{"__REALTIME_TIMESTAMP":"1795227255723004","MESSAGE":"connect","SYSLOG_IDENTIFIER":"postfix/smtpd"}\n';

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});

function put(name: string, content: string | Uint8Array = LINE): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const tty = { stdinIsTty: true };

function names({ sources }: FoundSources): string[] {
  return sources.map(({ path }) => (path.startsWith(folder) ? path.slice(folder.length + 1) : path));
}

describe('files', () => {
  it('in the order given, whatever they are called', async () => {
    const found = await findSources([put('b.txt'), put('a.csv')], tty);
    expect(names(found)).toEqual(['b.txt', 'a.csv']);
    expect(found).toMatchObject({ problems: [], chosen: [], notes: [] });
  });

  it('a missing one is a problem, the rest is processed', async () => {
    const found = await findSources([join(folder, 'nope.log'), put('mail.log')], tty);
    expect(names(found)).toEqual(['mail.log']);
    expect(found.problems).toEqual([
      {
        path: join(folder, 'nope.log'),
        message: `no such file: ${join(folder, 'nope.log')}; check the name`,
      },
    ]);
  });

  it('the same file twice, by name, by link, by hard link: read once, with a note', async () => {
    const path = put('mail.log');
    symlinkSync(path, join(folder, 'soft'));
    linkSync(path, join(folder, 'hard'));
    const found = await findSources([path, path, join(folder, 'soft'), join(folder, 'hard')], tty);
    expect(names(found)).toEqual(['mail.log']);
    expect(found.problems).toEqual([]);
    expect(found.notes.map(({ message }) => message)).toEqual([
      `${path} is the same file as ${path}; it is read once`,
      `${folder}/soft is the same file as ${path}; it is read once`,
      `${folder}/hard is the same file as ${path}; it is read once`,
    ]);
  });

  it('a file and its directory: read once, with a note', async () => {
    const path = put('mail.log');
    const found = await findSources([folder, path], tty);
    expect(names(found)).toEqual(['mail.log']);
    expect(found.notes).toHaveLength(1);
  });

  it('not a regular file', async () => {
    const [problem] = (await findSources(['/dev/null'], tty)).problems;
    expect(problem.message).toBe(
      'not a regular file: /dev/null is a device; name a log file, a directory or -',
    );
  });

  it('a named pipe is fine', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const found = await findSources([join(folder, 'pipe')], tty);
    expect(found.problems).toEqual([]);
    expect(found.sources[0].rereadable).toBe(false);
  });

  it('messages stay on one line, whatever the name', async () => {
    const [problem] = (await findSources([join(folder, 'a\n\x1b[31mb')], tty)).problems;
    expect(problem.message).toBe(`no such file: ${folder}/a\\x0a\\x1b[31mb; check the name`);
  });

  it.skipIf(process.getuid?.() === 0)('an unreadable one is a problem', async () => {
    const path = put('secret.log');
    chmodSync(path, 0);
    const [problem] = (await findSources([path], tty)).problems;
    expect(problem.message).toContain(`cannot read ${path}: permission denied`);
  });

  it('a path through a file is a problem', async () => {
    const [problem] = (await findSources([`${put('mail.log')}/more`], tty)).problems;
    expect(problem.message).toContain('a part of the path is not a directory');
  });
});

describe('directories', () => {
  it('the logs by their names, rotated and compressed, nothing else', async () => {
    const logs = [
      '@400000006b00fa5d05fc2484.s',
      '@400000006b00fa5d05fc2485.u',
      'current',
      'mail-iso.log',
      'mail.log',
      'mail.log-20261101.gz',
      'mail.log.1',
      'mail.log.2.gz',
      'maillog',
      'maillog.0.bz2',
      'postfix.log',
      'postfix.log.3.xz',
    ];
    const others = [
      '.mail.log.swp',
      '.hidden',
      'README.md',
      'a.csv',
      'mail.log.html',
      'mail.log.offset',
      'lock',
    ];
    const more = [
      'state',
      'mail.png',
      'wtmp',
      'btmp.1',
      'lastlog',
      'mail.log.lock',
      'notes.txt',
      'maillog~',
      'x.eml',
    ];
    for (const name of logs) put(name, name.endsWith('.gz') ? gzipSync(LINE) : LINE);
    for (const name of [...others, ...more]) put(name);
    const found = await findSources([folder], tty);
    expect(names(found)).toEqual(logs);
    expect(found.problems).toEqual([]);
  });

  it('syslog and messages, unless a mail log beside them has the same lines', async () => {
    for (const name of ['messages', 'messages.1', 'syslog', 'syslog.1']) put(name, LINE);
    expect(names(await findSources([folder], tty))).toEqual(['messages', 'messages.1', 'syslog', 'syslog.1']);
    for (const name of ['mail.log', 'mail.warn', 'mail.err.1']) put(name, LINE);
    expect(names(await findSources([folder], tty))).toEqual(['mail.log']);
  });

  it('JSON is taken when its content is a journal', async () => {
    put('journal.json', JOURNAL);
    put('journal.ndjson', `-- Boot 0123abcd --\n${JOURNAL}`);
    put('journal.json.1.gz', gzipSync(JOURNAL));
    put('truth.json', '{\n  "messages": []\n}\n');
    put('truth.json.gz', gzipSync('{"messages":[]}\n'));
    put('sink.jsonl', '{"t":"2026-11-21T01:48:48Z","conn":4}\n');
    put('chains.ndjson', '{"schema_version":1,"kind":"chain","message_id":"<x>"}\n');
    expect(names(await findSources([folder], tty))).toEqual([
      'journal.json',
      'journal.json.1.gz',
      'journal.ndjson',
    ]);
  });

  it('one level down, as qmail has it; not two', async () => {
    put('qmail-send/current');
    put('qmail-send/lock', '');
    put('qmail-send/state', '');
    put('qmail-smtpd/current');
    put('qmail-smtpd/@400000006b00fa5d05fc2484.s');
    put('a/b/mail.log');
    put('.git/mail.log');
    expect(names(await findSources([folder], tty))).toEqual([
      'qmail-send/current',
      'qmail-smtpd/@400000006b00fa5d05fc2484.s',
      'qmail-smtpd/current',
    ]);
  });

  it("other programs' *.log without a stamp are left out, when there are logs", async () => {
    put('mail.log');
    put('apache2/access.log', '192.0.2.1 - - [21/Nov/2026:01:58:41 +0000] "GET / HTTP/1.1" 200 1\n');
    put('dpkg.log', '2026-11-21 03:24:00 startup archives unpack\n');
    put('late.log', `garbage at first\n${LINE}`);
    put('container-json.log', '{"log":"Nov 21 01:58:41 mx x: y\\n","stream":"stdout"}\n');
    expect(names(await findSources([folder], tty))).toEqual(['container-json.log', 'late.log', 'mail.log']);
  });

  it('but a *.log without stamps is taken when there is nothing else', async () => {
    put('qmail.log', 'new msg 2253396\n');
    put('readme.txt', 'hello\n');
    expect(names(await findSources([folder], tty))).toEqual(['qmail.log']);
  });

  it.each([
    LINE,
    '@400000006b00fa5d05fc2484 new msg 2253396\n',
    '<22>1 2026-11-21T01:58:41.245716+00:00 mx postfix 24 - -  x\n',
    '2026-11-21T01:58:41+0000 mx postfix/smtpd[24]: x\n',
    'Sat 2026-11-21 01:58:41 UTC mx postfix/smtpd[24]: x\n',
    '1795226321.245716 mx postfix/smtpd[24]: x\n',
    'mail-1  | Nov 21 01:58:41 mx postfix/smtpd[24]: x\n',
    JOURNAL,
  ])('names that say nothing: the first line decides (%j)', async (line) => {
    put('a.txt', line);
    put('b', gzipSync(line));
    put('c.txt', `Dear reader,\n${line}`);
    expect(names(await findSources([folder], tty))).toEqual(['a.txt', 'b']);
  });

  it('without logs: a problem', async () => {
    put('README.md');
    put('empty', '');
    const { problems, sources } = await findSources([folder], tty);
    expect(sources).toEqual([]);
    expect(problems).toEqual([
      {
        path: folder,
        message: `no log in directory ${folder}; name another one, or the files themselves`,
        noLog: true,
      },
    ]);
  });

  it('a link inside is no double worth a note; a dangling one is nothing', async () => {
    put('mail.log');
    symlinkSync('mail.log', join(folder, 'maillog'));
    symlinkSync('nowhere', join(folder, 'mail.log.1'));
    const found = await findSources([folder], tty);
    expect(names(found)).toEqual(['mail.log']);
    expect(found.notes).toEqual([]);
  });

  it('a broken *.log archive is taken, so that reading it says so', async () => {
    put('mail.log');
    put('x.log.1', compress('xz', LINE).subarray(0, 20));
    expect(names(await findSources([folder], tty))).toEqual(['mail.log', 'x.log.1']);
  });
});

describe('standard input', () => {
  it('- on a terminal is a problem', async () => {
    const { sources, problems } = await findSources(['-'], tty);
    expect(sources).toEqual([]);
    expect(problems).toEqual([
      {
        path: '-',
        message: 'standard input is a terminal; pipe a log into it, or name a file or a directory',
      },
    ]);
  });

  it('no arguments: standard input when something is piped in', async () => {
    const found = await findSources([], { stdinIsTty: false, usualPlaces: [put('mail.log')] });
    expect(names(found)).toEqual(['-']);
    expect(found.chosen).toEqual(['-']);
  });

  it('no arguments on a terminal: the usual places, and which', async () => {
    const usualPlaces = [put('mail.log'), join(folder, 'maillog'), join(folder, 'qmail/*/current')];
    put('qmail/send/current');
    put('qmail/smtpd/current');
    put('qmail/other/mail.log');
    const found = await findSources([], { stdinIsTty: true, usualPlaces });
    expect(names(found)).toEqual(['mail.log', 'qmail/send/current', 'qmail/smtpd/current']);
    expect(found.chosen).toEqual(found.sources.map(({ path }) => path));
    expect(found.problems).toEqual([]);
  });

  it('no arguments, and nothing in the usual places', async () => {
    const { problems } = await findSources([], { stdinIsTty: true, usualPlaces: [join(folder, 'mail.log')] });
    expect(problems).toHaveLength(1);
    expect(problems[0].message).toContain('no input: none of the usual places exists');
  });

  // A process of its own: these tests have only one standard input.
  const reader = join(root, 'reader/reader.js');
  beforeAll(() => bundle({ reader: 'test/source/reader.ts' }, dirname(reader)));
  const text = logLines(5000);

  it.each([
    ['plain', Buffer.from(text)],
    ['gzip', gzipSync(text)],
    ['xz', compress('xz', text, '-0')],
    ['zstd', compress('zstd', text, '-q')],
    ['bzip2', compress('bzip2', text)],
  ])('from a pipe and from a file: %s', (_, content) => {
    const path = put('input', content);
    const piped = spawnSync('sh', ['-c', 'cat "$2" | "$0" "$1" -', process.execPath, reader, path]);
    expect(piped.stderr.toString()).toBe('');
    expect(piped.stdout.toString()).toBe(`- null ${text.length} ${content.length}\n`);
    const redirected = spawnSync('sh', [
      '-c',
      '"$0" "$1" - /dev/stdin "$2" < "$2"',
      process.execPath,
      reader,
      path,
    ]);
    expect(redirected.stderr.toString()).toBe('');
    expect(redirected.stdout.toString()).toBe(`- ${content.length} ${text.length} ${content.length}\n`);
  });

  it('a reader that stops early leaves no process waiting, though the pipe stays open', async () => {
    for (const content of [Buffer.from(text), compress('xz', logLines(50_000), '-0').subarray(0, -100)]) {
      const child = spawn(process.execPath, [reader, '-', '--first']);
      child.stdin.on('error', () => {}).write(content);
      const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(10_000) });
      expect(code).toBe(0);
    }
  });
});

it('what is found can be read', async () => {
  put('mail.log', LINE);
  put('mail.log.1', gzipSync(LINE));
  const { sources } = await findSources([folder], tty);
  for (const from of sources) expect((await readAll(from)).bytes.toString()).toBe(LINE);
});
