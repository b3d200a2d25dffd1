/** What a server answers, and what the probe makes of it: each test is one server. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { probeText } from '../../src/outputs/probe-text.ts';
import { type ProbeRequest, probe } from '../../src/probe/probe.ts';
import type { ProbeResult } from '../../src/probe/result.ts';
import { ROOT } from '../support/golden.mjs';
import { type Part, play, type Running } from './server.ts';

const validate = new Ajv2020({
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
}).compile(JSON.parse(readFileSync(join(ROOT, 'docs/probe-v1.schema.json'), 'utf8')));

const RCPT = 'bob+x=y@probe.test';

async function ask(
  part: Part,
  request: Partial<ProbeRequest> = {},
): Promise<{ result: ProbeResult; server: Running; text: string }> {
  const server = await play(part);
  const result = await probe({
    host: '127.0.0.1',
    port: server.port,
    helo: 'client.test',
    rcpt: null,
    mailFrom: '',
    tls: 'starttls',
    timeout: 2000,
    unknownUser: 'nobody-here',
    ...request,
  });
  expect(validate(result) ? [] : validate.errors).toEqual([]);
  // Whatever happens: no mail.
  for (const command of server.commands) expect(command).not.toMatch(/^(?:DATA|BDAT)/i);
  return { result, server, text: probeText(result, { color: false }) };
}

/** Refuses what a pattern fits. */
const refusing =
  (pattern: RegExp, reply: string): NonNullable<Part['answer']> =>
  (command) =>
    pattern.test(command) ? reply : undefined;

describe('is DSN announced?', () => {
  test('yes', async () => {
    const { result, server, text } = await ask({ keywords: ['PIPELINING', 'SIZE 1000', 'DSN'] });
    expect(result).toMatchObject({
      complete: true,
      error: null,
      address: '127.0.0.1',
      greeting: { code: 220, text: 'probe.test ESMTP' },
      esmtp: true,
      tls: null,
      keywords: ['PIPELINING', 'SIZE', 'DSN'],
      keywords_before_tls: null,
      dsn: 'announced',
      mail: null,
      recipient: null,
    });
    expect(server.commands).toEqual(['EHLO client.test', 'QUIT']);
    expect(text).toContain('  >>> EHLO client.test\n  <<< 250-probe.test greets you\n');
    expect(text).toMatch(/^DSN {17}announced$/m);
  });

  test('no; a keyword that only contains the word is another one', async () => {
    const { result, text } = await ask({ keywords: ['XDSN', 'DSNX', 'AUTH DSN'] });
    expect(result.dsn).toBe('not_announced');
    expect(text).toMatch(/^DSN {17}not announced$/m);
  });

  test('in lower case, as keywords may be', async () => {
    expect((await ask({ keywords: ['dsn'] })).result.dsn).toBe('announced');
  });

  test('the server knows HELO only', async () => {
    const { result, server, text } = await ask({ answer: refusing(/^EHLO/, '502 5.5.1 What?') });
    expect(result).toMatchObject({ complete: true, esmtp: false, dsn: 'not_announced', keywords: [] });
    expect(server.commands).toEqual(['EHLO client.test', 'HELO client.test', 'QUIT']);
    expect(text).toContain('not announced (the server knows no EHLO)');
  });

  test('without a name of our own, EHLO gives our address', async () => {
    const { server } = await ask({}, { helo: null });
    expect(server.commands[0]).toBe('EHLO [127.0.0.1]');
  });
});

