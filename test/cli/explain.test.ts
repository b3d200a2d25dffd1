/** `dsnstat explain`, from the command line to what is printed. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/explain/explanation.ts';
import { fixture, MAILS, mail, TRUTH } from '../explain/mails.ts';
import { dsnstat, MIXED, output, ROOT, temporaryFolder } from './program.ts';

const { folder, file } = temporaryFolder();
const UTC = ['--tz', 'UTC', '--no-progress'];
const BOUNCE = `${MAILS}/postfix-failure-backscatter-multi.eml`;

const LOGS: Record<string, string> = {
  postfix: 'test/fixtures/postfix-mixed.log.gz',
  qmail: 'test/fixtures/qmail-mixed.log.gz',
  sendmail: 'test/fixtures/sendmail-mixed.journal.log.gz',
};

function explain(args: readonly string[], input?: string | Uint8Array): Explanation[] {
  return output(['explain', ...UTC, '--format', 'ndjson', ...args], input === undefined ? {} : { input })
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Explanation);
}

/** What a remote host bounces of a message that Postfix of samples/ sent it. */
function remoteBounce(messageId: string, queueId: string, recipient: string, at: string): string {
  return mail(
    [
      'Return-Path: <>',
      'Received: from Debian-exim by mx.partner.example.net with local (Exim 4.96)',
      `\tid 1rABCE-0001Xb-01; ${at}`,
      `X-Failed-Recipients: ${recipient}`,
      'From: Mail Delivery System <Mailer-Daemon@mx.partner.example.net>',
      'To: carol@corp.test',
      'Subject: Mail delivery failed: returning message to sender',
      'Message-Id: <E1rABCE-0001Xb-01@mx.partner.example.net>',
    ],
    [
      'This message was created automatically by mail delivery software.',
      '',
      'A message that you sent could not be delivered to one or more of its recipients.',
      '',
      `  ${recipient}`,
      '    mailbox is full: retry timeout exceeded',
      '',
      '------ This is a copy of the message, including all the headers. ------',
      '',
      'Return-path: <carol@corp.test>',
      'Received: from mx1.corp.test ([203.0.113.1])',
      '\tby mx.partner.example.net with esmtp (Exim 4.96)',
      `\tid 1rABCD-0001XY-2Z; ${at}`,
      'Received: from mail1.example.net (mail17.example.net [198.51.100.17])',
      `\tby mx1.corp.test (Postfix) with ESMTP id ${queueId}; ${at}`,
      `Message-ID: ${messageId}`,
      'From: carol@corp.test',
      `To: ${recipient}`,
      '',
      'Hello',
    ],
  );
}

const SENT = 'Sat, 21 Nov 2026 01:46:17 +0000 (UTC)';
/** A minute and more from both ends of the log of LOGS.postfix. */
const AMID = 'Sat, 21 Nov 2026 01:47:40 +0000 (UTC)';

