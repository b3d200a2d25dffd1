/** `dsnstat trace`: the built program on small logs, and on the samples. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { Chain } from '../../src/chains/chain.ts';
import type { Trace, TraceLife, TraceRefusals } from '../../src/trace/trace.ts';
import { chains, dsnstat, linesOf, MIXED, output, ROOT, temporaryFolder, WIDE } from './program.ts';

const { file } = temporaryFolder();
const UTC = ['--tz', 'UTC', '--year', '2026'];

function log(text: string): string {
  return `${text.trim()}\n`;
}

function told(what: string, input: string, ...options: string[]): string {
  return output(['trace', ...UTC, ...options, what, '-'], { input });
}

function traces(what: string, args: readonly string[], input?: string): Trace[] {
  return records(what, args, input).filter((record): record is Trace => record.kind === 'trace');
}

function records(what: string, args: readonly string[], input?: string): (Trace | TraceRefusals)[] {
  const text = output(
    ['trace', ...UTC, '--format', 'ndjson', what, ...args],
    input === undefined ? {} : { input },
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function lifeOf(trace: Trace, id: string): TraceLife {
  const life = trace.lives.find(({ queue_id }) => queue_id === id);
  if (life === undefined) throw new Error(`no life ${id}`);
  return life;
}

const BOUNCED = log(`
Nov 21 10:00:00 mx1 postfix/smtpd[10]: AAAAA11111: client=mail.example.net[198.51.100.7], sasl_method=PLAIN, sasl_username=eve
Nov 21 10:00:00 mx1 postfix/cleanup[11]: AAAAA11111: message-id=<one@example.net>
Nov 21 10:00:00 mx1 opendkim[12]: AAAAA11111: DKIM-Signature field added (s=mail, d=example.net)
Nov 21 10:00:00 mx1 postfix/qmgr[13]: AAAAA11111: from=<eve@example.net>, size=700, nrcpt=2 (queue active)
Nov 21 10:00:01 mx1 postfix/smtp[14]: AAAAA11111: to=<Bob@corp.test>, orig_to=<team@corp.test>, relay=store[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as FFFFF99999)
Nov 21 10:00:01 mx1 postfix/smtp[14]: AAAAA11111: to=<gone@corp.test>, relay=store[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (host store[192.0.2.9] said: 450 4.2.0 later)
Nov 21 10:10:00 mx1 postfix/qmgr[13]: AAAAA11111: from=<eve@example.net>, size=700, nrcpt=2 (queue active)
Nov 21 10:10:01 mx1 postfix/smtp[14]: AAAAA11111: to=<gone@corp.test>, relay=store[192.0.2.9]:25, delay=601, delays=0/0/0/1, dsn=5.1.1, status=bounced (host store[192.0.2.9] said: 550 5.1.1 User unknown)
Nov 21 10:10:01 mx1 postfix/cleanup[11]: BBBBB22222: message-id=<dsn@mx1>
Nov 21 10:10:01 mx1 postfix/bounce[15]: AAAAA11111: sender non-delivery notification: BBBBB22222
Nov 21 10:10:01 mx1 postfix/qmgr[13]: BBBBB22222: from=<>, size=2000, nrcpt=1 (queue active)
Nov 21 10:10:01 mx1 postfix/qmgr[13]: AAAAA11111: removed
Nov 21 10:10:02 mx1 postfix/smtp[14]: BBBBB22222: to=<eve@example.net>, relay=mail.example.net[198.51.100.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
Nov 21 10:10:02 mx1 postfix/qmgr[13]: BBBBB22222: removed
`);

describe('the life of a message', () => {
  test('arrival, every attempt, the DSN and its life, the end: a tree in time order', () => {
    expect(told('AAAAA11111', BOUNCED)).toBe(`\
AAAAA11111  2026-11-21 10:00:00 UTC, postfix on mx1, found by queue id
  2026-11-21 10:00:00  arrival    by SMTP from mail.example.net[198.51.100.7], authenticated as eve
  2026-11-21 10:00:00  header     Message-ID <one@example.net>
  2026-11-21 10:00:00  note       opendkim: DKIM-Signature field added (s=mail, d=example.net)
  2026-11-21 10:00:00  queued     from <eve@example.net>, 700 bytes, 2 recipients
  2026-11-21 10:00:01  attempt    to <Bob@corp.test> (orig. <team@corp.test>): delivered 2.0.0, by store[192.0.2.9]:25, there as FFFFF99999
                          250 2.0.0 Ok: queued as FFFFF99999
  2026-11-21 10:00:01  attempt    to <gone@corp.test>: deferred 4.2.0, by store[192.0.2.9]:25
                          host store[192.0.2.9] said: 450 4.2.0 later
  2026-11-21 10:10:00  queued     taken up again, from <eve@example.net>
  2026-11-21 10:10:01  attempt    to <gone@corp.test>: failed 5.1.1, by store[192.0.2.9]:25
                          host store[192.0.2.9] said: 550 5.1.1 User unknown
  2026-11-21 10:10:01  DSN        made (failure) as BBBBB22222
    BBBBB22222  DSN (failure) to <eve@example.net>: delivered 2.0.0
      2026-11-21 10:10:01  header     Message-ID <dsn@mx1>
      2026-11-21 10:10:01  queued     from <>, 2,000 bytes, 1 recipient
      2026-11-21 10:10:02  attempt    to <eve@example.net>: delivered 2.0.0, by mail.example.net[198.51.100.7]:25
                              250 ok
      2026-11-21 10:10:02  end        removed from the queue
  2026-11-21 10:10:01  end        removed from the queue

`);
  });

  test.each([
    ['AAAAA11111', ['queue_id']],
    ['AAAAA11111:', ['queue_id']],
    ['BBBBB22222', ['queue_id']],
    ['<one@example.net>', ['message_id']],
    ['one@example.net', ['message_id']],
    ['dsn@mx1', ['message_id']],
    ['EVE@Example.NET', ['reverse_path', 'recipient']],
    ['<bob@corp.test>', ['recipient']],
    ['team@corp.test', ['original_recipient']],
    ['@CORP.test', ['recipient', 'original_recipient']],
  ])('is found by %s', (what, matchedBy) => {
    const found = traces(what, ['-'], BOUNCED);
    expect(found.map(({ chain, matched_by }) => ({ id: chain.queue_id, matched_by }))).toEqual([
      { id: 'AAAAA11111', matched_by: matchedBy },
    ]);
  });

  test('--lines: every line that names an id, and its bytes as they are', () => {
    const [trace] = traces('AAAAA11111', ['--lines', '-'], BOUNCED);
    const lines = trace.lives.flatMap(({ events }) => events.flatMap((event) => event.lines ?? []));
    expect(lines.sort()).toEqual(BOUNCED.trimEnd().split('\n').sort());
  });

  test('an id that comes again: two messages, each with its own lines', () => {
    const again = BOUNCED.replaceAll('Nov 21 1', 'Nov 22 1')
      .replaceAll('<one@', '<two@')
      .replaceAll('BBBBB2', 'CCCCC3');
    const found = traces('AAAAA11111', ['--lines', '-'], BOUNCED + again);
    expect(found.map(({ chain }) => chain.message_id)).toEqual(['<one@example.net>', '<two@example.net>']);
    for (const [i, day] of ['Nov 21', 'Nov 22'].entries()) {
      const lines = found[i].lives.flatMap(({ events }) => events.flatMap((event) => event.lines ?? []));
      expect(lines).toHaveLength(14);
      expect(lines.every((line) => line.startsWith(day))).toBe(true);
    }
  });

  test('qmail: results belong to the deliveries, a client to its qp', () => {
    const qmail = log(`
2026-11-21T02:14:15.000000+00:00 qm qlog: result=accepted code=250 reason=queueaccept detail=chkrcptto helo=h mailfrom=a@example.com rcptto=b@example.net relay=no rcpthosts=yes size=345 authuser= authtype= encrypted= sslverified=no localip=192.0.2.1 localport=25 remoteip=198.51.100.9 remoteport=5 remotehost=mail.example.com qp=145 pid=144
2026-11-21T02:14:15.100000+00:00 qm qmail: 1795227255.100000 new msg 2253400
2026-11-21T02:14:15.100000+00:00 qm qmail: 1795227255.100001 info msg 2253400: bytes 345 from <a@example.com> qp 145 uid 1002
2026-11-21T02:14:15.100000+00:00 qm qmail: 1795227255.100002 starting delivery 1: msg 2253400 to remote b@example.net
2026-11-21T02:14:15.100000+00:00 qm qmail: 1795227255.100003 new msg 2253401
2026-11-21T02:14:15.100000+00:00 qm qmail: 1795227255.100004 info msg 2253401: bytes 99 from <x@example.com> qp 150 uid 1002
2026-11-21T02:14:15.100000+00:00 qm qmail: 1795227255.100005 starting delivery 2: msg 2253401 to local c_d@example.org
2026-11-21T02:14:15.200000+00:00 qm qmail: 1795227255.200000 delivery 2: success: did_1+0+0/
2026-11-21T02:14:15.200000+00:00 qm qmail: 1795227255.200001 end msg 2253401
2026-11-21T02:14:15.200000+00:00 qm qmail: 1795227255.200002 delivery 1: deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/
`);
    const [trace, ...more] = traces('145', ['-'], qmail);
    expect(more).toEqual([]);
    expect(trace.matched_by).toEqual(['qp']);
    expect(trace.lives[0].events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['arrival', 'queued', 'attempt_started', 'attempt']),
    );
    expect(trace.lives[0].events.at(-1)).toMatchObject({
      event: 'attempt',
      recipient: 'b@example.net',
      outcome: 'deferred',
      status: '4.4.1',
      delivery: 1,
    });
    expect(trace.lives[0].gaps.map(({ gap }) => gap)).toContain('not_ended');
    expect(traces('"c d"@example.org'.replaceAll('"', ''), ['-'], qmail)[0].chain.queue_id).toBe('2253401');
  });

  test('sendmail: an attempt for several recipients is an event for each; a line in parts is one', () => {
    const sendmail = log(`
Nov 21 10:00:00 mail sm-mta[100]: 6ALA00aa000100: from=<a@example.com>, size=100, class=0, nrcpts=3, msgid=<m@example.com>, proto=ESMTP, daemon=MTA, relay=c.example.com [198.51.100.1]
Nov 21 10:00:01 mail sm-mta[101]: 6ALA00aa000100[1]: to=<b@example.net>,<c@example.net>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, ...
Nov 21 10:00:01 mail sm-mta[101]: 6ALA00aa000100[2]: pri=60100, relay=mx.example.net. [192.0.2.1], dsn=2.0.0, stat=Sent (ok)
`);
    const [trace] = traces('6ALA00aa000100', ['--lines', '-'], sendmail);
    const { events, gaps } = trace.lives[0];
    expect(events.filter(({ event }) => event === 'attempt')).toMatchObject([
      { recipient: 'b@example.net', outcome: 'delivered', lines: sendmail.split('\n').slice(1, 3) },
      { recipient: 'c@example.net', outcome: 'delivered' },
    ]);
    expect(gaps).toEqual([
      { gap: 'recipients_missing', text: '1 of 3 recipients are named by no line yet' },
      expect.objectContaining({ gap: 'not_ended' }),
    ]);
  });

  test('a log that begins too late says so', () => {
    const [trace] = traces('AAAAA11111', ['-'], BOUNCED.split('\n').slice(6).join('\n'));
    expect(trace.nature).toBe('headless');
    expect(trace.lives[0].gaps.map(({ text }) => text)).toEqual([
      'its beginning is not in the log',
      '1 of 2 recipients are named by no line',
    ]);
  });

  test('a DSN whose lines are missing, and one that NOTIFY forbade', () => {
    const withoutDsn = BOUNCED.split('\n')
      .filter((line) => !line.includes('BBBBB22222: '))
      .join('\n');
    const [trace] = traces('AAAAA11111', ['-'], withoutDsn);
    expect(lifeOf(trace, 'BBBBB22222').gaps.map(({ gap }) => gap)).toEqual(['no_line']);
    expect(trace.lives[0].events.find(({ event }) => event === 'dsn')).toMatchObject({ made: false });
  });
});

describe('what is asked for', () => {
  test('nothing found: one line with the period, exit status 0', () => {
    const { status, stdout, stderr } = dsnstat(['trace', ...UTC, 'nobody@example.org', '-'], {
      input: BOUNCED,
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toBe(
      'dsnstat: nobody@example.org: no message in the log from 2026-11-21T10:00:00.000Z to 2026-11-21T10:10:02.000Z has this Message-ID, sender or recipient\n',
    );
  });

  test('an unreadable file is 2, what was found is told all the same', () => {
    const { status, stdout, stderr } = dsnstat(['trace', ...UTC, 'AAAAA11111', '-', '/nonexistent'], {
      input: BOUNCED,
    });
    expect(status).toBe(2);
    expect(stdout).toContain('AAAAA11111');
    expect(stderr).toContain('/nonexistent');
  });

  test.each([
    [[], /trace what\?/],
    [[''], /WHAT is empty/],
    [['<>'], /--sender '<>'/],
    [[MIXED], /is a file: dsnstat trace WHAT/],
    [['--lines', '--anonymise', 'AAAAA11111'], /exclude each other/],
  ])('%j is wrong', (args, message) => {
    const { status, stdout, stderr } = dsnstat(['trace', ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('refusals in the dialogue that name the address are counted and the last are shown', () => {
    const refused = Array.from(
      { length: 12 },
      (_, i) =>
        `Nov 21 11:00:${i + 10} mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from x[198.51.100.7]: 550 5.1.1 <nobody@corp.test>: Recipient address rejected: User unknown; from=<a@b.test> to=<nobody@corp.test> proto=ESMTP helo=<x>`,
    ).join('\n');
    const other = refused.replaceAll('nobody@corp.test', 'nobody@corp.test.example');
    const input = `${BOUNCED}${refused}\n${other}\n`;
    const { status, stdout, stderr } = dsnstat(
      ['trace', ...UTC, '--format', 'ndjson', 'Nobody@Corp.test', '-'],
      { input },
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/no message in the log .*; 12 lines of the SMTP dialogue refused it\n$/);
    const record = JSON.parse(stdout) as TraceRefusals;
    expect(record).toMatchObject({
      count: 12,
      first_at: '2026-11-21T11:00:10.000Z',
      last_at: '2026-11-21T11:00:21.000Z',
    });
    expect(record.last).toHaveLength(10);
  });

  test('more than --top: the others are listed', () => {
    const input = Array.from({ length: 5 }, (_, i) =>
      BOUNCED.replaceAll('11111', `0000${i}`).replaceAll('22222', `7777${i}`),
    ).join('');
    const { stdout, stderr } = dsnstat(['trace', ...UTC, '--top', '2', 'eve@example.net', '-'], { input });
    expect(stdout.match(/^AAAAA0000\d {2}/gm)).toHaveLength(2);
    expect(
      stdout.match(/^2026-11-21 10:00:00 {2}AAAAA0000\d {2}from <eve@example.net> {2}to <.*DSN$/gm),
    ).toHaveLength(3);
    expect(stderr).toBe('dsnstat: 5 messages match, 2 told in full; --top N tells more\n');
    expect(traces('eve@example.net', ['--top', '0', '-'], input)).toHaveLength(5);
  });

  test('--since and --until choose messages, not lines', () => {
    const found = (since: string) => traces('AAAAA11111', ['--since', since, '-'], BOUNCED);
    expect(found('2026-11-21T10:00')[0].lives[0].events).toHaveLength(10);
    const { status, stdout } = dsnstat(['trace', ...UTC, '--since', '2026-11-21T10:05', 'AAAAA11111', '-'], {
      input: BOUNCED,
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});

describe('bounded memory', () => {
  // Much else happens while the message waits: with a small limit its first lines are dropped.
  const busy = Array.from(
    { length: 40 },
    (_, i) =>
      `Nov 21 10:05:00 mx1 postfix/smtpd[10]: D${String(i).padStart(9, '0')}: client=x[198.51.100.8]\n` +
      `Nov 21 10:05:00 mx1 postfix/cleanup[10]: D${String(i).padStart(9, '0')}: message-id=<${i}@x>\n`,
  ).join('');
  const at = BOUNCED.indexOf('Nov 21 10:10:00');
  const input = BOUNCED.slice(0, at) + busy + BOUNCED.slice(at);
  const env = { DSNSTAT_TRACE_LIMIT: '8000' };

  test('a file is read again for what was dropped: nothing is missing', () => {
    const path = file('busy.log', input);
    const args = ['trace', ...UTC, '--lines', '--format', 'ndjson', 'AAAAA11111', path];
    expect(output(args, { env })).toBe(output(args));
  });

  test('a pipe is not: the gap is said', () => {
    const args = ['trace', ...UTC, 'AAAAA11111', '-'];
    expect(output(args, { input })).not.toContain('not kept');
    expect(output(args, { input, env })).toMatch(
      /gap {8}\d+ lines of it were not kept, for want of memory, and this input cannot be read twice/,
    );
  });
});

describe('hostile logs', () => {
  const hostile = BOUNCED.replaceAll('one@example.net', 'one\x1b[2J\u202e@example.net')
    .replaceAll('User unknown', 'User \x1b]0;x\x07\xffunknown')
    .replace('field added', 'field\x1b[31m added');

  test('no control of the log reaches the terminal', () => {
    for (const options of [[], ['--lines'], ['--format', 'ndjson', '--lines']]) {
      const text = told('AAAAA11111', hostile, ...options);
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
  });

  test('WHAT itself is escaped', () => {
    const { stderr } = dsnstat(['trace', ...UTC, 'a\x1b[2Jb@example.org', '-'], { input: BOUNCED });
    expect(stderr).toContain('a\\x1b[2Jb@example.org: no message');
  });

  test('--anonymise leaves nobody', () => {
    for (const format of ['text', 'ndjson']) {
      const text = told('eve@example.net', BOUNCED, '--anonymise', '--format', format);
      expect(text).not.toMatch(/\beve\b|bob@|gone@|team@|corp\.test|example\.net|198\.51\.100|192\.0\.2/i);
    }
  });
});

describe('samples', () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
  for (const name of ['chain-v1.schema.json', 'trace-v1.schema.json'])
    ajv.addSchema(JSON.parse(readFileSync(join(ROOT, 'docs', name), 'utf8')));
  const validate = ajv.getSchema('https://dsnstat.invalid/trace-v1.schema.json');

  test.each([
    [MIXED, '@corp.test', /(?<![0-9A-Za-z])ID: /],
    [WIDE, '@hq.acme.test', /(?<![0-9A-Za-z])ID(?:\[\d+\])?: /],
    ['samples/qmail/multilog.log', '@shop.test', /(?:new|info|end) msg ID\b|: msg ID to/],
  ])('%s: the chains as `chains` has them, and no line of theirs is missing', (sample, what, pattern) => {
    const log = linesOf(sample);
    const known = new Map<string, Chain>();
    // Numbers that come again: their lines cannot be told apart by the number alone.
    const uses = new Map<string, number>();
    for (const chain of chains([...UTC, sample])) {
      known.set(`${chain.queue_id} ${chain.first_seen}`, chain);
      for (const id of [...chain.queue_ids, ...chain.dsns.map((dsn) => dsn.queue_id ?? '')])
        uses.set(id, (uses.get(id) ?? 0) + 1);
    }
    const found = records(what, ['--lines', sample]);
    expect(found.length).toBeGreaterThan(20);
    for (const record of found) {
      expect(validate?.(record) ? [] : validate?.errors).toEqual([]);
      if (record.kind !== 'trace') continue;
      const { chain, lives } = record;
      expect(chain).toEqual(known.get(`${chain.queue_id} ${chain.first_seen}`) ?? chain);
      expect(lives[0]).toMatchObject({ queue_id: chain.queue_id, parent_queue_id: null });
      const told = new Set(lives.flatMap(({ events }) => events.flatMap((event) => event.lines ?? [])));
      for (const { queue_id: id } of lives) {
        if ((uses.get(id) ?? 0) > 1) continue;
        const ofId = new RegExp(pattern.source.replaceAll('ID', id));
        for (const line of log)
          if (ofId.test(line)) expect(told).toContain(Buffer.from(line, 'latin1').toString('utf8'));
      }
    }
  });
});