describe('TLS', () => {
  test('STARTTLS where it is offered, and EHLO again', async () => {
    const { result, server, text } = await ask({
      keywords: ['STARTTLS', 'DSN'],
      keywordsAfterTls: ['AUTH PLAIN'],
    });
    expect(result.tls).toMatchObject({ how: 'starttls', protocol: 'TLSv1.3', trusted: false });
    expect(result).toMatchObject({
      dsn: 'not_announced',
      keywords: ['AUTH'],
      keywords_before_tls: ['STARTTLS', 'DSN'],
    });
    expect(server.commands).toEqual(['EHLO client.test', 'STARTTLS', 'EHLO client.test', 'QUIT']);
    expect(text).toContain('TLSv1.3, by STARTTLS; the certificate does not hold: ');
    expect(text).toContain('not announced; before TLS it was');
  });

  test('from the first byte', async () => {
    const { result } = await ask({ implicitTls: true, keywords: ['DSN'] }, { tls: 'implicit' });
    expect(result).toMatchObject({ dsn: 'announced', tls: { how: 'implicit', protocol: 'TLSv1.3' } });
  });

  test('not asked for', async () => {
    const { result, server } = await ask({ keywords: ['STARTTLS', 'DSN'] }, { tls: 'none' });
    expect(result).toMatchObject({ dsn: 'announced', tls: null });
    expect(server.commands).not.toContain('STARTTLS');
  });

  test('refused: the probe goes on without', async () => {
    const { result } = await ask({
      keywords: ['STARTTLS', 'DSN'],
      answer: refusing(/^STARTTLS/, '454 4.7.0 Not now'),
    });
    expect(result).toMatchObject({ complete: true, dsn: 'announced', tls: null });
  });

  test('a handshake that fails: the same questions on a new connection without TLS', async () => {
    const { result, server, text } = await ask({
      keywords: ['STARTTLS', 'DSN'],
      insteadOfTls: 'this is no TLS',
    });
    expect(result).toMatchObject({
      complete: true,
      dsn: 'announced',
      tls: { how: 'starttls', protocol: null, trusted: false },
    });
    expect(server.connections).toBe(2);
    expect(text).toMatch(/^TLS {17}failed: .*; asked without$/m);
  });

  test('plain text behind the reply to STARTTLS is not taken for an answer', async () => {
    const { result } = await ask({
      keywords: ['STARTTLS'],
      keywordsAfterTls: [],
      answer: refusing(/^STARTTLS/, '220 Ready\r\n250-injected\r\n250 DSN\r\n'),
    });
    expect(result.dsn).toBe('not_announced');
    expect(result.transcript).toContainEqual({
      from: 'note',
      text: 'plain text was waiting behind the reply to STARTTLS; it is thrown away',
    });
  });
});