describe('the chain in the logs', () => {
  test.each(TRUTH.map((truth) => [truth.file, truth] as const))('%s', (name, truth) => {
    const [{ log }] = explain([join(MAILS, name), LOGS[truth.mta]]);
    expect(log?.conclusion).toBe('made_here');
    const [match] = log?.matches ?? [];
    expect(match.certainty).toBe('certain');
    if (truth.original_queue_id === null) {
      expect(match).toMatchObject({ role: 'arrival', chain: { queue_id: truth.dsn_queue_id } });
      return;
    }
    expect(match.role).toBe('cause');
    expect(match.by).toContain('dsn_queue_id');
    const { queue_ids, qp, dsns } = match.chain;
    expect([...queue_ids, String(qp)]).toContain(truth.original_queue_id);
    if (truth.mta !== 'qmail') expect(dsns.map((dsn) => dsn.queue_id)).toContain(truth.dsn_queue_id);
  });

  test('a message that left here, bounced elsewhere', () => {
    const bounce = file(
      'remote.eml',
      remoteBounce(
        '<20261121014617.eb6e7c5f@mail1.example.net>',
        '636B121A5AB',
        'ravi.hill6887@partner.example.net',
        SENT,
      ),
    );
    const [explanation] = explain([bounce, MIXED]);
    expect(explanation).toMatchObject({ type: 'failure', reporter: { host: 'mx.partner.example.net' } });
    expect(explanation.log).toMatchObject({
      hosts: ['mx1'],
      conclusion: 'passed_here',
      matches: [
        {
          certainty: 'certain',
          role: 'cause',
          by: ['queue_id', 'message_id', 'reverse_path', 'recipient', 'time'],
          chain: { queue_id: '636B121A5AB' },
        },
      ],
    });
  });

  test('a message that never left here: somebody used the address', () => {
    const bounce = file(
      'forged.eml',
      remoteBounce('<spam@elsewhere.example>', '0123456789A', 'nobody@partner.example.net', AMID),
    );
    const [{ log }] = explain([bounce, LOGS.postfix]);
    expect(log).toMatchObject({ conclusion: 'not_here', matches: [] });
    const text = output(['explain', ...UTC, bounce, LOGS.postfix]);
    expect(text).toContain('No such message left here: a bounce for mail that these hosts never sent.');
    expect(text).toContain(
      'Somebody used <carol@corp.test> as reverse-path; mx.partner.example.net got the message from mx1.corp.test[203.0.113.1].',
    );
  });

  test('a bounce for mail that we never sent: where it came in is found', () => {
    const bounce = file(
      'backscatter.eml',
      remoteBounce('<spam@elsewhere.example>', '0123456789A', 'nobody@partner.example.net', AMID),
    );
    const log = file(
      'arrival.log',
      [
        'Nov 21 01:40:00 mx1 postfix/qmgr[9]: 0A0A021A500: removed',
        'Nov 21 01:47:41 mx1 postfix/smtpd[7]: 1B1B021A501: client=mx.partner.example.net[203.0.113.30]',
        'Nov 21 01:47:41 mx1 postfix/cleanup[8]: 1B1B021A501: message-id=<E1rABCE-0001Xb-01@mx.partner.example.net>',
        'Nov 21 01:47:41 mx1 postfix/qmgr[9]: 1B1B021A501: from=<>, size=2100, nrcpt=1 (queue active)',
        'Nov 21 01:47:41 mx1 postfix/local[5]: 1B1B021A501: to=<carol@corp.test>, relay=local, delay=0.1, delays=0.1/0/0/0, dsn=2.0.0, status=sent (delivered to maildir)',
        'Nov 21 01:47:41 mx1 postfix/qmgr[9]: 1B1B021A501: removed',
        'Nov 21 01:58:00 mx1 postfix/qmgr[9]: 0A0A021A502: removed',
        '',
      ].join('\n'),
    );
    const [explanation] = explain(['--year', '2026', bounce, log]);
    expect(explanation.log).toMatchObject({
      conclusion: 'not_here',
      matches: [
        {
          role: 'arrival',
          certainty: 'certain',
          by: ['message_id'],
          chain: { queue_id: '1B1B021A501', reverse_path: '', origin: { client_ip: '203.0.113.30' } },
        },
      ],
    });
  });

  test('so near to the end of a log, nothing is proven either', () => {
    // The log of samples/ ends in the second in which this message came.
    const [{ log }] = explain([join(MAILS, 'postfix-success-success-local-outside.eml'), MIXED]);
    expect(log).toMatchObject({ conclusion: 'not_covered', matches: [] });
  });

  test('a log of another day proves nothing', () => {
    const bounce = file(
      'late.eml',
      remoteBounce(
        '<spam@elsewhere.example>',
        '0123456789A',
        'nobody@partner.example.net',
        'Mon, 23 Nov 2026 01:46:17 +0000',
      ),
    );
    expect(explain([bounce, MIXED])[0].log).toMatchObject({ conclusion: 'not_covered', matches: [] });
  });

  test('a log that could not be read to its end proves nothing', () => {
    const bounce = file(
      'damaged.eml',
      remoteBounce('<spam@elsewhere.example>', '0123456789A', 'nobody@partner.example.net', AMID),
    );
    const whole = readFileSync(join(ROOT, LOGS.postfix));
    const cut = file('cut.log.gz', whole.subarray(0, whole.length - 2000));
    const { status, stdout } = dsnstat(['explain', ...UTC, '--format', 'ndjson', bounce, cut]);
    expect(status).toBe(2);
    expect((JSON.parse(stdout) as Explanation).log?.conclusion).toBe('not_covered');
  });

  test('an id alone, a day away, is not taken: ids come again', () => {
    const bounce = file(
      'reused.eml',
      remoteBounce(
        '<spam@elsewhere.example>',
        '636B121A5AB',
        'nobody@partner.example.net',
        'Fri, 27 Nov 2026 01:46:17 +0000',
      ),
    );
    expect(explain([bounce, MIXED])[0].log).toMatchObject({ conclusion: 'not_covered', matches: [] });
  });

  test('an id with another Message-ID is another message', () => {
    const bounce = file(
      'other.eml',
      remoteBounce('<spam@elsewhere.example>', '636B121A5AB', 'ravi.hill6887@partner.example.net', AMID),
    );
    expect(explain([bounce, LOGS.postfix])[0].log).toMatchObject({ conclusion: 'not_here', matches: [] });
  });
});

