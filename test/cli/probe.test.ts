/** `dsnstat probe` against a real Postfix, and its command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProbeResult } from '../../src/probe/result.ts';
import { type Postfix, startPostfix } from '../probe/postfix.ts';
import { play } from '../probe/server.ts';
import { dsnstat, type Ended, startDsnstat, temporaryFolder } from './program.ts';

const { folder } = temporaryFolder();

describe('Postfix', () => {
  let postfix: Postfix;

  beforeAll(async () => {
    postfix = await startPostfix({
      plain: [],
      no_dsn: ['smtpd_discard_ehlo_keywords=silent-discard,dsn'],
      // Accepts first and looks afterwards.
      careless: ['local_recipient_maps='],
      wrapped: ['smtpd_tls_wrappermode=yes', 'smtpd_tls_security_level=encrypt'],
      // As for clients with their own network: a refusal before MAIL.
      closed: ['smtpd_client_restrictions=reject', 'smtpd_delay_reject=no'],
    });
  });

  afterAll(() => {
    // No dialogue has left anything behind.
    const left = postfix?.queued();
    const log = postfix?.log();
    postfix?.stop();
    expect(left).toBe('');
    expect(log).not.toMatch(/\bqmgr\[\d+\]: \w+: from=/);
  });

  function ask(service: string, ...args: string[]): ProbeResult {
    const { status, stdout, stderr } = dsnstat([
      'probe',
      '--format',
      'json',
      ...args,
      `127.0.0.1:${postfix.ports[service]}`,
    ]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return JSON.parse(stdout) as ProbeResult;
  }

  test('as it comes: DSN for everybody, unknown recipients refused', () => {
    expect(ask('plain', '--rcpt', 'bob@probe.test')).toMatchObject({
      schema_version: 1,
      kind: 'probe',
      complete: true,
      greeting: { code: 220, text: 'mx.probe.test ESMTP Postfix' },
      tls: { how: 'starttls', protocol: 'TLSv1.3', trusted: false },
      dsn: 'announced',
      mail: { reverse_path: '', code: 250, ret_envid: 'accepted' },
      recipient: { address: 'bob@probe.test', result: 'accepted', notify: 'accepted', code: 250 },
      unknown_recipient: { result: 'refused', code: 550 },
    });
  });

  test('with smtpd_discard_ehlo_keywords: not announced, and NOTIFY is refused', () => {
    const result = ask('no_dsn', '--rcpt', 'bob@probe.test');
    expect(result.keywords).not.toContain('DSN');
    expect(result).toMatchObject({
      dsn: 'not_announced',
      recipient: { result: 'accepted', notify: 'refused' },
    });
    expect(String(result.recipient?.code)).toMatch(/^50[14]$|^555$/);
  });

  test('without local_recipient_maps: unknown recipients are accepted', () => {
    expect(ask('careless', '--rcpt', 'bob@probe.test').unknown_recipient).toMatchObject({
      result: 'accepted',
      code: 250,
    });
  });

  test("somebody else's domain: refused, and that says nothing of unknown recipients", () => {
    expect(ask('plain', '--rcpt', 'bob@elsewhere.test')).toMatchObject({
      recipient: { result: 'refused', notify: 'undecided', code: 554 },
      unknown_recipient: { result: 'undecided' },
    });
  });

  test('TLS from the first byte', () => {
    expect(ask('wrapped', '--tls', 'implicit')).toMatchObject({
      tls: { how: 'implicit', protocol: 'TLSv1.3' },
      dsn: 'announced',
      keywords_before_tls: null,
    });
  });

  test('a server that turns us away: status 2, and the session is shown', () => {
    const { status, stdout, stderr } = dsnstat(['probe', `127.0.0.1:${postfix.ports.closed}`]);
    expect(status).toBe(2);
    expect(stdout).toContain('  <<< 554 5.7.1 ');
    expect(stdout).toContain('Broken off: the server does not talk to us: 554');
    expect(stderr).toMatch(/^dsnstat: 127\.0\.0\.1:\d+: the server does not talk to us: 554 .*\n$/);
  });

  test('the text is the session and what it means', () => {
    const { stdout } = dsnstat([
      'probe',
      '--helo',
      'client.test',
      '--rcpt',
      'bob@probe.test',
      `127.0.0.1:${postfix.ports.plain}`,
    ]);
    expect(stdout).toContain('>>> EHLO client.test\n  <<< 250-mx.probe.test\n');
    expect(stdout).toContain(
      '>>> RCPT TO:<bob@probe.test> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;bob@probe.test\n',
    );
    expect(stdout).toMatch(/^DSN {17}announced$/m);
    expect(stdout).toMatch(/^Unknown recipients {2}refused at RCPT \(550\), as it should be$/m);
    expect(stdout).not.toMatch(/>>> (?:DATA|BDAT)/);
  });
});

describe('the command line', () => {
  test.each([
    [[], /^dsnstat: probe needs one server: dsnstat probe HOST\[:PORT\]/],
    [['a.test', 'b.test'], /^dsnstat: probe needs one server/],
    [['mx.test:smtp'], /^dsnstat: mx\.test:smtp is not a server; give HOST, HOST:PORT or \[IPV6\]:PORT\n$/],
    [['mx.test:70000'], /is not a server/],
    [['-o', 'x', 'bad host'], /^dsnstat: bad host is not a server/],
    [['--rcpt', 'bob', 'mx.test'], /^dsnstat: --rcpt: bob is not an address; give user@example\.com\n$/],
    [['--rcpt', 'bob@mx.test>\r\nDATA', 'mx.test'], /^dsnstat: --rcpt: .*\\r\\ndata is not an address/],
    [['--helo', 'a b', 'mx.test'], /^dsnstat: --helo: a b is not a host name\n$/],
    [['--timeout', '0', 'mx.test'], /^dsnstat: --timeout: 0 is not a whole number from 1 to 600\n$/],
    [['--since', 'today', 'mx.test'], /^dsnstat: --since is not for dsnstat probe/],
  ])('%j: status 2, one line', (args, message) => {
    const { status, stdout, stderr } = dsnstat(['probe', ...args]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  test('a host that does not exist: status 2, and JSON that says so', () => {
    const { status, stdout, stderr } = dsnstat([
      'probe',
      '--format',
      'json',
      '--timeout',
      '5',
      'mx.no-such-host.invalid',
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^dsnstat: mx\.no-such-host\.invalid: \S.*\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ complete: false, dsn: 'unknown', greeting: null, port: 25 });
  });

  test('a silent server: the end comes in time', async () => {
    const server = await play({ greeting: null });
    const { status, stderr } = await run(['probe', '--timeout', '1', `127.0.0.1:${server.port}`]);
    expect(stderr).toMatch(/no end of the greeting in time; --timeout gives it more\n$/);
    expect(status).toBe(2);
  });

  test('--output writes the result to a file; what the server says stays text', async () => {
    const server = await play({ greeting: '220 \x1b[31mred', keywords: ['DSN'] });
    const path = join(folder, 'probe.txt');
    const { status, stdout } = await run(['probe', '-o', path, `127.0.0.1:${server.port}`]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(readFileSync(path, 'utf8')).toContain('<<< 220 \\x1b[31mred\n');
  });
});

/** The server is in this process: it must be able to answer. */
function run(args: readonly string[]): Promise<Ended> {
  const child = startDsnstat(args);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })));
}