describe('with a recipient', () => {
  const rcpt = { rcpt: RCPT };

  test('all is accepted, the unknown one too: bounces lie ahead', async () => {
    const { result, server, text } = await ask({ keywords: ['DSN'] }, rcpt);
    expect(server.commands).toEqual([
      'EHLO client.test',
      'MAIL FROM:<> RET=HDRS ENVID=dsnstat-probe',
      `RCPT TO:<${RCPT}> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;bob+2Bx+3Dy@probe.test`,
      'RSET',
      'MAIL FROM:<>',
      'RCPT TO:<nobody-here@probe.test>',
      'RSET',
      'QUIT',
    ]);
    expect(result).toMatchObject({
      mail: { code: 250, ret_envid: 'accepted' },
      recipient: { address: RCPT, result: 'accepted', notify: 'accepted' },
      unknown_recipient: { address: 'nobody-here@probe.test', result: 'accepted', notify: 'not_asked' },
    });
    expect(text).toContain('accepted: who hands in mail can ask for a return receipt');
    expect(text).toContain('accepted (250): bounces to forged senders lie ahead, unless this is a catch-all');
    expect(text).toContain('smtpd_discard_ehlo_keywords');
  });

  test('NOTIFY is refused with 504, the recipient is not', async () => {
    const { result, text } = await ask(
      { keywords: ['DSN'], answer: refusing(/NOTIFY/, '504 5.5.4 No NOTIFY here') },
      rcpt,
    );
    expect(result.recipient).toMatchObject({ result: 'accepted', notify: 'refused', code: 504 });
    expect(text).toContain('refused: 504 5.5.4 No NOTIFY here');
    expect(text).not.toContain('Advice');
  });

  test('not announced: NOTIFY is asked for all the same, RET and ENVID are not', async () => {
    const { result, server, text } = await ask({}, rcpt);
    expect(server.commands[1]).toBe('MAIL FROM:<>');
    expect(result).toMatchObject({
      dsn: 'not_announced',
      mail: { ret_envid: 'not_asked' },
      recipient: { notify: 'accepted' },
    });
    expect(text).toContain('accepted, though not announced');
    expect(text).not.toContain('Advice');
  });

  test('RET and ENVID refused though announced', async () => {
    const { result } = await ask({ keywords: ['DSN'], answer: refusing(/ENVID/, '501 5.5.4 Syntax') }, rcpt);
    expect(result).toMatchObject({
      mail: { code: 250, ret_envid: 'refused' },
      recipient: { result: 'accepted' },
    });
  });

  test('the unknown recipient is refused at RCPT: as it should be', async () => {
    const { result, text } = await ask(
      { keywords: ['DSN'], answer: refusing(/nobody-here/, '550 5.1.1 User unknown') },
      rcpt,
    );
    expect(result.unknown_recipient).toMatchObject({
      result: 'refused',
      code: 550,
      text: '5.1.1 User unknown',
    });
    expect(text).toContain('refused at RCPT (550), as it should be');
  });

  test('everybody is refused: that says nothing about unknown ones', async () => {
    const { result, text } = await ask(
      { keywords: ['DSN'], answer: refusing(/^RCPT/, '554 5.7.1 Relay access denied') },
      rcpt,
    );
    expect(result.recipient).toMatchObject({ result: 'refused', notify: 'undecided' });
    expect(result.unknown_recipient?.result).toBe('undecided');
    expect(text).toContain('cannot tell: refused (554), but so is the recipient that was named');
  });

  test('greylisting: nothing can be told', async () => {
    const { result, text } = await ask(
      { keywords: ['DSN'], answer: refusing(/^RCPT/, '450 4.7.1 Greylisted') },
      rcpt,
    );
    expect(result).toMatchObject({
      complete: true,
      recipient: { result: 'deferred', notify: 'undecided' },
      unknown_recipient: { result: 'deferred' },
    });
    expect(text).toContain('put off (450)');
  });

  test('the sender is refused: no recipient is asked', async () => {
    const { result, server, text } = await ask(
      { keywords: ['DSN'], answer: refusing(/^MAIL/, '550 5.7.1 Null sender refused here') },
      rcpt,
    );
    expect(result).toMatchObject({
      complete: true,
      mail: { code: 550, ret_envid: 'undecided' },
      recipient: { result: 'not_asked' },
      unknown_recipient: null,
    });
    expect(server.commands.some((command) => command.startsWith('RCPT'))).toBe(false);
    expect(text).toContain('--mail-from names another one');
  });

  test('an address that is not ASCII: SMTPUTF8 where there is some, else not asked', async () => {
    const umlaut = { rcpt: 'jürgen@probe.test' };
    const { server } = await ask({ keywords: ['DSN', 'SMTPUTF8'] }, umlaut);
    expect(server.commands[1]).toBe('MAIL FROM:<> SMTPUTF8 RET=HDRS ENVID=dsnstat-probe');
    expect(server.commands[2]).toContain('ORCPT=utf-8;jürgen@probe.test');
    const { result } = await ask({ keywords: ['DSN'] }, umlaut);
    expect(result.recipient?.result).toBe('not_asked');
  });
});