describe('where mails come from', () => {
  const bytes = fixture('postfix-failure-backscatter-multi.eml');
  const postmark = 'From MAILER-DAEMON Sat Nov 21 01:46:15 2026\n';
  const mbox = Buffer.concat([
    Buffer.from(postmark),
    bytes,
    Buffer.from(`\n${postmark}`),
    fixture('qmail-failure-expire.eml'),
  ]);

  test('standard input, a compressed file: the same as the file', () => {
    const [fromFile] = explain([BOUNCE]);
    const [fromInput] = explain(['-'], bytes);
    const [fromArchive] = explain([file('bounce.eml.gz', gzipSync(bytes))]);
    expect(fromFile.source).toEqual({
      path: BOUNCE,
      number: null,
      size: bytes.length,
      bytes_read: bytes.length,
    });
    expect({ ...fromInput, source: null }).toEqual({ ...fromFile, source: null });
    expect({ ...fromArchive, source: null }).toEqual({ ...fromFile, source: null });
  });

  test('an mbox: each mail by its number', () => {
    const found = explain([file('bounces.mbox', mbox)]);
    expect(found.map(({ source, shape }) => [source.number, shape])).toEqual([
      [1, 'rfc3464'],
      [2, 'qsbmf'],
    ]);
  });

  test('a Maildir: new and cur, by time', () => {
    const maildir = join(folder, 'Maildir');
    for (const name of ['new', 'cur', 'tmp']) mkdirSync(join(maildir, name), { recursive: true });
    writeFileSync(join(maildir, 'new', '1795225600.M1.mx1'), fixture('qmail-failure-expire.eml'));
    writeFileSync(join(maildir, 'cur', '1795225500.M1.mx1:2,S'), bytes);
    writeFileSync(join(maildir, 'tmp', '1795225400.M1.mx1'), 'half a ma');
    expect(explain([maildir]).map(({ shape }) => shape)).toEqual(['rfc3464', 'qsbmf']);
  });

  test('a folder of .eml files: everything in it, and nothing else', () => {
    expect(explain([MAILS]).length).toBe(TRUTH.length);
  });

  test.each([
    [
      'no mail',
      [],
      /^dsnstat: explain needs a mail: dsnstat explain BOUNCE\.eml \[LOG\]\.\.\.; - is standard input\n$/,
    ],
    ['a missing file', ['no-such.eml'], /^dsnstat: no such file: no-such\.eml; /],
    [
      'a log',
      [MIXED],
      /^dsnstat: samples\/postfix\/mixed\.log: not a mail: no header fields such as From or Date/,
    ],
    ['an empty file', ['/dev/null'], /^dsnstat: .*\/dev\/null/],
    [
      'mail and log both from standard input',
      ['-', '-'],
      /^dsnstat: standard input is the mail; name the log files\n$/,
    ],
    [
      'a folder without mails',
      ['samples'],
      /^dsnstat: samples: neither a Maildir \(no new\/ or cur\/ in it\) nor a folder with \.eml files\n$/,
    ],
    ['a missing log', [BOUNCE, 'no-such.log'], /^dsnstat: no such file: no-such\.log; /],
  ])('%s: status 2 and a line that says what to do', (_, args, message) => {
    const { status, stderr, stdout } = dsnstat(['explain', ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
    // What is known without the log is said all the same.
    if (args.includes(BOUNCE)) expect(stdout).toContain('A failure DSN (bounce)');
  });
});

describe('what is printed', () => {
  test('the JSON is what docs/explanation-v1.schema.json says', () => {
    const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
    const schema = (name: string) => JSON.parse(readFileSync(join(ROOT, 'docs', name), 'utf8'));
    ajv.addSchema(schema('chain-v1.schema.json'));
    const validate = ajv.compile(schema('explanation-v1.schema.json'));
    for (const explanation of [...explain([MAILS]), ...explain([MAILS, LOGS.qmail, LOGS.postfix])]) {
      expect(validate(explanation) ? [] : validate.errors, explanation.source.path).toEqual([]);
    }
  });

  test('a bounce, its message, its reasons and its chain', () => {
    const text = output(['explain', ...UTC, BOUNCE, MIXED]);
    expect(text).toBe(readFileSync(join(ROOT, 'test/outputs/golden/explain.txt'), 'utf8'));
  });

  test('nothing of a mail reaches the terminal raw', () => {
    const hostile = mail(
      [
        'Return-Path: <>',
        'From: MAILER-DAEMON@x.test',
        'To: a\x1b[31m@b.test',
        'Subject: failure notice =?utf-8?q?=1B]0;owned=07=E2=80=AE?=',
        'Message-ID: <\x1b[2J@x>',
      ],
      [
        'Hi. This is the qmail-send program at x\x1b[2J.test.',
        '',
        '<bob\x9b31m@example.net>:',
        '550 \x1b[5mblink\x07 \x08\x08',
        '',
        '--- Below this line is a copy of the message.',
        '',
        'Return-Path: <e\x1b[0mve@example.net>',
        'Subject: \x1b]52;c;x\x07',
        '',
      ],
    );
    const text = output(['explain', ...UTC, '-'], { input: hostile });
    expect(text).toContain('\\x1b');
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    const json = output(['explain', '--format', 'ndjson', '-'], { input: hostile });
    expect(json).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect((JSON.parse(json) as Explanation).recipients).toMatchObject([
      { diagnostic: '550 \x1b[5mblink\x07 \x08\x08' },
    ]);
  });

  test('--anonymise leaves no name of a person or host', () => {
    const text = output(['explain', ...UTC, '--anonymise', BOUNCE, MIXED]);
    const json = output(['explain', ...UTC, '--anonymise', '--format', 'ndjson', BOUNCE, MIXED]);
    for (const name of [
      'lars',
      'erin',
      'walt',
      'corp.test',
      'bank.invalid',
      '198.51.100.177',
      'cf7a767f',
      'schedule update',
    ]) {
      expect(text, name).not.toContain(name);
      expect(json, name).not.toContain(name);
    }
    expect(text).toContain('user unknown');
  });

  test('--output writes it to a file', () => {
    const path = join(folder, 'explained.txt');
    expect(output(['explain', ...UTC, '-o', path, BOUNCE])).toBe('');
    expect(readFileSync(path, 'utf8')).toContain(
      'A failure DSN (bounce), RFC 3464, made by Postfix on mx1.corp.test',
    );
  });
});