describe('servers that do not behave', () => {
  const quick = { timeout: 200 };

  test.each<[string, Part, RegExp]>([
    ['says nothing', { greeting: null }, /^no end of the greeting in time; --timeout gives it more$/],
    ['never ends its greeting', { greeting: '220-hello\r\n' }, /^no end of the greeting in time/],
    ['does not answer EHLO', { answer: () => null }, /^no end of the reply to EHLO in time/],
    [
      'hangs up',
      { answer: () => 'close' },
      /^no end of the reply to EHLO: the server closed the connection$/,
    ],
    [
      'turns us away',
      { greeting: '554 5.7.1 Go away' },
      /^the server does not talk to us: 554 5\.7\.1 Go away$/,
    ],
    ['refuses EHLO and HELO', { answer: refusing(/^(EHLO|HELO)/, '550 no') }, /^EHLO was refused: 550 no$/],
    [
      'speaks something else',
      { greeting: 'SSH-2.0-OpenSSH_9.2' },
      /^not SMTP: the greeting is "SSH-2\.0-OpenSSH_9\.2"$/,
    ],
    [
      'never ends a line',
      { greeting: `220 ${'x'.repeat(100_000)}` },
      /^the server sent a line of more than 4096 bytes$/,
    ],
    ['never ends a reply', { greeting: '220-x\r\n'.repeat(10_000) }, /lines/],
  ])('%s: told in one line, in time', async (_, part, message) => {
    const start = Date.now();
    const { result } = await ask(part, quick);
    expect(result.complete).toBe(false);
    expect(result.error).toMatch(message);
    expect(result.error).not.toContain('\n');
    expect(Date.now() - start).toBeLessThan(quick.timeout * 5 + 1000);
  });

  test('drips one byte at a time: the limit is for the whole reply', async () => {
    const drip = createServer((socket) => {
      const timer = setInterval(() => socket.write('2'), 20);
      socket.on('close', () => clearInterval(timer));
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => drip.listen(0, '127.0.0.1', resolve));
    const start = Date.now();
    const result = await probe({
      host: '127.0.0.1',
      port: (drip.address() as { port: number }).port,
      helo: null,
      rcpt: null,
      mailFrom: '',
      tls: 'none',
      timeout: 200,
      unknownUser: 'x',
    });
    drip.close();
    expect(result.error).toMatch(/^no end of the greeting in time/);
    expect(Date.now() - start).toBeLessThan(1500);
  });

  test('no answer to the TLS handshake: asked without, after one limit', async () => {
    const start = Date.now();
    const { result, server } = await ask(
      { keywords: ['STARTTLS', 'DSN'], insteadOfTls: null },
      { timeout: 200 },
    );
    expect(result).toMatchObject({ complete: true, dsn: 'announced' });
    expect(result.tls).toMatchObject({
      protocol: null,
      problem: expect.stringMatching(/^no TLS handshake in time/),
    });
    expect(server.connections).toBe(2);
    expect(Date.now() - start).toBeLessThan(1500);
  });

  test('slow at every step, but never too slow: all together have five times the limit', async () => {
    const start = Date.now();
    const slow = createServer((socket) => {
      const later = (text: string) => setTimeout(() => socket.write(text), 190);
      socket.on('error', () => {});
      later('220 hello\r\n');
      socket.on('data', () => later('250-hello\r\n250 DSN\r\n'));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const result = await probe({
      host: '127.0.0.1',
      port: (slow.address() as { port: number }).port,
      helo: null,
      rcpt: RCPT,
      mailFrom: '',
      tls: 'none',
      timeout: 250,
      unknownUser: 'x',
    });
    slow.close();
    expect(result).toMatchObject({ complete: false, dsn: 'announced' });
    expect(result.error).toMatch(/^no end of the reply to \w+ in time/);
    expect(Date.now() - start).toBeLessThan(250 * 5 + 500);
  });

  test('nobody is listening; no such host', async () => {
    const refused = await probe({
      ...(await closedPort()),
      helo: null,
      rcpt: null,
      mailFrom: '',
      tls: 'none',
      timeout: 2000,
      unknownUser: 'x',
    });
    expect(refused).toMatchObject({
      complete: false,
      error: 'connection refused',
      dsn: 'unknown',
      greeting: null,
    });
  });

  test('what it says reaches the terminal as text only', async () => {
    const { result, text } = await ask({
      greeting: '220 \x1b]0;owned\x07\x9b31m \u202e',
      keywords: ['DSN\x1b[2J'],
    });
    expect(text).toContain('\\x1b]0;owned\\x07');
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(result.dsn).toBe('not_announced');
  });
});

async function closedPort(): Promise<{ host: string; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return { host: '127.0.0.1', port };
}
